"""Chains of tools from no policy: nearest to the query, random, most needed; how many to call.

A learner that does not beat them has learnt nothing of use. Each function gives chains for
many queries at once, of shape (N, n): numbers of tools, then -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.envs.chains import play_chains
from crlib.envs.tools import ToolBatch, pad_solutions
from crlib.metrics.validate import FloatArray, as_indices, as_matrix

Ints = NDArray[np.int64]

BLOCK_BYTES = 16 << 20  # of a block of cosines of queries with all tools


def retrieve(query_vectors: ArrayLike, tool_vectors: ArrayLike, lengths: int | ArrayLike) -> Ints:
    """Call the tools of the largest cosine with the query, the nearest first.

    Parameters
    ----------
    query_vectors : array_like, shape (N, d)
    tool_vectors : array_like, shape (K, d)
    lengths : int or array_like of int, shape (N,)
        How many to call: the solutions' own lengths, which an agent is not told, or one number as
        `train_length` finds it.

    Returns
    -------
    ndarray of int64, shape (N, n)
        n is the largest length. Ties go to the lower number.

    Raises
    ------
    ValueError
        If dimensions differ, a row is all zero, or a length is out of 1 to K.
    """
    queries = _unit(as_matrix(query_vectors, "query_vectors", min_rows=1), "query_vectors")
    tools = _unit(as_matrix(tool_vectors, "tool_vectors", min_rows=1), "tool_vectors")
    if queries.shape[1] != tools.shape[1]:
        raise ValueError(
            f"query_vectors have {queries.shape[1]} dimensions and tool_vectors {tools.shape[1]}: "
            "embed both with one model"
        )
    sizes = _lengths(lengths, len(queries), len(tools))
    n = int(sizes.max())
    nearest = np.empty((len(queries), n), np.int64)
    height = max(1, BLOCK_BYTES // (len(tools) * tools.itemsize))
    for start in range(0, len(queries), height):
        cosines = queries[start : start + height] @ tools.T
        nearest[start : start + height] = _largest(cosines, n)
    return np.where(np.arange(n) < sizes[:, None], nearest, -1)


def random_chain(n_queries: int, n_tools: int, lengths: int | ArrayLike, *, seed: int = 0) -> Ints:
    """Call distinct tools drawn uniformly.

    Parameters
    ----------
    n_queries, n_tools : int
        N and K.
    lengths : int or array_like of int, shape (N,)
        How many to call, 1 to K.
    seed : int

    Returns
    -------
    ndarray of int64, shape (N, n)
        n is the largest length.
    """
    rng = np.random.default_rng(seed)
    sizes = _lengths(lengths, n_queries, n_tools)
    n = int(sizes.max())
    chains = np.full((n_queries, n), -1, np.int64)
    # Floyd's way to draw a subset: a number that is taken already gives way to the newest one.
    for column, newest in enumerate(range(n_tools - n, n_tools)):
        drawn = rng.integers(newest + 1, size=n_queries)
        taken = (chains[:, :column] == drawn[:, None]).any(axis=1)
        chains[:, column] = np.where(taken, newest, drawn)
    chains = rng.permuted(chains, axis=1)
    return np.where(np.arange(n) < sizes[:, None], chains, -1)


def popular_chain(
    train_solutions: Sequence[Sequence[int]],
    n_queries: int,
    n_tools: int,
    lengths: int | ArrayLike,
) -> Ints:
    """Call the tools that most train solutions hold, whatever is asked.

    Parameters
    ----------
    train_solutions : sequence of sequences of int
    n_queries, n_tools : int
        N and K.
    lengths : int or array_like of int, shape (N,)
        How many to call, 1 to K.

    Returns
    -------
    ndarray of int64, shape (N, n)
        n is the largest length. Ties go to the lower number.
    """
    padded = pad_solutions(train_solutions, n_tools)
    counts = np.bincount(padded[padded >= 0], minlength=n_tools)
    sizes = _lengths(lengths, n_queries, n_tools)
    n = int(sizes.max())
    return np.where(np.arange(n) < sizes[:, None], _largest(counts[None, :], n), -1)


def train_length(batch: ToolBatch, train: ArrayLike, chains_of: Callable[[Ints, int], Ints]) -> int:
    """Return the number of calls, the same for all queries, of the best mean return in training.

    Success alone would always ask for as many as are allowed; the return counts the calls too.

    Parameters
    ----------
    batch : ToolBatch
    train : array_like of int
        Numbers of the queries of the train split.
    chains_of : callable
        ``chains_of(query_numbers, n) -> (B, n)`` chains of n calls, of which the first m are the
        chain of m calls.

    Returns
    -------
    int
        1 to `batch.max_length` or K, the smaller of equals.
    """
    numbers = as_indices(train, batch.n_queries, "train")
    longest = chains_of(numbers, min(batch.max_length, batch.n_tools))
    returns = [
        play_chains(batch, numbers, longest[:, :n])["return"].mean()
        for n in range(1, longest.shape[1] + 1)
    ]
    return int(np.argmax(returns)) + 1


def _largest(values: NDArray[Any], n: int) -> Ints:
    """Columns of the n largest values of each row, falling, ties by column."""
    if n == values.shape[1]:
        return np.argsort(-values, axis=1, kind="stable")
    least = np.partition(values, -n, axis=1)[:, -n, None]
    above = (values > least).sum(axis=1, keepdims=True)
    tied = values == least
    chosen = (values > least) | (tied & (tied.cumsum(axis=1) <= n - above))
    columns = np.nonzero(chosen)[1].reshape(-1, n)
    order = np.argsort(-np.take_along_axis(values, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def _unit(rows: FloatArray, name: str) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"{name}: row {int(lengths.argmin())} is all zero and has no cosine")
    return rows / lengths


def _lengths(lengths: int | ArrayLike, n_queries: int, n_tools: int) -> Ints:
    sizes = np.asarray(lengths)
    if sizes.dtype.kind not in "iu" or sizes.shape not in ((), (n_queries,)):
        raise ValueError(
            f"lengths are {sizes.dtype} of shape {sizes.shape}: expected a whole number, or one "
            f"for each of {n_queries} queries"
        )
    if sizes.min() < 1 or sizes.max() > n_tools:
        raise ValueError(f"lengths must lie in 1 to K = {n_tools}")
    return np.broadcast_to(sizes, n_queries).astype(np.int64)
