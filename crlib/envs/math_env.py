"""Mathematics problems as a Gymnasium environment, one at a time."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from crlib.envs.mathematics import MathBatch

Observation = dict[str, Any]


class MathEnv(gymnasium.Env[Observation, np.int64]):
    """One problem at a time: `MathBatch` as a Gymnasium environment.

    Besides what a batch's state holds, the results so far are seen, as floats.

    Parameters
    ----------
    batch : MathBatch
        The environment plays on it, one episode at a time.
    seed : int
        Decides which problems are asked until `reset` is given one.
    """

    def __init__(self, batch: MathBatch, seed: int = 0) -> None:
        self.batch = batch
        spaces, length = gymnasium.spaces, batch.max_length
        self.observation_space = spaces.Dict({
            "query": spaces.Box(
                -np.inf, np.inf, batch.query_vectors.shape[1:], batch.query_vectors.dtype.type
            ),
            "chain": spaces.Box(-1, batch.n_tools - 1, (length,), np.int64),
            "length": spaces.Discrete(length + 1),
            "valid": spaces.MultiBinary(length),
            "results": spaces.Box(-np.inf, np.inf, (length,), np.float64),
        })  # fmt: skip
        self.action_space = spaces.Discrete(batch.n_tools + 1)
        super().reset(seed=seed)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode, of a random problem or of number ``options["query"]``."""
        super().reset(seed=seed)
        number = (options or {}).get("query")
        if number is None:
            number = int(self.np_random.integers(self.batch.n_queries))
        self.batch.reset([number])
        return self._observation(), {"query": number}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Choose a step, or stop."""
        reward, done, info = self.batch.step(np.asarray([action]))
        single = {name: values[0].item() for name, values in info.items()}
        return self._observation(), float(reward[0]), bool(done[0]), False, single

    def _observation(self) -> Observation:
        state = self.batch.state  # copies, as a caller may keep or change what it is given
        results = np.zeros(self.batch.max_length)
        places = np.flatnonzero(state.valid[0])
        results[places] = [float(value) for value in self.batch.results[0]]
        return {
            "query": state.query[0].copy(),
            "chain": state.chain[0].copy(),
            "length": state.length[0],
            "valid": state.valid[0].astype(np.int8),
            "results": results,
        }
