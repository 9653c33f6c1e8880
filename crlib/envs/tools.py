"""Tools for a query: an agent calls some of K tools until those that the query needs are called.

`ToolBatch` plays many queries at once, one array operation a step; `ToolEnv` is a Gymnasium
environment of one query at a time, played by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crlib.envs.chain_batch import Bools, ChainBatch, ChainState, Ints, Rewards
from crlib.envs.chain_env import ChainEnv
from crlib.metrics.validate import as_indices


def pad_solutions(solutions: Sequence[Sequence[int]], n_tools: int) -> Ints:
    """Return solutions as rows of one array, -1 behind the shorter ones.

    Parameters
    ----------
    solutions : sequence of sequences of int
        Tools in order; each of distinct numbers from 0 to `n_tools` - 1, none empty.
    n_tools : int
        K.

    Returns
    -------
    ndarray of int64, shape (N, S)
        S is the longest solution.

    Raises
    ------
    ValueError
        If there is no solution, or one does not fit.
    """
    if not len(solutions):
        raise ValueError("solutions is empty: pass the tools of at least one query")
    padded = np.full((len(solutions), max(1, *map(len, solutions))), -1, np.int64)
    for number, solution in enumerate(solutions):
        tools = as_indices(solution, n_tools, f"solution {number}")
        if np.unique(tools).size != tools.size:
            raise ValueError(f"solution {number} names a tool twice: {tools.tolist()}")
        padded[number, : tools.size] = tools
    return padded


class ToolBatch(ChainBatch[ChainState]):
    """Episodes of many queries at once.

    An action is a tool's number, or K for "stop". An episode ends when the agent stops, when all
    tools of the query's solution have been called, or after `max_length` calls. A call is worth
    one if it is the first of a tool of the solution, and costs `step_cost` whatever it is; so
    calls of other tools, and of the same tool again, only cost. To stop is free. Success asks for
    the set of tools; whether they came in the solution's order is told apart.

    A step's info tells "success": whether all tools of the solution have been called; "covered":
    how many of them; "ordered": whether all of them, first calls in the solution's order.

    Parameters
    ----------
    tool_vectors : array_like, shape (K, d)
    query_vectors : array_like, shape (N, d)
    solutions : sequence of N tuples of int
        The ground truth, `crlib.data.Query.solution`; an agent does not see it.
    max_length : int
        L, calls of an episode at most; at least the longest solution.
    step_cost : float
        At least 0.
    seed : int
        Decides `draw`.

    Raises
    ------
    ValueError
        If sizes do not fit, or a solution is empty, repeats a tool, names one that does not exist,
        or is longer than `max_length`.
    """

    def __init__(
        self,
        tool_vectors: ArrayLike,
        query_vectors: ArrayLike,
        solutions: Sequence[tuple[int, ...]],
        max_length: int = 5,
        step_cost: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(tool_vectors, query_vectors, max_length, step_cost, seed)
        if len(solutions) != self.n_queries:
            raise ValueError(f"{len(solutions)} solutions for {self.n_queries} query_vectors")
        self.solutions = [tuple(solution) for solution in solutions]
        self._solutions = pad_solutions(solutions, self.n_tools)
        if max_length < self._solutions.shape[1]:
            raise ValueError(
                f"max_length = {max_length}: the longest solution has {self._solutions.shape[1]} "
                "tools; raise it or leave such queries out"
            )

    def _begin(self, numbers: Ints, state: ChainState) -> ChainState:
        self._wanted = self._solutions[numbers]
        self._called_at = np.full(self._wanted.shape, -1)
        return state

    def _outcome(
        self, chosen: Ints, taken: Bools, ended: Bools
    ) -> tuple[Rewards, Bools, dict[str, Any]]:
        new = taken[:, None] & (self._wanted == chosen[:, None]) & (self._called_at < 0)
        self._called_at = np.where(new, self.state.length[:, None] - 1, self._called_at)
        info = self._info()
        reward = new.sum(axis=1) - self.step_cost * taken
        return reward, ended | info["success"], info

    def _info(self) -> dict[str, Any]:
        called, padding = self._called_at >= 0, self._wanted < 0
        success = (called | padding).all(axis=1)
        in_turn = (np.diff(self._called_at, axis=1) > 0) | padding[:, 1:]
        return {
            "success": success,
            "covered": called.sum(axis=1),
            "ordered": success & in_turn.all(axis=1),
        }


class ToolEnv(ChainEnv):
    """One query at a time: `ToolBatch` as a Gymnasium environment.

    Parameters
    ----------
    tool_vectors, query_vectors, solutions, max_length, step_cost, seed
        As of `ToolBatch`; the seed decides which queries are asked until `reset` is given one.
    """

    def __init__(
        self,
        tool_vectors: ArrayLike,
        query_vectors: ArrayLike,
        solutions: Sequence[tuple[int, ...]],
        max_length: int = 5,
        step_cost: float = 0.1,
        seed: int = 0,
    ) -> None:
        batch = ToolBatch(tool_vectors, query_vectors, solutions, max_length, step_cost, seed)
        super().__init__(batch, seed)
