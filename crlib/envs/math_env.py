"""Mathematics problems as a Gymnasium environment, one at a time."""

from __future__ import annotations

import gymnasium
import numpy as np

from crlib.envs.chain_env import ChainEnv, Observation
from crlib.envs.mathematics import MathBatch


class MathEnv(ChainEnv):
    """One problem at a time: `MathBatch` as a Gymnasium environment.

    Besides what a batch's state holds, the results so far are seen, as floats.

    Parameters
    ----------
    batch : MathBatch
    seed : int
        As of `ChainEnv`.
    """

    batch: MathBatch

    def __init__(self, batch: MathBatch, seed: int = 0) -> None:
        spaces, length = gymnasium.spaces, batch.max_length
        super().__init__(
            batch, seed, valid=spaces.MultiBinary(length),
            results=spaces.Box(-np.inf, np.inf, (length,), np.float64),
        )  # fmt: skip

    def _observation(self) -> Observation:
        valid = self.batch.state.valid[0]
        results = np.zeros(self.batch.max_length)
        results[valid] = [float(value) for value in self.batch.results[0]]
        return super()._observation() | {"valid": valid.astype(np.int8), "results": results}
