"""Controlled problems: features of a given spectrum, rewards with their energy where we say."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

Energy = Literal["top", "isotropic", "flat", "bottom"]
# Share of the directions that hold the energy of "top" and "bottom".
EDGE = 0.1


def scaled(features: ArrayLike) -> NDArray[np.float32]:
    """Centre features and scale them so that the trace of their covariance is 1.

    Parameters
    ----------
    features : array_like, shape (K, d)

    Returns
    -------
    ndarray of float32, shape (K, d)

    Raises
    ------
    ValueError
        If all rows are equal.
    """
    rows = np.asarray(features, np.float64)
    rows = rows - rows.mean(axis=0)
    trace = np.mean(np.sum(rows**2, axis=1))
    if not trace > 0:
        raise ValueError("features: all rows are equal, so their trace cannot be scaled to 1")
    return (rows / np.sqrt(trace)).astype(np.float32)


def power_law(d: int, exponent: float) -> NDArray[np.float64]:
    """Return eigenvalues proportional to i^-exponent, i = 1..d, of sum 1."""
    values = np.arange(1, d + 1, dtype=np.float64) ** -exponent
    return values / values.sum()


def spectrum_with_pr(d: int, pr: float) -> NDArray[np.float64]:
    """Return the power-law spectrum of d eigenvalues whose participation ratio is exactly `pr`.

    Raises
    ------
    ValueError
        If `pr` is not between 1 and d.
    """
    if not 1 < pr <= d:
        raise ValueError(f"pr = {pr}: expected more than 1 and at most d = {d}")

    def gap(exponent: float) -> float:
        return float(1 / np.sum(power_law(d, exponent) ** 2) - pr)

    return power_law(d, 0.0) if pr == d else power_law(d, optimize.brentq(gap, 0.0, 60.0))


def features_with(
    spectrum: NDArray[np.float64], n_actions: int, rng: np.random.Generator | int
) -> NDArray[np.float32]:
    """Return features whose covariance is exactly diag(spectrum).

    Gaussian rows are whitened on the sample, so that the spectrum is that of these K actions and
    not of a population.

    Parameters
    ----------
    spectrum : ndarray, shape (d,)
    n_actions : int
        K, above d.
    rng : Generator or int

    Returns
    -------
    ndarray of float32, shape (K, d)
        Centred; column i has variance spectrum[i].

    Raises
    ------
    ValueError
        If K is not above d.
    """
    d = len(spectrum)
    if n_actions <= d:
        raise ValueError(f"n_actions = {n_actions}: expected more than d = {d}")
    rows = np.random.default_rng(rng).standard_normal((n_actions, d))
    orthogonal, triangle = np.linalg.qr(rows - rows.mean(axis=0))
    # Signs that make the factor unique: the draw stays Gaussian in its directions.
    orthogonal *= np.sign(np.diag(triangle))
    return (orthogonal * np.sqrt(n_actions * spectrum)).astype(np.float32)


def clustered_rows(
    n_actions: int, d: int, rng: np.random.Generator | int, *, size: int = 240, spread: float = 1.0
) -> NDArray[np.float32]:
    """Draw unit rows that gather around centres, as texts about one thing do.

    The defaults were set by real embeddings: with them an inverted file finds about as much of the
    exact score, cell for cell, as among the catalogue's 12,000 actions under the trained models.

    Parameters
    ----------
    n_actions, d : int
        K and the number of dimensions.
    rng : Generator or int
    size : int
        Mean number of actions around a centre.
    spread : float
        Length of an action's own part beside its centre's, which has length 1.

    Returns
    -------
    ndarray of float32, shape (K, d)

    Raises
    ------
    ValueError
        If a number is not positive.
    """
    for name, value in {"n_actions": n_actions, "d": d, "size": size, "spread": spread}.items():
        if not value > 0:
            raise ValueError(f"{name} = {value}: expected a number above 0")
    generator = np.random.default_rng(rng)
    centres = generator.standard_normal((max(1, n_actions // size), d), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rows = np.empty((n_actions, d), np.float32)
    for start in range(0, n_actions, 65_536):
        block = rows[start : start + 65_536]
        generator.standard_normal(out=block, dtype=np.float32)
        block *= spread / np.sqrt(d)
        block += centres[generator.integers(len(centres), size=len(block))]
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def rewards_with(
    features: ArrayLike,
    energy: Energy,
    n_functions: int,
    rng: np.random.Generator | int,
    *,
    unexplained: float = 0.0,
) -> NDArray[np.float64]:
    """Draw reward functions of variance 1 over features with a diagonal covariance.

    With z_i the standardised column i, r = sum_i w_i z_i, w_i ~ N(0, p_i), then scaled: p_i is
    proportional to the eigenvalue for "isotropic" (theta has no preferred direction), the same
    for all for "flat", and flat over the first or the last tenth for "top" and "bottom".

    Parameters
    ----------
    features : array_like, shape (K, d)
        From `features_with`: columns in order of falling variance.
    energy : {"top", "isotropic", "flat", "bottom"}
    n_functions : int
    rng : Generator or int
    unexplained : float
        Share nu of the variance that no linear function of the features explains, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (K, n_functions)
        Mean 0, variance 1 over the actions.

    Raises
    ------
    ValueError
        For another kind of energy or a share out of range.
    """
    rows = np.asarray(features, np.float64)
    d = rows.shape[1]
    edge = max(1, round(EDGE * d))
    shares = {
        "top": (np.arange(d) < edge).astype(np.float64),
        "isotropic": rows.var(axis=0),
        "flat": np.ones(d),
        "bottom": (np.arange(d) >= d - edge).astype(np.float64),
    }
    if energy not in shares:
        raise ValueError(f"energy = {energy!r}: expected one of {', '.join(shares)}")
    if not 0 <= unexplained <= 1:
        raise ValueError(f"unexplained = {unexplained}: expected a share from 0 to 1")
    generator = np.random.default_rng(rng)
    weights = generator.standard_normal((d, n_functions)) * np.sqrt(shares[energy])[:, None]
    linear = _unit_variance(rows / rows.std(axis=0) @ weights)
    if not unexplained:
        return linear
    other = generator.standard_normal((len(rows), n_functions))
    fitted = np.linalg.lstsq(np.c_[np.ones(len(rows)), rows], other, rcond=None)[0]
    other = _unit_variance(other - np.c_[np.ones(len(rows)), rows] @ fitted)
    return np.sqrt(1 - unexplained) * linear + np.sqrt(unexplained) * other


def _unit_variance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean(axis=0)
    return centred / centred.std(axis=0)
