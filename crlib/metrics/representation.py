"""Where a reward's energy lies in the eigenbasis of an embedding.

w_i = E[r z_i] is the part of the reward along eigen-direction i (conventions in
:mod:`crlib.metrics.eigenbasis`), p_i = w_i^2 / V its share of the variance V = 1. The best linear
predictor has the squared norm B^2 = sum w_i^2 / l_i, the RKHS norm under the linear kernel. From n
actions every w_i^2 comes out too large by the squared standard error se_i^2, which the division by
a small l_i turns into a bias without bound: the metrics here subtract it. See Canatar et al. (2021,
arXiv 2006.13198) on cumulative power and Simon et al. (2021, arXiv 2110.03922) on learnability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.eigenbasis import (
    Eigenbasis,
    Labels,
    Rng,
    draw_labels,
    eigenbasis,
    number_or_array,
    per_function,
    standardised_rewards,
)
from crlib.metrics.energy import RewardEnergy, label_energy
from crlib.metrics.validate import as_float

Values = float | NDArray[np.float64]


@dataclass(frozen=True)
class RkhsNorm:
    """The squared RKHS norm of rewards and what of it is bias.

    Attributes
    ----------
    squared_norm : float or ndarray of float64, shape (m,)
        Plug-in B^2 = sum w_i^2 / l_i.
    bias : float or ndarray of float64, shape (m,)
        Its estimated bias, sum se_i^2 / l_i.
    debiased : float or ndarray of float64, shape (m,)
        Their difference; unbiased, so that it may be negative where labels are few.
    """

    squared_norm: Values
    bias: Values
    debiased: Values


@dataclass(frozen=True)
class AnisotropyCondition:
    """Whether the spectrum raises the norm of rewards above that of an isotropic one.

    Attributes
    ----------
    ratio : float or ndarray of float64, shape (m,)
        B^2 over the B^2 of the same energies with l_i = 1 / d for all i. ``nan`` where the
        debiased energy is not above zero: nothing of the reward was found in the embedding.
    holds : bool or ndarray of bool, shape (m,)
        Whether the ratio exceeds 1.
    """

    ratio: Values
    holds: bool | NDArray[np.bool_]


def reward_energy(X: ArrayLike | Eigenbasis, r: ArrayLike) -> RewardEnergy:
    """Return the energy of rewards along the eigen-directions of the embedding.

    The standard errors take the K actions to be a sample from a population of actions (queries,
    items, tools) that the embedding could have been asked for, independent of each other, and the
    eigen-directions to be known. For these K actions themselves, all of them labelled without
    noise, the w_i are exact. Within a multiple eigenvalue only the sum of w_i^2 has a meaning.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
        Rewards of one or of m reward functions (any affine scale).

    Returns
    -------
    RewardEnergy

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `X` has no variance.
    """
    energy = _energy(eigenbasis(X), r)
    return RewardEnergy(energy.eigenvalues, per_function(energy.w, r), per_function(energy.se2, r))


def rkhs_norm(
    X: ArrayLike | Eigenbasis,
    r: ArrayLike,
    *,
    n_labels: int | None = None,
    noise: float = 0.0,
    rng: Rng = None,
) -> RkhsNorm:
    """Return the squared RKHS norm of rewards, B^2 = sum w_i^2 / l_i, with its bias.

    The sum is over l_i > 0. Where small l_i carry no reward, bias and the noise of the debiased
    value are dominated by them: report :func:`cumulative_power` beside it.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
    n_labels : int, optional
        Label only so many random actions, to see what few labels do.
    noise : float
        Standard deviation of noise on the labels, in standard deviations of the reward.
    rng : Generator or int
        Needed with `n_labels` or `noise`.

    Returns
    -------
    RkhsNorm

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `rng` is missing.
    """
    basis = eigenbasis(X)
    energy = label_energy(basis, draw_labels(r, basis.scores.shape[0], n_labels, noise, rng))
    used = slice(basis.rank)
    inverse = 1 / basis.eigenvalues[used]
    squared, bias = inverse @ energy.w[used] ** 2, inverse @ energy.se2[used]
    return RkhsNorm(
        number_or_array(squared, r), number_or_array(bias, r), number_or_array(squared - bias, r)
    )


def cumulative_power(X: ArrayLike | Eigenbasis, r: ArrayLike) -> NDArray[np.float64]:
    """Return C(m) = sum_{i <= m} (w_i^2 - se_i^2) / V, the reward variance of the first m axes.

    An unbiased estimate of what a linear reader of the first m principal components can explain;
    it may fall below 0 and decrease by chance.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)

    Returns
    -------
    ndarray of float64, shape (d,) or (d, m)
        Row i holds C(i + 1).

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `X` has no variance.
    """
    energy = _energy(eigenbasis(X), r)
    return per_function(np.cumsum(energy.w**2 - energy.se2, axis=0), r)


def power_area(X: ArrayLike | Eigenbasis, r: ArrayLike) -> Values:
    """Return the area under C(m) against the variance share s_m = sum_{i <= m} l_i.

    By the trapezoidal rule from (0, 0) to (1, C(d)). A reward that is spread like the variance,
    w_i^2 = l_i, gives 1/2; one on the first axis 1 - l_1 / 2; one on the last l_d / 2; one that
    the embedding does not hold about 0.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)

    Returns
    -------
    float or ndarray of float64, shape (m,)
        In [0, 1] but for the noise of the debiased power.

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `X` has no variance.
    """
    energy = _energy(eigenbasis(X), r)
    power = np.cumsum(energy.w**2 - energy.se2, axis=0)
    before = np.vstack([np.zeros(power.shape[1]), power[:-1]])
    return number_or_array(energy.eigenvalues @ (power + before) / 2, r)


def learnability(
    X: ArrayLike | Eigenbasis, r: ArrayLike, kappa: ArrayLike, *, debias: bool = True
) -> NDArray[np.float64]:
    """Return sum p_i l_i / (l_i + kappa), the share of the reward that passes a ridge filter.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
    kappa : float or array_like, shape (n_kappa,)
        Effective ridge on the scale of the l_i (their sum is 1), above 0.
    debias : bool
        Take p_i = w_i^2 - se_i^2 instead of w_i^2.

    Returns
    -------
    ndarray of float64
        Shape () + (m,) for one kappa, (n_kappa,) + (m,) for a list; no last axis when `r` is (K,).

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or a kappa is not above 0.
    """
    ridges = as_float(kappa, "kappa").astype(np.float64)
    if ridges.ndim > 1 or ridges.min() <= 0:
        raise ValueError(f"kappa = {ridges.tolist()} must be one number above 0, or a list of such")
    energy = _energy(eigenbasis(X), r)
    passed = energy.eigenvalues / (energy.eigenvalues + ridges[..., None])
    return per_function(np.asarray(passed @ _power(energy, debias=debias)), r)


def anisotropy_condition(
    X: ArrayLike | Eigenbasis, r: ArrayLike, *, debias: bool = True
) -> AnisotropyCondition:
    """Return whether anisotropy raises the norm of rewards: sum p_i / l_i > d / tr S.

    With energies p_i and trace 1, an isotropic spectrum gives B^2 = d sum p_i. The p_i are scaled
    here to sum to 1 over the eigen-directions: what no linear reader can see is in neither norm.

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    r : array_like, shape (K,) or (K, m)
    debias : bool
        Take p_i from w_i^2 - se_i^2 instead of w_i^2.

    Returns
    -------
    AnisotropyCondition

    Raises
    ------
    ValueError
        If an input is unfit, a reward function is constant, or `X` has no variance.
    """
    basis = eigenbasis(X)
    power = _power(_energy(basis, r), debias=debias)
    total = power.sum(axis=0)
    total = np.where(total > 0, total, np.nan)
    raised = (1 / basis.eigenvalues[: basis.rank]) @ power[: basis.rank]
    ratio = raised / (basis.eigenvalues.size * total)
    holds = bool(ratio[0] > 1) if np.ndim(r) == 1 else ratio > 1
    return AnisotropyCondition(number_or_array(ratio, r), holds)


def _energy(basis: Eigenbasis, r: ArrayLike) -> RewardEnergy:
    n_actions = basis.scores.shape[0]
    labels = Labels(np.arange(n_actions), standardised_rewards(r, n_actions), 0.0)
    return label_energy(basis, labels)


def _power(energy: RewardEnergy, *, debias: bool) -> NDArray[np.float64]:
    return np.asarray(energy.w**2 - energy.se2 if debias else energy.w**2)
