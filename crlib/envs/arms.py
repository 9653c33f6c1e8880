"""The three arms of every comparison: raw, whitened, and raw with an empirical-Bayes prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.baselines import KnownScores, RandomAgent, TabularTS
from crlib.agents.neural import NeuralTS
from crlib.agents.thompson import LinearTS
from crlib.envs.slates import Agent, SlateBandit, play
from crlib.envs.spectra import scaled
from crlib.extractors.standardise import standardise
from crlib.metrics.eigenbasis import standardised_rewards

Table = NDArray[np.float64]
Arm = Literal["raw", "whitened", "eb"]
ARMS: tuple[Arm, ...] = ("raw", "whitened", "eb")


def arm_features(X: ArrayLike, arm: Arm) -> NDArray[np.float32]:
    """Return features of trace 1: centred, and whitened for the arm of that name.

    Parameters
    ----------
    X : array_like, shape (K, d)
    arm : {"raw", "whitened", "eb"}

    Raises
    ------
    ValueError
        For another arm, or rows that are all equal.
    """
    if arm not in ARMS:
        raise ValueError(f"arm = {arm!r}: expected one of {', '.join(ARMS)}")
    return scaled(standardise(X, whiten=True) if arm == "whitened" else X)


def common_width(X: ArrayLike, width: int) -> NDArray[np.floating]:
    """Return the leading principal components where X is wider, else X as it is.

    Parameters
    ----------
    X : array_like, shape (K, d)
    width : int
    """
    rows = np.asarray(X)
    return standardise(rows, pca=width) if rows.shape[1] > width else rows


def regret_of(
    X: ArrayLike,
    rewards: ArrayLike,
    arm: Arm,
    *,
    horizon: int,
    slate: int | None = 200,
    noise: float = 1.0,
    replications: Sequence[int] | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Play linear Thompson sampling on an embedding, one replication a reward function.

    Prior and noise have variance 1; the noise is known to the agent. Slates and noise depend on the
    seed alone, so embeddings and arms meet the same rounds. The posterior is updated in growing
    blocks (`crlib.envs.slates.block_size`).

    Parameters
    ----------
    X : array_like, shape (K, d)
    rewards : array_like, shape (K, m)
        Standardised here.
    arm : {"raw", "whitened", "eb"}
    horizon : int
        T.
    slate : int, optional
        Actions on offer a round, at most K are; None for all K.
    noise : float
        Standard deviation of an observed reward around its mean.
    replications : sequence of m int, optional
    seed : int

    Returns
    -------
    ndarray of float32, shape (m, T)
        Cumulative regret.
    """
    features = arm_features(X, arm)

    def agent(table: Table) -> Agent:
        numbers = range(table.shape[1]) if replications is None else replications
        return LinearTS(
            features, numbers, prior="eb" if arm == "eb" else "fixed", sigma2=noise**2,
            dtype=np.float32, seed=seed,
        )  # fmt: skip

    return _cumulative(
        agent, rewards, horizon, slate, noise, seed, block="growing", replications=replications
    )


def neural_regret_of(
    X: ArrayLike,
    rewards: ArrayLike,
    *,
    horizon: int,
    width: int = 32,
    slate: int | None = 200,
    noise: float = 1.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Play Neural Thompson sampling on an embedding, one replication a reward function.

    The rounds are those of `regret_of` with the same seed; nu and lambda are 1, the design is
    diagonal, the network is trained at doubling rounds.

    Parameters
    ----------
    X : array_like, shape (K, d)
    rewards : array_like, shape (K, m)
        Standardised here.
    horizon : int
        T.
    width : int
        Hidden units, even.
    slate, noise, seed
        As in `regret_of`.

    Returns
    -------
    ndarray of float32, shape (m, T)
        Cumulative regret.
    """
    features = arm_features(X, "raw")

    def agent(table: Table) -> Agent:
        return NeuralTS(
            features, table.shape[1], width=width, retrain="doubling", steps=30,
            dtype=np.float32, seed=seed,
        )  # fmt: skip

    return _cumulative(agent, rewards, horizon, slate, noise, seed, block=1)


def baseline_regret_of(
    kind: type[RandomAgent] | type[TabularTS],
    rewards: ArrayLike,
    *,
    horizon: int,
    slate: int | None = 200,
    noise: float = 1.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Play an agent that looks at no embedding, on the rounds of `regret_of`.

    Parameters
    ----------
    kind : RandomAgent or TabularTS
    rewards, horizon, slate, noise, seed
        As in `regret_of`.

    Returns
    -------
    ndarray of float32, shape (m, T)
        Cumulative regret.
    """

    def agent(table: Table) -> Agent:
        return kind(len(table), table.shape[1], seed=seed)

    return _cumulative(agent, rewards, horizon, slate, noise, seed, block="growing")


def told_regret_of(
    X: ArrayLike,
    rewards: ArrayLike,
    *,
    horizon: int,
    slate: int | None = 200,
    noise: float = 1.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Play the least-squares fit to all rewards, on the rounds of `regret_of`.

    What an agent loses that was told the fit and learns nothing. It is no lower bound: a learner
    fits best where it plays most, which is where the rewards are high.

    Parameters
    ----------
    X, rewards, horizon, slate, noise, seed
        As in `regret_of`.

    Returns
    -------
    ndarray of float32, shape (m, T)
        Cumulative regret.
    """
    features = arm_features(X, "raw").astype(np.float64)

    def agent(table: Table) -> Agent:
        return KnownScores(features @ np.linalg.lstsq(features, table, rcond=None)[0])

    return _cumulative(agent, rewards, horizon, slate, noise, seed, block=32)


def _cumulative(
    agent: Callable[[Table], Agent], rewards: ArrayLike, horizon: int, slate: int | None,
    noise: float, seed: int, *, block: int | Literal["growing"],
    replications: Sequence[int] | None = None,
) -> NDArray[np.float32]:  # fmt: skip
    """Standardise rewards, play the agent that is made for them, and add its regret up."""
    table = standardised_rewards(rewards, len(np.asarray(rewards)))
    offered = None if slate is None else min(slate, len(table))
    bandit = SlateBandit(table, slate=offered, noise=noise, replications=replications, seed=seed)
    regret = play(agent(table), bandit, horizon, block=block)
    return np.cumsum(regret, axis=1, dtype=np.float64).astype(np.float32)
