"""Retrieval of related actions: what an embedding knows, beside the shape it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import as_indices, as_unit_rows

# Bytes of a block of cosines of query rows with all actions.
BLOCK_BYTES = 16 << 20


def related_ranks(X: ArrayLike, related: ArrayLike) -> NDArray[np.int64]:
    """Return the rank of each related action among all others, by cosine.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.
    related : array_like of int, shape (P, 2)
        Pairs of related actions; each is asked for from both sides.

    Returns
    -------
    ndarray of int64, shape (2P,)
        From 1 (nearest of all others) to K - 1; first the pairs as given, then the other way
        round. A tie counts against the embedding.

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length or `related` are not pairs of its rows.
    """
    rows = as_unit_rows(X)
    pairs = np.asarray(related)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"related has shape {pairs.shape}: pass (P, 2) row numbers")
    n = rows.shape[0]
    flat = as_indices(pairs.T.ravel(), n, "related")
    sources, targets = flat, np.roll(flat, len(pairs))
    if np.any(sources == targets):
        raise ValueError("related pairs an action with itself: drop such pairs")
    order = np.argsort(sources, kind="stable")
    ranks = np.empty(flat.size, dtype=np.int64)
    height = max(32, BLOCK_BYTES // (n * rows.itemsize))
    for start in range(0, order.size, height):
        part = order[start : start + height]
        own, position = np.unique(sources[part], return_inverse=True)
        cosines = rows[own] @ rows.T
        cosines[np.arange(own.size), own] = -np.inf
        for begin in range(0, part.size, 64):  # a pair's row of comparisons is K bytes
            few = slice(begin, begin + 64)
            mine = cosines[position[few]]
            reached = mine[np.arange(len(mine)), targets[part[few]]]
            ranks[part[few]] = np.count_nonzero(mine >= reached[:, None], axis=1)
    return ranks


def recall_at(X: ArrayLike, related: ArrayLike, k: int = 10) -> float:
    """Return the share of related actions found among an action's k nearest.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.
    related : array_like of int, shape (P, 2)
        As in :func:`related_ranks`.
    k : int
        At least 1.

    Returns
    -------
    float
        In [0, 1]; chance gives about k / (K - 1).

    Raises
    ------
    ValueError
        As :func:`related_ranks`, or if k < 1.
    """
    if k < 1:
        raise ValueError(f"k = {k} must be at least 1")
    return float(np.mean(related_ranks(X, related) <= k))
