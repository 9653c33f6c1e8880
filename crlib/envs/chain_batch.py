"""Episodes of chains, many at once: what the environments of tools and of mathematics share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import as_indices, as_matrix

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rewards = NDArray[np.floating]


@dataclass
class ChainState:
    """What an agent sees of B episodes.

    A step gives the arrays anew and leaves the earlier ones as they were, so that a rollout may
    keep them.

    Attributes
    ----------
    query : ndarray, shape (B, d)
        Embeddings of the queries.
    chain : ndarray of int64, shape (B, L)
        Numbers of the actions chosen so far, in order, then -1.
    length : ndarray of int64, shape (B,)
        How many were chosen.
    done : ndarray of bool, shape (B,)
    """

    query: NDArray[np.floating]
    chain: Ints
    length: Ints
    done: Bools

    def rows(self, which: Bools) -> Self:
        """The states of some episodes only."""
        return type(self)(*(values[which] for values in vars(self).values()))


State = TypeVar("State", bound=ChainState)


class ChainBatch(ABC, Generic[State]):
    """Episodes of many queries at once, in which actions are chosen one behind the other.

    An action is a number, or K for "stop". An episode ends when the agent stops, after
    `max_length` actions, or when the subclass says so, which also tells what an action is worth:
    see `_begin` and `_outcome`.

    Parameters
    ----------
    tool_vectors : array_like, shape (K, d)
        Embeddings of the actions.
    query_vectors : array_like, shape (N, d)
    max_length : int
        L, actions of an episode at most.
    step_cost : float
        Of each action but "stop"; at least 0.
    seed : int
        Decides `draw`.
    name : str
        What error messages call the actions' embeddings.

    Raises
    ------
    ValueError
        If the vectors do not fit each other, or a number is out of range.
    """

    def __init__(
        self,
        tool_vectors: ArrayLike,
        query_vectors: ArrayLike,
        max_length: int,
        step_cost: float,
        seed: int,
        name: str = "tool_vectors",
    ) -> None:
        self.tool_vectors = as_matrix(tool_vectors, name, min_rows=1)
        self.query_vectors = as_matrix(query_vectors, "query_vectors", min_rows=1)
        (self.n_tools, width), (self.n_queries, other) = (
            self.tool_vectors.shape, self.query_vectors.shape
        )  # fmt: skip
        if width != other:
            raise ValueError(
                f"{name} have {width} dimensions and query_vectors {other}: embed both with one "
                "model"
            )
        if max_length < 1:
            raise ValueError(f"max_length = {max_length}: expected at least 1")
        check_costs(step_cost=step_cost)
        self.max_length, self.step_cost = max_length, step_cost
        self.stop = self.n_tools
        self._rng = np.random.default_rng(seed)
        self._state: State | None = None

    @abstractmethod
    def _begin(self, numbers: Ints, state: ChainState) -> State:
        """Set episodes of these queries up; return `state` with what else an agent sees."""

    @abstractmethod
    def _outcome(
        self, chosen: Ints, taken: Bools, ended: Bools
    ) -> tuple[Rewards, Bools, dict[str, Any]]:
        """Return reward, ended and info of actions that the state's chains end on by now.

        `taken` says where an action was added to the chain, `ended` where the agent stopped or the
        chain is full just now; it is returned with the episodes that are over for another reason.
        """

    @property
    def state(self) -> State:
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

    def reset(self, query_numbers: ArrayLike) -> State:
        """Begin an episode of each of B queries.

        Parameters
        ----------
        query_numbers : array_like of int, shape (B,)
        """
        numbers = as_indices(query_numbers, self.n_queries, "query_numbers")
        begun = ChainState(
            query=self.query_vectors[numbers],
            chain=np.full((numbers.size, self.max_length), -1, np.int64),
            length=np.zeros(numbers.size, np.int64),
            done=np.zeros(numbers.size, np.bool_),
        )
        self._state = self._begin(numbers, begun)
        return self._state

    def step(self, actions: ArrayLike) -> tuple[Rewards, Bools, dict[str, Any]]:
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
            "success", and what else the class names.

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
        taken = live & (chosen != self.stop)
        rows, chain = np.flatnonzero(taken), state.chain.copy()
        chain[rows, state.length[rows]] = chosen[rows]
        state.chain, state.length = chain, state.length + taken
        full = state.length == self.max_length
        reward, ended, info = self._outcome(chosen, taken, live & (~taken | full))
        state.done = state.done | ended
        return reward, state.done, info


def check_costs(**costs: float) -> None:
    """Raise ``ValueError`` for a cost that is no number of at least 0, by its name."""
    for name, cost in costs.items():
        if not 0 <= cost < np.inf:
            raise ValueError(f"{name} = {cost}: expected a number of at least 0")
