"""Sorted distances to the nearest actions, by blocks of one matrix product.

Ranks are found on a key that orders each row as the distance does and costs no pass of its own:
-x.y for unit rows, and |y|^2/2 - x.y otherwise. Only what is kept is turned into distances.

Precision: in float32 a distance near zero is known to about 5e-4 (the cancellation in 2 - 2 x.y);
an action's distance to itself is exactly 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.moments import column_means
from crlib.metrics.validate import (
    UNIT_TOLERANCE,
    FloatArray,
    as_indices,
    as_matrix,
    squared_lengths,
)

# Bytes of a block of keys. Rows of a block: enough for a fast product, few enough for the cache.
BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class Points:
    """Rows prepared for distance computations.

    Attributes
    ----------
    rows : ndarray, shape (K, d)
        The rows; centred if they are not of unit length, against cancellation.
    half_squares : ndarray, shape (K,)
        Half the squared length of each row.
    unit : bool
        Whether all rows have length one.
    """

    rows: FloatArray
    half_squares: FloatArray
    unit: bool


def prepare(X: ArrayLike, *, min_rows: int = 2) -> Points:
    """Return `X` ready for distances.

    Parameters
    ----------
    X : array_like, shape (K, d)
    min_rows : int

    Returns
    -------
    Points

    Raises
    ------
    ValueError
        If `X` is no finite matrix of at least `min_rows` rows.
    """
    rows = as_matrix(X, min_rows=min_rows)
    squares = squared_lengths(rows)
    unit = bool(np.all(np.abs(np.sqrt(squares) - 1.0) <= UNIT_TOLERANCE))
    if not unit:
        rows = rows - column_means(rows)
        squares = squared_lengths(rows)
    return Points(rows, (squares / 2).astype(rows.dtype), unit)


def block_height(n_columns: int, itemsize: int) -> int:
    """Return how many rows of keys fit into a block; never so few that the product gets slow."""
    return max(32, BLOCK_BYTES // (n_columns * itemsize))


def key_blocks(
    points: Points, rows: NDArray[np.int64], *, leave_out: bool
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield blocks of keys from the given rows to all rows.

    Parameters
    ----------
    points : Points
    rows : ndarray of int64, shape (n_rows,)
    leave_out : bool
        Put an action last in its own ranking (key +inf) instead of first (key -inf).

    Yields
    ------
    part : slice
        Which of `rows` the block is about.
    keys : ndarray, shape (block, K)
        A buffer that may be overwritten, and is reused for the next block.
    """
    n_columns = points.rows.shape[0]
    height = block_height(n_columns, points.rows.itemsize)
    buffer = np.empty((min(height, rows.size), n_columns), points.rows.dtype)
    for start in range(0, rows.size, height):
        chosen = rows[start : start + height]
        keys = np.matmul(-points.rows[chosen], points.rows.T, out=buffer[: chosen.size])
        if not points.unit:
            keys += points.half_squares
        keys[np.arange(chosen.size), chosen] = np.inf if leave_out else -np.inf
        yield slice(start, start + chosen.size), keys


def keys_to_distances(points: Points, rows: NDArray[np.int64], keys: FloatArray) -> FloatArray:
    """Turn keys of the given rows into Euclidean distances, in place.

    Parameters
    ----------
    points : Points
    rows : ndarray of int64, shape (block,)
    keys : ndarray, shape (block, n_kept)

    Returns
    -------
    ndarray, shape (block, n_kept)
        The same memory as `keys`.
    """
    keys += 1.0 if points.unit else points.half_squares[rows, None]
    keys *= 2.0
    np.maximum(keys, 0.0, out=keys)
    return np.sqrt(keys, out=keys)


def nearest_keys(keys: FloatArray, n_kept: int) -> FloatArray:
    """Return the `n_kept` smallest keys of each row, ascending; `keys` is overwritten."""
    if n_kept < keys.shape[1]:
        keys.partition(n_kept - 1, axis=1)
        keys = np.ascontiguousarray(keys[:, :n_kept])
    keys.sort(axis=1)
    return keys


def nearest_indices(keys: FloatArray, n_kept: int) -> NDArray[np.int64]:
    """Return which columns hold the `n_kept` smallest keys, nearest first; ties by column."""
    if keys.dtype == np.float32:
        return _packed_indices(keys, n_kept)
    return np.argsort(keys, axis=1, kind="stable")[:, :n_kept]


def _packed_indices(keys: FloatArray, n_kept: int) -> NDArray[np.int64]:
    """Rank float32 keys by sorting integers that hold key and column: many times faster.

    The bits of a float, with all but the sign flipped for negative ones, order as the float does.
    """
    bits = (keys + 0.0).view(np.int32)  # -0.0 becomes 0.0: equal keys, equal bits
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    packed = bits.astype(np.int64)
    packed <<= 32
    packed |= np.arange(keys.shape[1])
    if n_kept < keys.shape[1]:
        packed.partition(n_kept - 1, axis=1)
        packed = np.ascontiguousarray(packed[:, :n_kept])
    packed.sort(axis=1)
    packed &= 0xFFFFFFFF
    return packed


def all_or_some_rows(rows: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return the given row numbers, or all n of them."""
    return np.arange(n) if rows is None else as_indices(rows, n, "rows")


def nearest_distance(X: ArrayLike, subset: ArrayLike) -> NDArray[np.float64]:
    """Return the distance of every action to the nearest member of a given subset.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Any rows; unit rows are fastest. A memory map is read in blocks (after one pass of checks).
    subset : array_like of int, shape (k,)
        Row numbers of the subset. Its members have distance 0.

    Returns
    -------
    ndarray of float64, shape (K,)

    Raises
    ------
    ValueError
        If `X` is no finite matrix or `subset` points outside it.
    """
    points = prepare(X, min_rows=1)
    n = points.rows.shape[0]
    members = as_indices(subset, n, "subset")
    centres = np.ascontiguousarray(points.rows[members].T)
    half_squares = points.half_squares[members]
    # 4 MiB of keys a block: they are still in the cache when the minimum is taken.
    height = max(32, (BLOCK_BYTES // 4) // (members.size * points.rows.itemsize))
    buffer = np.empty((min(height, n), members.size), points.rows.dtype)
    distances = np.empty(n)
    for start in range(0, n, height):
        block = points.rows[start : start + height]
        cosines = np.matmul(block, centres, out=buffer[: block.shape[0]])
        if not points.unit:
            cosines -= half_squares
        nearest = -cosines.max(axis=1, keepdims=True)
        part = np.arange(start, start + block.shape[0])
        distances[part] = keys_to_distances(points, part, nearest)[:, 0]
    distances[members] = 0.0
    return distances
