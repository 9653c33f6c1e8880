"""What a linear reader learns from labels: leave-one-out R^2 and the evidence of a linear model.

Both are closed forms in one singular value decomposition of the labelled rows, shared by all reward
functions. The model is linear with an unpenalised intercept: rewards theta'x + b with a ridge
penalty |theta|^2, or a prior theta ~ N(0, tau^2 I) and noise of variance sigma^2, whose posterior
mean is ridge regression at sigma^2 / tau^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from crlib.metrics.eigenbasis import (
    Eigenbasis,
    Labels,
    Rng,
    draw_labels,
    eigenbasis,
    number_or_array,
)
from crlib.metrics.validate import check_positive

# Penalties on the sum of squared errors, four a decade, for an embedding of trace 1: from no
# shrinkage worth the name to nothing but the intercept, for up to some 10^5 labels.
RIDGE_GRID = np.logspace(-6, 6, 49)


@dataclass(frozen=True)
class Evidence:
    """The best evidence of Bayesian linear regression, for one or m reward functions.

    Attributes
    ----------
    log_evidence : float or ndarray of float64, shape (m,)
        Log marginal likelihood per degree of freedom, in nats: of n labels one is spent on the
        intercept, so that the sum is divided by n - 1.
    prior_variance : float or ndarray of float64, shape (m,)
        tau^2 where it is reached, for an embedding of trace 1.
    noise_variance : float or ndarray of float64, shape (m,)
        sigma^2, given or where it is reached, in units of the reward's variance.
    """

    log_evidence: float | NDArray[np.float64]
    prior_variance: float | NDArray[np.float64]
    noise_variance: float | NDArray[np.float64]


@dataclass(frozen=True)
class _Design:
    """Centred labelled rows as U diag(s) V', and the labels in the basis U."""

    left: NDArray[np.float64]  # U, (n, q)
    squares: NDArray[np.float64]  # s^2, (q,)
    values: NDArray[np.float64]  # centred labels, (n, m)
    coefficients: NDArray[np.float64]  # U'y, (q, m)
    residual: NDArray[np.float64]  # y - UU'y, (n, m)


def _design(basis: Eigenbasis, labels: Labels) -> _Design:
    n_actions, n = basis.scores.shape[0], labels.rows.size
    if n == n_actions:
        left = basis.scores / np.sqrt(n)
        squares = n * basis.eigenvalues[: basis.rank]
    else:
        rows = basis.rows[labels.rows]
        rows -= rows.mean(axis=0)
        left, singular, _ = np.linalg.svd(rows, full_matrices=False)
        kept = singular > 4 * np.finfo(np.float64).eps * np.linalg.norm(rows)
        left, squares = left[:, kept], singular[kept] ** 2
    values = labels.values - labels.values.mean(axis=0)
    coefficients = left.T @ values
    return _Design(left, squares, values, coefficients, values - left @ coefficients)


def loo_r2(
    X: ArrayLike | Eigenbasis,
    r: ArrayLike,
    *,
    n_labels: int | None = None,
    noise: float = 0.0,
    rng: Rng = None,
    ridge: Literal["loo", "gcv"] | float = "loo",
) -> float | NDArray[np.float64]:
    """Return the leave-one-out R^2 of ridge regression with an intercept.

    1 - sum (y_i - f_(-i)(x_i))^2 / sum (y_i - mean_(-i))^2, where (-i) is fitted without action i:
    0 is what the mean of the other labels achieves, and below is worse. The left-out residuals are
    e_i / (1 - h_ii) (Allen's PRESS), so nothing is refitted. The ridge is chosen for each reward
    function on the same labels from ``RIDGE_GRID`` (10^-6 to 10^6, four a decade), which makes
    the maximum slightly optimistic: one parameter is chosen.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
        Centred and scaled to trace 1 over all K actions.
    r : array_like, shape (K,) or (K, m)
    n_labels : int, optional
        Label only so many random actions; all by default.
    noise : float
        Standard deviation of noise on the labels, in standard deviations of the reward.
    rng : Generator or int
        Needed with `n_labels` or `noise`.
    ridge : {"loo", "gcv"} or float
        Choose the penalty by the leave-one-out error itself, as scikit-learn's RidgeCV does, or by
        generalised cross-validation (Golub, Heath & Wahba, Technometrics, 1979); or a penalty.

    Returns
    -------
    float or ndarray of float64, shape (m,)
        At most 1.

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `rng` is missing.
    """
    if isinstance(ridge, str):
        if ridge not in ("loo", "gcv"):
            raise ValueError(f'ridge = "{ridge}" must be "loo", "gcv" or a number above 0')
        grid = RIDGE_GRID
    else:
        check_positive(ridge, "ridge")
        grid = np.array([float(ridge)])
    basis = eigenbasis(X)
    design = _design(basis, draw_labels(r, basis.scores.shape[0], n_labels, noise, rng))
    n, m = design.values.shape
    # Residuals and leverages are sums of small terms, not differences of large ones: they keep
    # their digits where the ridge is tiny and n < d.
    weights = design.left**2
    beyond = np.clip(1 - 1 / n - np.sum(weights, axis=1), 0.0, None)
    errors, criteria = np.empty((2, grid.size, m))
    for i, penalty in enumerate(grid):
        lost = penalty / (design.squares + penalty)
        residual = design.residual + design.left @ (lost[:, None] * design.coefficients)
        unused = beyond + weights @ lost
        errors[i] = np.sum((residual / unused[:, None]) ** 2, axis=0)
        criteria[i] = np.sum(residual**2, axis=0) / unused.sum() ** 2
    best = np.argmin(criteria if ridge == "gcv" else errors, axis=0)
    baseline = np.sum(design.values**2, axis=0) * (n / (n - 1)) ** 2
    return number_or_array(1 - errors[best, np.arange(m)] / baseline, r)


def gp_evidence(
    X: ArrayLike | Eigenbasis,
    r: ArrayLike,
    *,
    noise_variance: float | None = None,
    n_labels: int | None = None,
    noise: float = 0.0,
    rng: Rng = None,
) -> Evidence:
    """Return the log evidence per label of Bayesian linear regression (empirical Bayes).

    Rewards are b + theta'x + noise with theta ~ N(0, tau^2 I) and a flat prior on b, that is, a
    Gaussian process with a linear kernel. The evidence is maximised over tau^2 / sigma^2 between
    10^-6 and 10^6: on a grid, then by Brent's method between its neighbours.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
    noise_variance : float, optional
        sigma^2 in units of the reward's variance; by default the evidence is maximised over it.
    n_labels : int, optional
        Label only so many random actions; all by default.
    noise : float
        Standard deviation of noise that is added to the labels.
    rng : Generator or int
        Needed with `n_labels` or `noise`.

    Returns
    -------
    Evidence

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `rng` is missing.
    """
    if noise_variance is not None:
        check_positive(noise_variance, "noise_variance")
    basis = eigenbasis(X)
    design = _design(basis, draw_labels(r, basis.scores.shape[0], n_labels, noise, rng))
    n, m = design.values.shape
    energies, beyond = design.coefficients**2, np.sum(design.residual**2, axis=0)
    grid = np.log(1 / RIDGE_GRID[::-1])
    found = np.empty((3, m))
    for column in range(m):
        model = _Model(
            design.squares, energies[:, column], float(beyond[column]), n - 1, noise_variance
        )
        best = int(np.argmax([model.evidence(point) for point in grid]))
        inside = optimize.minimize_scalar(
            lambda point, model=model: -model.evidence(point),
            bounds=(grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]),
            method="bounded",
            options={"xatol": 1e-6},
        ).x
        # At an edge of the range the bounded search stops short of it.
        log_ratio = max((float(inside), float(grid[best])), key=model.evidence)
        noise_there = model.noise(log_ratio)
        found[:, column] = model.evidence(log_ratio), np.exp(log_ratio) * noise_there, noise_there
    return Evidence(*(number_or_array(row, r) for row in found))


@dataclass(frozen=True)
class _Model:
    """Evidence of one reward function by log tau^2 / sigma^2."""

    squares: NDArray[np.float64]  # s^2 of the centred rows, (q,)
    energies: NDArray[np.float64]  # (U'y)^2, (q,)
    beyond: float  # squared length of the labels outside the rows' span
    freedom: int
    noise_variance: float | None

    def mean_square(self, log_ratio: float) -> float:
        """Return the labels' mean square after whitening, in units of sigma^2 = 1."""
        whitened = self.energies / (1 + np.exp(log_ratio) * self.squares)
        return float((whitened.sum() + self.beyond) / self.freedom)

    def noise(self, log_ratio: float) -> float:
        """Return sigma^2: given, or the maximiser in closed form."""
        return self.noise_variance or self.mean_square(log_ratio)

    def evidence(self, log_ratio: float) -> float:
        variance = self.noise(log_ratio)
        fit = np.log(2 * np.pi * variance) + self.mean_square(log_ratio) / variance
        growth = np.sum(np.log1p(np.exp(log_ratio) * self.squares)) / self.freedom
        return -0.5 * float(fit + growth)
