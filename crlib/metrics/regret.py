"""Regret and learning curves: how much is linear, on what scale, when a threshold is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from crlib.metrics.coverage import rank_weights
from crlib.metrics.reward import as_rewards
from crlib.metrics.validate import as_float


def linear_share(
    cumulative_regret: ArrayLike, *, t: ArrayLike | None = None
) -> float | NDArray[np.float64]:
    """Return how much of the final regret grows linearly with time.

    Cumulative regret is fitted by non-negative least squares on {1, log t, sqrt t, t}, at every
    round given and with equal weight; the share is that of the term c_t t in the fitted regret of
    the last round. A growth exponent cannot tell linear from sublinear regret at T = 10^4.

    Parameters
    ----------
    cumulative_regret : array_like, shape (T,) or (n, T)
        One or n curves.
    t : array_like, shape (T,), optional
        Rounds at which the curves are given, increasing; 1, ..., T by default. Space them evenly:
        a logarithmic grid would weigh the early rounds most.

    Returns
    -------
    float or ndarray of float64, shape (n,)
        In [0, 1]. A curve without any regret has none that is linear: 0.

    Raises
    ------
    ValueError
        If the curves are not finite, have fewer than five rounds, or do not fit `t`.
    """
    curves, rounds = _curves(cumulative_regret, "cumulative_regret", t)
    if rounds.size < 5:
        raise ValueError(f"cumulative_regret has {rounds.size} rounds: four terms need at least 5")
    terms = np.column_stack([np.ones(rounds.size), np.log(rounds), np.sqrt(rounds), rounds])
    # Terms of value 1 in the last round: coefficients are then parts of the final regret. And
    # |A c - y|^2 and |R c - Q'y|^2 differ by a constant, which leaves a problem of 4 x 4 a curve.
    q, upper = np.linalg.qr(terms / terms[-1])
    shares = np.zeros(len(curves))
    for i, reduced in enumerate(curves @ q):
        parts, _ = optimize.nnls(upper, reduced)
        if parts.sum() > 0:
            shares[i] = parts[-1] / parts.sum()
    return _one_or_all(shares, cumulative_regret)


def best_mean_gap(r: ArrayLike, slate: int) -> float | NDArray[np.float64]:
    """Return the expected best reward of a random slate minus the mean reward.

    What choosing at random loses each round. The slate is drawn without replacement, so that the
    j-th smallest reward (from 0) is the best with probability C(j, slate - 1) / C(K, slate). This
    is a U-statistic: from the rewards of a random subset of the actions it is unbiased.

    Parameters
    ----------
    r : array_like, shape (K,) or (K, m)
        Rewards of one or of m reward functions.
    slate : int
        Number of actions on offer, 1 <= slate <= K.

    Returns
    -------
    float or ndarray of float64, shape (m,)
        In the unit of the rewards.

    Raises
    ------
    ValueError
        If the slate is out of range or a reward is not finite.
    """
    values = as_float(r, "r")
    n_actions = values.shape[0] if values.ndim else 0
    rewards = as_rewards(values, n_actions)
    # Rank 0 is the best: the weights are those of the nearest of k sampled actions.
    weights = rank_weights(n_actions, slate)[0]
    gap = weights @ np.sort(rewards, axis=0)[::-1] - rewards.mean(axis=0)
    return float(gap[0]) if values.ndim == 1 else np.asarray(gap)


def normalised_regret(
    cumulative_regret: ArrayLike, gap: ArrayLike, *, horizon: int | None = None
) -> float | NDArray[np.float64]:
    """Return R_T / (T (E max - mean)): 0 for an oracle, 1 for choosing at random.

    Parameters
    ----------
    cumulative_regret : array_like, shape (T,) or (n, T)
        One or n curves; the last column is R_T.
    gap : float or array_like, shape (n,)
        E max - mean of each curve's reward function, :func:`best_mean_gap`.
    horizon : int, optional
        T, where the curves are given at some rounds only; the number of columns by default.

    Returns
    -------
    float or ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If an input is unfit or a gap is not above 0.
    """
    curves, rounds = _curves(cumulative_regret, "cumulative_regret", None)
    gaps = as_float(gap, "gap").astype(np.float64)
    if gaps.ndim > 1 or gaps.size not in (1, len(curves)) or gaps.min() <= 0:
        raise ValueError(
            f"gap has shape {gaps.shape} and minimum {gaps.min():g}: pass one number "
            f"above 0, or {len(curves)} of them, one a curve"
        )
    length = rounds.size if horizon is None else horizon
    if length < 1:
        raise ValueError(f"horizon = {horizon} must be a number of rounds, at least 1")
    return _one_or_all(curves[:, -1] / (length * gaps), cumulative_regret)


@dataclass(frozen=True)
class ThresholdTimes:
    """When learning curves first reach a threshold.

    Attributes
    ----------
    rollouts : ndarray of float64, shape (n,)
        The first round at or above it; infinite for a run that never was (censored).
    censored : int
        Number of such runs.
    """

    rollouts: NDArray[np.float64]
    censored: int

    @property
    def median(self) -> float:
        """The median over runs: infinite where half of them or more never reached it."""
        return float(np.median(self.rollouts))


def rollouts_to_threshold(
    curves: ArrayLike, threshold: float, *, t: ArrayLike | None = None
) -> ThresholdTimes:
    """Return the number of rollouts after which each curve first reaches the threshold.

    A run that never does is censored: it took longer than it was observed. It is counted as not
    reached, never as the last round and never dropped; compare medians or counts, not means.

    Parameters
    ----------
    curves : array_like, shape (T,) or (n, T)
        Success by round, higher is better.
    threshold : float
    t : array_like, shape (T,), optional
        Rollouts spent at each column, increasing; 1, ..., T by default.

    Returns
    -------
    ThresholdTimes

    Raises
    ------
    ValueError
        If the curves are not finite or do not fit `t`, or the threshold is NaN.
    """
    values, rounds = _curves(curves, "curves", t)
    if np.isnan(threshold):
        raise ValueError("threshold is NaN: pass a number on the scale of the curves")
    above = values >= threshold
    reached = above.any(axis=1)
    rollouts = np.where(reached, rounds[np.argmax(above, axis=1)], np.inf)
    return ThresholdTimes(rollouts, int(np.count_nonzero(~reached)))


def recent_mean(curves: ArrayLike, window: int) -> NDArray[np.float64]:
    """Return the mean of the last `window` columns at each column from the first full window on.

    Parameters
    ----------
    curves : array_like, shape (n, T)
    window : int
        1 to T.

    Returns
    -------
    ndarray of float64, shape (n, T - window + 1)

    Raises
    ------
    ValueError
        If the window is longer than the curves.
    """
    values, _ = _curves(curves, "curves", None)
    if not 1 <= window <= values.shape[1]:
        raise ValueError(f"window = {window}: expected 1 to {values.shape[1]}")
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=1).mean(axis=2)


def _curves(
    values: ArrayLike, name: str, t: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return curves as (n, T) and the rounds of their columns, or raise ``ValueError``."""
    curves = as_float(values, name).astype(np.float64)
    if curves.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {curves.shape}: pass (rounds,) or (runs, rounds)")
    curves = np.atleast_2d(curves)
    if t is None:
        return curves, np.arange(1.0, curves.shape[1] + 1)
    rounds = as_float(t, "t").astype(np.float64)
    if rounds.shape != curves.shape[1:] or rounds[0] < 1 or np.any(np.diff(rounds) <= 0):
        raise ValueError(
            f"t must be {curves.shape[1]} increasing rounds of at least 1, one a column of {name}"
        )
    return curves, rounds


def _one_or_all(values: NDArray[np.float64], curves: ArrayLike) -> float | NDArray[np.float64]:
    return float(values[0]) if np.ndim(curves) == 1 else values
