"""Tables of the page on encoders: what each is, how it is loaded, and its effective dimension."""

from collections.abc import Iterable, Mapping

from IPython.display import HTML

from crlib.extractors import HubSpec, ModelSpec
from crlib.metrics import Interval
from crlib.plots.python_api import table

NOT_RUN = "not run"


def identity_table(specs: Iterable[HubSpec]) -> HTML:
    """Name, objective, width, size, licence, and the published score to compare with."""
    rows = [
        (spec.name, spec.family, spec.description, f"{spec.dimensions:,}",
         f"{spec.gigabytes:.1f} GB", spec.licence + (", gated" if spec.gated else ""),
         "" if spec.sts_benchmark is None else f"{spec.sts_benchmark:.2f}")
        for spec in specs
    ]  # fmt: skip
    return table(rows, ["name", "objective", "what it is", "d", "weights", "licence", "STS-B"])


def loading_table(specs: Iterable[HubSpec]) -> HTML:
    """Hub id, pooling, adapters, prompt and the rest that loading needs."""
    rows = []
    for spec in specs:
        extras = [
            *(f"adapter {adapter}" for adapter in spec.adapters),
            *(["looks both ways"] if spec.bidirectional else []),
            *([f"prompt {spec.prompt!r}, not pooled"] if spec.prompt else []),
            *([f"suffix {spec.suffix!r}"] if spec.suffix else []),
        ]
        besides = "; ".join(extras) or "nothing else"
        rows.append((spec.name, spec.repo, spec.pooling, spec.dtype, spec.padding_side,
                     f"{spec.max_tokens:,}", besides))  # fmt: skip
    return table(rows, ["name", "on the hub", "pooling", "weights", "padding", "tokens", "besides"])


def dimension_table(
    specs: Iterable[HubSpec], twins: Iterable[ModelSpec], measured: Mapping[str, Interval]
) -> HTML:
    """The paper's number, the twin's, and the model's own where it was run.

    Parameters
    ----------
    specs : iterable of HubSpec
    twins : iterable of ModelSpec
        Those with the first seed stand for their counterpart.
    measured : mapping of str to Interval
        Participation ratios of this run, by model.
    """
    # A twin borrows the objective; "LLaMA-3 8B" is the counterpart of the paper's "LLaMA".
    stands_for = {
        spec.counterpart: spec.name for spec in twins if spec.counterpart and not spec.seed
    }
    rows = []
    for spec in specs:
        twin = next(
            (name for part, name in stands_for.items()
             if spec.counterpart and part and part.startswith(spec.counterpart)), "",
        )  # fmt: skip
        stated = "" if spec.expected_d_eff is None else f"{spec.expected_d_eff:.0f}"
        shown = f"{twin}: {_interval(measured.get(twin))}" if twin else ""
        rows.append((spec.name, stated, shown, _interval(measured.get(spec.name))))
    return table(rows, ["model", "the paper states", "its twin, 128 wide", "measured here"])


def _interval(found: Interval | None) -> str:
    return NOT_RUN if found is None else f"{found.estimate:.1f} [{found.low:.1f}, {found.high:.1f}]"
