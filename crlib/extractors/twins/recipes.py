"""What is trained how: phases of an objective with its optimiser settings and schedule."""

import math
from dataclasses import dataclass
from typing import Literal

Objective = Literal["masked", "causal", "masked-next", "simcse", "pairs"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one objective.

    Attributes
    ----------
    objective : str
        See `crlib.extractors.twins.objectives`.
    share : float
        Share of the steps, in (0, 1]; the shares of a recipe add up to 1.
    schedule : {"linear", "cosine"}
        Decay of the learning rate after the warm-up.
    warmup : float
        Share of the phase's steps in which the rate rises from 0.
    floor : float
        Rate at the end of a cosine, as a share of the peak.
    betas, eps, weight_decay
        Of AdamW (Loshchilov and Hutter 2019).
    causal : bool
        Whether a token sees only itself and its past.
    passes_per_mask : int
        Passes over the data for which a text keeps its mask: BERT saw each of its ten static
        masks four times (Liu et al. 2019, section 4.1), RoBERTa's are new in each pass (1).
    """

    objective: Objective
    share: float = 1.0
    schedule: Literal["linear", "cosine"] = "linear"
    warmup: float = 0.06
    floor: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.01
    causal: bool = False
    passes_per_mask: int = 1


@dataclass(frozen=True)
class Recipe:
    """Phases in order, and what is the same for all twins.

    The peak rate is the better of 0.001 and 0.002 by the masked loss after 400 steps; nothing
    else was tried, and no property of the embeddings was looked at.
    """

    phases: tuple[Phase, ...]
    peak_rate: float = 2e-3
    clip: float = 1.0
    temperature: float = 0.05


# BERT: 10,000 of 1,000,000 steps of warm-up, linear decay (Devlin et al. 2019, appendix A.2).
BERT = Phase("masked", warmup=0.01, eps=1e-6, passes_per_mask=4)
# RoBERTa: new masks in each pass, 6% warm-up, beta2 = 0.98 (Liu et al. 2019, table 9).
ROBERTA = Phase("masked", warmup=0.06, betas=(0.9, 0.98), eps=1e-6)
# LLaMA: cosine to a tenth, beta2 = 0.95, decay 0.1 (Touvron et al. 2023, section 2.3).
LLAMA = Phase(
    "causal",
    schedule="cosine",
    warmup=0.02,
    floor=0.1,
    betas=(0.9, 0.95),
    weight_decay=0.1,
    causal=True,
)
# SimCSE: dropout as the only noise, no warm-up, no decay (Gao et al. 2021, appendix A).
SIMCSE = Phase("simcse", warmup=0.0, weight_decay=0.0)
PAIRS = Phase("pairs", warmup=0.06)
# LLM2Vec: bidirectional attention, masked next-token prediction, SimCSE (BehnamGhader et al. 2024).
LLM2VEC = (
    Phase(**{**LLAMA.__dict__, "share": 0.6}),
    Phase("masked-next", share=0.2, warmup=0.06),
    Phase("simcse", share=0.2, warmup=0.0, weight_decay=0.0),
)

RECIPES: dict[str, Recipe] = {
    "mlm-bert": Recipe((BERT,)),
    "mlm-roberta": Recipe((ROBERTA,)),
    "clm-llama": Recipe((LLAMA,)),
    "simcse": Recipe((SIMCSE,)),
    "supervised-jina": Recipe((PAIRS,)),
    "llm2vec": Recipe(LLM2VEC),
    "minilm-mlm": Recipe((ROBERTA,), peak_rate=5e-4),
    "minilm-simcse": Recipe((SIMCSE,), peak_rate=5e-4),
}


def phase_lengths(recipe: Recipe, steps: int) -> list[int]:
    """Whole numbers of steps a phase that add up to `steps`; the first phase takes the rest."""
    later = [round(phase.share * steps) for phase in recipe.phases[1:]]
    return [steps - sum(later), *later]


def rate(phase: Phase, step: int, steps: int, peak: float) -> float:
    """Learning rate at `step` (0, ..., steps - 1) of a phase of `steps` steps."""
    warm = round(phase.warmup * steps)
    if step < warm:
        return peak * (step + 1) / warm
    progress = (step - warm) / max(steps - warm, 1)
    if phase.schedule == "cosine":
        return peak * (phase.floor + (1 - phase.floor) * (1 + math.cos(math.pi * progress)) / 2)
    return peak * (1 - progress)
