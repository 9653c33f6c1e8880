"""Mathematics tasks on an embedding: named data sets, small tasks, and scores of chains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.reasoning import play_steps
from crlib.data.mathematics import step_library
from crlib.data.problems import load_problems
from crlib.data.word_problems import word_problems
from crlib.envs.math_tasks import MathTasks, math_tasks
from crlib.envs.mathematics import MathBatch
from crlib.envs.tool_arms import Features

Ints = NDArray[np.int64]
Scores = dict[str, NDArray[np.float64]]


def named_tasks(
    dataset: str, *, n_problems: int = 1000, held_out: int = 2, max_length: int = 6, seed: int = 0
) -> MathTasks:
    """Return the tasks of a data set.

    Parameters
    ----------
    dataset : {"generated", "gsm8k"}
        "generated" needs no download. "gsm8k" learns from GSM8K's training set and is tested on
        MATH-500, both read from the folder that CRLIB_DATA names.
    n_problems : int
        Problems to generate, or at most to learn from.
    held_out : int
        Families of generated problems of which none is learnt from.
    max_length : int
        Steps of an episode.
    seed : int

    Returns
    -------
    MathTasks

    Raises
    ------
    ValueError
        For another name, a missing file, or numbers that leave a split empty.
    """
    if dataset == "generated":
        made = word_problems(n_problems, seed=seed).problems
        return math_tasks(made, held_out=held_out, max_length=max_length, seed=seed)
    if dataset != "gsm8k":
        raise ValueError(f"dataset = {dataset!r}: expected 'generated' or 'gsm8k'")
    learnt = load_problems("gsm8k").problems[:n_problems]
    test = load_problems("math500", split="test").problems
    return math_tasks(learnt, test=test, unseen_problems=0.0, max_length=max_length, seed=seed)


def math_batch(
    features: Features, tasks: MathTasks, max_length: int, *, partial: float = 0.0
) -> MathBatch:
    """Return the environment of all problems of `tasks`.

    Parameters
    ----------
    features : pair of ndarray
        Of the library's steps and of the problems, as `crlib.envs.tool_arms.tool_features` gives
        them.
    tasks : MathTasks
    max_length : int
    partial : float
        See `crlib.envs.mathematics.MathBatch`.
    """
    return MathBatch(
        tasks.library, tasks.problems, *features, max_length=max_length, partial=partial
    )


def small_maths(
    features: Features, tasks: MathTasks, n_problems: int, max_length: int, *, seed: int = 0
) -> MathBatch:
    """Return the environment of some training problems with the steps of their solutions only.

    A result that is the next of the reference solution's is worth a half in it, as a task for
    learning from rewards alone.

    Parameters
    ----------
    features, tasks, max_length
        As of `math_batch`.
    n_problems : int
        At most the training problems.
    seed : int
        Decides which.
    """
    drawn = np.random.default_rng(seed).choice(tasks.train, n_problems, replace=False)
    problems = [tasks.problems[i] for i in drawn]
    library = step_library(problems)
    place = {text: i for i, text in enumerate(tasks.library.described())}
    rows = [place[text] for text in library.described()]
    return MathBatch(
        library, problems, features[0][rows], features[1][drawn], max_length=max_length, partial=0.5
    )


def score_steps(batch: MathBatch, query_numbers: ArrayLike, chains: ArrayLike) -> Scores:
    """Score chains of steps by executing them.

    Parameters
    ----------
    batch : MathBatch
    query_numbers : array_like of int, shape (B,)
    chains : array_like of int, shape (B, n)
        Steps, then -1: there the agent stops.

    Returns
    -------
    dict of ndarray of float64, shape (B,)
        "solved": 1 where the last result is the reference answer; "progress": share of the
        reference solution's results that are among those found, NaN where the library has no
        such solution; "invalid": share of the steps that could not be executed; "steps".
    """
    numbers = np.asarray(query_numbers)
    episodes = play_steps(batch, numbers, chains)
    taken = (episodes.chain >= 0).sum(axis=1)
    wanted = [Counter(batch.milestones[i]) for i in numbers]
    found = [Counter(results) for results in batch.results]
    progress = [
        (want & have).total() / want.total() if want else np.nan
        for want, have in zip(wanted, found, strict=True)
    ]
    return {
        "solved": episodes.info["success"].astype(np.float64),
        "progress": np.array(progress),
        "invalid": episodes.info["invalid"] / np.maximum(taken, 1),
        "steps": taken.astype(np.float64),
    }


def mean_step_scores(
    batch: MathBatch, query_numbers: ArrayLike, runs: Sequence[ArrayLike]
) -> Scores:
    """Return each problem's scores, their means over several runs of a learner."""
    scores = [score_steps(batch, query_numbers, chains) for chains in runs]
    return {name: np.mean([score[name] for score in scores], axis=0) for name in scores[0]}
