"""Approximate maximum inner product: 8-bit codes choose candidates, float32 rows decide.

One scale turns a number into a whole one in [-127, 127]. faiss then compares codes with a query
that is rounded the same way in integer arithmetic, which needs a quarter of the memory traffic.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.maximum import (
    ExactIndex,
    Found,
    Rows,
    as_queries,
    as_rows,
    best_of,
    shares_found,
)

LARGEST_CODE = 127

# Rows that are turned into codes at a time.
BLOCK = 65_536

# Cells that are looked into at first, and queries that decide whether they are enough.
FIRST_PROBES = 8
PROBE_QUERIES = 64

# Rows a cell that k-means looks at; faiss's own lower end is 39.
TRAINING_ROWS = 40
TRAINING_ROUNDS = 10


def to_codes(values: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `values` / `scale` rounded to whole numbers, as the float32 that faiss takes."""
    return np.rint(values / scale)


def row_scale(rows: Rows) -> NDArray[np.float32]:
    """Return the one step, shape (), that brings every entry of the rows into [-127, 127]."""
    largest = max(np.abs(rows[i : i + BLOCK]).max() for i in range(0, len(rows), BLOCK))
    return np.asarray(largest / LARGEST_CODE, np.float32)


def query_codes(queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every query in whole numbers of [-127, 127], by a scale of its own."""
    largest = np.abs(queries).max(axis=1, keepdims=True)
    return to_codes(queries, np.where(largest > 0, largest / LARGEST_CODE, np.float32(1)))


class ScanIndex:
    """Scan of the 8-bit codes of all rows, and exact scores of the best few.

    A query takes about a third of the time of reading the float32 rows once. An action is missed
    only if `rerank` others score higher in 8-bit arithmetic.

    Attributes
    ----------
    rows : ndarray of float32, shape (K, d)
    rerank : int
        Candidates a query.
    """

    name = "scan"

    def __init__(self, rows: ArrayLike, *, rerank: int = 32):
        self.rows = as_rows(rows)
        self.rerank = _count(rerank, "rerank", len(self.rows))
        self._codes = faiss.IndexScalarQuantizer(
            self.rows.shape[1],
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
        )
        _add(self._codes, self.rows, row_scale(self.rows))

    @property
    def nbytes(self) -> int:
        """Bytes of the rows and of their codes."""
        return int(self.rows.nbytes + self.rows.size)

    def search(self, queries: ArrayLike) -> Found:
        """Return the best action found for each query, as :meth:`ExactIndex.search` does."""
        q = as_queries(queries, self.rows.shape[1])
        _, candidates = self._codes.search(query_codes(q), self.rerank)
        return best_of(self.rows, q, candidates)


class IVFIndex:
    """Inverted file of 8-bit codes: only the cells nearest to a query are scanned.

    For rows that cluster, as texts do. On isotropic rows it misses much of the best score, which
    leaves an agent a linear regret: look at :func:`crlib.agents.index.score_ratio` first.

    Attributes
    ----------
    rows : ndarray of float32, shape (K, d)
    nlist : int
        Cells; 4 sqrt(K) by default.
    nprobe : int
        Cells that are scanned a query. By default they are doubled, from 8 on, until 64 Gaussian
        queries find `target` of the exact score (counted from the mean score) on average: what
        an approximate argmax misses is a linear regret, so quality is fixed and speed follows.
    rerank : int
        Candidates a query.
    """

    name = "ivf"

    def __init__(
        self,
        rows: ArrayLike,
        *,
        nlist: int | None = None,
        nprobe: int | None = None,
        target: float = 0.995,
        rerank: int = 32,
        seed: int = 0,
    ):
        self.rows = as_rows(rows)
        n, d = self.rows.shape
        if nlist is None:
            nlist = max(1, min(round(4 * np.sqrt(n)), n // TRAINING_ROWS))
        elif nlist > n:
            raise ValueError(f"nlist = {nlist} exceeds the {n} rows: ask for fewer cells")
        self.nlist = _count(nlist, "nlist", n)
        self.nprobe = _count(FIRST_PROBES if nprobe is None else nprobe, "nprobe", self.nlist)
        if not 0 < target < 1:
            raise ValueError(f"target = {target}: expected a share of the score between 0 and 1")
        self.rerank = _count(rerank, "rerank", n)
        # Hardly ever asked after the building: not worth a second copy of all rows.
        self._exact = ExactIndex(self.rows, copy=False)
        # faiss needs the cells' centres to outlive the index that points to them.
        self._centres = faiss.IndexFlatIP(d)
        self._cells = faiss.IndexIVFScalarQuantizer(
            self._centres,
            d,
            self.nlist,
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
            False,  # codes of the rows themselves, not of their differences from the centre
        )
        self._cells.cp.niter = TRAINING_ROUNDS
        self._cells.cp.seed = seed
        self._cells.cp.min_points_per_centroid = 1
        self._cells.nprobe = self.nprobe
        scale = row_scale(self.rows)
        size = min(n, TRAINING_ROWS * self.nlist)
        chosen = np.sort(np.random.default_rng(seed).choice(n, size, replace=False))
        self._cells.train(to_codes(self.rows[chosen], scale))
        _add(self._cells, self.rows, scale)
        if nprobe is None:
            # A stream of its own: rows that were drawn from the same seed must not be its queries.
            self._raise_probes(target, np.random.default_rng([seed, PROBE_QUERIES]))

    def _raise_probes(self, target: float, rng: np.random.Generator) -> None:
        queries = rng.standard_normal((PROBE_QUERIES, self.rows.shape[1]), dtype=np.float32)
        best, _ = self._exact.search(queries)
        while True:
            self._cells.nprobe = self.nprobe
            found, _ = self.search(queries)
            good = shares_found(self.rows, queries, found, best).mean() >= target
            if good or self.nprobe == self.nlist:
                return
            self.nprobe = min(2 * self.nprobe, self.nlist)

    @property
    def nbytes(self) -> int:
        """Bytes of the rows, of their codes and numbers, and of the cells' centres."""
        n, d = self.rows.shape
        return int(self.rows.nbytes + n * d + 8 * n + 4 * self.nlist * d)

    def search(self, queries: ArrayLike) -> Found:
        """Return the best action found for each query, as :meth:`ExactIndex.search` does."""
        q = as_queries(queries, self.rows.shape[1])
        _, candidates = self._cells.search(query_codes(q), self.rerank)
        actions, scores = best_of(self.rows, q, candidates)
        missed = actions < 0
        if missed.any():  # all cells that were looked into are empty
            actions[missed], scores[missed] = self._exact.search(q[missed])
        return actions, scores


def _add(index: Any, rows: Rows, scale: NDArray[np.float32]) -> None:
    for start in range(0, len(rows), BLOCK):
        index.add(to_codes(rows[start : start + BLOCK], scale))


def _count(value: int, name: str, most: int) -> int:
    if value < 1:
        raise ValueError(f"{name} = {value} must be at least 1")
    return int(min(value, most))
