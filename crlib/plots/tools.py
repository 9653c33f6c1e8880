"""Success of tool agents by embedding, and chains to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML
from numpy.typing import ArrayLike, NDArray

from crlib.data.actions import ActionSet
from crlib.envs.chains import Scores, score_intervals
from crlib.envs.tool_tasks import ToolTasks
from crlib.plots.python_api import table

Key = tuple[str, str]  # embedding, agent


def score_frame(
    scores: Mapping[Key, Scores], tasks: ToolTasks, families: Mapping[str, str], *, seed: int
) -> pd.DataFrame:
    """Return success and coverage on unseen queries with their intervals, and on the others.

    Parameters
    ----------
    scores : mapping of (embedding, agent) to scores of all queries
    tasks : ToolTasks
    families : mapping of str to str
        Family of each embedding.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns embedding, arm (the agent), family; success, success low, success high, coverage,
        coverage low and coverage high of unseen queries; training success and training coverage;
        new tools coverage, of unseen tools.
    """
    rows = []
    for (embedding, agent), found in scores.items():
        wanted = {name: found[name] for name in ("success", "coverage")}
        ends = score_intervals(
            wanted, tasks.solutions, {"unseen": tasks.unseen_queries}, rng=seed
        )["unseen"]  # fmt: skip
        rows.append({
            "embedding": embedding, "arm": agent, "family": families.get(embedding, "control"),
            "success": ends["success"].estimate, "success low": ends["success"].low,
            "success high": ends["success"].high, "coverage": ends["coverage"].estimate,
            "coverage low": ends["coverage"].low, "coverage high": ends["coverage"].high,
            "training success": found["success"][tasks.train].mean(),
            "training coverage": found["coverage"][tasks.train].mean(),
            "new tools coverage": found["coverage"][tasks.unseen_tools].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def telling_queries(success: ArrayLike, numbers: ArrayLike, n: int) -> list[int]:
    """Choose queries to show: half of those with the most success, half of those with the least.

    Ties go to the lower number, so that nobody has picked them.
    """
    rows = np.asarray(numbers)
    values = np.asarray(success)[rows]
    order = rows[np.argsort(-values, kind="stable")]
    best, rest = order[: (n + 1) // 2], order[(n + 1) // 2 :]
    worst = rest[np.argsort(np.asarray(success)[rest], kind="stable")][: n - len(best)]
    return [int(i) for i in (*best, *worst)]


def chain_table(
    tasks: ToolTasks, actions: ActionSet, chains: NDArray[np.int64], shown: Sequence[int]
) -> HTML:
    """Show chains beside what was needed, a tick where a call was right.

    Parameters
    ----------
    tasks : ToolTasks
    actions : ActionSet
    chains : ndarray of int64, shape (N, L)
        One agent's chains for all queries.
    shown : sequence of int
        Queries.

    Returns
    -------
    IPython.display.HTML
        Of escaped text.
    """
    rows = []
    for number in shown:
        needed = tasks.solutions[number]
        called = [tool for tool in chains[number].tolist() if tool >= 0]
        rows.append((
            tasks.texts[number][:160],
            ", ".join(actions.ids[tool] for tool in needed),
            ", ".join(f"{'✓ ' * (tool in needed)}{actions.ids[tool]}" for tool in called),
            "yes" if set(needed) <= set(called) else "no",
        ))  # fmt: skip
    return table(rows, ("query", "needed", "called", "solved"))
