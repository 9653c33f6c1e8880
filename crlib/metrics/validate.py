"""Checks on the input of every metric: one clear ``ValueError`` that says what to do.

What is accepted, for every function of :mod:`crlib.metrics`:

* float32 and float64 matrices are used as they are, in their own precision;
* float16 (and bfloat16 that NumPy can read) becomes float32, wider floats become float64;
* integers and booleans become float64;
* everything that ``numpy.asarray`` understands (lists, data frames, CPU tensors) is accepted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]

# Unit rows that were rounded to float16 are off by at most 2^-11 in length, usually by 2e-5.
# bfloat16 rows are off by up to 3e-3, which moves a squared distance by 6e-3: refused.
UNIT_TOLERANCE = 2.0**-11


def as_float(values: ArrayLike, name: str) -> FloatArray:
    """Return `values` as a finite float32 or float64 array.

    Parameters
    ----------
    values : array_like
        Real numbers of any shape.
    name : str
        How the error message calls the input.

    Returns
    -------
    ndarray of float32 or float64
        The same array if its type is already one of the two, else a converted copy.

    Raises
    ------
    ValueError
        If the values are ragged, empty, not real numbers, or not all finite.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged: pass an array whose rows have equal length") from error
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}): pass at least one value")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has type {array.dtype}: pass real numbers (float32 is best)")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    elif array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    elif array.dtype.type not in (np.float32, np.float64):
        array = array.astype(np.float64)
    # A finite sum means finite values; only otherwise is the costly elementwise look needed.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious and (n_bad := int(np.count_nonzero(~np.isfinite(array)))):
        raise ValueError(f"{name} holds {n_bad} NaN or infinite values: drop or repair those rows")
    return array


def as_matrix(X: ArrayLike, name: str = "X", *, min_rows: int = 2) -> FloatArray:
    """Return `X` as a finite (K, d) float matrix with at least `min_rows` rows.

    Parameters
    ----------
    X : array_like, shape (K, d)
        One row an action.
    name : str
        How the error message calls the input.
    min_rows : int
        The fewest rows that the metric is defined for.

    Returns
    -------
    ndarray of float32 or float64, shape (K, d)

    Raises
    ------
    ValueError
        If `X` is not such a matrix.
    """
    matrix = as_float(X, name)
    if matrix.ndim != 2:
        raise ValueError(f"{name} has shape {matrix.shape}: pass a matrix (actions, dimensions)")
    if matrix.shape[0] < min_rows:
        raise ValueError(
            f"{name} has {matrix.shape[0]} row(s): this metric needs at least {min_rows} actions"
        )
    return matrix


def as_unit_rows(X: ArrayLike, name: str = "X", *, min_rows: int = 2) -> FloatArray:
    """Return `X` as a (K, d) float matrix whose rows all have length one.

    Parameters
    ----------
    X : array_like, shape (K, d)
    name : str
    min_rows : int

    Returns
    -------
    ndarray of float32 or float64, shape (K, d)

    Raises
    ------
    ValueError
        If `X` is no matrix, or a row's length is off one by more than ``UNIT_TOLERANCE``.
    """
    matrix = as_matrix(X, name, min_rows=min_rows)
    lengths = np.sqrt(squared_lengths(matrix))
    worst = int(np.argmax(np.abs(lengths - 1.0)))
    if abs(lengths[worst] - 1.0) > UNIT_TOLERANCE:
        hint = "it is all zero: drop it" if lengths[worst] == 0 else "divide each row by its length"
        raise ValueError(
            f"{name} needs rows of length 1, row {worst} has length {lengths[worst]:.6g}: {hint}"
        )
    return matrix


def squared_lengths(X: FloatArray) -> NDArray[np.float64]:
    """Return the squared length of every row of `X`, shape (K,)."""
    return np.einsum("ij,ij->i", X, X).astype(np.float64)


def same_shape(X: FloatArray, Y: FloatArray, names: str = "X and Y") -> None:
    """Raise ``ValueError`` unless the two matrices have one shape."""
    if X.shape != Y.shape:
        raise ValueError(f"{names} have shapes {X.shape} and {Y.shape}: pass equal shapes")


def same_rows(X: FloatArray, Y: FloatArray, names: str = "X and Y") -> None:
    """Raise ``ValueError`` unless the two arrays describe the same number of actions."""
    if X.shape[0] != Y.shape[0]:
        raise ValueError(
            f"{names} have {X.shape[0]} and {Y.shape[0]} rows: pass the same actions, in one order"
        )


def as_sizes(k: ArrayLike, population: int, *, replace: bool) -> NDArray[np.int64]:
    """Return the subset sizes `k` as a one-dimensional integer array.

    Parameters
    ----------
    k : int or array_like of int
        Sizes of the random subset; 1 <= k, and k <= population without replacement.
    population : int
        How many actions the subset is drawn from.
    replace : bool
        Whether it is drawn with replacement.

    Returns
    -------
    ndarray of int64, shape (n_sizes,)

    Raises
    ------
    ValueError
        If a size is not a whole number or out of range.
    """
    sizes = as_float(k, "k")
    if sizes.ndim > 1:
        raise ValueError(f"k has shape {sizes.shape}: pass one size or a list of sizes")
    sizes = np.atleast_1d(sizes)
    if np.any(sizes != np.floor(sizes)) or sizes.min() < 1:
        raise ValueError(f"k must be whole numbers of at least 1, not {sizes.tolist()}")
    if not replace and sizes.max() > population:
        raise ValueError(
            f"k = {int(sizes.max())} exceeds the {population} actions that a subset can be drawn "
            "from: lower k or set replace=True"
        )
    return sizes.astype(np.int64)


def as_indices(indices: ArrayLike, n: int, name: str) -> NDArray[np.int64]:
    """Return `indices` as distinct-or-not row numbers in [0, n), shape (m,).

    Parameters
    ----------
    indices : array_like of int
    n : int
        Number of rows that they may point to.
    name : str

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ValueError
        If they are empty, not whole numbers, or out of range.
    """
    array = np.asarray(indices)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be a non-empty list of row numbers (whole numbers)")
    if array.min() < 0 or array.max() >= n:
        raise ValueError(f"{name} must lie in [0, {n}), not [{array.min()}, {array.max()}]")
    return array.astype(np.int64)


def check_level(level: float) -> None:
    """Raise ``ValueError`` unless `level` is a confidence level in (0, 1)."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level = {level} must lie between 0 and 1, for example 0.95")


def check_positive(value: float, name: str) -> None:
    """Raise ``ValueError`` unless `value` is a finite number above zero."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} = {value} must be a finite number above 0")
