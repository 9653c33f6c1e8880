"""Tools for a query: an agent calls some of K tools until those that the query needs are called.

`ToolBatch` plays many queries at once, one array operation a step; `ToolEnv` is a Gymnasium
environment of one query at a time, played by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import as_indices, as_matrix

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Observation = dict[str, Any]


@dataclass
class ToolState:
    """What an agent sees of B episodes.

    A step gives the arrays anew and leaves the earlier ones as they were, so that a rollout may
    keep them.

    Attributes
    ----------
    query : ndarray, shape (B, d)
        Embeddings of the queries.
    chain : ndarray of int64, shape (B, L)
        Numbers of the tools called so far, in order, then -1.
    length : ndarray of int64, shape (B,)
        How many were called.
    done : ndarray of bool, shape (B,)
    """

    query: Floats
    chain: Ints
    length: Ints
    done: Bools


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


class ToolBatch:
    """Episodes of many queries at once.

    An action is a tool's number, or K for "stop". An episode ends when the agent stops, when all
    tools of the query's solution have been called, or after `max_length` calls. A call is worth
    one if it is the first of a tool of the solution, and costs `step_cost` whatever it is; so
    calls of other tools, and of the same tool again, only cost. To stop is free. Success asks for
    the set of tools; whether they came in the solution's order is told apart.

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
        self.tool_vectors = as_matrix(tool_vectors, "tool_vectors", min_rows=1)
        self.query_vectors = as_matrix(query_vectors, "query_vectors", min_rows=1)
        (self.n_tools, width), (n_queries, other) = (
            self.tool_vectors.shape, self.query_vectors.shape
        )  # fmt: skip
        if width != other:
            raise ValueError(
                f"tool_vectors have {width} dimensions and query_vectors {other}: embed both with "
                "one model"
            )
        if len(solutions) != n_queries:
            raise ValueError(f"{len(solutions)} solutions for {n_queries} query_vectors")
        self.solutions = [tuple(solution) for solution in solutions]
        self._solutions = pad_solutions(solutions, self.n_tools)
        if max_length < self._solutions.shape[1]:
            raise ValueError(
                f"max_length = {max_length}: the longest solution has {self._solutions.shape[1]} "
                "tools; raise it or leave such queries out"
            )
        if not 0 <= step_cost < np.inf:
            raise ValueError(f"step_cost = {step_cost}: expected a number of at least 0")
        self.n_queries, self.max_length, self.step_cost = n_queries, max_length, step_cost
        self.stop = self.n_tools
        self._rng = np.random.default_rng(seed)
        self._state: ToolState | None = None

    @property
    def state(self) -> ToolState:
        """The state that `reset` returned, brought up to date by every step."""
        if self._state is None:
            raise ValueError("no episode has begun: call reset first")
        return self._state

    def draw(self, n: int, among: ArrayLike | None = None) -> Ints:
        """Return n random query numbers, with replacement; from `among` where it is given."""
        numbers = (
            np.arange(self.n_queries)
            if among is None
            else as_indices(among, self.n_queries, "among")
        )
        return self._rng.choice(numbers, size=n)

    def reset(self, query_numbers: ArrayLike) -> ToolState:
        """Begin an episode of each of B queries.

        Parameters
        ----------
        query_numbers : array_like of int, shape (B,)

        Returns
        -------
        ToolState
        """
        numbers = as_indices(query_numbers, self.n_queries, "query_numbers")
        self._wanted = self._solutions[numbers]
        self._called_at = np.full(self._wanted.shape, -1)
        self._state = ToolState(
            query=self.query_vectors[numbers],
            chain=np.full((numbers.size, self.max_length), -1, np.int64),
            length=np.zeros(numbers.size, np.int64),
            done=np.zeros(numbers.size, np.bool_),
        )
        return self._state

    def step(self, actions: ArrayLike) -> tuple[NDArray[np.float64], Bools, dict[str, Any]]:
        """Take one action in every episode; those that are done ignore it.

        Parameters
        ----------
        actions : array_like of int, shape (B,)
            0 to K.

        Returns
        -------
        reward : ndarray of float64, shape (B,)
            0 where the episode was done before.
        done : ndarray of bool, shape (B,)
        info : dict of ndarray, shape (B,)
            "success": whether all tools of the solution have been called; "covered": how many of
            them; "ordered": whether all of them, first calls in the solution's order.

        Raises
        ------
        ValueError
            If no episode has begun, or actions do not fit.
        """
        state = self.state
        chosen, live = np.asarray(actions), ~state.done
        if chosen.shape != live.shape or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"actions are {chosen.dtype} of shape {chosen.shape}: expected {live.size} whole "
                "numbers, one an episode"
            )
        if (live & ((chosen < 0) | (chosen > self.stop))).any():
            raise ValueError(f"actions must lie in 0 to K = {self.stop} (stop)")
        calls = live & (chosen != self.stop)
        rows = np.flatnonzero(calls)
        chain = state.chain.copy()
        chain[rows, state.length[rows]] = chosen[rows]
        new = calls[:, None] & (self._wanted == chosen[:, None]) & (self._called_at < 0)
        self._called_at = np.where(new, state.length[:, None], self._called_at)
        state.chain, state.length = chain, state.length + calls
        info = self._info()
        stops = live & (chosen == self.stop)
        state.done = state.done | stops | info["success"] | (state.length == self.max_length)
        return new.sum(axis=1) - self.step_cost * calls, state.done, info

    def _info(self) -> dict[str, Any]:
        called, padding = self._called_at >= 0, self._wanted < 0
        success = (called | padding).all(axis=1)
        in_turn = (np.diff(self._called_at, axis=1) > 0) | padding[:, 1:]
        return {
            "success": success,
            "covered": called.sum(axis=1),
            "ordered": success & in_turn.all(axis=1),
        }


class ToolEnv(gymnasium.Env[Observation, np.int64]):
    """One query at a time: `ToolBatch` as a Gymnasium environment.

    The limit of calls is part of the task and `length` is seen, so an episode that meets it is
    terminated; none is truncated.

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
        self.batch = ToolBatch(
            tool_vectors, query_vectors, solutions, max_length, step_cost, seed
        )  # fmt: skip
        queries, n_tools = self.batch.query_vectors, self.batch.n_tools
        spaces = gymnasium.spaces
        self.observation_space = spaces.Dict({
            "query": spaces.Box(-np.inf, np.inf, queries.shape[1:], queries.dtype.type),
            "chain": spaces.Box(-1, n_tools - 1, (max_length,), np.int64),
            "length": spaces.Discrete(max_length + 1),
        })  # fmt: skip
        self.action_space = spaces.Discrete(n_tools + 1)
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
        """Call a tool, or stop."""
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
