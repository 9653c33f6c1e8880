"""Mean and covariance in one pass over blocks of rows, in float64."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Moments:
    """What a pass over the rows leaves.

    Attributes
    ----------
    count : int
        Number n of rows, at least 2.
    mean : (d,) float64 array
    variances : (d,) float64 array
        Of the columns, divisor n - 1.
    covariance : (d, d) float64 array or None
        Divisor n - 1; None when it was not asked for.
    dtype : dtype
        Of the rows as they were given.
    """

    count: int
    mean: NDArray[np.float64]
    variances: NDArray[np.float64]
    covariance: NDArray[np.float64] | None
    dtype: np.dtype


def blocks_of(rows: NDArray, block_rows: int = BLOCK_ROWS) -> Iterator[NDArray]:
    """Cut a matrix, which may be a memory map, into blocks of up to `block_rows` rows."""
    return (rows[start : start + block_rows] for start in range(0, len(rows), block_rows))


def gather_moments(blocks: Iterable[ArrayLike], *, covariance: bool = True) -> Moments:
    """Merge the moments of blocks, each centred at its own mean.

    Parameters
    ----------
    blocks : iterable of (b, d) array_like of float or integer
        Of any lengths, all of one width and one dtype; empty ones are passed over.
    covariance : bool
        False leaves out the O(n d^2) part.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        For a block that is no matrix of numbers or differs from the first in width or dtype, NaN
        or infinity (with the row), fewer than 2 rows, and squares beyond the range of float64.

    Notes
    -----
    Rows are taken relative to the first one: where the mean dwarfs the spread, that difference
    is exact and the digits of the spread are kept; equal rows have a covariance of exactly zero.
    Merging: Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance".
    """
    count, dtype = 0, None
    # Overflow is refused below, once for all blocks.
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, dtype in checked_blocks(blocks):  # noqa: B007
            if not count:
                first, d = rows[0].copy(), rows.shape[1]
                mean, squares = np.zeros(d), np.zeros(d)
                products = np.zeros((d, d)) if covariance else None
            rows -= first
            block_mean = rows.mean(axis=0)
            delta = block_mean - mean
            share = len(rows) / (count + len(rows))
            rows -= block_mean
            squares += np.einsum("ij,ij->j", rows, rows) + delta**2 * (count * share)
            if products is not None:
                products += rows.T @ rows
                products += np.outer(delta, delta) * (count * share)
            mean += delta * share
            count += len(rows)
    if count < 2 or dtype is None:
        raise ValueError(f"X has {count} rows; expected at least 2 rows and 1 column")
    if not (np.isfinite(mean).all() and np.isfinite(squares).all()):
        raise ValueError("X holds values whose squares exceed float64; divide it by a constant")
    divisor = count - 1
    if products is not None:
        products /= divisor
    return Moments(count, first + mean, squares / divisor, products, dtype)


def checked_blocks(
    blocks: Iterable[ArrayLike],
) -> Iterator[tuple[NDArray[np.float64], np.dtype]]:
    """Yield each block that is not empty as a float64 copy, with the dtype it came in.

    Raises
    ------
    ValueError
        As in `gather_moments`.
    """
    seen, expected = 0, None
    for number, block in enumerate(blocks):
        given = np.asarray(block)
        if given.ndim != 2 or given.shape[1] < 1 or given.dtype.kind not in "biuf":
            raise ValueError(
                f"block {number} of X has shape {given.shape} and dtype {given.dtype}; expected "
                "(rows, d) numbers: one row per action, at least 1 column"
            )
        expected = expected or (given.shape[1], given.dtype)
        if (given.shape[1], given.dtype) != expected:
            raise ValueError(
                f"block {number} of X has {given.shape[1]} columns of {given.dtype}, the first "
                f"had {expected[0]} of {expected[1]}; all blocks must agree"
            )
        rows = given.astype(np.float64)
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"X holds NaN or infinity, first in row {seen + int(np.argmin(finite))}; drop or "
                "repair those rows first"
            )
        seen += len(rows)
        if len(rows):
            yield rows, given.dtype


def output_dtype(dtype: DTypeLike) -> np.dtype:
    """Precision of results: float32 for float32 and float16, float64 for all else."""
    halves = (np.dtype(np.float32), np.dtype(np.float16))
    return np.dtype(np.float32 if np.dtype(dtype) in halves else np.float64)
