"""Spectrum and effective dimension: the participation ratio PR = (sum l)^2 / sum l^2.

The naive estimate from K rows is biased low (1/PR reads about 1/K + 1/PR); the unbiased one
divides U-statistics of tr(S)^2 and tr(S^2) (Chen, Zhang & Zhong, JASA 2010; on the bias of the
participation ratio see Chun et al. 2025, arXiv 2509.26560).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from crlib.metrics.moments import (
    Moments,
    leave_one_out_traces,
    moments,
    squared_trace_and_trace_of_square,
)
from crlib.metrics.statistics import Interval, jackknife_interval
from crlib.metrics.validate import FloatArray, as_matrix, same_rows


def spectrum(X: ArrayLike, *, centre: bool = True) -> NDArray[np.float64]:
    """Return the eigenvalues of the covariance of `X`, scaled to sum to one.

    Parameters
    ----------
    X : array_like, shape (K, d)
    centre : bool
        Subtract the mean row; without it, the second-moment matrix is used.

    Returns
    -------
    ndarray of float64, shape (d,)
        Descending; zeros beyond the rank of `X`.

    Raises
    ------
    ValueError
        If `X` is no finite matrix of at least 2 rows, or has no variance.
    """
    sums = moments(as_matrix(X), centre=centre)
    eigenvalues = np.clip(np.linalg.eigvalsh(sums.product)[::-1], 0.0, None)
    padded = np.zeros(sums.d)
    padded[: min(sums.d, eigenvalues.size)] = eigenvalues[: sums.d]
    return np.asarray(padded / padded.sum())


def participation_ratio(X: ArrayLike, *, centre: bool = True, unbiased: bool = True) -> float:
    """Return the effective dimension of `X`, (tr S)^2 / tr S^2.

    Parameters
    ----------
    X : array_like, shape (K, d)
        At least 4 rows (2 for the naive or the uncentred one).
    centre : bool
        Take S to be the covariance; without it the second-moment matrix, for which unit rows give
        1 / E[(x.y)^2].
    unbiased : bool
        Divide U-statistics of the numerator and of the denominator (their ratio is unbiased only
        to first order). Otherwise plug in the sample covariance.

    Returns
    -------
    float
        The true value lies in [1, d]. The naive estimate does too; the unbiased one scatters
        around the truth and may exceed d. It is ``inf`` where the estimated tr S^2, the mean of
        ((x_i - x_j).(x_k - x_l))^2 / 4, is zero: the rows of an identity matrix are an example.

    Raises
    ------
    ValueError
        If `X` is no finite matrix, has too few rows or no variance.
    """
    fewest = (4 if centre else 2) if unbiased else 2
    matrix = as_matrix(X, min_rows=fewest)
    return _ratio(moments(matrix, centre=centre), centre=centre, unbiased=unbiased)


def _ratio(sums: Moments, *, centre: bool, unbiased: bool) -> float:
    if not unbiased:
        return sums.trace**2 / sums.frobenius
    if centre:
        numerator, denominator = squared_trace_and_trace_of_square(
            sums.n, sums.trace, sums.fourth, sums.frobenius
        )
    else:
        numerator, denominator = sums.trace**2 - sums.fourth, sums.frobenius - sums.fourth
    # A ratio beyond 1e12 is rounding in a denominator that should be zero.
    return float(numerator / denominator) if denominator > 1e-12 * numerator else float("inf")


def participation_without_top(X: ArrayLike, n_removed: int = 1) -> float:
    """Return the participation ratio of the spectrum without its largest eigenvalues.

    One outlier dimension can take the participation ratio of a rich embedding down to 2; this
    variant shows what lies beneath. It is the naive estimate.

    Parameters
    ----------
    X : array_like, shape (K, d)
    n_removed : int
        How many leading eigenvalues to drop, 0 <= n_removed < rank.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If nothing is left after the removal.
    """
    eigenvalues = spectrum(X)
    rest = eigenvalues[n_removed:]
    if n_removed < 0 or rest.size == 0 or rest[0] <= 0:
        rank = int(np.count_nonzero(eigenvalues))
        raise ValueError(f"n_removed = {n_removed} must lie in [0, {rank}), the rank of X")
    return float(rest.sum() ** 2 / np.dot(rest, rest))


def _log_ratio_with_jackknife(X: FloatArray) -> tuple[float, NDArray[np.float64]]:
    """Return log PR of `X` and its n leave-one-out values, or raise ``ValueError``."""
    sums = moments(X, centre=True)
    estimate = _ratio(sums, centre=True, unbiased=True)
    numerator, denominator = leave_one_out_traces(X, sums)
    usable = (numerator > 0) & (denominator > 1e-12 * numerator)
    if not (np.isfinite(estimate) and usable.all()):
        raise ValueError(
            f"{sums.n} rows are too few to bound the participation ratio (the unbiased tr S^2 "
            "vanishes, at least with one row left out): pass more actions"
        )
    return float(np.log(estimate)), np.log(numerator) - np.log(denominator)


def participation_ratio_interval(X: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the unbiased participation ratio with a jackknife interval.

    The jackknife runs on log PR and is mapped back, so the interval is positive. All n
    leave-one-out values come in closed form from one more matrix product, O(K d^2) in all.

    Parameters
    ----------
    X : array_like, shape (K, d)
        At least 5 rows, taken as a sample of actions.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If `X` is unfit or has too few rows for a finite estimate.
    """
    log_ratio, without_one = _log_ratio_with_jackknife(as_matrix(X, min_rows=5))
    log_interval = jackknife_interval(log_ratio, without_one, level=level)
    low, estimate, high = np.exp([log_interval.low, log_interval.estimate, log_interval.high])
    return Interval(float(estimate), float(low), float(high), level, log_interval.n)


def log_pr_difference(X: ArrayLike, Y: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return log PR(X) - log PR(Y) with a paired jackknife interval over the same actions.

    Parameters
    ----------
    X, Y : array_like, shapes (K, d) and (K, d')
        Two embeddings of one list of actions, in one order; at least 5 rows. The dimensions may
        differ.
    level : float

    Returns
    -------
    Interval
        Above zero: `X` has the higher effective dimension.

    Raises
    ------
    ValueError
        If the rows do not pair up, or an input is unfit.
    """
    left, right = as_matrix(X, "X", min_rows=5), as_matrix(Y, "Y", min_rows=5)
    same_rows(left, right)
    log_left, left_without = _log_ratio_with_jackknife(left)
    log_right, right_without = _log_ratio_with_jackknife(right)
    return jackknife_interval(log_left - log_right, left_without - right_without, level=level)


def power_law_pr(a: float) -> float:
    """Return the participation ratio of the infinite spectrum l_i = i^-a.

    It is zeta(a)^2 / zeta(2a): 5/2 at a = 2.

    Parameters
    ----------
    a : float
        Exponent above 1 (below, the trace diverges).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a <= 1.
    """
    if not a > 1:
        raise ValueError(f"a = {a} must be above 1, else the sum of i^-a diverges")
    return float(special.zeta(a) ** 2 / special.zeta(2 * a))


def geometric_pr(q: float, n: int) -> float:
    """Return the participation ratio of the spectrum l_i = q^i, i = 0 .. n - 1.

    It is (1+q)(1-q^n) / ((1-q)(1+q^n)), and n at q = 1.

    Parameters
    ----------
    q : float
        Ratio of neighbouring eigenvalues, 0 < q <= 1.
    n : int
        Number of eigenvalues.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If q or n is out of range.
    """
    if not 0 < q <= 1 or n < 1:
        raise ValueError(f"q = {q} must lie in (0, 1] and n = {n} must be at least 1")
    if q == 1:
        return float(n)
    # expm1 and log keep the digits that 1 - q^n loses when q is close to 1.
    power = float(np.exp(n * np.log(q)))
    return float((1 + q) * -np.expm1(n * np.log(q)) / ((1 - q) * (1 + power)))
