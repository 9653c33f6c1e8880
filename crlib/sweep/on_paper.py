"""What very many actions would take, from stated assumptions: nothing here was run."""

import math
from dataclasses import dataclass

from crlib.extractors.hub.specs import HUB_MODELS

TOKENS = 64  # of an action's text
DEVICE = "NVIDIA A100"
PEAK = 3.12e14  # its operations a second, dense bfloat16, as its data sheet says
SHARE = 1 / 3  # of the peak that is sustained on short texts, an assumption
SUSTAINED = SHARE * PEAK
BANDWIDTH = 1e11  # bytes a second that one processor reads from memory, an assumption
ROWS_A_JOB = 100_000
MANIFEST = 70  # bytes of a text's line in the store's lists (crlib.extractors.store)


@dataclass(frozen=True)
class Cost:
    """What embedding and searching a catalogue takes.

    Attributes
    ----------
    jobs : int
        Shards, a job each.
    device_hours : float
        Of one accelerator, over all jobs.
    tokens_a_second : float
        That one accelerator encodes.
    job_hours : float
        Of one full job.
    weights : float
        10^9 bytes of the model in bfloat16: an accelerator's memory must hold more.
    job_rows : float
        10^9 bytes of the vectors that a full job has in memory, in float32.
    float32, codes : float
        10^9 bytes of the vectors in four bytes a number, and in one (the scan's codes).
    scan_seconds : float
        To read all codes once: one exact choice among all actions, at the least.
    """

    jobs: int
    device_hours: float
    tokens_a_second: float
    job_hours: float
    weights: float
    job_rows: float
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
    tokens_a_second = sustained / (2 * parameters)
    full = min(actions, rows_a_job)
    return Cost(
        jobs=math.ceil(actions / rows_a_job),
        device_hours=tokens * actions / tokens_a_second / 3600, tokens_a_second=tokens_a_second,
        job_hours=tokens * full / tokens_a_second / 3600, weights=2 * parameters / 1e9,
        job_rows=4 * full * dimensions / 1e9, float32=4 * rows, codes=rows,
        scan_seconds=1e9 * rows / bandwidth,
    )  # fmt: skip


def table_markdown(actions: int = 100_000_000) -> str:
    """Costs for the paper's encoders as two Markdown tables, with their assumptions in words."""
    hours = ["| Encoder | Parameters | Tokens a second | Jobs | Hours a job | Hours in all |",
             "|---|" + "--:|" * 5]  # fmt: skip
    memory = [
        "| Encoder | Width | Weights | A job's vectors | All vectors | 8-bit codes | One scan |",
        "|---|" + "--:|" * 6,
    ]
    for name, spec in HUB_MODELS.items():
        if spec.counterpart is None:
            continue
        cost = embedding_cost(actions, parameters=1e6 * spec.parameters, dimensions=spec.dimensions)
        speed = float(f"{cost.tokens_a_second:.3g}")
        hours.append(
            f"| {name} | {spec.parameters / 1000:.2g} billion | {speed:,.0f} | "
            f"{cost.jobs:,} | {cost.job_hours:.2g} | {cost.device_hours:,.0f} |"
        )
        memory.append(
            f"| {name} | {spec.dimensions:,} | {cost.weights:.2g} GB | {cost.job_rows:.1f} GB | "
            f"{cost.float32:,.0f} GB | {cost.codes:,.0f} GB | {cost.scan_seconds:.1f} s |"
        )
    lines = [
        *hours,
        "",
        f"For {actions:,} actions of {TOKENS} tokens, {ROWS_A_JOB:,} to a job. Tokens a second "
        f"are those of one {DEVICE} at {SHARE:.0%} of its {PEAK / 1e12:.0f} · 10¹² operations a "
        "second (dense bfloat16, its data sheet), two operations a parameter and token; that share "
        "is an assumption. Hours are of one such accelerator. On paper: nothing of this was run.",
        "",
        *memory,
        "",
        "Vectors are in float32, codes take a byte a number. A scan reads all codes at "
        f"{BANDWIDTH / 1e9:.0f} GB a second, an assumption too.",
        "",
        f"What stands in the way today is the store, not the arithmetic: its lists hold {MANIFEST} "
        f"bytes a text, {MANIFEST * actions / 1e9:.0f} GB for all, and every job reads all of them "
        "to see what is missing. So many actions want a store for each part, and a reader that "
        "maps the parts.",
    ]
    return "\n".join(lines) + "\n"
