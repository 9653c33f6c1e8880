"""Which index finds an agent's action, by the number of actions, and what an approximate one loses.

An agent plays the action of largest inner product of its query with the actions' rows. An index
that misses part of that maximum leaves a linear regret: report :func:`score_ratio` with it.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from crlib.agents.maximum import ExactIndex, Found, Rows, as_queries, shares_found
from crlib.agents.quantised import IVFIndex, ScanIndex

Name = Literal["auto", "exact", "scan", "ivf"]

# Up to here the exact product is no slower than what goes on around it; up to the second size one
# scan takes some ten milliseconds. Only beyond is an inverted file worth what it misses.
EXACT_MOST = 100_000
SCAN_MOST = 2_000_000

INDEXES: dict[str, Any] = {index.name: index for index in (ExactIndex, ScanIndex, IVFIndex)}


class Index(Protocol):
    """What every index offers: its rows, its name, and `search`."""

    name: str
    rows: Rows

    @property
    def nbytes(self) -> int:
        """Bytes that it holds, the rows among them."""

    def search(self, queries: ArrayLike) -> Found:
        """Return (actions, scores) of the queries, shape (S, d)."""


def choose(K: int) -> Name:
    """Return the name of the default index for K actions: "exact", "scan" or "ivf"."""
    if K < 1:
        raise ValueError(f"K = {K} must be at least 1")
    if K <= EXACT_MOST:
        return "exact"
    return "scan" if K <= SCAN_MOST else "ivf"


def build(rows: ArrayLike, name: Name = "auto", **options: Any) -> Index:
    """Return an index of the given rows.

    Parameters
    ----------
    rows : array_like, shape (K, d)
        A float32 memory map stays one.
    name : {"auto", "exact", "scan", "ivf"}
        "auto" takes :func:`choose`'s.
    **options
        Of :class:`ScanIndex` or :class:`IVFIndex`.

    Returns
    -------
    ExactIndex, ScanIndex or IVFIndex

    Raises
    ------
    ValueError
        If the name is unknown or the rows are no finite matrix.
    """
    if name == "auto":
        name = choose(len(rows))  # type: ignore[arg-type]
    if name not in INDEXES:
        raise ValueError(f"index {name!r} is unknown: pass 'auto', {', '.join(map(repr, INDEXES))}")
    index: Index = INDEXES[name](rows, **options)
    return index


def score_ratio(index: Index, rows: ArrayLike, queries: ArrayLike) -> float:
    """Return how much of the best score an index finds, on average over queries.

    Scores are counted from the mean score over all actions, so that their sign does not matter:
    1 is the exact maximum, 0 is as good as an action at random.

    Parameters
    ----------
    index : Index
    rows : array_like, shape (K, d)
        The rows that the index was built of.
    queries : array_like, shape (S, d)

    Returns
    -------
    float
        At most 1 but for rounding. A query whose scores are all equal counts as 1.

    Raises
    ------
    ValueError
        If rows or queries are unfit, or the index has another number of rows.
    """
    exact = ExactIndex(rows, copy=False)
    if exact.rows.shape != index.rows.shape:
        raise ValueError(
            f"rows have shape {exact.rows.shape}, the index's {index.rows.shape}: pass its own rows"
        )
    q = as_queries(queries, exact.rows.shape[1])
    actions, _ = index.search(q)
    best, _ = exact.search(q)
    return float(np.mean(shares_found(exact.rows, q, actions, best)))


def found_share(rows: Rows, query: ArrayLike, action: int) -> float:
    """Return the score of one action as a share of the best one's: see `shares_found`.

    Parameters
    ----------
    rows : ndarray of float32, shape (K, d)
    query : array_like, shape (d,)
    action : int

    Returns
    -------
    float
    """
    q = np.asarray(query, np.float32)[None]
    best = np.array([int((rows @ q[0]).argmax())])
    return float(shares_found(rows, q, np.array([action]), best)[0])
