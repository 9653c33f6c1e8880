"""Environments of chains under Gymnasium, one query at a time."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from crlib.envs.chain_batch import ChainBatch

Observation = dict[str, Any]


class ChainEnv(gymnasium.Env[Observation, np.int64]):
    """One query at a time of a batch, by the same rules.

    The limit of a chain is part of the task and `length` is seen, so an episode that meets it is
    terminated; none is truncated.

    Parameters
    ----------
    batch : ChainBatch
        The environment plays on it, one episode at a time.
    seed : int
        Decides which queries are asked until `reset` is given one.
    **more : gymnasium.Space
        What a subclass observes besides query, chain and length.
    """

    def __init__(self, batch: ChainBatch[Any], seed: int, **more: gymnasium.Space[Any]) -> None:
        self.batch = batch
        spaces, queries = gymnasium.spaces, batch.query_vectors
        self.observation_space = spaces.Dict({
            "query": spaces.Box(-np.inf, np.inf, queries.shape[1:], queries.dtype.type),
            "chain": spaces.Box(-1, batch.n_tools - 1, (batch.max_length,), np.int64),
            "length": spaces.Discrete(batch.max_length + 1),
            **more,
        })  # fmt: skip
        self.action_space = spaces.Discrete(batch.n_tools + 1)
        super().reset(seed=seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode, of a random query or of number ``options["query"]``."""
        super().reset(seed=seed)
        number = (options or {}).get("query")
        if number is None:
            number = int(self.np_random.integers(self.batch.n_queries))
        self.batch.reset([number])
        return self._observation(), {"query": number}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take an action, or stop."""
        reward, done, info = self.batch.step(np.asarray([action]))
        single = {name: values[0].item() for name, values in info.items()}
        return self._observation(), float(reward[0]), bool(done[0]), False, single

    def _observation(self) -> Observation:
        state = self.batch.state  # copies, as a caller may keep or change what it is given
        return {
            "query": state.query[0].copy(),
            "chain": state.chain[0].copy(),
            "length": state.length[0],
        }
