"""The energy of a reward along eigen-directions, estimated from labels.

w_i = E[r z_i] is the part of the reward along eigen-direction i (conventions in
:mod:`crlib.metrics.eigenbasis`). Its square comes out too large by the squared standard error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crlib.metrics.eigenbasis import Eigenbasis, Labels


@dataclass(frozen=True)
class RewardEnergy:
    """Energy of rewards by eigen-direction.

    Attributes
    ----------
    eigenvalues : ndarray of float64, shape (d,)
        l_i, descending, of sum 1.
    w : ndarray of float64, shape (d,) or (d, m)
        w_i = mean(r z_i), standardised rewards; zero where l_i is.
    se2 : ndarray of float64, shape (d,) or (d, m)
        Squared standard error of w_i, var(r z_i) / n.
    """

    eigenvalues: NDArray[np.float64]
    w: NDArray[np.float64]
    se2: NDArray[np.float64]


def label_energy(basis: Eigenbasis, labels: Labels) -> RewardEnergy:
    """Return the reward energy as the labelled actions show it, m reward functions.

    The scores come from all K actions, labelled or not. The factor makes w_i unbiased over random
    subsets of the actions; it is 1 when all of them are labelled.
    """
    n_actions, n = basis.scores.shape[0], labels.rows.size
    everything = n == n_actions
    scores = basis.scores if everything else basis.scores[labels.rows]
    values = labels.values - labels.values.mean(axis=0)
    factor = n / (n - 1) * (n_actions - 1) / n_actions
    mean = scores.T @ values / n
    spread = np.clip((scores**2).T @ values**2 / n - mean**2, 0.0, None)
    w, se2 = np.zeros((2, basis.eigenvalues.size, values.shape[1]))
    w[: basis.rank] = factor * mean
    se2[: basis.rank] = factor**2 * spread / (n - 1)
    return RewardEnergy(basis.eigenvalues, w, se2)


def labelled_energies(basis: Eigenbasis, labels: Labels) -> NDArray[np.float64]:
    """Return estimates of the w_i^2 of these K actions from n labels, shape (d, m).

    Subtracted is the variance of w_i over random subsets of the K actions, without replacement,
    and over the noise: (1 - n/K) of the labels' own se_i^2, plus noise^2 / K, as se_i^2 holds
    noise^2 / n already. Some estimates are negative.
    """
    n_actions, energy = basis.scores.shape[0], label_energy(basis, labels)
    error = (1 - labels.rows.size / n_actions) * energy.se2
    error[: basis.rank] += labels.noise**2 / n_actions
    return np.asarray(energy.w**2 - error)


def energy_shares(
    basis: Eigenbasis, labels: Labels, *, unbiased_total: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return p_i = w_i^2 / V as the labels show it, and V, the variance of the reward.

    Cutting negative estimates off at 0 leaves noise of positive mean in each p_i, and of d such
    terms the sum is far too large where d is not small against the number of labels: noise then
    seems to hold half of a reward. With `unbiased_total` what is left is scaled to the sum of the
    estimates before the cut, which is unbiased.

    Parameters
    ----------
    basis : Eigenbasis
    labels : Labels
        Of some of its K actions, a random subset.
    unbiased_total : bool

    Returns
    -------
    shares : ndarray of float64, shape (d, m)
        At least 0, of sum at most 1.
    variance : ndarray of float64, shape (m,)
        In the unit of the labels, without their noise.

    Raises
    ------
    ValueError
        If labels vary less than their noise does.
    """
    n_actions = basis.scores.shape[0]
    variance = labels.values.var(axis=0, ddof=1) * (n_actions - 1) / n_actions - labels.noise**2
    if variance.min() <= 0:
        raise ValueError(
            f"reward function {np.argmin(variance)}: its {labels.rows.size} labels vary less than "
            "their noise does: raise n_labels"
        )
    uncut = labelled_energies(basis, labels) / variance
    energies = np.clip(uncut, 0.0, None)
    total = energies.sum(axis=0)
    if not unbiased_total:
        return energies / np.maximum(total, 1.0), variance
    scale = np.clip(uncut.sum(axis=0), 0.0, 1.0) / np.where(total > 0, total, 1.0)
    return energies * scale, variance
