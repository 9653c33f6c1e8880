"""The eigenbasis of an embedding, and rewards as a linear reader of it sees them.

Conventions of the reward metrics: `X` is centred and scaled so that its covariance S has trace 1;
rewards are centred and scaled to variance 1, both over all K actions. With S = sum l_i u_i u_i',
the scores z_i = u_i'x / sqrt(l_i) are uncorrelated and of variance 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.reward import as_rewards
from crlib.metrics.validate import as_matrix

Rng = np.random.Generator | int | None


@dataclass(frozen=True)
class Eigenbasis:
    """An embedding in its own principal axes.

    The reward metrics take it wherever they take `X`, which saves the decomposition when several
    of them look at one embedding.

    Attributes
    ----------
    eigenvalues : ndarray of float64, shape (d,)
        l_i, descending, of sum 1; exactly zero beyond the rank q.
    scores : ndarray of float64, shape (K, q)
        z_i: columns of mean 0 and variance 1, uncorrelated.
    """

    eigenvalues: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """Number of eigenvalues above zero."""
        return int(self.scores.shape[1])

    @property
    def rows(self) -> NDArray[np.float64]:
        """The centred and scaled embedding up to a rotation, shape (K, q)."""
        return np.asarray(self.scores * np.sqrt(self.eigenvalues[: self.rank]))


def eigenbasis(X: ArrayLike | Eigenbasis) -> Eigenbasis:
    """Return the eigenbasis of the covariance of `X`, by one singular value decomposition.

    A singular value counts as zero where the rounding of the entries of `X` in their own
    precision could have made it: up to 4 eps |X|_F.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
        An eigenbasis is returned as it is.

    Returns
    -------
    Eigenbasis

    Raises
    ------
    ValueError
        If `X` is no finite matrix of at least 2 rows, or has no variance.
    """
    if isinstance(X, Eigenbasis):
        return X
    matrix = as_matrix(X)
    rows = matrix.astype(np.float64)
    rounding = 4 * float(np.finfo(matrix.dtype).eps) * float(np.linalg.norm(rows))
    rows -= rows.mean(axis=0)
    rows -= rows.mean(axis=0)  # once more: what the first sum of many large entries rounded off
    left, singular, _ = np.linalg.svd(rows, full_matrices=False)
    kept = singular > rounding
    if not kept.any():
        raise ValueError(
            "X has rows that are all equal: it has no variance, so its spectrum is undefined: "
            "check the encoder"
        )
    eigenvalues = np.zeros(matrix.shape[1])
    eigenvalues[: singular.size] = np.where(kept, singular**2, 0.0)
    scores = left[:, kept] * np.sqrt(matrix.shape[0])
    return Eigenbasis(eigenvalues / eigenvalues.sum(), scores)


def standardised_rewards(r: ArrayLike, n_actions: int) -> NDArray[np.float64]:
    """Return rewards with mean 0 and variance 1 over the actions, shape (K, m).

    Raises
    ------
    ValueError
        If the rewards do not fit the actions or a reward function is constant.
    """
    rewards = as_rewards(r, n_actions)
    deviation = rewards.std(axis=0)
    constant = np.flatnonzero(deviation <= 1e-12 * np.abs(rewards).max(axis=0))
    if constant.size:
        raise ValueError(
            f"reward function {constant[0]} of r is constant: it has no variance to explain, "
            "leave it out"
        )
    return np.asarray((rewards - rewards.mean(axis=0)) / deviation)


@dataclass(frozen=True)
class Labels:
    """Rewards that were observed for some of the actions.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Which actions carry a label, ascending.
    values : ndarray of float64, shape (n, m)
        In units of the standard deviation over all actions, noise included.
    noise : float
        Standard deviation of the noise on each label.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    noise: float


def draw_labels(
    r: ArrayLike, n_actions: int, n_labels: int | None, noise: float, rng: Rng
) -> Labels:
    """Label a random subset of the actions, drawn without replacement.

    Parameters
    ----------
    r : array_like, shape (K,) or (K, m)
        Standardised here.
    n_actions : int
        K.
    n_labels : int, optional
        3 <= n_labels <= K; all actions by default.
    noise : float
        Standard deviation of Gaussian label noise, in standard deviations of the reward.
    rng : Generator, int or None
        Needed as soon as something is drawn. All m functions are labelled at the same actions.

    Returns
    -------
    Labels

    Raises
    ------
    ValueError
        If an input is out of range, or something must be drawn and `rng` is missing.
    """
    rewards = standardised_rewards(r, n_actions)
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise = {noise} must be a finite number of at least 0")
    size = n_actions if n_labels is None else n_labels
    if not 3 <= size <= n_actions or size != int(size):
        raise ValueError(f"n_labels = {size} must be a whole number in [3, {n_actions}], K actions")
    rows = np.arange(n_actions)
    if size < n_actions or noise > 0:
        if rng is None:
            raise ValueError("labels are drawn at random: pass rng, a seed or a Generator")
        generator = np.random.default_rng(rng)
        if size < n_actions:
            rows = np.sort(generator.choice(n_actions, size=int(size), replace=False))
        if noise > 0:
            rewards = rewards + noise * generator.standard_normal(rewards.shape)
    values = rewards[rows]
    flat = np.flatnonzero(np.ptp(values, axis=0) == 0)
    if flat.size:
        raise ValueError(
            f"reward function {flat[0]} of r is constant on the {rows.size} labelled actions: "
            "raise n_labels"
        )
    return Labels(rows, values, float(noise))


def per_function(values: NDArray[np.float64], r: ArrayLike) -> NDArray[np.float64]:
    """Drop the last axis, the reward functions, when `r` is a single one of shape (K,)."""
    return values[..., 0] if np.ndim(r) == 1 else values


def number_or_array(values: NDArray[np.float64], r: ArrayLike) -> float | NDArray[np.float64]:
    """Return values of shape (m,) as one float when `r` is a single reward function."""
    return float(values[0]) if np.ndim(r) == 1 else values
