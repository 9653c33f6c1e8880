"""Sums over pairs, triples and quadruples of distinct rows, from one pass over the data.

Write g_i = |x_i|^2 and G_ij = x_i.x_j. The unbiased estimators of tr(S)^2 and tr(S^2) average
products over distinct rows (Chen, Zhang & Zhong, JASA 2010). Both are unchanged by a shift of all
rows, so the rows may be centred first; then every such sum follows from three numbers: sum g_i,
sum g_i^2 and sum G_ij^2. The last is the squared Frobenius norm of the d x d matrix X'X, so no
K x K Gram matrix is formed when K > d: the cost is O(K d^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crlib.metrics.validate import FloatArray

# Rows of a block: large enough for the matrix product to run at full speed, 12 MiB at d = 768.
BLOCK_ROWS = 4096

Number = float | NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Second- and fourth-order sums of (centred) rows.

    Attributes
    ----------
    n, d : int
        Numbers of rows and of columns.
    centre : ndarray, shape (d,)
        What was subtracted from each row (zeros when not centred).
    squares : ndarray of float64, shape (n,)
        g_i, squared row lengths.
    product : ndarray of float64
        X'X (d, d) when n > d, else the Gram matrix XX' (n, n): equal non-zero eigenvalues.
    """

    n: int
    d: int
    centre: FloatArray
    squares: NDArray[np.float64]
    product: NDArray[np.float64]

    @property
    def trace(self) -> float:
        """Sum of g_i."""
        return float(self.squares.sum())

    @property
    def fourth(self) -> float:
        """Sum of g_i^2."""
        return float(np.dot(self.squares, self.squares))

    @property
    def frobenius(self) -> float:
        """Sum of G_ij^2 over all i and j."""
        return float(np.dot(self.product.ravel(), self.product.ravel()))


def column_means(X: FloatArray) -> FloatArray:
    """Return the mean row of `X`, summed in blocks with a float64 accumulator."""
    total = np.zeros(X.shape[1])
    for start in range(0, X.shape[0], BLOCK_ROWS):
        block = X[start : start + BLOCK_ROWS]
        total += np.ones(block.shape[0], X.dtype) @ block
    return (total / X.shape[0]).astype(X.dtype)


def moments(X: FloatArray, *, centre: bool) -> Moments:
    """Return the sums that the participation ratio needs.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n, d)
    centre : bool
        Subtract the mean row first.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If all rows are equal (centred) or zero (not centred): there is no spectrum.
    """
    n, d = X.shape
    mean = column_means(X) if centre else np.zeros(d, X.dtype)
    squares = np.empty(n)
    wide = n > d
    product = np.zeros((d, d) if wide else (n, n))
    for start in range(0, n, BLOCK_ROWS if wide else n):
        rows = X[start : start + BLOCK_ROWS] if wide else X
        block = rows - mean if centre else rows
        squares[start : start + block.shape[0]] = np.einsum("ij,ij->i", block, block)
        product += block.T @ block if wide else block @ block.T
    result = Moments(n, d, mean, squares, product)
    # What rounding leaves of identical rows is noise, not variance.
    rounding = 16 * float(np.finfo(X.dtype).eps) * float(np.linalg.norm(mean))
    if result.trace <= n * rounding**2:
        what = "rows that are all equal: it has no variance" if centre else "only zero rows"
        raise ValueError(f"X has {what}, so its spectrum is undefined: check the encoder")
    return result


def squared_trace_and_trace_of_square(
    n: float,
    trace: Number,
    fourth: Number,
    frobenius: Number,
    sum_square: Number = 0.0,
    row_square: Number = 0.0,
    weighted: Number = 0.0,
) -> tuple[Any, Any]:
    """Return unbiased estimates of tr(S)^2 and tr(S^2) from sums over n rows.

    All index tuples are distinct, which is what makes the estimates unbiased (Chen, Zhang & Zhong
    2010, section 2, for tr(S^2); the other is built alike). With s the sum of the rows:

    Parameters
    ----------
    n : float
        Number of rows, at least 4.
    trace, fourth, frobenius : float or ndarray
        sum g_i, sum g_i^2, sum G_ij^2.
    sum_square : float or ndarray
        s.s; zero for centred rows, like the following two.
    row_square : float or ndarray
        sum_j (x_j.s)^2.
    weighted : float or ndarray
        sum_j g_j x_j.s.

    Returns
    -------
    squared_trace, trace_of_square : float or ndarray
    """
    pairs = n * (n - 1)
    triples = pairs * (n - 2)
    quadruples = triples * (n - 3)
    off = sum_square - trace  # sum of G_ij over i != j
    g_g = trace**2 - fourth  # g_i g_j
    gram2 = frobenius - fourth  # G_ij^2
    chain = row_square - 2 * weighted + 2 * fourth - frobenius  # G_ij G_jk
    g_gram = trace * off - 2 * weighted + 2 * fourth  # g_i G_jk
    gram_gram = off**2 - 2 * gram2 - 4 * chain  # G_ij G_kl
    disjoint = gram_gram / quadruples
    squared_trace = g_g / pairs - 2 * g_gram / triples + disjoint
    trace_of_square = gram2 / pairs - 2 * chain / triples + disjoint
    return squared_trace, trace_of_square


def leave_one_out_traces(X: FloatArray, whole: Moments) -> tuple[Any, Any]:
    """Return the estimates of `squared_trace_and_trace_of_square` without row i, for each i.

    Closed form: leaving row i out of centred rows changes the sums by g_i, by
    q_i = sum_j G_ij^2 = x_i'X'X x_i and by h_i = sum_j g_j G_ij. One more product, O(n d^2) in all.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        The rows that `whole` was made of (centred there), n >= 5.
    whole : Moments

    Returns
    -------
    squared_trace, trace_of_square : ndarray of float64, shape (n,)
    """
    g = whole.squares
    q, h = np.empty(whole.n), np.empty(whole.n)
    if whole.product.shape[0] == whole.d and whole.n > whole.d:
        product = whole.product.astype(X.dtype)
        weighted_sum = np.zeros(whole.d)
        for start in range(0, whole.n, BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            block = X[part] - whole.centre
            q[part] = np.einsum("ij,ij->i", block @ product, block)
            weighted_sum += g[part].astype(X.dtype) @ block
        h[:] = X @ weighted_sum.astype(X.dtype) - float(whole.centre @ weighted_sum)
    else:
        q[:] = np.einsum("ij,ij->i", whole.product, whole.product)
        h[:] = whole.product @ g
    return squared_trace_and_trace_of_square(
        whole.n - 1,
        whole.trace - g,
        whole.fourth - g**2,
        whole.frobenius - 2 * q + g**2,
        sum_square=g,
        row_square=q - g**2,
        weighted=g**2 - h,
    )
