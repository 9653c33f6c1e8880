"""Unit rows; centre, rotate onto principal axes, whiten."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.extractors.moments import (
    Moments,
    blocks_of,
    checked_blocks,
    gather_moments,
    output_dtype,
)

Solver = Literal["exact", "randomised"]


@dataclass(frozen=True)
class Standard:
    """What is subtracted from each row, and the map that follows.

    Attributes
    ----------
    mean : (d,) float64 array
    axes : (d, m) float64 array or None
        Columns are principal axes, divided by the standard deviations where the rows are to be
        whitened; None leaves the centred rows as they are.
    dtype : dtype
        Of the result, float32 or float64.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64] | None
    dtype: np.dtype

    @property
    def width(self) -> int:
        """Number of columns of the result."""
        return len(self.mean) if self.axes is None else self.axes.shape[1]


def standardise(
    X: ArrayLike,
    *,
    pca: int | None = None,
    whiten: bool = False,
    solver: Solver = "exact",
    seed: int = 0,
) -> NDArray[np.floating]:
    """Centre rows, and on demand keep the leading principal components and whiten them.

    Parameters
    ----------
    X : (n, d) array_like of float
        Rows are actions, n >= 2. Integers are taken as float64, float16 as float32. For rows
        that do not fit memory see `crlib.extractors.streaming.standardise_file`.
    pca : int, optional
        Number m of leading components to keep, 1 <= m <= min(d, n - 1); all axes when None, and
        then the rows are not rotated unless `whiten` asks for it. Components beyond the rank of
        the centred rows are zero, up to rounding.
    whiten : bool
        Divide each component by its standard deviation (divisor n - 1). Directions without
        variance cannot be whitened and are left out, so the result may be narrower than m. A
        variance counts as none when it is at most max(n, d) eps of the largest (eps that of
        float64), or no more than the rounding of X's own entries in X's precision explains.
    solver : {"exact", "randomised"}
        "exact" decomposes the covariance, O(n d^2 + d^3). "randomised" needs `pca` and takes
        O(n d m) with 8 passes, so it is the faster for m below some d / 32. Where the j-th
        standard deviation falls as 1/j, 20 of 200 components are within 0.05 of theirs in each
        row; where the spectrum is flat around m, axes as good as the exact ones come out.
    seed : int
        Of the randomised solver.

    Returns
    -------
    (n, d) or (n, m) array
        Of the input's precision; mean, covariance and axes are computed in float64. Components
        come in order of falling variance, each with its largest loading positive.

    Raises
    ------
    ValueError
        For another number of axes, no numbers, too few rows, NaN or infinity, squares beyond
        float64, m out of range, an unknown solver, or equal rows that are to be whitened.

    References
    ----------
    Randomised solver: Halko, Martinsson & Tropp (2011), arXiv:0909.4061, by scikit-learn.
    """
    rows = np.asarray(X)
    if rows.ndim != 2:
        raise ValueError(f"X has shape {rows.shape}; expected (n, d): one row per action")
    if rows.shape[0] < 2 or rows.shape[1] < 1:
        raise ValueError(f"X has shape {rows.shape}; expected at least 2 rows and 1 column")
    if solver not in ("exact", "randomised"):
        raise ValueError(f"solver = {solver!r}; expected 'exact' or 'randomised'")
    if solver == "randomised" and pca is None:
        raise ValueError("solver = 'randomised' needs pca, the number of components to keep")
    rotates = pca is not None or whiten
    moments = gather_moments(blocks_of(rows), covariance=rotates and solver == "exact")
    if solver == "randomised" and pca is not None:
        standard = _fit_randomised(rows, moments, pca, whiten=whiten, seed=seed)
    else:
        standard = fit_standard(moments, pca=pca, whiten=whiten)
    result = np.empty((len(rows), standard.width), dtype=standard.dtype)
    start = 0
    for block, _ in checked_blocks(blocks_of(rows)):
        result[start : start + len(block)] = apply_standard(standard, block)
        start += len(block)
    return result


def fit_standard(moments: Moments, *, pca: int | None = None, whiten: bool = False) -> Standard:
    """Turn moments into what `apply_standard` does to each row.

    Parameters
    ----------
    moments : Moments
        With the covariance, unless the rows are only to be centred.
    pca, whiten
        As in `standardise`, whose Raises apply.
    """
    dtype = output_dtype(moments.dtype)
    _check_components(pca, moments)
    if pca is None and not whiten:
        return Standard(moments.mean, None, dtype)
    if moments.covariance is None:
        raise ValueError("moments lack the covariance; gather them with covariance=True")
    variances, axes = np.linalg.eigh(moments.covariance)
    variances, axes = variances[::-1][:pca], axes[:, ::-1][:, :pca]
    if whiten:
        axes = _whitened(axes, variances, moments)
    return Standard(moments.mean, _oriented(axes), dtype)


def apply_standard(standard: Standard, rows: ArrayLike) -> NDArray[np.floating]:
    """Centre and map a block of rows.

    Parameters
    ----------
    standard : Standard
    rows : (b, d) array_like of float or integer

    Returns
    -------
    (b, m) array of `standard.dtype`; computed in float64.
    """
    centred = np.asarray(rows).astype(np.float64) - standard.mean
    return (centred if standard.axes is None else centred @ standard.axes).astype(standard.dtype)


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Divide each row by its norm, in float64, and round to float32."""
    exact = rows.astype(np.float64)
    return (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)


def _fit_randomised(
    rows: NDArray, moments: Moments, pca: int, *, whiten: bool, seed: int
) -> Standard:
    # scikit-learn takes a second to import; who only centres should not wait.
    from sklearn.utils.extmath import randomized_svd

    _check_components(pca, moments)
    centred = rows.astype(np.float64) - moments.mean
    _, singular, right = randomized_svd(
        centred, pca, n_oversamples=10, n_iter=7, flip_sign=False, random_state=seed
    )
    axes = right.T
    if whiten:
        axes = _whitened(axes, singular**2 / (moments.count - 1), moments)
    return Standard(moments.mean, _oriented(axes), output_dtype(moments.dtype))


def _check_components(pca: int | None, moments: Moments) -> None:
    most = min(len(moments.mean), moments.count - 1)
    if pca is None:
        return
    if isinstance(pca, bool) or not isinstance(pca, int | np.integer) or not 1 <= pca <= most:
        raise ValueError(
            f"pca = {pca!r}; expected an integer, 1 <= pca <= {most}, as X has shape "
            f"{(moments.count, len(moments.mean))}"
        )


def _whitened(
    axes: NDArray[np.float64], variances: NDArray[np.float64], moments: Moments
) -> NDArray[np.float64]:
    """Divide axes by standard deviations; leave out those whose variance is rounding."""
    exact = np.finfo(np.float64).eps
    own = np.finfo(moments.dtype).eps if moments.dtype.kind == "f" else exact
    # An entry x is known up to eps |x|: so much variance along an axis comes from storing X.
    rounding = (axes**2).T @ (own**2 * (moments.mean**2 + moments.variances))
    floor = variances[0] * max(moments.count, len(moments.mean)) * exact
    kept = variances > np.maximum(rounding, floor)
    if not kept.any():
        raise ValueError("all rows of X are equal; there is no variance to whiten")
    return axes[:, kept] / np.sqrt(variances[kept])


def _oriented(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make each axis' largest loading positive, so that signs do not depend on the solver."""
    largest = np.abs(axes).argmax(axis=0)
    return axes * np.sign(axes[largest, np.arange(axes.shape[1])])
