"""Episodes of many queries at once, kept step by step for a loss to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.envs.chain_batch import ChainState

Actions = NDArray[np.int64]


class Chains(Protocol):
    """What an environment of chains gives, as `ToolBatch` and `MathBatch` of crlib.envs do.

    Its states have the arrays query (B, d), chain (B, L) of action numbers padded with -1, length
    (B,) and done (B,); action K stops.
    """

    tool_vectors: NDArray[np.floating]
    solutions: list[tuple[int, ...]]
    max_length: int

    def reset(self, query_numbers: Any) -> Any:
        """Begin an episode of each query."""
        ...

    def step(self, actions: Any) -> tuple[Any, Any, dict[str, Any]]:
        """Return reward, done and info, arrays of length B."""
        ...


@dataclass
class Rollout:
    """Finished episodes.

    Attributes
    ----------
    states : list of ChainState
        Before each of T steps.
    played : ndarray of int64, shape (B, T)
    rewards : ndarray of float64, shape (B, T)
    live : ndarray of bool, shape (B, T)
        Whether the step was taken in an episode that had not ended.
    chain : ndarray of int64, shape (B, L)
        What was called in the end.
    info : dict of ndarray, shape (B,)
        The environment's, at the end.
    read : list
        What a learner that plays keeps of each step for its loss, of the live episodes only.
    """

    states: list[ChainState]
    played: Actions
    rewards: NDArray[np.float64]
    live: NDArray[np.bool_]
    chain: Actions
    info: dict[str, Any]
    read: list[Any] = field(default_factory=list)

    def seen(self) -> list[ChainState]:
        """The states of the live episodes at each step; together ordered as ``live.T``."""
        return [state.rows(at) for state, at in zip(self.states, self.live.T, strict=True)]


def roll_out(
    env: Chains, query_numbers: ArrayLike, choose: Callable[[ChainState], Actions]
) -> Rollout:
    """Play an episode of each query to its end.

    Parameters
    ----------
    env : Chains
    query_numbers : array_like of int, shape (B,)
    choose : callable
        ChainState to B actions.

    Returns
    -------
    Rollout
    """
    state = env.reset(query_numbers)
    states, played, rewards, live, info = [], [], [], [], dict[str, Any]()
    for _ in range(env.max_length):
        # A copy: an environment may go on with the arrays it gave.
        seen = ChainState(state.query, state.chain.copy(), state.length.copy(), state.done.copy())
        action = choose(seen)
        reward, done, info = env.step(action)
        states.append(seen)
        played.append(action)
        rewards.append(reward)
        live.append(~seen.done)
        if done.all():
            break
    return Rollout(
        states, np.stack(played, 1), np.stack(rewards, 1), np.stack(live, 1),
        np.asarray(state.chain), info,
    )  # fmt: skip
