"""Distances between rows by blocks of one matrix product, and the nearest of a given subset.

Rows are compared by a key that orders pairs as the distance does and costs no pass of its own: -x.y
for unit rows, and half the squared distance otherwise. Only what is kept becomes a distance.

Precision: in float32 a distance near zero is known to about 5e-4 (the cancellation in 2 - 2 x.y);
an action's distance to itself is exactly 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.moments import column_means
from crlib.metrics.validate import FloatArray, as_indices, as_matrix, squared_lengths

# Rows whose lengths are this close to one need no lengths in their distances.
UNIT_TOLERANCE = 1e-5

# Bytes of a block of keys that a minimum is taken of: still in the cache when it is.
BLOCK_BYTES = 4 << 20


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

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.rows.shape[0])


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


def pair_keys(
    points: Points, rows: slice | NDArray[np.int64], columns: slice, out: FloatArray
) -> FloatArray:
    """Return the keys of all pairs of the given rows and columns, in `out`'s memory.

    Parameters
    ----------
    points : Points
    rows : slice or ndarray of int64
    columns : slice
        Which rows of `points` are the columns of the block.
    out : ndarray
        One-dimensional buffer of at least as many elements as there are pairs.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
    """
    left, right = points.rows[rows], points.rows[columns]
    keys = out[: left.shape[0] * right.shape[0]].reshape(left.shape[0], right.shape[0])
    np.matmul(-left, right.T, out=keys)
    if not points.unit:
        keys += points.half_squares[columns]
        keys += points.half_squares[rows, None]
    return keys


def keys_to_distances(points: Points, keys: FloatArray) -> FloatArray:
    """Turn keys into Euclidean distances in place; -inf, a row's key to itself, becomes 0."""
    if points.unit:
        keys += 1.0
    keys *= 2.0
    np.maximum(keys, 0.0, out=keys)
    return np.sqrt(keys, out=keys)


def nearest_distance(X: ArrayLike, subset: ArrayLike) -> NDArray[np.float64]:
    """Return the distance of every action to the nearest member of a given subset.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Any rows; unit rows are fastest. A memory map is read in blocks, twice (checks first).
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
    members = as_indices(subset, points.n, "subset")
    centres = np.ascontiguousarray(points.rows[members].T)
    half_squares = points.half_squares[members]
    height = max(32, BLOCK_BYTES // (members.size * points.rows.itemsize))
    buffer = np.empty((min(height, points.n), members.size), points.rows.dtype)
    keys = np.empty(points.n, points.rows.dtype)
    for start in range(0, points.n, height):
        block = points.rows[start : start + height]
        products = np.matmul(block, centres, out=buffer[: block.shape[0]])
        if not points.unit:
            products -= half_squares
        keys[start : start + height] = -products.max(axis=1)
    if not points.unit:
        keys += points.half_squares
    distances = keys_to_distances(points, keys).astype(np.float64)
    distances[members] = 0.0
    return distances
