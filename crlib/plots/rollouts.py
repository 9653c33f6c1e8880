"""Learning curves of the tool agent by number of tools and embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from crlib.extractors.specs import Pair
from crlib.figures import COLOURS, slider
from crlib.metrics.regret import ThresholdTimes, recent_mean
from crlib.metrics.statistics import paired_bootstrap
from crlib.plots.pairs import CONTROL_DASHES

Key = tuple[str, str, int]  # embedding, arm or agent, number of tools
DASHES = CONTROL_DASHES | {"plain": "dot", "wolpertinger": "dashdot"}
Curves = Mapping[Key, NDArray[np.float64]]


def curve_frame(
    curves: Curves, families: Mapping[str, str], *, batch: int, window: int
) -> pd.DataFrame:
    """Return the mean over tasks of each learning curve, smoothed over the last updates.

    Parameters
    ----------
    curves : mapping of (embedding, arm, tools) to ndarray, shape (n_tasks, updates)
    families : mapping of str to str
    batch : int
        Roll-outs of an update.
    window : int
        Updates that are averaged.

    Returns
    -------
    DataFrame
        Columns embedding (and the agent, where it is another one), family, tools, rollouts,
        success.
    """
    parts = []
    for (name, arm, tools), runs in curves.items():
        mean = recent_mean(runs, window).mean(axis=0)
        parts.append(pd.DataFrame({
            "embedding": name if arm == "raw" else f"{name}, {arm}",
            "family": families[name], "tools": tools,
            "rollouts": batch * (window + np.arange(len(mean))), "success": mean,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def curves(frame: pd.DataFrame) -> go.Figure:
    """Draw learning curves, with a slider over the number of tools.

    Parameters
    ----------
    frame : DataFrame
        As `curve_frame` gives it, the same embeddings for each number of tools.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    sizes, names = sorted(frame["tools"].unique()), sorted(frame["embedding"].unique())
    for size in sizes:
        for name in names:
            rows = frame[(frame["tools"] == size) & (frame["embedding"] == name)]
            fig.add_trace(go.Scatter(
                x=rows["rollouts"].tolist(), y=rows["success"].tolist(), mode="lines", name=name,
                line={"color": COLOURS[rows["family"].iloc[0]],
                      "dash": DASHES.get(name.split(", ")[-1], "solid")},
            ))  # fmt: skip
    slider(fig, [f"{size:,}" for size in sizes], len(names), title="tools on offer")
    fig.update_xaxes(title="roll-outs")
    fig.update_yaxes(title="success of recent roll-outs", range=[0, 1])
    fig.update_layout(height=440)
    return fig


def curves_alt(frame: pd.DataFrame) -> str:
    """Say in words where each curve ends."""
    said = []
    for size, rows in frame.groupby("tools"):
        ends = rows.groupby("embedding", sort=False)["success"].last()
        each = ", ".join(f"{name} {end:.2f}" for name, end in ends.items())
        said.append(f"{size} tools: {each}")
    return f"Success of the last roll-outs. {'; '.join(said)}."


def effect_frame(areas: Curves, pairs: Sequence[Pair], k: int, *, seed: int) -> pd.DataFrame:
    """Return the paired difference of areas of each pair and arm, with its interval."""
    rows = []
    for pair in pairs:
        for arm in ("raw", "whitened"):
            old, new = (areas[name, arm, k] for name in pair.models)
            found = paired_bootstrap(new, old, rng=seed)
            rows.append({
                "pair": pair.name, "arm": arm, "family": "contrastive",
                "effect": found.estimate, "low": found.low, "high": found.high,
            })  # fmt: skip
    return pd.DataFrame(rows)


def table(areas: Curves, reached: Mapping[Key, ThresholdTimes]) -> pd.DataFrame:
    """Return area, runs that met the threshold and median roll-outs of each setting, as text."""
    rows: list[dict[str, Any]] = []
    for key, found in reached.items():
        median = found.median
        rows.append({
            "embedding": key[0], "arm": key[1], "tools": key[2], "area": f"{areas[key].mean():.3f}",
            "reached": f"{len(found.rollouts) - found.censored} of {len(found.rollouts)}",
            "roll-outs": f"{median:,.0f}" if np.isfinite(median) else "–",
        })  # fmt: skip
    frame = pd.DataFrame(rows).sort_values(["tools", "embedding", "arm"])
    return frame.set_index(["tools", "embedding", "arm"])
