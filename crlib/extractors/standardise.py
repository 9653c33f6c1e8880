"""Unit rows; centre, rotate onto principal axes, whiten."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def standardise(
    X: ArrayLike, *, pca: int | None = None, whiten: bool = False
) -> NDArray[np.floating]:
    """Centre rows, and on demand keep the leading principal components and whiten them.

    Parameters
    ----------
    X : (n, d) array_like of float
        Rows are actions, n >= 2. Integers are taken as float64, float16 as float32.
    pca : int, optional
        Number m of leading components to keep, 1 <= m <= min(d, n - 1); all axes when None, and
        then the rows are not rotated unless `whiten` asks for it.
    whiten : bool
        Divide each component by its standard deviation (divisor n - 1). Directions without
        variance cannot be whitened and are left out, so the result may be narrower.

    Returns
    -------
    (n, d) or (n, m) array
        Of the input's precision; mean, covariance and axes are computed in float64. Components
        come in order of falling variance, each with its largest loading positive.

    Raises
    ------
    ValueError
        For another number of axes, too few rows, NaN or infinity, or m out of range.
    """
    rows = np.asarray(X)
    if rows.ndim != 2:
        raise ValueError(f"X has shape {rows.shape}; expected (n, d): one row per action")
    n, d = rows.shape
    if n < 2 or d < 1:
        raise ValueError(f"X has shape {rows.shape}; expected at least 2 rows and 1 column")
    exact = rows.astype(np.float64)
    if not np.isfinite(exact).all():
        raise ValueError("X holds NaN or infinity; drop or repair those rows first")
    if pca is not None and not 1 <= pca <= min(d, n - 1):
        raise ValueError(
            f"pca = {pca}; expected 1 <= pca <= {min(d, n - 1)}, as X has shape {rows.shape}"
        )
    precision = {np.dtype(np.float32): np.float32, np.dtype(np.float16): np.float32}.get(
        rows.dtype, np.float64
    )
    exact -= exact.mean(axis=0)
    if pca is None and not whiten:
        return exact.astype(precision)
    variances, axes = np.linalg.eigh(exact.T @ exact / (n - 1))
    variances, axes = variances[::-1][:pca], axes[:, ::-1][:, :pca]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    if whiten:
        kept = variances > variances[0] * max(n, d) * np.finfo(np.float64).eps
        if not kept.any():
            raise ValueError("all rows of X are equal; there is no variance to whiten")
        axes = axes[:, kept] / np.sqrt(variances[kept])
    return (exact @ axes).astype(precision)


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Divide each row by its norm, in float64, and round to float32."""
    exact = rows.astype(np.float64)
    return (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
