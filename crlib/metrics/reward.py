"""Reward coverage: how well the nearest of a random k-subset tells an action's reward.

rho_r(k) = E|r(a) - r(NN_S(a))| / E|r(a) - r(a')|, the same rank weights as coverage. 0: the nearest
sampled action has the same reward; 1: it tells as little as an action drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.coverage import truncated_weights
from crlib.metrics.neighbours import Points, prepare
from crlib.metrics.selection import sorted_neighbours
from crlib.metrics.validate import as_float, as_indices, as_sizes

# Rows that are handled at once: their rewards in order of distance take 16 MiB at K = 16,000.
STEP_ROWS = 128


def as_rewards(r: ArrayLike, n_actions: int) -> NDArray[np.float64]:
    """Return rewards as a (K, m) matrix, or raise ``ValueError``."""
    rewards = as_float(r, "r").astype(np.float64)
    if rewards.ndim not in (1, 2) or rewards.shape[0] != n_actions:
        raise ValueError(
            f"r has shape {rewards.shape}: pass ({n_actions},) or ({n_actions}, m), a row an action"
        )
    return rewards.reshape(n_actions, -1)


def mean_absolute_difference(
    rewards: NDArray[np.float64], *, leave_out: bool
) -> NDArray[np.float64]:
    """Return E|r(a) - r(a')| for each column, a' drawn from all actions or from the others.

    This is the numerator at k = 1, so that rho_r(1) = 1 in either scheme. In O(K log K) from the
    sorted rewards: sum over pairs i < j of r_(j) - r_(i).

    Parameters
    ----------
    rewards : ndarray, shape (K, m)
    leave_out : bool

    Returns
    -------
    ndarray of float64, shape (m,)
    """
    n = rewards.shape[0]
    ranks = 2 * np.arange(n) - (n - 1)
    half_sum = ranks @ np.sort(rewards - rewards.mean(axis=0), axis=0)
    return np.asarray(2 * half_sum / (n * (n - 1) if leave_out else n * n))


def reward_coverage_profile(
    X: ArrayLike,
    r: ArrayLike,
    ks: ArrayLike,
    *,
    replace: bool = False,
    leave_out: bool = False,
    rows: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return each action's part of rho_r(k); the mean over actions is the reward coverage.

    Parameters
    ----------
    X : array_like, shape (K, d)
    r : array_like, shape (K,) or (K, m)
        Rewards of m reward functions.
    ks : int or array_like of int
    replace, leave_out : bool
        As in :func:`crlib.metrics.coverage`.
    rows : array_like of int, optional
        Evaluate these actions only.

    Returns
    -------
    ndarray of float64, shape (n_sizes, n_rows, m)
        E_S |r(a) - r(NN_S(a))| / E|r(a) - r(a')|. Mind the memory: 8 bytes an element.

    Raises
    ------
    ValueError
        If an input is unfit, or a reward function is constant.
    """
    points = prepare(X)
    n = points.n
    chosen = None if rows is None else as_indices(rows, n, "rows")
    rewards = as_rewards(r, n)
    sizes = as_sizes(ks, n - 1 if leave_out else n, replace=replace)
    profile = np.empty((sizes.size, n if chosen is None else chosen.size, rewards.shape[1]))
    options = {"replace": replace, "leave_out": leave_out}
    for part, values in _blocks(points, rewards, sizes, chosen, **options):
        profile[:, part] = values
    return profile


def reward_coverage(
    X: ArrayLike,
    r: ArrayLike,
    k: ArrayLike,
    *,
    replace: bool = False,
    leave_out: bool = False,
) -> float | NDArray[np.float64]:
    """Return rho_r(k), the exact expected reward gap to the nearest of a random k-subset.

    Scaled so that 1 is what a randomly drawn action would give: at 1 the geometry says nothing of
    the reward. rho_r(1) = 1 always. Equal distances are ranked by row number.

    Parameters
    ----------
    X : array_like, shape (K, d)
    r : array_like, shape (K,) or (K, m)
        Rewards of one or of m reward functions (any affine scale).
    k : int or array_like of int
    replace, leave_out : bool
        As in :func:`crlib.metrics.coverage`.

    Returns
    -------
    float or ndarray of float64
        Shape () + (m,) for one k, (n_sizes,) + (m,) for a list; no last axis when `r` is (K,).

    Raises
    ------
    ValueError
        If an input is unfit, or a reward function is constant.
    """
    points = prepare(X)
    n = points.n
    rewards = as_rewards(r, n)
    sizes = as_sizes(k, n - 1 if leave_out else n, replace=replace)
    total = np.zeros((sizes.size, rewards.shape[1]))
    options = {"replace": replace, "leave_out": leave_out}
    for _, values in _blocks(points, rewards, sizes, None, **options):
        total += values.sum(axis=1)
    means = total / n
    shaped = means[0] if np.ndim(k) == 0 else means
    if np.ndim(r) == 1:
        shaped = shaped[..., 0]
    return float(shaped) if shaped.ndim == 0 else shaped


def _blocks(
    points: Points,
    rewards: NDArray[np.float64],
    sizes: NDArray[np.int64],
    rows: NDArray[np.int64] | None,
    *,
    replace: bool,
    leave_out: bool,
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield blocks of scaled expected reward gaps, shape (n_sizes, block, m)."""
    n = points.n
    chosen = np.arange(n) if rows is None else rows
    scale = mean_absolute_difference(rewards, leave_out=leave_out)
    if np.any(scale <= 1e-12 * np.abs(rewards).max(axis=0)):
        column = int(np.argmin(scale))
        raise ValueError(f"reward function {column} of r is constant: it cannot be covered")
    weights = truncated_weights(n, sizes, replace=replace, leave_out=leave_out)
    for near in sorted_neighbours(
        points, rows, weights.shape[1], leave_out=leave_out, with_columns=True
    ):
        block, columns = chosen[near.part], near.columns
        assert columns is not None  # they were asked for
        for start in range(0, block.size, STEP_ROWS):
            step = slice(start, start + STEP_ROWS)
            values = _gaps(rewards, block[step], columns[step], weights) / scale
            begin = near.part.start + start
            yield slice(begin, begin + values.shape[1]), values


def _gaps(
    rewards: NDArray[np.float64],
    rows: NDArray[np.int64],
    nearest: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return sum_j w_j |r(a) - r(a_(j))|, shape (n_sizes, block, m), one function at a time."""
    result = np.empty((weights.shape[0], rows.size, rewards.shape[1]))
    for column in range(rewards.shape[1]):
        values = np.ascontiguousarray(rewards[:, column])
        gap = values[nearest]
        gap -= values[rows, None]
        np.abs(gap, out=gap)
        result[:, :, column] = weights @ gap.T
    return result
