"""Chains of tools scored against solutions: success, coverage and order, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.envs.tools import ToolBatch, pad_solutions
from crlib.metrics.scores import stratified_bootstrap
from crlib.metrics.statistics import Interval

Scores = dict[str, NDArray[np.float64]]


def score_chains(chains: ArrayLike, solutions: Sequence[Sequence[int]]) -> Scores:
    """Score the tools that were called for each query.

    Parameters
    ----------
    chains : array_like of int, shape (N, L)
        Tools called, in order, then -1: the state's chain at the end of the episodes.
    solutions : sequence of N sequences of int

    Returns
    -------
    dict of ndarray of float64, shape (N,)
        "success": 1 where all tools of the solution were called, else 0; "exact": 1 where these
        were all calls; "coverage": share of the solution's tools that were called; "order": share
        of the solution's pairs of tools that were first called in its order, a pair that is not
        called in full counting as none, NaN where the solution is a single tool; "calls": number
        of calls.

    Raises
    ------
    ValueError
        If chains are not whole numbers (N, L), or a solution is empty or repeats a tool.
    """
    rows = np.asarray(chains)
    if rows.ndim != 2 or rows.dtype.kind not in "iu" or len(rows) != len(solutions):
        raise ValueError(
            f"chains are {rows.dtype} of shape {rows.shape}: expected whole numbers, a row for "
            f"each of {len(solutions)} solutions"
        )
    most = max([int(rows.max(initial=0)), *(max(s, default=0) for s in solutions)])
    wanted = pad_solutions(solutions, most + 1)
    padding = wanted < 0
    calls = (wanted[:, :, None] == rows[:, None, :]) & ~padding[:, :, None]
    called, when = calls.any(axis=2), calls.argmax(axis=2)
    size, covered = (~padding).sum(axis=1), called.sum(axis=1)
    first, second = np.triu_indices(wanted.shape[1], 1)
    in_order = called[:, first] & called[:, second] & (when[:, first] < when[:, second])
    pairs = size * (size - 1) / 2
    n_calls = (rows >= 0).sum(axis=1)
    success = covered == size
    return {
        "success": success.astype(np.float64),
        "exact": (success & (n_calls == size)).astype(np.float64),
        "coverage": covered / size,
        "order": np.divide(
            in_order.sum(axis=1), pairs, out=np.full(len(rows), np.nan), where=pairs > 0
        ),
        "calls": n_calls.astype(np.float64),
    }


def mean_scores(chains: ArrayLike, solutions: Sequence[Sequence[int]]) -> Scores:
    """Return each query's scores, their means over several runs of a learner.

    Parameters
    ----------
    chains : array_like of int, shape (S, N, L)
        Of S runs, as in `score_chains`.
    solutions : sequence of N sequences of int

    Returns
    -------
    dict of ndarray of float64, shape (N,)
    """
    runs = [score_chains(run, solutions) for run in np.asarray(chains)]
    return {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}


def play_chains(batch: ToolBatch, query_numbers: ArrayLike, chains: ArrayLike) -> Scores:
    """Call tools that were chosen beforehand, by the rules of the environment.

    Parameters
    ----------
    batch : ToolBatch
    query_numbers : array_like of int, shape (B,)
    chains : array_like of int, shape (B, n)
        Tools to call, then -1: there the agent stops. An episode that succeeds earlier ends there.

    Returns
    -------
    dict of ndarray of float64, shape (B,)
        As `score_chains` of the chains as played, and "return", the sum of rewards.
    """
    rows = np.asarray(chains)
    state = batch.reset(query_numbers)
    if rows.ndim != 2 or len(rows) != len(state.done):
        raise ValueError(f"chains have shape {rows.shape}: expected ({len(state.done)}, n)")
    total = np.zeros(len(rows))
    for column in rows.T[: batch.max_length]:
        total += batch.step(np.where(column < 0, batch.stop, column))[0]
    solutions = [batch.solutions[i] for i in np.asarray(query_numbers)]
    return score_chains(state.chain, solutions) | {"return": total}


def score_intervals(
    scores: Mapping[str, NDArray[np.float64]],
    solutions: Sequence[Sequence[int]],
    splits: Mapping[str, ArrayLike],
    *,
    rng: np.random.Generator | int,
    level: float = 0.95,
    n_resamples: int = 2000,
) -> dict[str, dict[str, Interval]]:
    """Return the mean of each score in each split, with its bootstrap interval.

    Queries with the same set of tools are resampled together: they are often one need in other
    words, and succeed or fail alike.

    Parameters
    ----------
    scores : mapping of str to ndarray, shape (N,)
        NaN where a query has none; it is left out of the mean.
    solutions : sequence of N sequences of int
    splits : mapping of str to array_like of int
        Numbers of each split's queries, as `crlib.envs.tool_tasks.ToolTasks.splits`.
    rng : Generator or int
        Source of randomness, or its seed.
    level : float
    n_resamples : int

    Returns
    -------
    dict of dict of Interval
        By split and score; n is the number of distinct sets of tools. A score that no query of the
        split has is left out.

    Raises
    ------
    ValueError
        If lengths differ, or a split has fewer than two distinct sets of tools.
    """
    for name, values in scores.items():
        if np.shape(values) != (len(solutions),):
            raise ValueError(
                f"score {name!r} has shape {np.shape(values)}: expected {len(solutions)} queries"
            )
    names: dict[frozenset[int], int] = {}
    member = np.array([names.setdefault(frozenset(s), len(names)) for s in solutions])
    generator = np.random.default_rng(rng)
    found: dict[str, dict[str, Interval]] = {}
    for split, numbers in splits.items():
        found[split] = {}
        for name, values in scores.items():
            rows = np.asarray(numbers)
            rows = rows[~np.isnan(values[rows])]
            if rows.size:
                found[split][name] = stratified_bootstrap(
                    _sums(values[rows], member[rows]), _ratio, rng=generator, level=level,
                    n_resamples=n_resamples,
                )  # fmt: skip
    return found


def _sums(values: NDArray[np.float64], member: NDArray[Any]) -> NDArray[np.float64]:
    _, place = np.unique(member, return_inverse=True)
    return np.column_stack([np.bincount(place, values), np.bincount(place)])


def _ratio(sums: NDArray[np.floating]) -> float:
    total, count = sums.sum(axis=0)
    return float(total / count)
