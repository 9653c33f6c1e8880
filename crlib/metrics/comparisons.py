"""Differences between two embeddings of the same actions, as statistics and as intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.statistics import Interval, jackknife_interval
from crlib.metrics.validate import FloatArray, as_float, same_rows


def uniformity_interval(profile: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the interval of L_unif over actions.

    Parameters
    ----------
    profile : array_like, shape (K,)
        One row of :func:`crlib.metrics.rows.kernel_profile`.
    level : float

    Returns
    -------
    Interval
        The jackknife's, see :func:`uniformity_difference`.

    Raises
    ------
    ValueError
        If fewer than three actions are given or a value is not positive.
    """
    values = _profile(profile, "profile")
    return jackknife_interval(_log_mean(values), _without_each(values), level=level)


def uniformity_difference(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the interval of L_unif of `a` minus that of `b`, paired over actions.

    exp L_unif is a U-statistic: a mean over pairs of actions. Its pairs are not independent, its
    actions are taken to be, so actions are left out one at a time (jackknife; Efron & Stein, Annals
    of Statistics, 1981: its variance tends to be too large, not too small). No kernel is computed
    again: with S the sum over ordered pairs and s_i that of action i, leaving i out leaves
    S - 2 s_i. A bootstrap would not do: a repeated action is a pair at distance zero, which
    uniformity counts most.

    Parameters
    ----------
    a, b : array_like, shape (K,)
        A row each of :func:`crlib.metrics.rows.kernel_profile`, the same actions in one order.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the two do not pair up, fewer than three actions are given, or a value is not positive.
    """
    left, right = _profile(a, "a"), _profile(b, "b")
    same_rows(left, right, "a and b")
    estimate = _log_mean(left) - _log_mean(right)
    return jackknife_interval(estimate, _without_each(left) - _without_each(right), level=level)


def log_relative_ratio(a: FloatArray, b: FloatArray) -> float:
    """Return log(mean a[:, 0] / mean a[:, 1]) minus the same of `b`.

    Parameters
    ----------
    a, b : ndarray, shape (n, 2)
        For rho(k) / rho(1): each action's expected nearest distance at k, and at 1.
    """
    (top_a, base_a), (top_b, base_b) = np.mean(a, axis=0), np.mean(b, axis=0)
    return float(np.log(top_a) - np.log(base_a) - np.log(top_b) + np.log(base_b))


def group_totals(values: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
    """Return sum and number of the values of each group, for resampling whole groups.

    Parameters
    ----------
    values : array_like, shape (n,)
    groups : array_like, shape (n,)
        Label of each value's group.

    Returns
    -------
    ndarray of float64, shape (n_groups, 2)
        In the order of the sorted labels.

    Raises
    ------
    ValueError
        If the two differ in length or a value is not finite.
    """
    numbers, labels = as_float(values, "values"), np.asarray(groups)
    same_rows(numbers, labels, "values and groups")
    names, member = np.unique(labels, return_inverse=True)
    totals = np.bincount(member, weights=numbers, minlength=names.size)
    return np.column_stack([totals, np.bincount(member, minlength=names.size)])


def pooled_mean_difference(a: FloatArray, b: FloatArray) -> float:
    """Return the mean of all values of `a`'s groups minus that of `b`'s.

    Parameters
    ----------
    a, b : ndarray, shape (n_groups, 2)
        As :func:`group_totals` gives them.
    """
    (sum_a, n_a), (sum_b, n_b) = a.sum(axis=0), b.sum(axis=0)
    return float(sum_a / n_a - sum_b / n_b)


def _profile(values: ArrayLike, name: str) -> NDArray[np.float64]:
    profile = as_float(values, name).astype(np.float64)
    if profile.ndim != 1 or profile.size < 3:
        raise ValueError(f"{name} has shape {profile.shape}: pass one value an action, 3 or more")
    if profile.min() <= 0:
        raise ValueError(f"{name} holds {profile.min():g}: kernel means are above 0")
    return profile


def _log_mean(profile: NDArray[np.float64]) -> float:
    return float(np.log(profile.mean()))


def _without_each(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log of the mean kernel over ordered pairs that do not hold action i, for each i."""
    n = profile.size
    sums = profile * (n - 1)
    return np.asarray(np.log((sums.sum() - 2 * sums) / ((n - 1) * (n - 2))))
