"""Reference values for points drawn uniformly from the unit sphere in d dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from crlib.metrics.validate import as_float, as_sizes, check_positive

# Nodes of the quadrature over the angle. The integrand is smooth and its bulk is found first.
N_NODES = 400

# Probability left outside the interval of angles that is integrated, at either end.
OUTSIDE = 1e-15


def uniformity_minimum(d: int, t: float = 2.0) -> float:
    """Return L_unif of the uniform distribution on the sphere, its minimum over distributions.

    -2t + log 0F1(; d/2; t^2) (Wang & Isola 2020), summed from its positive series in logarithms.

    Parameters
    ----------
    d : int
        Dimension of the space, at least 2.
    t : float
        Temperature above 0.

    Returns
    -------
    float
        Finitely many points can lie below it: K (d + 1 or fewer) points of a simplex do.

    Raises
    ------
    ValueError
        If d or t is out of range.
    """
    check_dimension(d)
    check_positive(t, "t")
    # Terms t^2n / (n! (d/2)_n) peak before n = t and then fall faster than geometrically.
    n = np.arange(int(np.ceil(4 * t)) + 100, dtype=np.float64)
    terms = 2 * n * np.log(t) - special.gammaln(n + 1) - special.gammaln(d / 2 + n)
    return float(special.logsumexp(terms) + special.gammaln(d / 2) - 2 * t)


def sphere_coverage(
    k: ArrayLike, d: int, *, n_actions: int | None = None
) -> float | NDArray[np.float64]:
    """Return the expected distance from a point to the nearest of k independent uniform points.

    By numerical integration of P(D > r) = (1 - F(r))^k, where F is the share of the sphere within
    distance r: r^2/4 has the Beta((d-1)/2, (d-1)/2) distribution.

    Parameters
    ----------
    k : int or array_like of int
        Numbers of points, at least 1.
    d : int
        Dimension of the space, at least 2.
    n_actions : int, optional
        K. If given, return the reference for ``coverage(X, k)`` of K actions, which may cover
        themselves: (1 - k/K) times the value. Without it, that for ``leave_out=True``.

    Returns
    -------
    float, or ndarray of float64 of shape (n_sizes,) if `k` is a list

    Raises
    ------
    ValueError
        If k or d is out of range.
    """
    check_dimension(d)
    population = np.iinfo(np.int64).max if n_actions is None else n_actions
    sizes = as_sizes(k, population, replace=False)
    values = np.array([_nearest_of(int(size), d) for size in sizes])
    if n_actions is not None:
        values *= 1 - sizes / n_actions
    return float(values[0]) if np.ndim(k) == 0 else values


def _nearest_of(k: int, d: int) -> float:
    shape = (d - 1) / 2
    # The nearest of k is within the angle whose cap holds the share p with chance 1 - (1 - p)^k.
    chances = np.log1p(-np.array([OUTSIDE, 1 - OUTSIDE]))
    shares = special.betaincinv(shape, shape, -np.expm1(chances / k))
    low, high = 2 * np.arcsin(np.sqrt(shares))
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    angle = low + (high - low) * (nodes + 1) / 2
    share = special.betainc(shape, shape, np.sin(angle / 2) ** 2)
    survival = np.exp(k * np.log1p(-share))
    # r = 2 sin(angle / 2), so dr = cos(angle / 2) d angle; below `low` the survival is 1.
    inner = np.dot(weights, survival * np.cos(angle / 2)) * (high - low) / 2
    return float(2 * np.sin(low / 2) + inner)


def sphere_coverage_asymptotic(k: ArrayLike, d: int) -> float | NDArray[np.float64]:
    """Return Gamma(1 + 1/(d-1)) (k C_d)^(-1/(d-1)), the small-cap approximation.

    C_d = Gamma(d/2) / (sqrt(pi) (d-1) Gamma((d-1)/2)) is the share of the sphere in a small cap of
    radius 1. Good for d <= 8 at large k; use :func:`sphere_coverage` above.

    Parameters
    ----------
    k : int or array_like of int
    d : int

    Returns
    -------
    float, or ndarray of float64 of shape (n_sizes,) if `k` is a list

    Raises
    ------
    ValueError
        If k or d is out of range.
    """
    check_dimension(d)
    sizes = as_sizes(k, 1, replace=True)
    log_cap = (
        special.gammaln(d / 2) - special.gammaln((d - 1) / 2) - np.log(np.sqrt(np.pi) * (d - 1))
    )
    values = special.gamma(1 + 1 / (d - 1)) * np.exp(-(np.log(sizes) + log_cap) / (d - 1))
    return float(values[0]) if np.ndim(k) == 0 else values


def check_dimension(d: int) -> None:
    """Raise ``ValueError`` unless d is a whole number of at least 2."""
    value = as_float(d, "d")
    if value.ndim or value < 2 or value != np.floor(value):
        raise ValueError(f"d = {d} must be a whole number of at least 2")
