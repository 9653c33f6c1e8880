"""The action of largest inner product with a query: among all rows, or among given candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.moments import column_means
from crlib.metrics.validate import as_matrix

Rows = NDArray[np.float32]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]

# Bytes of a block of scores: still in the cache when its maximum is taken.
BLOCK_BYTES = 1 << 21
# Columns of a block, at least: narrower products are slower.
LEAST_WIDTH = 4096


def as_rows(rows: ArrayLike, name: str = "rows") -> Rows:
    """Return action rows as a finite (K, d) float32 matrix.

    Parameters
    ----------
    rows : array_like, shape (K, d)
        float32 is used as it is; a memory map stays one.
    name : str
        How the error message calls the input.

    Returns
    -------
    ndarray of float32, shape (K, d)

    Raises
    ------
    ValueError
        If it is no finite matrix.
    """
    matrix = as_matrix(rows, name, min_rows=1)
    if isinstance(rows, np.ndarray) and rows.dtype == np.float32:
        return rows
    return matrix.astype(np.float32, copy=False)


def as_queries(queries: ArrayLike, d: int) -> NDArray[np.float32]:
    """Return queries as a contiguous (S, d) float32 matrix.

    Parameters
    ----------
    queries : array_like, shape (S, d)
    d : int
        Columns of the rows that they are compared with.

    Returns
    -------
    ndarray of float32, shape (S, d)

    Raises
    ------
    ValueError
        If it is no finite matrix of d columns.
    """
    matrix = as_matrix(queries, "queries", min_rows=1)
    if matrix.shape[1] != d:
        raise ValueError(
            f"queries have shape {matrix.shape}: pass (n_queries, {d}), as wide as the rows"
        )
    return np.ascontiguousarray(matrix, np.float32)


def best_of(
    rows: Rows, queries: NDArray[np.float32], candidates: NDArray[np.integer[Any]]
) -> Found:
    """Return the best of each query's own candidates.

    Parameters
    ----------
    rows : ndarray of float32, shape (K, d)
    queries : ndarray of float32, shape (S, d)
    candidates : ndarray of int, shape (S, m)
        Action numbers in any order; -1 stands for none.

    Returns
    -------
    actions : ndarray of int64, shape (S,)
        The lowest number among equals; -1 where there was no candidate.
    scores : ndarray of float32, shape (S,)
        -inf where there was none.
    """
    ordered = np.sort(candidates, axis=1)
    scores = np.matmul(rows[ordered], queries[:, :, None])[:, :, 0]
    scores[ordered < 0] = -np.inf
    best = scores.argmax(axis=1)
    s = np.arange(len(queries))
    # With no candidate at all the first entry is taken, which is -1.
    return ordered[s, best].astype(np.int64), scores[s, best]


def shares_found(
    rows: Rows,
    queries: NDArray[np.float32],
    actions: NDArray[np.int64],
    best: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the score of each query's action as a share of its best one's, from the mean score.

    Parameters
    ----------
    rows : ndarray of float32, shape (K, d)
    queries : ndarray of float32, shape (S, d)
    actions, best : ndarray of int64, shape (S,)
        What was found, and the exact maximum.

    Returns
    -------
    ndarray of float64, shape (S,)
        1 for the best action, 0 for one that scores as the mean does; 1 where all score the same.
    """
    middle = column_means(rows).astype(np.float64)
    found = np.einsum("sd,sd->s", queries, rows[actions] - middle)
    most = np.einsum("sd,sd->s", queries, rows[best] - middle)
    flat = most <= np.finfo(np.float32).eps * np.linalg.norm(queries, axis=1)
    return np.asarray(np.where(flat, 1.0, found / np.where(flat, 1.0, most)))


class ExactIndex:
    """Exact maximum by blocks of one matrix product.

    Attributes
    ----------
    rows : ndarray of float32, shape (K, d)
        A memory map is read once a search. Other rows are kept a second time, transposed, as the
        product is up to three times faster with them; `copy=False` does without, for few searches.
    """

    name = "exact"

    def __init__(self, rows: ArrayLike, *, copy: bool = True):
        self.rows = as_rows(rows)
        plain = not copy or isinstance(rows, np.memmap)
        self._columns = self.rows.T if plain else np.ascontiguousarray(self.rows.T)

    @property
    def nbytes(self) -> int:
        """Bytes of the rows and of their second copy; those of a map are on disk."""
        copied = self._columns.nbytes if self._columns.base is not self.rows else 0
        return int(self.rows.nbytes + copied)

    def search(self, queries: ArrayLike) -> Found:
        """Return the action of largest inner product for each query.

        Parameters
        ----------
        queries : array_like, shape (S, d)

        Returns
        -------
        actions : ndarray of int64, shape (S,)
            The lowest number among equal products.
        scores : ndarray of float32, shape (S,)
            Their inner products.

        Raises
        ------
        ValueError
            If the queries are no finite matrix of d columns.
        """
        q = as_queries(queries, self.rows.shape[1])
        size, n = len(q), len(self.rows)
        width = max(LEAST_WIDTH, BLOCK_BYTES // (size * q.itemsize))
        actions = np.zeros(size, np.int64)
        scores = np.full(size, -np.inf, np.float32)
        s = np.arange(size)
        for start in range(0, n, width):
            products = q @ self._columns[:, start : start + width]
            best = products.argmax(axis=1)
            values = products[s, best]
            better = values > scores
            actions[better] = start + best[better]
            scores[better] = values[better]
        return actions, scores
