"""What to do: the recommendation, how sure it is, and how many labels would settle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crlib.metrics.statistics import Interval
from crlib.ranking.labels import LEVEL, Score

Verdict = Literal["clear", "tied", "alone", "nothing", "geometry"]
POWER = 0.8  # how often the labels that are called for would show the difference
MOST = 1_000_000  # more labels than that are not counted

GEOMETRY = (
    "No labels were given, so that embeddings cannot be ranked. Geometry says how spread out an "
    "embedding is, whether it has collapsed (an effective dimension of a few, a uniformity near "
    "0), and nothing of what rewards it can tell: noise is the most uniform of all. In the book's "
    "chapter on few labels the participation ratio had a rank correlation with small regret that "
    "could not be told from zero. Label a few hundred actions and pass them with --rewards."
)


@dataclass(frozen=True)
class Advice:
    """The recommendation.

    Attributes
    ----------
    verdict : {"clear", "tied", "alone", "nothing", "geometry"}
        One is better than all others; some cannot be told apart; there is only one, and it says
        something; none says anything measurable; there were no labels.
    best : str
        The embedding of the largest leave-one-out R^2; "" without labels.
    probability : float
        That it is better than the second: the share of the resamples. NaN where there is none.
    difference : Interval or None
        Its R^2 minus the second's, paired.
    tied : tuple of str
        Embeddings that cannot be told from the best, in the order of their R^2.
    labels_needed : int or None
        Labels a task that would show the difference to the second (to noise, where nothing is
        measurable) four times of five, were it as large as it seems. None: nothing to settle, or
        more than a million.
    text : str
        All of it in sentences.
    """

    verdict: Verdict
    best: str
    probability: float
    difference: Interval | None
    tied: tuple[str, ...]
    labels_needed: int | None
    text: str


def advise(scores: dict[str, Score], noise: Score, n_actions: int) -> Advice:
    """Recommend an embedding.

    Parameters
    ----------
    scores : dict of str to Score
        Leave-one-out R^2 of each embedding.
    noise : Score
        That of the random control.
    n_actions : int
        K.
    """
    order = sorted(scores, key=lambda name: -float(scores[name].estimate.mean()))
    best = scores[order[0]]
    over_noise, over_mean = difference(best, noise), best.mean()
    found = {name: difference(best, scores[name]) for name in order[1:]}
    second = found.get(order[1]) if found else None
    sure = share_above_zero(best, scores[order[1]]) if second else float("nan")
    tied = tuple(name for name, gap in found.items() if gap.low <= 0)

    if min(over_noise.low, over_mean.low) <= 0:
        weaker = min(over_noise, over_mean, key=lambda gap: gap.estimate)
        needed = labels_needed(weaker, best.n)
        text = (
            f"Nothing can be concluded: the best embedding, {order[0]}, has a leave-one-out R² of "
            f"{shown(over_mean)}, which {best.n:,} labelled actions cannot tell from that of noise "
            f"or of the mean reward. Do not choose by this table. {_need(needed, n_actions)}"
        )
        return Advice("nothing", order[0], sure, second, tied, needed, text)
    if second is None:
        text = (
            f"{order[0]} says something about the rewards: leave-one-out R² {shown(over_mean)}, "
            f"noise {shown(noise.mean())}. There is no other embedding to compare it with."
        )
        return Advice("alone", order[0], sure, None, (), None, text)
    if not tied:
        text = (
            f"Take {order[0]}. Its leave-one-out R² is {shown(over_mean)}; it is better than the "
            f"second, {order[1]}, by {shown(second)}, in {percent(sure)} of the resamples of the "
            f"{best.n:,} labelled actions."
        )
        return Advice("clear", order[0], sure, second, (), None, text)
    needed = labels_needed(found[tied[0]], best.n)
    text = (
        f"No difference can be told with these labels ({best.n:,} labelled actions) between "
        f"{order[0]} and {', '.join(tied)}. {order[0]} comes first by {shown(second)} over "
        f"{order[1]}, and is better in {percent(sure)} of the resamples. "
        f"{_need(needed, n_actions)} Until then, take whichever of them is cheapest to run."
    )
    return Advice("tied", order[0], sure, second, tied, needed, text)


def difference(a: Score, b: Score) -> Interval:
    """Interval of the mean over tasks of `a` minus `b`, paired over resamples."""
    return Score(a.estimate - b.estimate, a.draws - b.draws, a.n).mean()


def share_above_zero(a: Score, b: Score) -> float:
    """Share of the resamples in which `a` is better than `b`; equal ones count half."""
    gaps = (a.draws - b.draws).mean(axis=1)
    return float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2)


def first_places(scores: dict[str, Score]) -> dict[str, float]:
    """Share of the resamples in which each embedding is the best of all; equals share one."""
    draws: NDArray[np.float64] = np.array([score.draws.mean(axis=1) for score in scores.values()])
    first = draws == draws.max(axis=0)
    shares = (first / first.sum(axis=0)).mean(axis=1)
    return dict(zip(scores, shares.tolist(), strict=True))


def labels_needed(gap: Interval, n: int) -> int | None:
    """Labels at which a difference of this size would show with the usual power.

    The interval narrows with the root of n, so that n ((z_level + z_power) se / gap)^2 are needed;
    rounded up to two digits. None above `MOST`, or where there is no difference at all.
    """
    z = float(stats.norm.ppf(0.5 + LEVEL / 2))
    error = (gap.high - gap.low) / (2 * z)
    if gap.estimate <= 0:
        return None
    needed = n * ((z + float(stats.norm.ppf(POWER))) * error / gap.estimate) ** 2
    if not needed <= MOST:
        return None
    unit = 10 ** max(0, int(np.floor(np.log10(max(needed, 1)))) - 1)
    return int(np.ceil(needed / unit) * unit)


def shown(found: Interval, digits: int = 3) -> str:
    """Estimate and interval, as "0.410 [0.380, 0.450]"."""
    # "+ 0.0" turns a rounded -0.0 into 0.0.
    value, low, high = (round(x, digits) + 0.0 for x in (found.estimate, found.low, found.high))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def percent(share: float) -> str:
    """A share, never rounded to certainty."""
    return "over 99%" if share > 0.99 else "under 1%" if share < 0.01 else f"{share:.0%}"


def _need(needed: int | None, n_actions: int) -> str:
    if needed is None:
        return f"The difference is so small that more than {MOST:,} labels would be needed."
    more = ", more than there are actions" if needed > n_actions else ""
    return f"About {needed:,} labelled actions would be needed{more}, were it as large as it seems."
