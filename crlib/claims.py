"""Claims: rules fixed before measuring, verdicts computed from confidence intervals.

`book/claims.yml` holds what is claimed and the rule that decides it. A notebook records
intervals in a `Run`; the run judges them and writes `result.json`. Everything that shows a
verdict (a page's banner, the front page, `crlib claims`) computes it here.
"""

import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from crlib import io, provenance
from crlib.metrics.statistics import Interval
from crlib.schemas import Parameters
from crlib.settings import BUILD, ROOT

Verdict = Literal["supported", "not supported", "inconclusive", "mixed", "not run"]
ROUNDING = 1e-12  # an end this near to a threshold lies on it
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Record):
    """When an interval supports a part: wholly above, wholly below, or wholly within.

    Exactly one of the three is set. `above: 0.9` reads "the lower end is larger than 0.9".
    """

    above: Finite | None = None
    below: Finite | None = None
    within: tuple[Finite, Finite] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Rule":
        if sum(value is not None for value in (self.above, self.below, self.within)) != 1:
            raise ValueError("a rule has exactly one of above, below, within")
        if self.within is not None and self.within[0] >= self.within[1]:
            raise ValueError("within: [low, high] needs low < high")
        return self

    def __str__(self) -> str:
        if self.above is not None:
            return f"interval above {self.above:g}"
        if self.below is not None:
            return f"interval below {self.below:g}"
        assert self.within is not None
        return f"interval within [{self.within[0]:g}, {self.within[1]:g}]"


class Part(_Record):
    """One judged quantity of a claim; `groups` of evidence are matched pairs of models."""

    id: str
    statement: str
    statistic: str
    unit: str
    rule: Rule
    not_run: str = ""


class Claim(_Record):
    """A claim of the paper (or beyond it), with its parts and the notebook that tests it."""

    id: str
    title: str
    statement: str
    notebook: str
    paper: str
    parts: tuple[Part, ...] = Field(min_length=1)


class Evidence(_Record):
    """One interval and the verdict that its part's rule gives it."""

    id: str
    group: str
    statistic: str
    estimate: Finite
    ci_low: Finite
    ci_high: Finite
    level: float = Field(gt=0, lt=1)
    n: int = Field(ge=1)
    unit: str
    verdict: Literal["supported", "not supported", "inconclusive"]

    @model_validator(mode="after")
    def _ordered(self) -> "Evidence":
        if self.ci_low > self.ci_high:
            raise ValueError(f"{self.id}: ci_low {self.ci_low} exceeds ci_high {self.ci_high}")
        return self


class Result(_Record):
    """The content of result.json; `figures` are names of files in the folder figures/ beside it."""

    notebook: str
    claims: tuple[Evidence, ...]
    numbers: dict[str, Any]
    parameters: dict[str, Any]
    provenance: dict[str, Any]
    figures: tuple[str, ...] = ()


def judge(
    rule: Rule, low: float, high: float
) -> Literal["supported", "not supported", "inconclusive"]:
    """Judge an interval by a rule: a verdict needs the whole interval on one side.

    An end that differs from a threshold by no more than rounding (`ROUNDING`) lies on it: the end
    of a bootstrap over ties may be 0, or 3e-19.

    Parameters
    ----------
    rule : Rule
        The part's rule.
    low, high : float
        Ends of the confidence interval, low <= high.

    Returns
    -------
    str
        "supported", "not supported" or "inconclusive".

    Raises
    ------
    ValueError
        When an end is NaN or low > high.
    """
    if not low <= high:
        raise ValueError(f"interval [{low}, {high}]: expected two numbers with low <= high")
    if rule.within is not None:
        floor, ceiling = rule.within
        inside = _over(low, floor) >= 0 >= _over(high, ceiling)
        outside = _over(high, floor) < 0 or _over(low, ceiling) > 0
    elif rule.above is not None:
        inside, outside = _over(low, rule.above) > 0, _over(high, rule.above) < 0
    else:
        assert rule.below is not None
        inside, outside = _over(high, rule.below) < 0, _over(low, rule.below) > 0
    return "supported" if inside else "not supported" if outside else "inconclusive"


def _over(end: float, threshold: float) -> float:
    """By how much an end is above a threshold; 0 where only rounding tells."""
    return 0.0 if abs(end - threshold) <= ROUNDING else end - threshold


def combine(verdicts: Iterable[str]) -> Verdict:
    """Combine verdicts: one where all agree, "mixed" where they differ, "not run" of none.

    What was not run is left out, so that a chapter can be judged on what was measured.
    """
    seen = {verdict for verdict in verdicts if verdict != "not run"}
    if not seen:
        return "not run"
    return seen.pop() if len(seen) == 1 else "mixed"  # type: ignore[return-value]


def tally(claim: Claim, evidence: Iterable[Evidence]) -> str:
    """How many of a claim's intervals say what: "1 supported, 7 not supported"."""
    parts = {part.id for part in claim.parts}
    verdicts = [item.verdict for item in evidence if item.id in parts]
    kinds = ("supported", "not supported", "inconclusive")
    return ", ".join(f"{verdicts.count(kind)} {kind}" for kind in kinds if kind in verdicts)


def part_verdict(part: Part, evidence: Iterable[Evidence]) -> Verdict:
    """Verdict of a part over its matched pairs."""
    return combine(item.verdict for item in evidence if item.id == part.id)


def claim_verdict(claim: Claim, evidence: Iterable[Evidence]) -> Verdict:
    """Verdict of a claim over its parts."""
    items = tuple(evidence)
    return combine(part_verdict(part, items) for part in claim.parts)


@cache
def load_claims(path: Path = ROOT / "book" / "claims.yml") -> tuple[Claim, ...]:
    """Read and validate the ledger's claims.

    Raises
    ------
    ValueError
        When the file is missing, breaks the schema, or repeats an id.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing: the claims and their rules stand there")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    claims = tuple(Claim.model_validate(item) for item in content["claims"])
    ids = [claim.id for claim in claims] + [part.id for claim in claims for part in claim.parts]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise ValueError(f"{path.name}: these ids stand more than once: {', '.join(repeated)}")
    return claims


class Run:
    """One run of a notebook: collects evidence and numbers, then writes result.json.

    Parameters
    ----------
    notebook : str
        Its name, as "theory/coverage".
    parameters : Parameters
        What `crlib.settings.parameters` returned.
    """

    def __init__(self, notebook: str, parameters: Parameters) -> None:
        self.notebook = notebook
        self.parameters = parameters
        self.claims = tuple(claim for claim in load_claims() if claim.notebook == notebook)
        folder = parameters.out_dir or BUILD / "runs" / notebook
        self.out_dir = Path(folder)
        self.evidence: list[Evidence] = []
        self.numbers: dict[str, Any] = {}
        self.figures: list[str] = []
        # Should this run fail, an earlier one's numbers must not pass for its own.
        (self.out_dir / "result.json").unlink(missing_ok=True)
        self._started = time.perf_counter()
        provenance.forget_inputs()

    def record(self, part_id: str, group: str, interval: Interval) -> Evidence:
        """Judge an interval under the rule of a part and keep it.

        Parameters
        ----------
        part_id : str
            As in claims.yml, "C3.raw".
        group : str
            The matched pair that the interval is about.
        interval : Interval
            Estimate, ends, level and number of units.

        Returns
        -------
        Evidence
            With its verdict.

        Raises
        ------
        ValueError
            When the part does not belong to this notebook or the pair was already recorded.
        """
        parts = {part.id: part for claim in self.claims for part in claim.parts}
        if part_id not in parts:
            raise ValueError(
                f"{part_id!r} is no part of {self.notebook} in claims.yml; "
                f"there are: {', '.join(parts) or 'none'}"
            )
        if any(item.id == part_id and item.group == group for item in self.evidence):
            raise ValueError(f"{part_id} was already recorded for {group!r}")
        part = parts[part_id]
        item = Evidence(
            id=part_id, group=group, statistic=part.statistic, unit=part.unit,
            estimate=float(interval.estimate), ci_low=float(interval.low),
            ci_high=float(interval.high), level=interval.level, n=interval.n,
            verdict=judge(part.rule, interval.low, interval.high),
        )  # fmt: skip
        self.evidence.append(item)
        return item

    def number(self, **values: Any) -> None:
        """Keep numbers for result.json and glue each under its name for the prose."""
        from myst_nb import glue

        for name, value in values.items():
            self.numbers[name] = io.plain(value)
            glue(name, self.numbers[name], display=False)

    def finish(self) -> Any:
        """Write result.json, glue the banner as "verdict", and return the provenance table."""
        from myst_nb import glue

        from crlib import ledger

        record = provenance.collect(self._started)
        result = Result(
            notebook=self.notebook, claims=tuple(self.evidence), numbers=self.numbers,
            parameters=self.parameters.model_dump(exclude={"out_dir"}), provenance=record,
            figures=tuple(self.figures),
        )  # fmt: skip
        io.write_json(self.out_dir / "result.json", result.model_dump())
        self._finish_figures(record)
        if self.claims:
            glue("verdict", ledger.banner(self.claims, result.claims), display=False)
        return ledger.provenance_table(result)

    def _finish_figures(self, record: dict[str, Any]) -> None:
        """Tell each figure where it comes from; an earlier run's figures go."""
        folder = self.out_dir / "figures"
        for path in sorted(folder.glob("*")):
            if path.name.split(".")[0] not in self.figures:
                path.unlink()
        for name in self.figures:
            path = folder / f"{name}.provenance.json"
            io.write_json(path, io.read_json(path) | {"provenance": record})


def read_results(folder: str | Path) -> dict[str, Result]:
    """Read every result.json below a folder, by notebook name.

    Raises
    ------
    ValueError
        When a file breaks the schema, or a notebook has more than one run there (copies of one
        are no harm); the message names them.
    """
    results: dict[str, Result] = {}
    paths: dict[str, Path] = {}
    for path in sorted(Path(folder).glob("**/result.json")):
        try:
            result = Result.model_validate(io.read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(
                f"{path} is no result of this version: {'.'.join(map(str, first['loc']))}: "
                f"{first['msg']}; run its notebook again"
            ) from None
        earlier = paths.setdefault(result.notebook, path)
        if results.setdefault(result.notebook, result) != result:
            raise ValueError(
                f"{folder} holds more than one run of {result.notebook}: {earlier} and {path}; "
                "give the folder of one of them"
            )
    return results
