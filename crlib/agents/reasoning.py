"""Steps for mathematics problems from no policy, and from a critic alone.

A learner that does not beat the first two has learnt nothing of use.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from crlib.agents.a2c import A2C
from crlib.agents.retrieval import retrieve
from crlib.agents.rollouts import Rollout, roll_out
from crlib.envs.chain_batch import ChainState
from crlib.envs.mathematics import MathBatch

Ints = NDArray[np.int64]
BLOCK = 4096  # states that a critic reads at a time
TRIES = 50  # draws for a step that can be executed


def nearest_problem(
    query_vectors: ArrayLike, train_vectors: ArrayLike, train_solutions: Sequence[Sequence[int]]
) -> Ints:
    """Take the steps of the training problem of the largest cosine.

    Parameters
    ----------
    query_vectors : array_like, shape (N, d)
    train_vectors : array_like, shape (M, d)
    train_solutions : sequence of M sequences of int

    Returns
    -------
    ndarray of int64, shape (N, n)
        Steps, then -1; n is the longest solution.

    Raises
    ------
    ValueError
        If sizes do not fit.
    """
    if len(train_solutions) != len(np.asarray(train_vectors)):
        raise ValueError(
            f"{len(train_solutions)} train_solutions for {len(np.asarray(train_vectors))} "
            "train_vectors"
        )
    nearest = retrieve(query_vectors, train_vectors, 1)[:, 0]
    chains = np.full((len(nearest), max(map(len, train_solutions))), -1, np.int64)
    for row, number in enumerate(nearest.tolist()):
        chains[row, : len(train_solutions[number])] = train_solutions[number]
    return chains


def play_steps(batch: MathBatch, query_numbers: ArrayLike, chains: ArrayLike) -> Rollout:
    """Take steps that were chosen beforehand, by the rules of the environment.

    Parameters
    ----------
    batch : MathBatch
    query_numbers : array_like of int, shape (B,)
    chains : array_like of int, shape (B, n)
        Steps, then -1: there the agent stops.

    Returns
    -------
    Rollout
        ``info["success"]`` and ``rewards`` tell how it went.

    Raises
    ------
    ValueError
        If there is not one chain for each problem.
    """
    rows = np.asarray(chains)
    if rows.ndim != 2 or len(rows) != np.size(query_numbers):
        raise ValueError(f"chains have shape {rows.shape}: expected ({np.size(query_numbers)}, n)")
    padded = np.column_stack([rows, np.full(len(rows), -1)])  # whoever has no more steps stops

    def choose(state: ChainState) -> Ints:
        column = np.minimum(state.length, padded.shape[1] - 1)
        chosen = padded[np.arange(len(padded)), column]
        return np.where(chosen < 0, batch.stop, chosen)

    return roll_out(batch, query_numbers, choose)


def random_steps(
    batch: MathBatch, query_numbers: ArrayLike, lengths: ArrayLike, *, seed: int = 0
) -> Rollout:
    """Draw each step uniformly among those that can be executed.

    Parameters
    ----------
    batch : MathBatch
    query_numbers : array_like of int, shape (B,)
    lengths : array_like of int
        Numbers of steps to draw from, uniformly, such as those of the training solutions.
    seed : int

    Returns
    -------
    Rollout
        An episode stops early where no step can be executed.
    """
    rng = np.random.default_rng(seed)
    wanted = rng.choice(np.asarray(lengths), size=np.size(query_numbers))

    def choose(state: ChainState) -> Ints:
        fitting = batch.applicable()
        chosen = np.full(len(fitting), batch.stop, np.int64)
        for row in np.flatnonzero(~state.done & (state.length < wanted)):
            among = np.flatnonzero(fitting[row])
            drawn = among[rng.integers(among.size, size=TRIES)] if among.size else among
            good = (step for step in drawn.tolist() if batch.executes(int(row), step))
            chosen[row] = next(good, batch.stop)
        return chosen

    return roll_out(batch, query_numbers, choose)


def lookahead(
    agent: A2C, batch: MathBatch, query_numbers: ArrayLike, *, candidates: int | None = 64
) -> Rollout:
    """Choose the step after which the critic expects most, whatever the policy says.

    The value of a step is minus its cost plus the critic's value of the state that it leads to;
    the value of stopping is not known to a critic, so it stops where no step has a positive value
    above that of the state it is in. After `max_length` steps the episode is over, and no critic
    has learnt such a state: it stops one step earlier. Only steps that find what their operands
    name are looked at.

    Parameters
    ----------
    agent : A2C
        Trained on such a batch.
    batch : MathBatch
    query_numbers : array_like of int, shape (B,)
    candidates : int, optional
        Steps looked at in each state, the highest of the policy; all where it is None.

    Returns
    -------
    Rollout

    Raises
    ------
    ValueError
        If candidates is below 1.
    """
    most = batch.n_tools if candidates is None else min(candidates, batch.n_tools)
    if most < 1:
        raise ValueError(f"candidates = {candidates}: expected at least 1")

    def choose(state: ChainState) -> Ints:
        value, scores = agent.read(state)
        fitting = torch.from_numpy(batch.applicable()).to(scores.device)
        scores = scores[:, :-1].masked_fill(~fitting, -torch.inf)
        top = scores.topk(most, dim=1)
        steps = top.indices.cpu().numpy()
        ahead = _values(agent, state, steps, batch.max_length) - batch.step_cost
        ahead[torch.isinf(top.values).cpu().numpy()] = -np.inf
        best = ahead.argmax(axis=1)
        rows = np.arange(len(best))
        goes_on = ahead[rows, best] > value.cpu().numpy()
        goes_on &= ~state.done & (state.length < batch.max_length - 1)
        return np.where(goes_on, steps[rows, best], batch.stop)

    with torch.no_grad():
        return roll_out(batch, query_numbers, choose)


def _values(agent: A2C, state: ChainState, steps: Ints, max_length: int) -> NDArray[np.float64]:
    """The critic's value after each of (B, n) steps; of no meaning where the chain is full."""
    n_rows, n_steps = steps.shape
    rows = np.repeat(np.arange(n_rows), n_steps)
    chain = state.chain[rows].copy()
    length = np.minimum(state.length[rows], max_length - 1)
    chain[np.arange(rows.size), length] = steps.ravel()
    found = []
    for start in range(0, rows.size, BLOCK):
        part = slice(start, start + BLOCK)
        after = ChainState(
            state.query[rows[part]], chain[part], length[part] + 1, state.done[rows[part]]
        )
        found.append(agent.read(after)[0].cpu().numpy())
    return np.concatenate(found).astype(np.float64).reshape(n_rows, n_steps)
