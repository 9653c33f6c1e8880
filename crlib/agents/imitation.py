"""A supervised start of an actor-critic: it is shown solutions before it sees a reward."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from crlib.agents.a2c import A2C
from crlib.agents.rollouts import Actions, Chains, roll_out
from crlib.envs.chain_batch import ChainState


def imitate(
    agent: A2C,
    env: Chains,
    query_numbers: ArrayLike,
    updates: int,
    *,
    rate: float = 1e-2,
    negatives: int | None = None,
) -> Iterator[dict[str, float]]:
    """Fit the policy to the solutions of random queries, `agent.settings.batch` an update.

    At each point of a solution the target is its next action; the loss is the cross-entropy. The
    critic is left alone. This is an arm of its own: it sees what the reinforcement learner never
    does, the solutions. Its optimiser, Adam, is its own too.

    Parameters
    ----------
    agent : A2C
    env : Chains
    query_numbers : array_like of int
        Queries to draw from, with replacement.
    updates : int
    rate : float
        Learning rate.
    negatives : int, optional
        Random actions, another draw each update, that the targets compete with; all actions by
        default. With fewer the loss is biased (a target meets K / negatives times too few rivals),
        the same for all, and an update costs less.

    Yields
    ------
    dict of str to float
        update, loss.

    Raises
    ------
    FloatingPointError
        If a loss is not finite; the weights are those before that update.
    ValueError
        If `negatives` is below 1.
    """
    if negatives is not None and negatives < 1:
        raise ValueError(f"negatives = {negatives}: expected at least 1 action, or None for all")
    numbers = np.asarray(query_numbers)
    optimiser = torch.optim.Adam(agent.network.parameters(), lr=rate)
    for update in range(updates):
        batch = agent.rng.choice(numbers, size=agent.settings.batch)
        wanted = [[*env.solutions[i], agent.n_actions] for i in batch]
        episodes = roll_out(env, batch, partial(_next_wanted, wanted))
        chosen = torch.from_numpy(episodes.played.T[episodes.live.T]).to(agent.device)
        rivals = _rivals(agent, chosen, negatives)
        # The states of a step are as long as each other: read apart, none is padded.
        steps = zip(episodes.seen(), episodes.played.T, episodes.live.T, strict=True)
        logs = [
            agent.log_probability(state, torch.from_numpy(played[live]).to(agent.device), rivals)
            for state, played, live in steps
        ]
        loss = -torch.cat(logs).mean()
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"imitation, update {update + 1}: the loss is {float(loss.detach())}; lower rate "
                f"(now {rate})"
            )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.network.parameters(), agent.settings.clip)
        optimiser.step()
        yield {"update": float(update + 1), "loss": float(loss.detach())}


def _rivals(agent: A2C, chosen: Tensor, negatives: int | None) -> Tensor | None:
    """Random actions, the targets and stopping, in rising order; None for all."""
    if negatives is None:
        return None
    drawn = torch.from_numpy(agent.rng.integers(agent.n_actions, size=negatives)).to(agent.device)
    return torch.cat([drawn, chosen, drawn.new_tensor([agent.n_actions])]).unique()


def _next_wanted(wanted: list[list[int]], state: ChainState) -> Actions:
    """The next action of each solution, after its last one the stop."""
    return np.array([w[min(n, len(w) - 1)] for w, n in zip(wanted, state.length, strict=True)])
