"""Coverage rho(k, K): how far an action is from the nearest member of a random k-subset.

The expectation over all subsets is exact, for every k at once: if the distances from an action are
sorted, the nearest sampled member has rank j with a probability that depends on K, k and j alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.neighbours import keys_to_distances, prepare
from crlib.metrics.selection import sorted_neighbours
from crlib.metrics.validate import as_sizes

# Chance that the nearest sampled member lies beyond the neighbours that are kept. The mean distance
# is then off by at most this times the largest distance: 2e-7 on the unit sphere.
TAIL = 1e-7


def rank_weights(
    n_actions: int, k: ArrayLike, *, replace: bool = False, leave_out: bool = False
) -> NDArray[np.float64]:
    """Return the probability that the nearest of k sampled actions has rank j.

    With N = K (or K - 1 actions when the action itself is left out) and ranks from 0, so that
    without `leave_out` rank 0 is the action itself:
    C(N-1-j, k-1) / C(N, k) without replacement, [(N-j)^k - (N-j-1)^k] / N^k with it.

    Parameters
    ----------
    n_actions : int
        K, at least 2.
    k : int or array_like of int
        Sizes of the subset.
    replace : bool
        Draw the subset with replacement.
    leave_out : bool
        Draw it from the other K - 1 actions.

    Returns
    -------
    ndarray of float64, shape (n_sizes, N)
        Rows sum to one.

    Raises
    ------
    ValueError
        If a size is out of range.
    """
    population = n_actions - 1 if leave_out else n_actions
    sizes = as_sizes(k, population, replace=replace)[:, None].astype(np.float64)
    below = np.arange(population, dtype=np.float64)  # how many ranks lie before j
    if replace:
        # all k draws have rank >= j, and not all of them rank >= j + 1
        with np.errstate(divide="ignore"):
            reach = np.exp(sizes * np.log1p(-below / population))
            weights = reach * -np.expm1(sizes * np.log1p(-1.0 / (population - below)))
        return np.asarray(weights)
    # w_j / w_{j-1} = (N - k - j + 1) / (N - j), multiplied up as logarithms from w_0 = k / N
    remaining = population - below[1:]
    with np.errstate(divide="ignore"):
        steps = np.log1p(-np.minimum((sizes - 1) / remaining, 1.0))
    logarithms = np.concatenate([np.zeros_like(sizes), np.cumsum(steps, axis=1)], axis=1)
    return np.asarray(sizes / population * np.exp(logarithms))


def kept_neighbours(population: int, smallest_size: int) -> int:
    """Return m = (N / k) ln(1 / TAIL): beyond rank m lies less than TAIL of the probability."""
    return min(population, int(np.ceil(population / smallest_size * np.log(1 / TAIL))))


def truncated_weights(
    n_actions: int, sizes: NDArray[np.int64], *, replace: bool, leave_out: bool
) -> NDArray[np.float64]:
    """Return the rank weights of the neighbours that are kept, shape (n_sizes, m).

    What is cut off, less than ``TAIL``, is put on the last neighbour kept: rows sum to one.
    """
    weights = rank_weights(n_actions, sizes, replace=replace, leave_out=leave_out)
    kept = weights[:, : kept_neighbours(weights.shape[1], int(sizes.min()))].copy()
    kept[:, -1] += np.maximum(0.0, 1.0 - kept.sum(axis=1))
    kept[kept < 1e-30] = 0.0  # denormal numbers would slow the products down
    return np.asarray(kept)


def coverage_profile(
    X: ArrayLike,
    ks: ArrayLike,
    *,
    replace: bool = False,
    leave_out: bool = False,
    rows: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the expected distance of each action to the nearest of a random k-subset.

    The mean over actions is the coverage; the values themselves can be bootstrapped.

    Parameters
    ----------
    X : array_like, shape (K, d)
        Any rows; unit rows are fastest. float32 is computed in float32.
    ks : int or array_like of int
        Sizes of the subset. The smallest governs the cost: (K/k) ln(1e7) neighbours are kept.
    replace : bool
        Draw the subset with replacement.
    leave_out : bool
        Draw it from the other actions, so that no action covers itself.
    rows : array_like of int, optional
        Evaluate these actions only (still against all K); all by default.

    Returns
    -------
    ndarray of float64, shape (n_sizes, n_rows)

    Raises
    ------
    ValueError
        If `X` is unfit, a size is out of range or a row does not exist.
    """
    points = prepare(X)
    n = points.n
    sizes = as_sizes(ks, n - 1 if leave_out else n, replace=replace)
    weights = truncated_weights(n, sizes, replace=replace, leave_out=leave_out)
    weights = weights.T.astype(points.rows.dtype)
    profile = np.empty((sizes.size, n if rows is None else np.size(rows)))
    for near in sorted_neighbours(
        points, rows, weights.shape[0], leave_out=leave_out, with_columns=False
    ):
        profile[:, near.part] = (keys_to_distances(points, near.keys) @ weights).T
    return profile


def coverage(
    X: ArrayLike, k: ArrayLike, *, replace: bool = False, leave_out: bool = False
) -> float | NDArray[np.float64]:
    """Return rho(k, K), the exact expected distance to the nearest of a random k-subset.

    Low is covered. rho scales with how spread out the embedding is: a clumped one has a low rho.
    With leave_out=False an action that is in the subset itself counts with distance 0.

    Parameters
    ----------
    X : array_like, shape (K, d)
    k : int or array_like of int
        1 <= k <= K (K - 1 with `leave_out`; no upper end with `replace`).
    replace : bool
    leave_out : bool

    Returns
    -------
    float, or ndarray of float64 of shape (n_sizes,) if `k` is a list
        Exact but for the rounding of distances and 1e-7 of the largest distance.

    Raises
    ------
    ValueError
        If `X` is unfit or k is out of range.
    """
    means = coverage_profile(X, k, replace=replace, leave_out=leave_out).mean(axis=1)
    return float(means[0]) if np.ndim(k) == 0 else means
