"""Advantages of the steps of finished episodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def generalised_advantages(
    rewards: ArrayLike, values: ArrayLike, live: ArrayLike, *, gamma: float, lam: float
) -> NDArray[np.float64]:
    """Return the generalised advantages of finished episodes.

    A_t = sum_{i >= 0} (gamma lambda)^i delta_{t+i}, delta_t = r_t + gamma V(s_{t+1}) - V(s_t), with
    V = 0 once an episode has ended (Schulman et al. 2016, arXiv 1506.02438, equation 16). lambda =
    1 is the return minus the value, lambda = 0 the one-step error.

    Parameters
    ----------
    rewards, values : array_like, shape (B, T)
    live : array_like of bool, shape (B, T)
        Whether step t was taken in an episode that had not ended.
    gamma, lam : float
        In [0, 1].

    Returns
    -------
    ndarray of float64, shape (B, T)
        0 where an episode had ended.

    Raises
    ------
    ValueError
        If shapes differ or a factor is out of range.
    """
    r, v, alive = (np.asarray(x, np.float64) for x in (rewards, values, live))
    if not r.shape == v.shape == alive.shape or r.ndim != 2:
        raise ValueError(f"rewards {r.shape}, values {v.shape}, live {alive.shape}: must be (B, T)")
    for name, value in (("gamma", gamma), ("lam", lam)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} = {value}: expected a number from 0 to 1")
    found, following, next_value = np.zeros_like(r), np.zeros(len(r)), np.zeros(len(r))
    for t in range(r.shape[1] - 1, -1, -1):
        delta = r[:, t] + gamma * next_value - v[:, t]
        following = alive[:, t] * (delta + gamma * lam * following)
        next_value = alive[:, t] * v[:, t]
        found[:, t] = following
    return found


def n_step_advantages(
    rewards: ArrayLike, values: ArrayLike, live: ArrayLike, *, gamma: float, n: int
) -> NDArray[np.float64]:
    """Return n-step advantages, sum_{i < n} gamma^i r_{t+i} + gamma^n V(s_{t+n}) - V(s_t).

    Parameters
    ----------
    rewards, values, live, gamma
        As in `generalised_advantages`.
    n : int
        At least 1; as long as the episodes it is the return minus the value.

    Returns
    -------
    ndarray of float64, shape (B, T)

    Raises
    ------
    ValueError
        If n is below 1.
    """
    if n < 1:
        raise ValueError(f"n = {n}: expected at least 1")
    alive = np.asarray(live, np.float64)
    r, v = np.asarray(rewards, np.float64) * alive, np.asarray(values, np.float64) * alive
    steps = r.shape[1]
    padded_r, padded_v = np.pad(r, ((0, 0), (0, n))), np.pad(v, ((0, 0), (0, n)))
    total = sum(gamma**i * padded_r[:, i : i + steps] for i in range(n))
    return np.asarray(alive * (total + gamma**n * padded_v[:, n : n + steps] - v))
