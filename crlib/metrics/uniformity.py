"""Alignment and uniformity on the unit sphere (Wang & Isola, ICML 2020, arXiv 2005.10242)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from crlib.metrics.moments import moments
from crlib.metrics.statistics import Estimate
from crlib.metrics.validate import (
    FloatArray,
    as_matrix,
    as_unit_rows,
    check_positive,
    same_shape,
    squared_lengths,
)

# Rows of a block of pairs: 1 MiB of float32 cosines, which stays in the second-level cache.
PAIR_BLOCK = 512

# Largest exponent 2t for which sums of exp(2t cos) are safe in float32 without a shift.
SAFE_EXPONENT = 40.0


def mean_cosine(X: ArrayLike) -> float:
    """Return the mean cosine over all pairs of distinct rows.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Rows of any length but zero.

    Returns
    -------
    float
        In [-1/(K-1), 1].

    Raises
    ------
    ValueError
        If `X` is no finite matrix, or has a zero row.
    """
    matrix = as_matrix(X)
    lengths = np.sqrt(squared_lengths(matrix))
    if (zero := int(np.argmin(lengths))) >= 0 and lengths[zero] == 0:
        raise ValueError(f"X has a zero row ({zero}), which has no direction: drop it")
    # sum of unit rows = X' (1 / lengths), without a normalised copy of X
    total = matrix.T @ (1 / lengths).astype(matrix.dtype)
    n = matrix.shape[0]
    return float((np.dot(total.astype(np.float64), total.astype(np.float64)) - n) / (n * (n - 1)))


def alignment(X: ArrayLike, Y: ArrayLike, alpha: float = 2.0) -> float:
    """Return L_align = mean of |x_i - y_i|^alpha over positive pairs.

    Parameters
    ----------
    X, Y : array_like, shape (n, d)
        Unit rows; row i of `Y` is a positive (a paraphrase, a related action) of row i of `X`.
    alpha : float
        Exponent above 0; Wang & Isola use 2.

    Returns
    -------
    float
        In [0, 2^alpha]; low is aligned.

    Raises
    ------
    ValueError
        If shapes differ, rows are not of unit length, or alpha <= 0.
    """
    left, right = as_unit_rows(X, "X", min_rows=1), as_unit_rows(Y, "Y", min_rows=1)
    same_shape(left, right)
    check_positive(alpha, "alpha")
    difference = left - right
    squared = np.einsum("ij,ij->i", difference, difference).astype(np.float64)
    return float(np.mean(squared ** (alpha / 2)))


def uniformity(X: ArrayLike, t: float = 2.0) -> float:
    """Return L_unif = log mean exp(-t |x_i - x_j|^2) over all pairs i < j.

    Computed from cosines, |x - y|^2 = 2 - 2 x.y, in blocks of the upper triangle; extra memory is a
    few MiB whatever K is. Cost: K^2 d / 2 multiplications.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.
    t : float
        Temperature above 0; Wang & Isola use 2.

    Returns
    -------
    float
        In [-4t, 0]; low is uniform. On the sphere the least possible value for large K is
        :func:`crlib.metrics.uniformity_minimum`.

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length, or t <= 0.
    """
    matrix = as_unit_rows(X)
    check_positive(t, "t")
    exponent = 2.0 * t
    # Sums are kept as exp(log_scale) * total, so that a large t neither over- nor underflows.
    log_scale, total = (-exponent if exponent > SAFE_EXPONENT else 0.0), 0.0
    for block, share in _scaled_cosines(matrix, exponent):
        shift = log_scale
        if exponent > SAFE_EXPONENT:
            shift = max(log_scale, float(block.max()))
            block -= block.dtype.type(shift)
        np.exp(block, out=block)
        # Row sums are pairwise sums over at most 512 terms; they are added up in float64.
        part = share * float(block.sum(axis=1).sum(dtype=np.float64))
        total = total * float(np.exp(log_scale - shift)) + part
        log_scale = shift
    n = matrix.shape[0]
    return float(np.log(total) + log_scale - exponent - np.log(n * (n - 1) / 2))


def _scaled_cosines(X: FloatArray, exponent: float) -> Iterator[tuple[FloatArray, float]]:
    """Yield blocks of ``exponent * cosine`` that cover each pair, and the share each counts with.

    A diagonal block holds its pairs twice, and -inf for a row with itself.
    """
    n = X.shape[0]
    buffer = np.empty(PAIR_BLOCK * PAIR_BLOCK, X.dtype)
    for i in range(0, n, PAIR_BLOCK):
        rows = X[i : i + PAIR_BLOCK] * X.dtype.type(exponent)
        for j in range(i, n, PAIR_BLOCK):
            columns = X[j : j + PAIR_BLOCK]
            shape = rows.shape[0], columns.shape[0]
            out = buffer[: shape[0] * shape[1]].reshape(shape)
            np.matmul(rows, columns.T, out=out)
            if i == j:
                np.fill_diagonal(out, -np.inf)
            yield out, 0.5 if i == j else 1.0


def uniformity_sampled(
    X: ArrayLike,
    t: float = 2.0,
    *,
    rng: np.random.Generator | int,
    n_pairs: int = 200_000,
) -> Estimate:
    """Return L_unif from randomly drawn pairs, for K too large for all pairs.

    Pairs are drawn independently and uniformly from all pairs of distinct rows. The standard error
    is that of the mean, mapped through the logarithm (delta method).

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows; a memory map is read only where pairs are drawn, apart from one pass of checks.
    t : float
    rng : Generator or int
        Source of randomness, or its seed.
    n_pairs : int
        At least 2.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length, t <= 0 or n_pairs < 2.
    """
    matrix = as_unit_rows(X)
    check_positive(t, "t")
    if n_pairs < 2:
        raise ValueError(f"n_pairs = {n_pairs} must be at least 2")
    generator = np.random.default_rng(rng)
    n = matrix.shape[0]
    first = generator.integers(0, n, n_pairs)
    second = (first + generator.integers(1, n, n_pairs)) % n
    exponents = np.empty(n_pairs)
    for start in range(0, n_pairs, 4096):
        part = slice(start, start + 4096)
        cosines = np.einsum("ij,ij->i", matrix[first[part]], matrix[second[part]])
        exponents[part] = 2.0 * t * (cosines.astype(np.float64) - 1.0)
    shift = exponents.max()
    values = np.exp(exponents - shift)
    mean = values.mean()
    error = values.std(ddof=1) / (mean * np.sqrt(n_pairs))
    return Estimate(float(np.log(mean) + shift), float(error), n_pairs)


def uniformity_bounds(X: ArrayLike, t: float = 2.0) -> tuple[float, float]:
    """Return bounds on L_unif that follow from the first two moments of the cosine alone.

    With s = 2t, m the mean cosine and q the mean squared cosine over distinct pairs,
    ``log[1 + s m + (e^-s - 1 + s) q] <= L_unif + s <= log[1 + s m + (e^s - 1 - s) q]``, because
    (e^z - 1 - z)/z^2 increases in z; and ``L_unif + s >= s m`` by Jensen. The larger of the two
    lower bounds is returned. Cost O(K d^2).

    Parameters
    ----------
    X : array_like, shape (K, d)
        Unit rows.
    t : float

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If `X` has rows that are not of unit length, or t <= 0.
    """
    matrix = as_unit_rows(X)
    check_positive(t, "t")
    s = 2.0 * t
    mean, mean_square = cosine_moments(matrix)
    # With a handful of rows the quadratic minorant can be negative: Jensen's bound stands alone.
    minorant = 1 + s * mean + (np.expm1(-s) + s) * mean_square
    low = max(np.log(minorant), s * mean) if minorant > 0 else s * mean
    with np.errstate(over="ignore"):  # beyond s = 709 the upper bound is infinite, and still true
        high = np.log(1 + s * mean + (np.expm1(s) - s) * mean_square)
    return float(low - s), float(high - s)


def cosine_moments(X: FloatArray) -> tuple[float, float]:
    """Return the mean and the mean square of x_i.x_j over distinct pairs of rows.

    The second is 1 / PR of the uncentred second-moment matrix, in its unbiased form.
    """
    sums = moments(X, centre=False)
    total = X.T @ np.ones(sums.n, X.dtype)
    pairs = sums.n * (sums.n - 1)
    total = total.astype(np.float64)
    mean = (np.dot(total, total) - sums.trace) / pairs
    return float(mean), float((sums.frobenius - sums.fourth) / pairs)
