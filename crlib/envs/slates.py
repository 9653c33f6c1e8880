"""Bandits over slates: some of the K actions are on offer, one is chosen, its reward is seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import as_float

Floats = NDArray[np.floating]
Actions = NDArray[np.int64]


class Agent(Protocol):
    """What a bandit agent can do; see `crlib.agents.thompson.LinearTS`, which also knows blocks."""

    def select(self, context: Floats | None = None, slate: Actions | None = None) -> Actions:
        """Choose an action for each replication."""
        ...

    def update(self, context: Floats | None, action: Actions, reward: Floats) -> None:
        """Take in what was observed."""
        ...


class SlateBandit:
    """Rewards in a table, or linear in a context; slates fresh each round, or all K actions.

    Slates and contexts are shared by all replications, noise is not; all of them depend on the
    seed alone, so that agents meet the same rounds and their regrets are paired.

    Parameters
    ----------
    rewards : array_like, shape (K, S)
        Mean rewards of S reward functions, one a replication. Where contexts are asked for, the
        parameters theta instead: shape (d, S).
    slate : int, optional
        m, number of random actions on offer a round; all K without it.
    noise : float
        Standard deviation of the observed reward, at least 0.
    contexts : {None, "random", "fixed"}
        "random": a fresh N(0, I) context each round; "fixed": `n_contexts` that take turns. Then
        the mean reward is <theta, x * a>.
    features : array_like, shape (K, d), optional
        Of the actions; needed with contexts.
    n_contexts : int
    replications : sequence of int, optional
        Numbers of the replications; decide the noise. 0..S-1 without it.
    seed : int

    Raises
    ------
    ValueError
        If sizes do not fit or an option is unknown.
    """

    def __init__(
        self,
        rewards: ArrayLike,
        *,
        slate: int | None = 200,
        noise: float = 1.0,
        contexts: Literal["random", "fixed"] | None = None,
        features: ArrayLike | None = None,
        n_contexts: int = 10,
        replications: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        table = as_float(rewards, "rewards").astype(np.float64)
        if table.ndim != 2:
            raise ValueError(f"rewards has shape {table.shape}: expected (K, S) or (d, S)")
        if contexts not in (None, "random", "fixed"):
            raise ValueError(f"contexts = {contexts!r}: expected None, 'random' or 'fixed'")
        if not noise >= 0:
            raise ValueError(f"noise = {noise}: expected a standard deviation of at least 0")
        self.table, self.noise, self.contexts = table, noise, contexts
        # In their own precision and place: a map of many GB stays on disk.
        self.features = None if features is None else np.asanyarray(features)
        if contexts and (self.features is None or self.features.shape[1] != len(table)):
            raise ValueError("with contexts pass features (K, d) and rewards = theta (d, S)")
        n_actions = len(table) if self.features is None or not contexts else len(self.features)
        if slate is not None and not 1 <= slate <= n_actions:
            raise ValueError(f"slate = {slate}: expected 1 to K = {n_actions}")
        self.n_actions, self.slate = n_actions, slate
        numbers = range(table.shape[1]) if replications is None else replications
        if len(numbers) != table.shape[1]:
            raise ValueError(f"{len(numbers)} replications for {table.shape[1]} reward functions")
        self._slates = np.random.default_rng([seed, 1])
        self._contexts = np.random.default_rng([seed, 2])
        self._noises = [np.random.default_rng([seed, 3, number]) for number in numbers]
        if contexts == "fixed":
            self._fixed = self._contexts.standard_normal((n_contexts, len(table)))
        self._round = self._first_dealt = 0
        self._bests: dict[int, Floats] = {}

    def deal(self, rounds: int) -> tuple[Floats | None, Actions | None]:
        """Return the next rounds' contexts (S, B, d) and slates (B, m), or None for either."""
        context = None
        if self.contexts == "random":
            context = self._contexts.standard_normal((rounds, len(self.table)))
        elif self.contexts == "fixed":
            context = self._fixed[(self._round + np.arange(rounds)) % len(self._fixed)]
        slates = None
        if self.slate is not None:
            draw = self._slates.choice
            slates = np.stack([
                draw(self.n_actions, self.slate, replace=False, shuffle=False)
                for _ in range(rounds)
            ])  # fmt: skip
        self._first_dealt, self._round = self._round, self._round + rounds
        self._dealt = context, slates
        if context is not None:
            context = np.broadcast_to(context, (self.table.shape[1], *context.shape))
        return context, slates

    def step(self, actions: Actions) -> tuple[Floats, Floats]:
        """Return the rewards seen and the regret of the dealt rounds, both (S, B)."""
        replications, rounds = actions.shape
        context, slates = self._dealt
        chosen = np.empty((replications, rounds))
        best = np.empty((replications, rounds))
        for i in range(rounds):
            offered: Any = slice(None) if slates is None else slates[i]
            if context is None or self.features is None:
                chosen[:, i] = self.table[actions[:, i], np.arange(replications)]
                best[:, i] = self._best_of_all if slates is None else self.table[offered].max(0)
            else:
                weights = context[i][:, None] * self.table
                best[:, i] = self._best_in_context(i, offered, weights)
                chosen[:, i] = np.einsum("sd,ds->s", self.features[actions[:, i]], weights)
        seen = chosen + self.noise * np.stack([g.standard_normal(rounds) for g in self._noises])
        return seen, best - chosen

    def _best_in_context(self, i: int, offered: Any, weights: Floats) -> Floats:
        """Best mean reward on offer; that of all K actions is computed once a fixed context."""
        assert self.features is not None
        if self.contexts != "fixed" or self.slate is not None:
            return np.asarray((self.features[offered] @ weights).max(axis=0))
        key = (self._first_dealt + i) % len(self._fixed)
        if key not in self._bests:
            parts = (
                (self.features[start : start + 65_536] @ weights).max(axis=0)
                for start in range(0, len(self.features), 65_536)
            )
            self._bests[key] = np.max(list(parts), axis=0)
        return self._bests[key]

    @cached_property
    def _best_of_all(self) -> Floats:
        return np.asarray(self.table.max(axis=0))


def block_size(t: int) -> int:
    """Rounds that are played from one posterior when t have been: a hundredth of t, 1 to 32.

    What is learnt is then late by at most one hundredth of the history.
    """
    return min(32, max(1, t // 100))


def play(
    agent: Agent, bandit: SlateBandit, horizon: int, *, block: int | Literal["growing"] = 1
) -> NDArray[np.float32]:
    """Play a bandit.

    Parameters
    ----------
    agent : Agent
        With as many replications as the bandit has reward functions. Blocks need a linear agent
        or a baseline.
    bandit : SlateBandit
    horizon : int
        T.
    block : int or "growing"
        Rounds between updates; "growing" follows `block_size`.

    Returns
    -------
    ndarray of float32, shape (S, T)
        Regret of each round: best mean reward on offer minus that of the choice; at least 0.
    """
    regret = np.empty((bandit.table.shape[1], horizon), np.float32)
    t = 0
    while t < horizon:
        rounds = min(block_size(t) if block == "growing" else block, horizon - t)
        context, slates = bandit.deal(rounds)
        if rounds == 1:  # neural agents know single rounds only
            alone = None if context is None else context[:, 0]
            action = agent.select(alone, None if slates is None else slates[0])
            seen, lost = bandit.step(action[:, None])
            agent.update(alone, action, seen[:, 0])
        else:
            knows_blocks: Any = agent
            actions = knows_blocks.select(context, slates, rounds=rounds)
            seen, lost = bandit.step(actions)
            agent.update(context, actions, seen)
        regret[:, t : t + rounds] = lost
        t += rounds
    return regret
