"""What an agent scores the actions with: a posterior draw, the mean, a draw around the mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crlib.agents.posterior import Floats, Posterior

# Normal draws are made for so many rounds at once: a call of the generator costs as much as 300.
AHEAD = 64


class Noise:
    """A random stream for each replication, the same whether it runs alone or among others.

    Parameters
    ----------
    replications : int or sequence of int
        How many, or their numbers.
    seed : int
    """

    def __init__(self, replications: int | Sequence[int], seed: int) -> None:
        if isinstance(replications, int | np.integer):
            replications = range(int(replications))
        self.numbers = tuple(int(i) for i in replications)
        if not self.numbers or min(self.numbers) < 0:
            raise ValueError(f"replications = {replications!r}: expected at least one, from 0")
        self.generators = [np.random.default_rng([seed, number]) for number in self.numbers]
        # Subsets have streams of their own: what the normal draws are must not depend on them.
        self._subsets = [np.random.default_rng([seed, number, 1]) for number in self.numbers]
        self._drawn = np.empty((self.size, 0, 0))

    @property
    def size(self) -> int:
        """S, the number of replications."""
        return len(self.numbers)

    def normal(self, rounds: int, d: int) -> NDArray[np.float64]:
        """Return N(0, 1) draws, shape (S, rounds, d), the next of each stream."""
        if self._drawn.shape[1] < rounds or self._drawn.shape[2] != d:
            more = max(AHEAD, rounds)
            new = np.stack([g.standard_normal((more, d)) for g in self.generators])
            kept = self._drawn if self._drawn.shape[2] == d else new[:, :0]
            self._drawn = np.concatenate([kept, new], axis=1)
        now, self._drawn = self._drawn[:, :rounds], self._drawn[:, rounds:]
        return now

    def subsets(self, n_actions: int, k: int, rounds: int) -> NDArray[np.int64]:
        """Return one random k-subset a round, shape (rounds, k), from the first stream."""
        draw = self._subsets[0].choice
        return np.stack([draw(n_actions, k, replace=False, shuffle=False) for _ in range(rounds)])


def thompson(posterior: Posterior, noise: Noise, rounds: int, _: float) -> Floats:
    """Joint draws of the posterior, shape (S, rounds, d)."""
    return posterior.sample(noise.normal(rounds, posterior.mean.shape[1]))


def greedy(posterior: Posterior, _: Noise, rounds: int, __: float) -> Floats:
    """Posterior means: no exploration."""
    return np.repeat(posterior.mean[:, None], rounds, axis=1)


def vmf(posterior: Posterior, noise: Noise, rounds: int, kappa: float) -> Floats:
    """Von Mises-Fisher draws around the direction of the mean; uniform where it is zero."""
    draws = np.empty((noise.size, rounds, posterior.mean.shape[1]))
    for row, (mean, generator) in enumerate(zip(posterior.mean, noise.generators, strict=True)):
        length = np.linalg.norm(mean)
        if length == 0:
            draws[row] = stats.uniform_direction(len(mean)).rvs(rounds, random_state=generator)
        else:
            draws[row] = stats.vonmises_fisher(mean / length, kappa).rvs(
                rounds, random_state=generator
            )
    return draws


EXPLORE: dict[str, Callable[[Posterior, Noise, int, float], Floats]] = {
    "thompson": thompson,
    "greedy": greedy,
    "vmf": vmf,
}
