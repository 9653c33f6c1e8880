"""What very many actions would take, from stated assumptions: nothing here was run."""

import math
from dataclasses import dataclass

from crlib.extractors.hub.specs import HUB_MODELS

TOKENS = 64  # of an action's text
SUSTAINED = 1e14  # operations a second that one accelerator sustains, an assumption
BANDWIDTH = 1e11  # bytes a second that one processor reads from memory, an assumption
ROWS_A_JOB = 100_000


@dataclass(frozen=True)
class Cost:
    """What embedding and searching a catalogue takes.

    Attributes
    ----------
    jobs : int
        Shards, a job each.
    device_hours : float
        Of one accelerator, over all jobs.
    float32, codes : float
        10^9 bytes of the vectors in four bytes a number, and in one (the scan's codes).
    scan_seconds : float
        To read all codes once: one exact choice among all actions, at the least.
    """

    jobs: int
    device_hours: float
    float32: float
    codes: float
    scan_seconds: float


def embedding_cost(
    actions: int,
    *,
    parameters: float,
    dimensions: int,
    tokens: float = TOKENS,
    sustained: float = SUSTAINED,
    bandwidth: float = BANDWIDTH,
    rows_a_job: int = ROWS_A_JOB,
) -> Cost:
    """Estimate the cost of embedding a catalogue once and of searching it.

    A forward pass takes two operations a parameter and token (Kaplan et al., 2020, section 2.1).

    Parameters
    ----------
    actions : int
    parameters : float
        Of the model.
    dimensions : int
    tokens : float
        Of an action's text, on average.
    sustained : float
        Operations a second of one accelerator.
    bandwidth : float
        Bytes a second that the search reads.
    rows_a_job : int

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        When a quantity is not positive.
    """
    quantities = (actions, parameters, dimensions, tokens, sustained, bandwidth, rows_a_job)
    if min(quantities) <= 0:
        raise ValueError(f"all quantities must be positive, got {quantities}")
    rows = actions * dimensions / 1e9
    return Cost(
        jobs=math.ceil(actions / rows_a_job),
        device_hours=2 * parameters * tokens * actions / sustained / 3600,
        float32=4 * rows, codes=rows, scan_seconds=1e9 * rows / bandwidth,
    )  # fmt: skip


def table_markdown(actions: int = 100_000_000) -> str:
    """Costs for the paper's encoders as a Markdown table, with its assumptions in words."""
    lines = [
        f"| Encoder | Parameters | Width | Jobs of {ROWS_A_JOB:,} texts | Accelerator hours | "
        "Vectors, float32 | Codes of 8 bits | One scan |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, spec in HUB_MODELS.items():
        if spec.counterpart is None:
            continue
        cost = embedding_cost(actions, parameters=1e6 * spec.parameters, dimensions=spec.dimensions)
        lines.append(
            f"| {name} | {spec.parameters / 1000:.2g} billion | {spec.dimensions:,} | "
            f"{cost.jobs:,} | {cost.device_hours:,.0f} | {cost.float32:,.0f} GB | "
            f"{cost.codes:,.0f} GB | {cost.scan_seconds:.1f} s |"
        )
    lines += [
        "",
        f"For {actions:,} actions of {TOKENS} tokens, at {SUSTAINED / 1e12:.0f} · 10¹² operations "
        f"a second and accelerator, and {BANDWIDTH / 1e9:.0f} GB a second of memory. On paper: "
        "nothing of this was run.",
    ]
    return "\n".join(lines) + "\n"
