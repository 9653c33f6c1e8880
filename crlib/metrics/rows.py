"""What each action contributes to a mean over all pairs, so that the mean can be resampled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import FloatArray, as_float, as_unit_rows

# Rows and columns of a block of cosines: 1 MiB of float32, which stays in the cache.
BLOCK = 512

# Above this temperature exp(-4t), the value for antipodes, vanishes in float32.
LARGEST_T = 20.0


def kernel_profile(X: ArrayLike, ts: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of exp(-t |x_i - x_j|^2) over all other actions j, for each action i.

    The logarithm of the mean of a row is the uniformity L_unif (Wang & Isola 2020). Cosines are
    computed once for all temperatures, K^2 d / 2 multiplications.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.
    ts : float or array_like of float
        Temperatures in (0, 20].

    Returns
    -------
    ndarray of float64, shape (n_ts, K)
        In (0, 1].

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length, or a temperature is out of range.
    """
    rows = as_unit_rows(X)
    temperatures = np.atleast_1d(as_float(ts, "ts")).astype(np.float64)
    if temperatures.ndim != 1 or temperatures.min() <= 0 or temperatures.max() > LARGEST_T:
        raise ValueError(f"ts = {temperatures.tolist()}: pass temperatures in (0, {LARGEST_T:g}]")
    n = rows.shape[0]
    sums = np.zeros((temperatures.size, n))
    kernel = np.empty((min(BLOCK, n), min(BLOCK, n)), rows.dtype)

    def visit(left: slice, right: slice, cosines: FloatArray) -> None:
        values = kernel[: cosines.shape[0], : cosines.shape[1]]
        for total, t in zip(sums, temperatures, strict=True):
            np.subtract(cosines, rows.dtype.type(1), out=values)
            np.multiply(values, rows.dtype.type(2 * t), out=values)
            np.exp(values, out=values)
            if left == right:
                np.fill_diagonal(values, 0)
            total[left] += values.sum(axis=1)
            if left != right:
                total[right] += values.sum(axis=0)

    _visit_pairs(rows, visit)
    return sums / (n - 1)


def distance_profile(X: ArrayLike) -> NDArray[np.float64]:
    """Return the mean distance of each action to a random action, itself included.

    This is ``coverage_profile(X, 1)[0]``: with k = 1 every rank has the same weight, so that no
    distance needs sorting.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.

    Returns
    -------
    ndarray of float64, shape (K,)
        In [0, 2].

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length.
    """
    rows = as_unit_rows(X)
    n = rows.shape[0]
    sums = np.zeros(n)

    def visit(left: slice, right: slice, cosines: FloatArray) -> None:
        np.subtract(rows.dtype.type(1), cosines, out=cosines)
        np.maximum(cosines, 0, out=cosines)
        np.sqrt(cosines, out=cosines)
        if left == right:
            np.fill_diagonal(cosines, 0)
        sums[left] += cosines.sum(axis=1)
        if left != right:
            sums[right] += cosines.sum(axis=0)

    _visit_pairs(rows, visit)
    return np.sqrt(2.0) * sums / n


def _visit_pairs(rows: FloatArray, visit: Callable[[slice, slice, FloatArray], None]) -> None:
    """Show each block of cosines of the upper triangle once; the block may be overwritten."""
    n = rows.shape[0]
    parts = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    buffer = np.empty(min(BLOCK, n) ** 2, rows.dtype)
    for i, left in enumerate(parts):
        for right in parts[i:]:
            shape = left.stop - left.start, right.stop - right.start
            block = buffer[: shape[0] * shape[1]].reshape(shape)
            np.matmul(rows[left], rows[right].T, out=block)
            visit(left, right, block)
