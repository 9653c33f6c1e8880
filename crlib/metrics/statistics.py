"""Intervals: jackknife, subsampling, paired bootstrap; and the interquartile mean.

The unit that is resampled is always the row: an action, a user, a query. A row of the one input
belongs to the same row of the other, so that differences between embeddings are paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from crlib.metrics.validate import FloatArray, as_float, check_level, same_rows

Statistic = Callable[..., float]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate : float
        The statistic on the whole sample.
    low, high : float
        Ends of the interval, in the unit of the estimate.
    level : float
        Confidence level, for example 0.95.
    n : int
        Number of rows (actions, users, queries) that it rests on.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int


def log_relative_to(interval: Interval, value: float) -> Interval:
    """Logarithm of an interval over a published value: 0 where they agree.

    Raises
    ------
    ValueError
        When the value or an end is not positive.
    """
    if not (value > 0 and interval.low > 0):
        raise ValueError(f"expected positive numbers, got {interval} relative to {value}")
    estimate, low, high = (
        math.log(x / value) for x in (interval.estimate, interval.low, interval.high)
    )
    return Interval(estimate, low, high, interval.level, interval.n)


@dataclass(frozen=True)
class Estimate:
    """A Monte-Carlo estimate with its standard error.

    Attributes
    ----------
    value : float
    standard_error : float
        Of the sampling alone: the data are held fixed.
    n : int
        Number of draws.
    """

    value: float
    standard_error: float
    n: int


def jackknife_interval(
    estimate: float, leave_one_out: ArrayLike, *, level: float = 0.95
) -> Interval:
    """Return the jackknife interval of a statistic from its leave-one-out values.

    The variance is ``(n - 1)/n * sum((theta_i - mean)^2)`` (Efron & Stein, Annals of Statistics,
    1981) and the interval is the normal one, so `estimate` should be on a scale where the
    statistic is nearly normal (logarithms for ratios).

    Parameters
    ----------
    estimate : float
        The statistic on all n rows.
    leave_one_out : array_like, shape (n,)
        The statistic without row i.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If fewer than two values are given, or one is not finite.
    """
    check_level(level)
    values = as_float(leave_one_out, "leave_one_out").astype(np.float64)
    if values.ndim != 1 or values.size < 2:
        raise ValueError("leave_one_out must be a list of at least 2 values")
    n = values.size
    error = float(np.sqrt((n - 1) / n * np.sum((values - values.mean()) ** 2)))
    half = float(stats.norm.ppf(0.5 + level / 2)) * error
    return Interval(float(estimate), float(estimate) - half, float(estimate) + half, level, n)


def subsample_interval(
    arrays: tuple[ArrayLike, ...],
    statistic: Statistic,
    *,
    rng: np.random.Generator | int,
    m: int | None = None,
    n_resamples: int = 200,
    level: float = 0.95,
) -> Interval:
    """Return an m-out-of-n interval, drawn without replacement.

    A second opinion beside the jackknife. No row appears twice in a draw, which a U-statistic
    cannot bear: duplicates look like similar actions. The spread of the m-row statistic around the
    n-row one is scaled by ``sqrt(m / (n - m))``, the ratio of 1/n to the conditional variance
    factor 1/m - 1/n (Politis & Romano, Annals of Statistics, 1994, with finite-population
    correction), and its quantiles are reflected around the estimate.

    Parameters
    ----------
    arrays : tuple of array_like
        Paired inputs with n rows each; the same rows are drawn from all.
    statistic : callable
        ``statistic(*arrays) -> float``, root-n consistent and smooth.
    rng : Generator or int
        Source of randomness, or its seed.
    m : int, optional
        Rows a draw, 2 <= m < n; half of n by default.
    n_resamples : int
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the inputs do not pair up or m is out of range.
    """
    check_level(level)
    data = tuple(as_float(a, f"array {i}") for i, a in enumerate(arrays))
    for other in data[1:]:
        same_rows(data[0], other, "the arrays")
    n = data[0].shape[0]
    size = n // 2 if m is None else m
    if not 2 <= size < n:
        raise ValueError(f"m = {size} must satisfy 2 <= m < {n} rows")
    generator = np.random.default_rng(rng)
    estimate = float(statistic(*data))
    draws = np.empty(n_resamples)
    for i in range(n_resamples):
        rows = generator.choice(n, size=size, replace=False)
        draws[i] = statistic(*(a[rows] for a in data))
    spread = (draws - estimate) * np.sqrt(size / (n - size))
    low, high = np.quantile(spread, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(estimate, estimate - float(high), estimate - float(low), level, n)


def mean_difference(a: FloatArray, b: FloatArray) -> float:
    """Return mean(a) - mean(b)."""
    return float(np.mean(a) - np.mean(b))


def log_mean_ratio(a: FloatArray, b: FloatArray) -> float:
    """Return log mean(a) - log mean(b)."""
    return float(np.log(np.mean(a)) - np.log(np.mean(b)))


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    statistic: Statistic = mean_difference,
    *,
    rng: np.random.Generator | int,
    n_resamples: int = 2000,
    level: float = 0.95,
    method: Literal["percentile", "BCa"] = "percentile",
) -> Interval:
    """Return a bootstrap interval of a statistic of two paired samples.

    Rows are resampled with replacement, the same rows in `a` and in `b`, by
    :func:`scipy.stats.bootstrap`. The default is the percentile interval; ``method="BCa"``
    corrects bias and skewness (Efron 1987) and costs n more evaluations, which is worth it below a
    thousand rows or so.

    Parameters
    ----------
    a, b : array_like, shape (n,) or (n, ...)
        Row i of both belongs to the same action, user or query.
    statistic : callable
        ``statistic(a, b) -> float``, given resampled rows; the difference of means by default.
    rng : Generator or int
        Source of randomness, or its seed.
    n_resamples : int
    level : float
    method : {"percentile", "BCa"}

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the samples do not pair up, have fewer than two rows, or hold NaN.
    """
    check_level(level)
    left, right = as_float(a, "a"), as_float(b, "b")
    if left.ndim == 0 or right.ndim == 0:
        raise ValueError("a and b must be samples (one row a unit), not single numbers")
    same_rows(left, right, "a and b")
    n = left.shape[0]
    if n < 2:
        raise ValueError(f"a and b have {n} row: a bootstrap needs at least 2")
    estimate = float(statistic(left, right))

    def of_rows(rows: NDArray[np.int64]) -> float:
        return float(statistic(left[rows], right[rows]))

    # Row numbers are resampled instead of values: samples may then have columns, and the pairing
    # holds by construction.
    low, high = bootstrap_ends(
        (np.arange(n),), of_rows, rng=rng, n_resamples=n_resamples, level=level, method=method
    )
    return Interval(estimate, low, high, level, n)


def bootstrap_ends(
    samples: Sequence[NDArray[np.int64]],
    statistic: Callable[..., float],
    *,
    rng: np.random.Generator | int,
    n_resamples: int,
    level: float,
    method: Literal["percentile", "BCa"] = "percentile",
) -> tuple[float, float]:
    """Return the ends of :func:`scipy.stats.bootstrap`'s interval, samples drawn independently.

    Parameters
    ----------
    samples : sequence of ndarray of int64
        Row numbers; one array, or one a stratum.
    statistic : callable
        ``statistic(*resampled)``.
    rng, n_resamples, level, method
        As in `paired_bootstrap`.
    """
    n = sum(map(len, samples))
    result = stats.bootstrap(
        tuple(samples),
        statistic,
        vectorized=False,
        n_resamples=n_resamples,
        batch=max(1, (1 << 22) // n),  # bounds the table of indices to about 32 MiB
        confidence_level=level,
        method=method,
        rng=np.random.default_rng(rng),
    ).confidence_interval
    return float(result.low), float(result.high)


def iqm(x: ArrayLike) -> float:
    """Return the interquartile mean: the mean after cutting a quarter at either end.

    Robust as the median and nearly as efficient as the mean (Agarwal et al. 2021,
    arXiv 2108.13264). The number cut at either end is a quarter of n, rounded down.

    Parameters
    ----------
    x : array_like
        Scores of any shape; all are pooled.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `x` is empty or holds NaN.
    """
    return float(stats.trim_mean(as_float(x, "x").astype(np.float64), 0.25, axis=None))
