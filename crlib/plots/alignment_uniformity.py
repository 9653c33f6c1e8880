"""Figures of chapter C2: the alignment-uniformity plane, and relevance beside uniformity."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from crlib.extractors import MODELS, Pair
from crlib.figures import COLOURS, slider
from crlib.metrics.sphere import uniformity_minimum

SYMBOLS = {
    "reconstruction": "circle",
    "contrastive": "diamond",
    "pretrained": "star",
    "control": "x",
}


def plane(
    frame: pd.DataFrame, pairs: Sequence[Pair], dimensions: Sequence[int], t: float
) -> go.Figure:
    """Draw all models by alignment and uniformity, with a slider over the temperature.

    Parameters
    ----------
    frame : DataFrame
        Columns model, family, t, alignment, uniformity; one row a model and temperature.
    pairs : sequence of Pair
        Matched pairs, joined by a line.
    dimensions : sequence of int
        Widths d whose sphere's minimum is drawn.
    t : float
        The temperature shown at first, one of `frame.t`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    ts = sorted(frame["t"].unique())
    top = float(frame["alignment"].max()) * 1.08
    per_step = 0
    for value in ts:
        here = frame[frame["t"] == value].set_index("model")
        traces = [_links(here, pairs), *_minima(dimensions, value, top)]
        traces += [_family(here, family, "alignment") for family in SYMBOLS]
        per_step = len(traces)
        fig.add_traces(traces)
    slider(fig, [f"{value:g}" for value in ts], per_step, title="t", active=ts.index(t))
    fig.update_xaxes(title="uniformity loss L_unif (left: more uniform)")
    fig.update_yaxes(title="alignment loss L_align (down: better aligned)", range=[0, top])
    fig.update_layout(height=560)
    return fig


def relevance(frame: pd.DataFrame, t: float) -> go.Figure:
    """Draw the recall of related actions against uniformity at temperature `t`.

    Parameters
    ----------
    frame : DataFrame
        Columns model, family, t, uniformity, recall.
    t : float

    Returns
    -------
    plotly.graph_objects.Figure
    """
    here = frame[frame["t"] == t].set_index("model")
    fig = go.Figure([_family(here, family, "recall") for family in SYMBOLS])
    fig.update_xaxes(title=f"uniformity loss L_unif, t = {t:g} (left: more uniform)")
    fig.update_yaxes(title="See Also recall at 10", rangemode="tozero")
    fig.update_layout(height=460)
    return fig


def plane_alt(frame: pd.DataFrame, pairs: Sequence[Pair], t: float) -> str:
    """Say in words where the models lie in the plane at temperature `t`."""
    here = frame[frame["t"] == t].set_index("model")
    uniformity, alignment = here["uniformity"].to_dict(), here["alignment"].to_dict()
    even = min(uniformity, key=uniformity.__getitem__)
    close = min(alignment, key=alignment.__getitem__)
    lines = [
        "Alignment loss (vertical) against uniformity loss (horizontal) of "
        f"{len(here)} models at t = {t:g}; both are better when smaller. "
        f"Most uniform: {even} ({uniformity[even]:.2f}); "
        f"best aligned: {close} ({alignment[close]:.2f})."
    ]
    for pair in pairs:
        old, new = pair.models
        lines.append(
            f"{pair.name}: from uniformity {uniformity[old]:.2f}, alignment {alignment[old]:.2f} "
            f"to {uniformity[new]:.2f}, {alignment[new]:.2f}."
        )
    return " ".join(lines)


def relevance_alt(frame: pd.DataFrame, t: float) -> str:
    """Say in words which models find related actions, and how uniform those are."""
    here = frame[frame["t"] == t].set_index("model")
    recall, uniformity = here["recall"].to_dict(), here["uniformity"].to_dict()
    best, worst = max(recall, key=recall.__getitem__), min(recall, key=recall.__getitem__)
    return (
        f"See Also recall at 10 (vertical) against uniformity loss (horizontal) of {len(here)} "
        f"models. Highest recall: {best} ({recall[best]:.2f}, uniformity {uniformity[best]:.2f}); "
        f"lowest: {worst} ({recall[worst]:.2f}, uniformity {uniformity[worst]:.2f})."
    )


def _family(here: pd.DataFrame, family: str, column: str) -> go.Scatter:
    rows = here[here["family"] == family]
    # Names beside every point would overlap: other seeds carry theirs in the hover alone.
    labels = ["" if name in MODELS and MODELS[name].seed else name for name in rows.index]
    return go.Scatter(
        x=rows["uniformity"].tolist(),
        y=rows[column].tolist(),
        mode="markers+text",
        name=family,
        text=labels,
        textposition="top center",
        textfont={"size": 11},
        cliponaxis=False,
        customdata=[str(name) for name in rows.index],
        hovertemplate="%{customdata}<br>L_unif %{x:.3f}<br>" + column + " %{y:.3f}<extra></extra>",
        marker={"color": COLOURS[family], "symbol": SYMBOLS[family], "size": 10},
    )


def _links(here: pd.DataFrame, pairs: Sequence[Pair]) -> go.Scatter:
    uniformity, alignment = here["uniformity"].to_dict(), here["alignment"].to_dict()
    x: list[float | None] = []
    y: list[float | None] = []
    for pair in pairs:  # None lifts the pen between two pairs
        x += [uniformity[pair.reconstruction], uniformity[pair.contrastive], None]
        y += [alignment[pair.reconstruction], alignment[pair.contrastive], None]
    return go.Scatter(
        x=x, y=y, mode="lines", name="matched pair", hoverinfo="skip",
        line={"color": "#999999", "width": 1},
    )  # fmt: skip


def _minima(dimensions: Sequence[int], t: float, top: float) -> list[go.Scatter]:
    dashes = ("dash", "dot", "dashdot")
    lines = []
    for place, d in enumerate(dimensions):
        least = uniformity_minimum(d, t)
        lines.append(
            go.Scatter(
                x=[least, least], y=[0, top], mode="lines", name=f"sphere's minimum, d = {d}",
                line={"color": "#000000", "width": 1, "dash": dashes[place % len(dashes)]},
                hovertemplate=f"minimum on the sphere, d = {d}: {least:.3f}<extra></extra>",
            )
        )  # fmt: skip
    return lines
