"""Regret predicted from an embedding's spectrum and a reward's energy, without a bandit run.

A linear agent that has seen t random actions is a ridge regression whose behaviour follows from the
eigenvalues l_i and the energies w_i^2 alone (generalisation error of kernel regression: Canatar et
al. 2021, arXiv 2006.13198; Simon et al. 2021, arXiv 2110.03922). With prior theta ~ N(0, I) and
noise of variance sigma^2, in the conventions of :mod:`crlib.metrics.eigenbasis`:

* the effective ridge kappa solves t = sum L_i + sigma^2 / kappa, L_i = l_i / (l_i + kappa);
* its error is E = (t / (t - sum L_i^2)) (sum (1 - L_i)^2 w_i^2 + V - sum w_i^2 + sigma^2);
* a sampled model's score correlates with the reward over actions by
  sum L_i w_i^2 / sqrt(V [sum L_i^2 w_i^2 + (E / t) sum L_i^2 + sum l_i (1 - L_i)]),
  the last term being the spread of the posterior that Thompson sampling draws from.

Were scores and rewards jointly Gaussian, the best-scored action of a slate would fall short of the
best reward by a (1 - corr), a being the gap between the expected best of a slate and the mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise

from crlib.metrics.eigenbasis import Eigenbasis, Rng, draw_labels, eigenbasis, per_function
from crlib.metrics.energy import energy_shares
from crlib.metrics.regret import best_mean_gap
from crlib.metrics.validate import as_sizes, check_positive

# Rounds at which the correlation is computed. Between them it is taken to be linear in t, which
# puts the sum off by less than 2e-4 of itself (with noise from 10^-6 to 10; tested).
ROUNDS_PER_DECADE = 128


def effective_ridge(
    eigenvalues: NDArray[np.float64], t: NDArray[np.float64], noise: float
) -> NDArray[np.float64]:
    """Return kappa_t, the solution of t = sum l_i / (l_i + kappa) + noise^2 / kappa.

    The right-hand side falls from infinity to 0 and lies between noise^2 / kappa and
    (noise^2 + sum l_i) / kappa, which brackets the one root.

    Parameters
    ----------
    eigenvalues : ndarray, shape (d,)
    t : ndarray, shape (n_t,)
        Numbers of observations, above 0.
    noise : float
        Standard deviation, above 0.

    Returns
    -------
    ndarray of float64, shape (n_t,)
    """

    def excess(log_kappa: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
        kappa = np.exp(log_kappa)
        learned = np.sum(eigenvalues / (eigenvalues + kappa[..., None]), axis=-1)
        # Per observation, so that the tolerance is relative.
        return np.asarray((learned + noise**2 / kappa) / t - 1)

    bracket = np.log(noise**2 / t) - 1e-6, np.log((noise**2 + eigenvalues.sum()) / t) + 1e-6
    return np.asarray(np.exp(elementwise.find_root(excess, bracket, args=(t,)).x))


def predicted_correlation(
    eigenvalues: NDArray[np.float64],
    energies: NDArray[np.float64],
    t: NDArray[np.float64],
    *,
    noise: float = 1.0,
) -> NDArray[np.float64]:
    """Return the correlation of a sampled linear model's score with the reward.

    Parameters
    ----------
    eigenvalues : ndarray, shape (d,)
        l_i, of sum 1.
    energies : ndarray, shape (d, m)
        p_i = w_i^2 / V of m reward functions, with sum at most 1.
    t : ndarray, shape (n_t,)
        Numbers of observations, above 0.
    noise : float
        sigma, in standard deviations of the reward, above 0.

    Returns
    -------
    ndarray of float64, shape (n_t, m)
        In [0, 1].
    """
    kappa = effective_ridge(eigenvalues, t, noise)
    learned = eigenvalues / (eigenvalues + kappa[:, None])
    times, squares = t[:, None], np.sum(learned**2, axis=1)[:, None]
    missed = (1 - learned) ** 2 @ energies + np.clip(1 - energies.sum(axis=0), 0.0, None)
    error = times / (times - squares) * (missed + noise**2)
    posterior = ((1 - learned) @ eigenvalues)[:, None]
    spread = learned**2 @ energies + error / times * squares + posterior
    return np.asarray(learned @ energies / np.sqrt(spread))


def predicted_curve(
    X: ArrayLike | Eigenbasis,
    r: ArrayLike,
    t: ArrayLike,
    slate: int | None,
    *,
    noise: float = 1.0,
    n_labels: int | None = None,
    label_noise: float = 0.0,
    rng: Rng = None,
) -> NDArray[np.float64]:
    """Return the predicted cumulative regret R_hat(t) = sum_{s <= t} a (1 - corr_s).

    The energies come from the labels: w_i^2 - se_i^2, cut off at 0 (which leaves noise of positive
    mean in it), over the labels' own variance, and scaled down should their sum exceed 1. The se_i
    are those of a random subset of these K actions: with all of them labelled and no label noise
    nothing is subtracted, since an agent on these actions meets just these w_i.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
        Rewards of one or of m reward functions (any affine scale).
    t : int or array_like of int
        Rounds, in any order.
    slate : int or None
        Actions on offer each round, drawn afresh; at most the number of labels, as a is estimated
        from them (and too large by what label noise adds). K is the fixed-arm protocol. None sets
        a = 1: regret is then in units of what choosing at random loses each round.
    noise : float
        Standard deviation of the bandit's noise, in standard deviations of the reward, above 0.
    n_labels : int, optional
        Label only so many random actions; all by default.
    label_noise : float
        Standard deviation of noise on the labels, in standard deviations of the reward.
    rng : Generator or int
        Needed with `n_labels` or `label_noise`.

    Returns
    -------
    ndarray of float64
        Shape () + (m,) for one t, (n_t,) + (m,) for a list; no last axis when `r` is (K,). In
        standard deviations of the reward, or as said under `slate`.

    Raises
    ------
    ValueError
        If an input is unfit or out of range, a reward function is constant, or `rng` is missing.
    """
    check_positive(noise, "noise")
    rounds = as_sizes(t, 0, replace=True)
    basis = eigenbasis(X)
    n_actions = basis.scores.shape[0]
    labels = draw_labels(r, n_actions, n_labels, label_noise, rng)
    n = labels.rows.size
    energies, variance = energy_shares(basis, labels)
    gap = np.ones(variance.size)
    if slate is not None:
        if not 1 <= slate <= n:
            raise ValueError(f"slate = {slate} must lie in [1, {n}], the number of labels")
        gap = np.asarray(best_mean_gap(labels.values, slate)) / np.sqrt(variance)
    found = gap * cumulative_shortfall(basis, energies, rounds, noise=noise)
    return per_function(found[0] if np.ndim(t) == 0 else found, r)


def cumulative_shortfall(
    basis: Eigenbasis,
    energies: NDArray[np.float64],
    rounds: NDArray[np.int64],
    *,
    noise: float = 1.0,
) -> NDArray[np.float64]:
    """Return sum_{s <= t} (1 - corr_s), regret in units of what choosing at random loses a round.

    Parameters
    ----------
    basis : Eigenbasis
    energies : ndarray, shape (d, m)
        As :func:`crlib.metrics.energy.energy_shares` gives them.
    rounds : ndarray of int64, shape (n_t,)
    noise : float
        Standard deviation of the bandit's noise, in standard deviations of the reward, above 0.

    Returns
    -------
    ndarray of float64, shape (n_t, m)
        In [0, t].
    """
    grid = _rounds(rounds, basis.rank)
    shortfall = 1 - predicted_correlation(
        basis.eigenvalues, energies, grid.astype(np.float64), noise=noise
    )
    # The sum over all rounds of a function that is linear between the rounds of the grid.
    steps = np.diff(grid)[:, None]
    added = steps * (shortfall[1:] + shortfall[:-1]) / 2 + np.diff(shortfall, axis=0) / 2
    cumulative = np.cumsum(np.vstack([shortfall[:1], added]), axis=0)
    return np.asarray(cumulative[np.searchsorted(grid, rounds)])


def predicted_regret(
    X: ArrayLike | Eigenbasis,
    r: ArrayLike,
    horizon: int,
    slate: int | None,
    *,
    noise: float = 1.0,
    n_labels: int | None = None,
    label_noise: float = 0.0,
    rng: Rng = None,
) -> float | NDArray[np.float64]:
    """Return the predicted regret R_hat of a linear Thompson sampler after `horizon` rounds.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
    horizon : int
        T, at least 1.
    slate : int or None
        Actions on offer each round, as in :func:`predicted_curve`.
    noise, n_labels, label_noise, rng
        As in :func:`predicted_curve`, which also says where the energies come from.

    Returns
    -------
    float or ndarray of float64, shape (m,)

    Raises
    ------
    ValueError
        If an input is unfit or out of range, a reward function is constant, or `rng` is missing.
    """
    options = {"noise": noise, "n_labels": n_labels, "label_noise": label_noise, "rng": rng}
    if np.ndim(horizon) != 0:
        raise ValueError(f"horizon = {horizon} must be one number of rounds")
    found = predicted_curve(X, r, horizon, slate, **options)  # type: ignore[arg-type]
    return float(found) if found.ndim == 0 else found


def _rounds(asked: NDArray[np.int64], rank: int) -> NDArray[np.int64]:
    """Return the rounds of the grid, from 1 to the last asked for, and those asked for.

    They are close at the start and around the rank of the embedding, where a regression on few
    noisy or misspecified observations is at its worst (a peak one round wide without noise).
    """
    last = int(asked.max())
    near = _geometric(max(last, rank))
    grid = np.concatenate([[1, rank, last], near, rank + near, rank - near, asked])
    return np.unique(grid[(grid >= 1) & (grid <= last)])


def _geometric(last: int) -> NDArray[np.int64]:
    n_points = 2 + int(ROUNDS_PER_DECADE * np.log10(last))
    return np.rint(np.geomspace(1, last, n_points)).astype(np.int64)
