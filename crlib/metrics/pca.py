"""What PCA to m dimensions does to the participation ratio, and to the gap between two embeddings.

With f_m the share of variance kept, f_m^2 PR <= PR_m <= min(m, PR), and PR_m grows with m. All
estimates here are naive ones (plug-in spectrum), since the directions themselves are estimated
from the same rows: keep K well above PR, or the bias of 1/K in 1/PR shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from crlib.metrics.moments import BLOCK_ROWS, moments
from crlib.metrics.spectrum import spectrum
from crlib.metrics.statistics import Interval
from crlib.metrics.validate import FloatArray, as_matrix, as_sizes, check_level, same_rows


def pca_participation(X: ArrayLike, ms: ArrayLike) -> NDArray[np.float64]:
    """Return the participation ratio after PCA to m dimensions, for each m.

    Parameters
    ----------
    X : array_like, shape (K, d)
    ms : int or array_like of int
        Numbers of principal components kept, 1 <= m <= d.

    Returns
    -------
    ndarray of float64, shape (n_ms,)

    Raises
    ------
    ValueError
        If `X` is unfit or an m is out of range.
    """
    return _participation_of_leading(spectrum(X), ms)


def pr_bounds(eigenvalues: ArrayLike, ms: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return the bounds f_m^2 PR and min(m, PR) on the participation ratio after PCA.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        A spectrum, descending, as :func:`crlib.metrics.spectrum` returns it.
    ms : int or array_like of int

    Returns
    -------
    low, high : ndarray of float64, shape (n_ms,)

    Raises
    ------
    ValueError
        If an m is out of range.
    """
    values = np.asarray(eigenvalues, np.float64)
    sizes = as_dimensions(ms, values.size)
    total = values.sum() ** 2 / np.dot(values, values)
    share = np.cumsum(values)[sizes - 1] / values.sum()
    return share**2 * total, np.minimum(sizes, total)


def pca_gap(
    X: ArrayLike, Y: ArrayLike, ms: ArrayLike, *, level: float = 0.95
) -> tuple[Interval, ...]:
    """Return log PR_m(X) - log PR_m(Y) for each m, with paired intervals.

    The variance is that of the empirical influence function, the limit of the jackknife (Efron
    1982): a row with principal scores z moves log PR_m by
    2 (sum z_j^2 / sum l_j - sum l_j z_j^2 / sum l_j^2) / K, sums over j <= m.

    Parameters
    ----------
    X, Y : array_like, shapes (K, d) and (K, d')
        Two embeddings of the same actions.
    ms : int or array_like of int
        At most the smaller dimension.
    level : float

    Returns
    -------
    tuple of Interval, one for each m

    Raises
    ------
    ValueError
        If the rows do not pair up or an m is out of range.
    """
    gap, influence = _gap_and_influence(X, Y, ms)
    return _intervals(gap, influence, level)


def pca_gap_ratio(
    X: ArrayLike, Y: ArrayLike, ms: ArrayLike, *, level: float = 0.95
) -> tuple[Interval, ...]:
    """Return the share of the gap that PCA leaves, for each m, with paired intervals.

    The share is [log PR_m(X) - log PR_m(Y)] / [log PR(X) - log PR(Y)]: 1 when PCA changes nothing,
    0 when it closes the gap. Interval by the delta method on the influence functions; it is of use
    only where the gap in the denominator is clearly not zero (see :func:`pca_gap` at m = d).

    Parameters
    ----------
    X, Y : array_like, shapes (K, d) and (K, d')
    ms : int or array_like of int
    level : float

    Returns
    -------
    tuple of Interval, one for each m

    Raises
    ------
    ValueError
        If an input is unfit, or the two participation ratios are equal.
    """
    left, right = as_matrix(X, "X"), as_matrix(Y, "Y")
    gap, influence = _gap_and_influence(left, right, ms)
    whole_left, move_left = _log_participation(left, np.array([left.shape[1]]))
    whole_right, move_right = _log_participation(right, np.array([right.shape[1]]))
    whole, whole_influence = whole_left - whole_right, move_left - move_right
    if whole[0] == 0:
        raise ValueError("X and Y have equal participation ratios: there is no gap to keep")
    ratio = gap / whole
    return _intervals(ratio, (influence - ratio * whole_influence) / whole, level)


def as_dimensions(ms: ArrayLike, d: int) -> NDArray[np.int64]:
    """Return `ms` as whole numbers in [1, d], or raise ``ValueError``."""
    try:
        return as_sizes(ms, d, replace=False)
    except ValueError as error:
        raise ValueError(f"m must be whole numbers in [1, {d}], the kept dimensions") from error


def _participation_of_leading(eigenvalues: NDArray, ms: ArrayLike) -> NDArray[np.float64]:
    sizes = as_dimensions(ms, eigenvalues.size)
    return np.asarray(np.cumsum(eigenvalues)[sizes - 1] ** 2 / np.cumsum(eigenvalues**2)[sizes - 1])


def _log_participation(X: FloatArray, sizes: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Return log PR_m (n_ms,) and the influence of each row on it (K, n_ms)."""
    mean = moments(X, centre=True).centre
    covariance = np.zeros((X.shape[1], X.shape[1]))
    blocks = [slice(i, i + BLOCK_ROWS) for i in range(0, X.shape[0], BLOCK_ROWS)]
    for part in blocks:
        centred = X[part] - mean
        covariance += centred.T @ centred
    eigenvalues, directions = np.linalg.eigh(covariance / X.shape[0])
    eigenvalues = np.clip(eigenvalues[::-1], 0.0, None)
    directions = np.ascontiguousarray(directions[:, ::-1]).astype(X.dtype)
    first = np.cumsum(eigenvalues)[sizes - 1]
    second = np.cumsum(eigenvalues**2)[sizes - 1]
    influence = np.empty((X.shape[0], sizes.size))
    for part in blocks:
        energy = ((X[part] - mean) @ directions).astype(np.float64) ** 2
        linear = np.cumsum(energy, axis=1)[:, sizes - 1] / first
        squared = np.cumsum(energy * eigenvalues, axis=1)[:, sizes - 1] / second
        influence[part] = 2 * (linear - squared)
    return 2 * np.log(first) - np.log(second), influence


def _gap_and_influence(X: ArrayLike, Y: ArrayLike, ms: ArrayLike) -> tuple[NDArray, NDArray]:
    left, right = as_matrix(X, "X"), as_matrix(Y, "Y")
    same_rows(left, right)
    sizes = as_dimensions(ms, min(left.shape[1], right.shape[1]))
    log_left, move_left = _log_participation(left, sizes)
    log_right, move_right = _log_participation(right, sizes)
    return log_left - log_right, move_left - move_right


def _intervals(values: NDArray, influence: NDArray, level: float) -> tuple[Interval, ...]:
    check_level(level)
    n = influence.shape[0]
    half = stats.norm.ppf(0.5 + level / 2) * influence.std(axis=0, ddof=1) / np.sqrt(n)
    return tuple(
        Interval(float(v), float(v - h), float(v + h), level, n)
        for v, h in zip(values, half, strict=True)
    )
