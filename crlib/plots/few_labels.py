"""Rankings of embeddings by a score and by regret: chapter N1."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy import stats

from crlib.figures import COLOURS

SCORES = ("R2 from labels", "participation ratio")


def rank_correlations(
    scores: NDArray[np.floating], value: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return Spearman's correlation over embeddings, for each task.

    Parameters
    ----------
    scores, value : ndarray, shape (n_embeddings, n_tasks)

    Returns
    -------
    ndarray of float64, shape (n_tasks,)
        0 where a score is the same for all embeddings.
    """
    found = [stats.spearmanr(s, v).statistic if np.ptp(s) and np.ptp(v) else 0.0
             for s, v in zip(scores.T, value.T, strict=True)]  # fmt: skip
    return np.array(found)


def regret_of_choice(
    scores: NDArray[np.floating], regret: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return each task's regret with the embedding of the highest score; the mean of equals.

    Parameters
    ----------
    scores, regret : ndarray, shape (n_embeddings, n_tasks)

    Returns
    -------
    ndarray of float64, shape (n_tasks,), or (1,) of ones without tasks
    """
    if not scores.size:
        return np.ones(1)
    best = scores == scores.max(axis=0)
    return np.asarray((regret * best).sum(axis=0) / best.sum(axis=0), np.float64)


def scatter(frame: pd.DataFrame) -> go.Figure:
    """Draw normalised regret against each judged score, a mark an embedding.

    Parameters
    ----------
    frame : DataFrame
        Columns embedding, family, normalised regret, and those of `SCORES`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, score in enumerate(SCORES, 1):
        for family, rows in frame.groupby("family", sort=False):
            fig.add_trace(go.Scatter(
                x=rows[score].tolist(), y=rows["normalised regret"].tolist(), mode="markers",
                name=str(family), legendgroup=str(family), showlegend=column == 1,
                text=rows["embedding"].tolist(),
                marker={"color": COLOURS[str(family)], "size": 9,
                        "symbol": "diamond" if family == "contrastive" else "circle"},
                hovertemplate="%{text}<br>%{x:.3f}, regret %{y:.3f}<extra></extra>",
            ), row=1, col=column)  # fmt: skip
        fig.update_xaxes(title=score, row=1, col=column)
    fig.update_yaxes(title="normalised regret", row=1, col=1)
    fig.update_layout(height=460)
    return fig


def scatter_alt(frame: pd.DataFrame) -> str:
    """Say in words which embeddings lose least and most, and their scores."""
    ordered = frame.sort_values("normalised regret")
    lines = ["Mean normalised regret against mean leave-one-out R squared and participation ratio."]
    for word, row in (("Least", ordered.iloc[0]), ("Most", ordered.iloc[-1])):
        lines.append(
            f"{word}: {row['embedding']}, regret {row['normalised regret']:.3f}, R squared "
            f"{row['R2 from labels']:.3f}, participation ratio {row['participation ratio']:.1f}."
        )
    return " ".join(lines)
