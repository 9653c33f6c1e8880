"""How the chapters train the actor-critic: after a supervised start, or from rewards alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from crlib.agents.a2c import A2C, Head, Settings
from crlib.agents.imitation import imitate
from crlib.agents.learner import ChainLearner
from crlib.agents.reward_transformer import Shape, Size
from crlib.agents.rollouts import Actions, Chains
from crlib.agents.wolpertinger import Wolpertinger, WolpertingerSettings

FloatArray = NDArray[np.float64]
Agent = Literal["proto", "plain", "wolpertinger"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: more of them only wait for each other on so small a network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def practised(
    env: Chains,
    train: ArrayLike,
    *,
    imitation: int = 100,
    updates: int = 10,
    size: Size | Shape = "small",
    negatives: int | None = 1024,
    head: Head = "proto",
    seed: int = 0,
) -> A2C:
    """Train an agent on some queries: by imitation, then by rewards.

    Parameters
    ----------
    env : Chains
    train : array_like of int
        Queries to learn from.
    imitation, updates : int
        Updates of the supervised start, and of the actor-critic behind it.
    size : {"small", "laptop", "paper"} or Shape
    negatives : int, optional
        Rivals of a target in the supervised start, see `crlib.agents.imitation.imitate`.
    head : {"proto", "plain"}
        See `crlib.agents.a2c.Settings`.
    seed : int

    Returns
    -------
    A2C
    """
    # A policy that has learnt something is not to be spread out again.
    settings = Settings(
        updates=max(1, updates), rate=1e-3, entropy_weight=0.0, head=head, seed=seed
    )
    agent = A2C(env.tool_vectors, env.max_length, size=size, settings=settings)
    with nullcontext() if size == "paper" else one_thread():
        for _ in imitate(agent, env, train, imitation, negatives=negatives):
            pass
        for _ in agent.train(env, train, updates):
            pass
    return agent


def practised_chains(
    env: Chains,
    train: ArrayLike,
    n_queries: int,
    *,
    seeds: int,
    imitation: int = 100,
    updates: int = 10,
    size: Size | Shape = "small",
    head: Head = "proto",
    seed: int = 0,
) -> Actions:
    """Train an agent for each seed and return the chains that it plays for every query.

    Parameters
    ----------
    env : Chains
    train : array_like of int
        Queries to learn from.
    n_queries : int
        N, of the environment.
    seeds : int
        S, agents.
    imitation, updates, size, head
        As of `practised`.
    seed : int
        Of the first agent; the next ones have the numbers behind it.

    Returns
    -------
    ndarray of int64, shape (S, N, L)
    """
    agents = (
        practised(
            env, train, imitation=imitation, updates=updates, size=size, head=head, seed=seed + i
        )
        for i in range(seeds)
    )
    return np.stack([chains_of(agent, env, np.arange(n_queries)) for agent in agents])


def chains_of(agent: A2C, env: Chains, query_numbers: ArrayLike, *, batch: int = 128) -> Actions:
    """Return the chains that an agent plays without exploring, shape (B, L), a batch at a time."""
    numbers = np.asarray(query_numbers)
    parts = [numbers[i : i + batch] for i in range(0, len(numbers), batch)]
    return np.concatenate([agent.act(env, part)[0] for part in parts])


def learning_curves(envs: Sequence[Chains], *, seed: int = 0, **options: Any) -> FloatArray:
    """Return the learning curve of each environment on all its queries, shape (n, updates).

    Parameters
    ----------
    envs : sequence of n Chains
        Each is learnt once; the i-th from the seed `seed` + i.
    seed : int
    options
        Of `learning_curve`.
    """
    return np.stack([
        learning_curve(env, range(len(env.solutions)), seed=seed + i, **options)
        for i, env in enumerate(envs)
    ])  # fmt: skip


def learning_curve(
    env: Chains,
    train: ArrayLike,
    *,
    agent: Agent = "proto",
    updates: int = 120,
    batch: int = 32,
    size: Size | Shape = "small",
    seed: int = 0,
) -> FloatArray:
    """Train from rewards alone and return the success of each update's roll-outs.

    Parameters
    ----------
    env : Chains
    train : array_like of int
        Queries to learn from.
    agent : {"proto", "plain", "wolpertinger"}
        The actor-critic with a proto-action or with an output an action, or `Wolpertinger`.
    updates, batch : int
        Updates, and roll-outs of each.
    size : {"small", "laptop", "paper"} or Shape
    seed : int

    Returns
    -------
    ndarray of float64, shape (updates,)
        Shares of successful roll-outs; their mean is the area of the learning curve.
    """
    learner: ChainLearner
    if agent == "wolpertinger":
        nearest = min(WolpertingerSettings.k, len(env.tool_vectors))
        own = WolpertingerSettings(updates=updates, batch=batch, rate=3e-3, k=nearest, seed=seed)
        learner = Wolpertinger(env.tool_vectors, env.max_length, size=size, settings=own)
    else:
        settings = Settings(
            updates=updates, batch=batch, rate=3e-3, entropy_weight=0.003, head=agent, seed=seed
        )
        learner = A2C(env.tool_vectors, env.max_length, size=size, settings=settings)
    with nullcontext() if size == "paper" else one_thread():
        return np.array([row["success"] for row in learner.train(env, train)])
