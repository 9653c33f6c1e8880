"""Rank embeddings of the same actions: geometry, and where there are labels, what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from rich.progress import Progress

from crlib import metrics
from crlib.extractors.standardise import unit_rows
from crlib.metrics.comparisons import uniformity_interval
from crlib.metrics.regret import best_mean_gap
from crlib.metrics.rows import kernel_profile
from crlib.metrics.statistics import Interval
from crlib.metrics.validate import FloatArray, as_matrix
from crlib.ranking.advice import GEOMETRY, Advice, advise, first_places
from crlib.ranking.labels import (
    LEVEL,
    Score,
    coverage_score,
    r2_score,
    regret_score,
    spread_out,
    subsamples,
)
from crlib.ranking.tables import check_rewards

NOISE, MEAN = "random", "mean reward"
ALL_PAIRS = 10_000  # actions up to which uniformity is computed from all pairs
FEWEST_ACTIONS = 4  # below, the participation ratio is not defined
SCORES = ("r2", "regret", "coverage", "d_eff", "uniformity")


@dataclass(frozen=True)
class Ranking:
    """A ranking and what follows from it.

    Attributes
    ----------
    table : DataFrame
        A row an embedding, the best first, and the controls last: embedding, control (bool),
        width; r2, regret, coverage (means over tasks), d_eff, uniformity, each with _low and
        _high; first, the share of the resamples in which it is the best of all. NaN where
        something is not defined.
    tasks : DataFrame
        A row for each task and embedding: task, embedding, labels, r2, low, high, regret (as
        in `table`), random_loss (what choosing at random loses a round, in the task's own unit).
        Empty without labels.
    advice : Advice
    settings : dict
        actions, labels, horizon, slate, seed, resamples.
    scores : dict of str to Score
        Leave-one-out R^2 of each embedding and of the noise; empty without labels.
    """

    table: pd.DataFrame
    tasks: pd.DataFrame
    advice: Advice
    settings: dict[str, Any]
    scores: dict[str, Score]


def rank_embeddings(
    embeddings: Mapping[str, ArrayLike],
    rewards: ArrayLike | None = None,
    *,
    tasks: Sequence[str] | None = None,
    horizon: int = 2_000,
    slate: int = 200,
    n_resamples: int = 200,
    seed: int = 0,
    progress: bool = False,
) -> Ranking:
    """Rank embeddings of the same actions by leave-one-out R^2 on labels.

    Beside it stand the predicted regret, reward coverage and the geometry, and two controls: noise
    as wide as the widest embedding, and the mean reward. An R^2 of at most 0 means that a linear
    agent learns nothing from an embedding that it would not know without.

    Parameters
    ----------
    embeddings : mapping of str to array_like, shape (K, d)
        Rows in the order of the actions; widths may differ.
    rewards : array_like, shape (K,) or (K, m), optional
        NaN where an action has no label in a task. Without it only geometry is computed, and
        nothing ranked.
    tasks : sequence of m str, optional
        Names of the reward functions.
    horizon : int
        Rounds over which regret is predicted.
    slate : int
        Actions on offer a round, for what choosing at random loses; at most the labels are.
    n_resamples : int
        Subsamples of the labels, see `crlib.ranking.labels`.
    seed : int
    progress : bool
        Show a progress bar on the standard error.

    Returns
    -------
    Ranking

    Raises
    ------
    ValueError
        When embeddings do not fit each other or the rewards, or hold what is not finite; when a
        name is a control's; when a task's labels are too few or constant; or a number is too small.
    """
    matrices = _checked(embeddings)
    n_actions = len(next(iter(matrices.values())))
    for name, value, least in (
        ("horizon", horizon, 1), ("slate", slate, 2), ("n_resamples", n_resamples, 20),
    ):  # fmt: skip
        if value < least:
            raise ValueError(f"{name} = {value}: expected at least {least}")
    width = max(X.shape[1] for X in matrices.values())
    control = np.random.default_rng([seed, 1]).standard_normal((n_actions, width))
    matrices[NOISE] = unit_rows(control)
    values, names = np.empty((n_actions, 0)), tuple[str, ...]()
    if rewards is not None:
        values, names = _as_rewards(rewards, n_actions, tasks)
    settings = {
        "actions": n_actions, "labels": int((~np.isnan(values)).any(axis=1).sum()),
        "horizon": horizon, "slate": slate, "seed": seed, "resamples": n_resamples,
    }  # fmt: skip
    kept = subsamples(values, n_resamples, [seed, 2]) if names else np.empty((0, n_actions), bool)

    found: dict[str, dict[str, Any]] = {}
    scores: dict[str, Score] = {}
    lost: dict[str, Score] = {}
    bar = Progress(console=Console(stderr=True), transient=True, disable=not progress)
    with bar:
        for name, X in matrices.items():
            task = bar.add_task(name.replace("[", r"\["), total=len(kept) + 2)
            try:
                found[name] = {"width": X.shape[1]} | _geometry(X, seed)
                bar.advance(task)
                if names:
                    rows = []
                    for row in r2_score(X, values, kept):
                        rows.append(row)
                        bar.advance(task)
                    scores[name] = spread_out(rows[0], np.array(rows[1:]), values)
                    found[name] |= _spell("r2", scores[name].mean())
                    lost[name] = regret_score(X, values, kept, horizon)
                    found[name] |= _spell("regret", lost[name].mean())
                    found[name] |= _spell("coverage", coverage_score(X, values, kept).mean())
            except ValueError as error:
                raise ValueError(f"embedding {name!r}: {error}") from error
    own = {name: score for name, score in scores.items() if name != NOISE}
    if names:
        advice = advise(own, scores[NOISE], n_actions)
    else:
        advice = Advice("geometry", "", float("nan"), None, (), None, GEOMETRY)
    table = _table(found, first_places(own) if own else {})
    return Ranking(table, _by_task(scores, lost, values, names, slate), advice, settings, scores)


def _checked(embeddings: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    if not embeddings:
        raise ValueError("embeddings is empty: pass at least one")
    matrices: dict[str, FloatArray] = {}
    for name, X in embeddings.items():
        if name in (NOISE, MEAN):
            raise ValueError(f"embedding {name!r}: the name is a control's, choose another")
        matrices[name] = as_matrix(X, f"embedding {name!r}", min_rows=FEWEST_ACTIONS)
    sizes = {name: len(X) for name, X in matrices.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"embeddings have different numbers of rows: {sizes}")
    return matrices


def _as_rewards(
    rewards: ArrayLike, n_actions: int, tasks: Sequence[str] | None
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    values = np.asarray(rewards, dtype=np.float64)
    if values.ndim not in (1, 2) or len(values) != n_actions or not values.size:
        raise ValueError(
            f"rewards has shape {values.shape}: pass ({n_actions},) or ({n_actions}, m), NaN where "
            "an action has no label"
        )
    table = values.reshape(n_actions, -1)
    names = tuple(tasks) if tasks else tuple(f"task {i + 1}" for i in range(table.shape[1]))
    if len(names) != table.shape[1]:
        raise ValueError(f"{len(names)} names for {table.shape[1]} tasks")
    check_rewards(table, names)
    return table, names


def _geometry(X: FloatArray, seed: int) -> dict[str, Any]:
    lengths = np.linalg.norm(np.asarray(X, np.float64), axis=1)
    if lengths.min() == 0:
        raise ValueError(f"row {int(lengths.argmin())} is zero, it has no direction: drop it")
    rows = unit_rows(X)
    if len(rows) > ALL_PAIRS:
        guess = metrics.uniformity_sampled(rows, rng=seed)
        half = 1.959964 * guess.standard_error
        uniform = Interval(guess.value, guess.value - half, guess.value + half, LEVEL, guess.n)
    else:
        uniform = uniformity_interval(kernel_profile(rows, 2.0)[0])
    return _spell("d_eff", _dimension(X)) | _spell("uniformity", uniform)


def _dimension(X: FloatArray) -> Interval:
    try:
        return metrics.participation_ratio_interval(X)
    except ValueError:
        # Too few actions for an interval; rows of an identity matrix give infinity.
        nan = float("nan")
        return Interval(metrics.participation_ratio(X), nan, nan, LEVEL, len(X))


def _spell(name: str, found: Interval) -> dict[str, float]:
    return {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}


def _table(found: dict[str, dict[str, Any]], first: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"embedding": name, "control": name == NOISE, **row, "first": first.get(name, float("nan"))}
        for name, row in found.items()
    ]
    if first:  # by the best, controls last; without labels there is no order but the given one
        rows.sort(key=lambda row: (row["control"], -row["r2"]))
        constant = {"r2": 0.0, "regret": 1.0, "coverage": 1.0}
        rows.append({"embedding": MEAN, "control": True, "width": 0, **constant})
    ends = [name + end for name in SCORES for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["embedding", "control", "width", *ends, "first"])


def _by_task(
    scores: dict[str, Score],
    regrets: dict[str, Score],
    values: NDArray[np.float64],
    names: Sequence[str],
    slate: int,
) -> pd.DataFrame:
    columns = ["task", "embedding", "labels", "r2", "low", "high", "regret", "random_loss"]
    rows = []
    for number, task in enumerate(names):
        labels = values[~np.isnan(values[:, number]), number]
        loss = best_mean_gap(labels, min(slate, labels.size))
        for name, score in scores.items():
            at = score.of_task(number)
            lost = regrets[name].estimate[number]
            rows.append((task, name, labels.size, at.estimate, at.low, at.high, lost, loss))
    return pd.DataFrame(rows, columns=columns)
