"""The nearest neighbours of every action, in order: exact, in a few dozen MiB.

Two ways. Where many neighbours are kept, whole rows of keys are sorted. Where few are (the usual
case), keys are computed once for each unordered pair of tiles, and only those below a threshold a
row are looked at; thresholds come from a random sample of columns and are generous enough that
about one row in 10,000 has too few survivors, which is then done again in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.neighbours import Points, pair_keys
from crlib.metrics.validate import FloatArray, as_indices

# Rows of a tile of pairs: 4 MiB of float32 keys.
TILE = 1024

# Bytes of a block of whole rows of keys.
ROW_BLOCK_BYTES = 8 << 20

# Tiles pay when at most one neighbour in this many is kept.
SPARSE = 8

# How many of a row's nearest neighbours the sample of columns should hold, on average.
SAMPLED_NEIGHBOURS = 16


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of a block of actions.

    Attributes
    ----------
    part : slice
        Which of the requested rows these are.
    keys : ndarray, shape (block, n_kept)
        Ascending keys; may be overwritten.
    columns : ndarray of int64, shape (block, n_kept), or None
        Their row numbers, if asked for. Equal keys are ordered by row number.
    """

    part: slice
    keys: FloatArray
    columns: NDArray[np.int64] | None


@dataclass
class Survivors:
    """Keys below the threshold that wait until all tiles of their rows are done."""

    rows: list[NDArray] = field(default_factory=list)
    keys: list[NDArray] = field(default_factory=list)
    columns: list[NDArray] = field(default_factory=list)


def sorted_neighbours(
    points: Points,
    rows: ArrayLike | None,
    n_kept: int,
    *,
    leave_out: bool,
    with_columns: bool,
) -> Iterator[Neighbours]:
    """Yield the `n_kept` nearest neighbours of the given rows, block by block, in order.

    Parameters
    ----------
    points : Points
    rows : array_like of int, optional
        Rows to look at; all by default.
    n_kept : int
        At most K (K - 1 with `leave_out`).
    leave_out : bool
        Whether an action is missing from its own list; it leads it otherwise (key -inf).
    with_columns : bool
        Say which rows the neighbours are.

    Yields
    ------
    Neighbours
    """
    thresholds = _thresholds(points, n_kept) if rows is None else None
    if thresholds is not None:
        options = {"leave_out": leave_out, "with_columns": with_columns}
        yield from _by_tiles(points, n_kept, thresholds, **options)
        return
    chosen = np.arange(points.n) if rows is None else as_indices(rows, points.n, "rows")
    for part, keys in _row_blocks(points, chosen, leave_out=leave_out):
        yield Neighbours(part, *_smallest(keys, n_kept, with_columns=with_columns))


def _row_blocks(
    points: Points, chosen: NDArray[np.int64], *, leave_out: bool
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield all keys of the chosen rows in blocks; the buffer is reused."""
    height = max(32, ROW_BLOCK_BYTES // (points.n * points.rows.itemsize))
    buffer = np.empty(min(height, chosen.size) * points.n, points.rows.dtype)
    for start in range(0, chosen.size, height):
        block = chosen[start : start + height]
        keys = pair_keys(points, block, slice(None), buffer)
        keys[np.arange(block.size), block] = np.inf if leave_out else -np.inf
        yield slice(start, start + block.size), keys


def _smallest(
    keys: FloatArray, n_kept: int, *, with_columns: bool
) -> tuple[FloatArray, NDArray[np.int64] | None]:
    """Return the smallest keys of each row in order, and their columns; `keys` is overwritten."""
    if with_columns:
        columns = _order(keys, n_kept)
        return np.take_along_axis(keys, columns, axis=1), columns
    if n_kept < keys.shape[1]:
        keys.partition(n_kept - 1, axis=1)
    kept = keys[:, :n_kept]
    kept.sort(axis=1)
    return kept, None


def _order(keys: FloatArray, n_kept: int) -> NDArray[np.int64]:
    """Return the columns of the smallest keys in order, equal keys by column.

    float32 keys are sorted as integers that hold key and column, several times faster than an
    argsort: the bits of a float, all but the sign flipped if negative, order as the float does.
    """
    if keys.dtype != np.float32:
        return np.argsort(keys, axis=1, kind="stable")[:, :n_kept]
    bits = (keys + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0: equal keys, equal bits
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    packed = bits.astype(np.int64)
    packed <<= 32
    packed |= np.arange(keys.shape[1])
    if n_kept < keys.shape[1]:
        packed.partition(n_kept - 1, axis=1)
    packed = packed[:, :n_kept]
    packed.sort(axis=1)
    packed &= 0xFFFFFFFF
    return packed


def _thresholds(points: Points, n_kept: int) -> FloatArray | None:
    """Return a key for each row that, most likely, at least `n_kept` keys do not exceed.

    None where that would be no gain: many are kept, or many keys are equal (a collapsed embedding).
    """
    n = points.n
    if n_kept * SPARSE > n:
        return None
    n_sampled = min(n // SPARSE, -(-SAMPLED_NEIGHBOURS * n // n_kept))
    sample = np.random.default_rng(0).choice(n, n_sampled, replace=False, shuffle=False)
    few = Points(points.rows[sample], points.half_squares[sample], points.unit)
    # Four standard deviations above the expected number of nearest neighbours in the sample.
    expected = n_kept * n_sampled / n
    rank = min(n_sampled, int(np.ceil(expected + 4 * np.sqrt(expected) + 4)))
    thresholds, n_survivors = np.empty(n, points.rows.dtype), 0
    for start in range(0, n, TILE):
        part = slice(start, start + TILE)
        keys = -(points.rows[part] @ few.rows.T)
        if not points.unit:
            keys += few.half_squares
            keys += points.half_squares[part, None]
        keys.partition(rank - 1, axis=1)
        thresholds[part] = keys[:, rank - 1]
        n_survivors += int(np.count_nonzero(keys <= thresholds[part, None]))
    return thresholds if n_survivors <= 2 * rank * n else None


def _by_tiles(
    points: Points, n_kept: int, thresholds: FloatArray, *, leave_out: bool, with_columns: bool
) -> Iterator[Neighbours]:
    """Yield the neighbours of all rows; each pair of tiles is computed once, for both its sides."""
    n, itself = points.n, np.inf if leave_out else -np.inf
    buffer = np.empty(TILE * TILE, points.rows.dtype)
    tiles = [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]
    waiting = [Survivors() for _ in tiles]
    for i, rows in enumerate(tiles):
        for j, columns in enumerate(tiles[i:], start=i):
            keys = pair_keys(points, rows, columns, buffer)
            if i == j:
                np.fill_diagonal(keys, itself)
            flat = np.flatnonzero(keys <= thresholds[rows, None])
            row, column = np.divmod(flat, keys.shape[1])
            _collect(waiting[i], row, keys.ravel()[flat], column + columns.start, with_columns)
            if j > i:
                flat = np.flatnonzero(keys <= thresholds[columns])
                row, column = np.divmod(flat, keys.shape[1])
                _collect(waiting[j], column, keys.ravel()[flat], row + rows.start, with_columns)
        yield _finish(points, rows, waiting[i], n_kept, itself=itself, with_columns=with_columns)
        waiting[i] = Survivors()


def _collect(
    into: Survivors, rows: NDArray, keys: FloatArray, columns: NDArray, with_columns: bool
) -> None:
    into.rows.append(rows.astype(np.uint16))
    into.keys.append(keys)
    if with_columns:
        into.columns.append(columns.astype(np.int32))


def _finish(
    points: Points,
    part: slice,
    survivors: Survivors,
    n_kept: int,
    *,
    itself: float,
    with_columns: bool,
) -> Neighbours:
    """Sort what survived of the rows `part`, and do the rows with too few survivors in full."""
    n_rows = part.stop - part.start
    rows = np.concatenate(survivors.rows)
    # Tiles came in ascending order of columns, and a stable order of rows keeps it.
    order = np.argsort(rows, kind="stable")
    counts = np.bincount(rows, minlength=n_rows)
    row = rows[order].astype(np.int64)
    place = np.arange(row.size) - (np.cumsum(counts) - counts)[row]
    width = max(n_kept, int(counts.max()))
    keys = np.full((n_rows, width), np.inf, points.rows.dtype)
    keys[row, place] = np.concatenate(survivors.keys)[order]
    kept, ranks = _smallest(keys, n_kept, with_columns=with_columns)
    found = None
    if ranks is not None:
        columns = np.zeros((n_rows, width), np.int64)
        columns[row, place] = np.concatenate(survivors.columns)[order]
        found = np.take_along_axis(columns, ranks, axis=1)
    if (short := np.flatnonzero(counts < n_kept)).size:
        for again, whole in _row_blocks(points, short + part.start, leave_out=itself > 0):
            best, best_columns = _smallest(whole, n_kept, with_columns=with_columns)
            kept[short[again]] = best
            if found is not None and best_columns is not None:
                found[short[again]] = best_columns
    return Neighbours(part, kept, found)
