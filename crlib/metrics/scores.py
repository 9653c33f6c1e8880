"""Scores of learners compared from few runs, after Agarwal et al. (2021, arXiv 2108.13264).

They stand beside :func:`crlib.metrics.iqm`. The unit is a (reward function, embedding) draw, a
user, a query; never an agent's seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from crlib.metrics.statistics import Interval, bootstrap_ends
from crlib.metrics.validate import FloatArray, as_float, check_level


def performance_profile(scores: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Return the share of scores above each threshold.

    Parameters
    ----------
    scores : array_like
        Scores of any shape; all are pooled.
    thresholds : array_like, shape (n_thresholds,)

    Returns
    -------
    ndarray of float64, shape (n_thresholds,)
        In [0, 1], falling.

    Raises
    ------
    ValueError
        If an input is empty or holds NaN.
    """
    ordered = np.sort(as_float(scores, "scores"), axis=None)
    levels = np.atleast_1d(as_float(thresholds, "thresholds"))
    return 1 - np.searchsorted(ordered, levels, side="right") / ordered.size


def probability_of_improvement(a: ArrayLike, b: ArrayLike) -> float:
    """Return P(score of a > score of b) for independent runs, ties counting half.

    The Mann-Whitney statistic over the number of pairs, averaged over tasks. For regret, where
    less is better, swap the two.

    Parameters
    ----------
    a : array_like, shape (n,) or (n, n_tasks)
    b : array_like, shape (n',) or (n', n_tasks)

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If an input holds NaN or the numbers of tasks differ.
    """
    left, right = as_float(a, "a"), as_float(b, "b")
    if left.ndim not in (1, 2) or left.shape[1:] != right.shape[1:]:
        raise ValueError(
            f"a and b have shapes {left.shape} and {right.shape}: pass (runs,) or (runs, tasks), "
            "the same tasks"
        )
    wins = stats.mannwhitneyu(left, right, axis=0, method="asymptotic").statistic
    return float(np.mean(wins) / (left.shape[0] * right.shape[0]))


def stratified_bootstrap(
    scores: ArrayLike,
    statistic: Callable[[FloatArray], float],
    *,
    rng: np.random.Generator | int,
    strata: ArrayLike | None = None,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the percentile interval of a statistic, resampling units within their stratum.

    Agarwal et al. (2021): the numbers of units in each task, domain or reward family are fixed by
    design, so each draw keeps them. By :func:`scipy.stats.bootstrap`.

    Parameters
    ----------
    scores : array_like, shape (n,) or (n, ...)
        A row a unit; columns (embeddings, agents) stay together, which pairs them.
    statistic : callable
        ``statistic(scores) -> float``, for example :func:`crlib.metrics.iqm`.
    rng : Generator or int
        Source of randomness, or its seed.
    strata : array_like, shape (n,), optional
        Label of each unit's stratum, of at least 2 units each; one stratum by default.
    n_resamples : int
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the labels do not fit the scores, or a stratum has a single unit.
    """
    check_level(level)
    values = as_float(scores, "scores")
    if values.ndim == 0:
        raise ValueError("scores is a single number: pass a row for each unit")
    n = values.shape[0]
    labels = np.zeros(n) if strata is None else np.asarray(strata)
    if labels.shape != (n,):
        raise ValueError(f"strata has shape {labels.shape}: pass a label for each of {n} scores")
    names, member, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"stratum {names[np.argmin(counts)]} has 1 unit, a bootstrap needs 2: pool it"
        )

    order = np.argsort(member, kind="stable")

    def of_rows(*rows: NDArray[np.int64]) -> float:
        # In the order of the input, which a statistic of the columns may rely on.
        drawn = np.empty(n, np.int64)
        drawn[order] = np.concatenate(rows)
        return float(statistic(values[drawn]))

    low, high = bootstrap_ends(
        np.split(order, np.cumsum(counts)[:-1]),
        of_rows,
        rng=rng,
        n_resamples=n_resamples,
        level=level,
    )
    return Interval(float(statistic(values)), low, high, level, n)
