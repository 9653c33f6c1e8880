"""Does the recommendation hold: choose by a few labels, play on actions that had none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crlib.envs.arms import regret_of
from crlib.metrics.eigenbasis import standardised_rewards
from crlib.metrics.regret import best_mean_gap
from crlib.metrics.statistics import paired_bootstrap
from crlib.ranking.rank import MEAN, NOISE, Ranking
from crlib.ranking.tables import (
    FEWEST,
    FEWEST_DIFFERENT,
    Actions,
    Rewards,
    named_models,
    read_actions,
    read_rewards,
)

if TYPE_CHECKING:
    from crlib.schemas import YourEmbedding

STRATEGIES = {
    "by labels, LOO R²": "r2",
    "by labels, predicted regret": "regret",
    "by effective dimension": "d_eff",
}
BEST, ANY = "the best of each task", "any (their mean)"


@dataclass(frozen=True)
class Case:
    """What a page ranks on.

    Attributes
    ----------
    actions : Actions
    rewards : Rewards
    labelled : ndarray of float64, shape (K, m)
        Rewards of the actions from which the embedding is chosen, NaN elsewhere.
    held_out : ndarray of int64
        Other actions, whose rewards are known in all tasks.
    models : dict of str to str
    """

    actions: Actions
    rewards: Rewards
    labelled: NDArray[np.float64]
    held_out: NDArray[np.int64]
    models: dict[str, str]


def load_case(p: YourEmbedding) -> Case:
    """Read one's own files, or else harvest packages; choose the labels.

    Parameters
    ----------
    p : YourEmbedding
        `n_labels` of the actions that are labelled in all tasks are drawn, at most half of them:
        the others are held out. Tasks whose labels then say too little are left out.

    Returns
    -------
    Case

    Raises
    ------
    ValueError
        When a file is unfit, or no task is left.
    """
    models = named_models(shlex.split(p.embeddings))
    if p.actions:
        actions = read_actions(p.actions)
        rewards = read_rewards(p.rewards, actions.ids)
    else:
        from crlib import data

        found = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
        actions = Actions(found.ids, found.texts)
        values, names = data.usage_rewards(found, min_actions=p.min_actions)
        rewards = Rewards(names, values)
    complete = np.flatnonzero(~np.isnan(rewards.values).any(axis=1))
    size = min(p.n_labels, len(complete) // 2)
    chosen = np.random.default_rng([p.seed, 3]).choice(complete, size, replace=False)
    labelled = np.full_like(rewards.values, np.nan)
    labelled[chosen] = rewards.values[chosen]
    held_out = np.setdiff1d(complete, chosen)
    telling = _telling(labelled[chosen]) & _telling(rewards.values[held_out])
    if size < FEWEST or not telling.any():
        raise ValueError(
            f"{size} labels in {rewards.values.shape[1]} tasks: expected at least {FEWEST} actions "
            f"with labels in all tasks, and as many to hold out, of which {FEWEST_DIFFERENT} differ"
        )
    tasks = tuple(name for name, kept in zip(rewards.tasks, telling, strict=True) if kept)
    rewards = Rewards(tasks, rewards.values[:, telling])
    return Case(actions, rewards, labelled[:, telling], held_out, models)


def _telling(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns hold enough values that differ from their most frequent one."""
    most = [np.unique(column, return_counts=True)[1].max(initial=0) for column in values.T]
    return len(values) - np.array(most, dtype=int) >= FEWEST_DIFFERENT


def held_out_regret(
    embeddings: Mapping[str, ArrayLike],
    rewards: NDArray[np.float64],
    rows: NDArray[np.int64],
    *,
    horizon: int,
    slate: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Play linear Thompson sampling on some of the actions, a replication for each task.

    Parameters
    ----------
    embeddings : mapping of str to array_like, shape (K, d)
    rewards : ndarray of float64, shape (K, m)
    rows : ndarray of int64
        Actions that are played.
    horizon, slate, seed
        As in `crlib.envs.arms.regret_of`.

    Returns
    -------
    DataFrame
        Normalised regret (0: an oracle, 1: at random), a row an embedding, a column a task.
    """
    table = standardised_rewards(rewards[rows], len(rows))
    offered = min(slate, len(rows))
    gap = np.asarray(best_mean_gap(table, offered)) * horizon
    played = {
        name: regret_of(np.asarray(X)[rows], table, "raw", horizon=horizon, slate=offered,
                        seed=seed)[:, -1] / gap
        for name, X in embeddings.items()
    }  # fmt: skip
    return pd.DataFrame(played).T


def strategies(ranking: Ranking, regret: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Compare ways to choose an embedding for each task by the regret that follows.

    Parameters
    ----------
    ranking : Ranking
        From the labels.
    regret : DataFrame
        From `held_out_regret`, of the same embeddings and tasks.
    seed : int
        Of the bootstrap over tasks.

    Returns
    -------
    DataFrame
        choice, arm, family (for the drawing), regret, and low and high of the mean over tasks;
        over_any: the mean embedding's regret minus it; under_labels: it minus the regret of the
        choice by R^2; both with _low and _high, paired over tasks. NaN ends for a single task.
    """
    names = list(regret.index)
    scores = ranking.tasks.pivot(index="embedding", columns="task", values="r2").loc[names]
    order = list(dict.fromkeys(ranking.tasks["task"]))
    by_task = {
        "r2": scores[order].to_numpy(),
        "regret": -ranking.tasks.pivot(index="embedding", columns="task", values="regret")
        .loc[names, order].to_numpy(),
    }  # fmt: skip
    wide = ranking.table.set_index("embedding")["d_eff"].loc[names].to_numpy()
    by_task["d_eff"] = np.repeat(wide[:, None], len(order), axis=1)
    lost = regret.to_numpy(np.float64)
    chosen = {name: lost[by_task[key].argmax(axis=0), np.arange(len(order))]
              for name, key in STRATEGIES.items()}  # fmt: skip
    chosen = {BEST: lost.min(axis=0), **chosen, ANY: lost.mean(axis=0)}
    labels, anyone = chosen["by labels, LOO R²"], chosen[ANY]
    rows = []
    for name, values in chosen.items():
        row = {"choice": name, "arm": "mean over tasks", "regret": values.mean(),
               "family": "contrastive" if "labels" in name else "control",
               "over_any": float(np.mean(anyone - values)),
               "under_labels": float(np.mean(values - labels))}  # fmt: skip
        if len(order) > 1:
            own = paired_bootstrap(values, np.zeros(len(order)), rng=seed)
            over = paired_bootstrap(anyone, values, rng=seed)
            under = paired_bootstrap(values, labels, rng=seed)
            row |= {"low": own.low, "high": own.high,
                    "over_any_low": over.low, "over_any_high": over.high,
                    "under_labels_low": under.low, "under_labels_high": under.high}  # fmt: skip
        rows.append(row)
    gains = [name + end for name in ("over_any", "under_labels") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["choice", "arm", "family", "regret", "low", "high", *gains])


def gain_said(row: pd.Series, gain: str) -> str:
    """Put a gain into words, with its interval where there is one.

    Parameters
    ----------
    row : Series
        A row of `strategies`.
    gain : {"over_any", "under_labels"}
    """
    if np.isnan(row[f"{gain}_low"]):
        return f"{row[gain]:.3f} (one task, so that there is no interval)"
    ends = f"{row[f'{gain}_low']:.3f} to {row[f'{gain}_high']:.3f}"
    return f"{row[gain]:.3f} (95% interval over tasks {ends})"


def drawn(ranking: Ranking) -> pd.DataFrame:
    """Return R^2 with its interval for the drawing: embedding, arm, family, r2, low, high."""
    table = ranking.table[ranking.table["embedding"] != MEAN]
    family = ["control" if control else "contrastive" for control in table["control"]]
    return pd.DataFrame({
        "embedding": table["embedding"], "arm": "mean over tasks", "family": family,
        "r2": table["r2"], "low": table["r2_low"], "high": table["r2_high"],
    })  # fmt: skip


def calibration(ranking: Ranking, regret: pd.DataFrame) -> pd.DataFrame:
    """Compare how sure the first place is with how often it comes true, task by task.

    Returns
    -------
    DataFrame
        task, best, second (by R^2), stated (share of the resamples in which the best is better
        than the second), came_true (whether it had the smaller regret).
    """
    own = {name: score for name, score in ranking.scores.items() if name != NOISE}
    rows = []
    for number, task in enumerate(dict.fromkeys(ranking.tasks["task"]) if len(own) > 1 else ()):
        best, second, *_ = sorted(own, key=lambda name: -own[name].estimate[number])
        ahead = own[best].draws[:, number] > own[second].draws[:, number]
        won = regret.loc[best].iloc[number] < regret.loc[second].iloc[number]
        rows.append((task, best, second, float(ahead.mean()), bool(won)))
    return pd.DataFrame(rows, columns=["task", "best", "second", "stated", "came_true"])
