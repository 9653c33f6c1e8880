"""Baselines: agents that look at no features, and one that has nothing left to learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crlib.agents.explore import Noise
from crlib.agents.posterior import Floats

Actions = NDArray[np.int64]


def slates_of(slate: Actions | None, rounds: int, n_actions: int) -> Actions:
    """Return what is on offer in each round, shape (rounds, m); all K actions without a slate."""
    if slate is None:
        return np.broadcast_to(np.arange(n_actions), (rounds, n_actions))
    return np.reshape(slate, (rounds, -1))


class RandomAgent:
    """Choose uniformly among what is on offer.

    Parameters
    ----------
    n_actions : int
        K.
    replications : int or sequence of int
    seed : int
    """

    def __init__(
        self, n_actions: int, replications: int | Sequence[int] = 1, *, seed: int = 0
    ) -> None:
        self.n_actions, self.noise = n_actions, Noise(replications, seed)

    def select(
        self, context: Floats | None = None, slate: Actions | None = None,
        *, rounds: int | None = None,
    ) -> Actions:  # fmt: skip
        """Choose; see `crlib.agents.thompson.LinearTS.select`."""
        block = rounds or 1
        offered = slates_of(slate, block, self.n_actions)
        m = offered.shape[1]
        places = np.stack([g.integers(m, size=block) for g in self.noise.generators])
        actions = offered[np.arange(block), places]
        return actions if rounds else actions[:, 0]

    def update(self, context: Floats | None, action: Actions, reward: Floats) -> None:
        """Learn nothing."""


class TabularTS:
    """Thompson sampling with an independent Gaussian posterior for each action.

    Parameters
    ----------
    n_actions : int
        K.
    replications : int or sequence of int
    tau2, sigma2 : float
        Variances of prior and noise; the prior mean is 0.
    seed : int
    """

    def __init__(
        self,
        n_actions: int,
        replications: int | Sequence[int] = 1,
        *,
        tau2: float = 1.0,
        sigma2: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.noise = Noise(replications, seed)
        self.tau2, self.sigma2 = tau2, sigma2
        self.counts = np.zeros((self.noise.size, n_actions))
        self.sums = np.zeros((self.noise.size, n_actions))

    def select(
        self, context: Floats | None = None, slate: Actions | None = None,
        *, rounds: int | None = None,
    ) -> Actions:  # fmt: skip
        """Choose; see `crlib.agents.thompson.LinearTS.select`. Contexts have no part in it."""
        block = rounds or 1
        actions = np.empty((self.noise.size, block), np.int64)
        for i, offered in enumerate(slates_of(slate, block, self.counts.shape[1])):
            precision = 1 / self.tau2 + self.counts[:, offered] / self.sigma2
            mean = self.sums[:, offered] / self.sigma2 / precision
            draws = self.noise.normal(1, len(offered))[:, 0] / np.sqrt(precision)
            actions[:, i] = offered[(mean + draws).argmax(axis=1)]
        return actions if rounds else actions[:, 0]

    def update(self, context: Floats | None, action: Actions, reward: Floats) -> None:
        """Count each action's rewards."""
        rows = np.arange(self.noise.size)[:, None]
        columns = np.reshape(action, (self.noise.size, -1))
        np.add.at(self.counts, (rows, columns), 1)
        np.add.at(self.sums, (rows, columns), np.reshape(reward, columns.shape))


class KnownScores:
    """Play the highest of scores that were known beforehand; learn nothing.

    Parameters
    ----------
    scores : ndarray, shape (K, S)
        One column a replication.
    """

    def __init__(self, scores: Floats) -> None:
        self.scores = np.asarray(scores)

    def select(
        self, context: Floats | None = None, slate: Actions | None = None,
        *, rounds: int | None = None,
    ) -> Actions:  # fmt: skip
        """Choose; see `crlib.agents.thompson.LinearTS.select`. Contexts have no part in it."""
        offers = slates_of(slate, rounds or 1, len(self.scores))
        best = [offered[self.scores[offered].argmax(axis=0)] for offered in offers]
        actions = np.stack(best, axis=1).astype(np.int64)
        return actions if rounds else actions[:, 0]

    def update(self, context: Floats | None, action: Actions, reward: Floats) -> None:
        """Learn nothing."""
