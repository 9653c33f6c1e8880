"""Figures of chapter C3: coverage and reward coverage against the size of the random subset."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from crlib.extractors import Pair
from crlib.figures import COLOURS
from crlib.plots.pairs import CONTROL_DASHES, pair_slider


def curves(
    frame: pd.DataFrame,
    pairs: Sequence[Pair],
    column: str,
    *,
    title: str,
    k: int,
    sphere: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw a quantity against k: a slider's step for each pair, the controls always.

    Parameters
    ----------
    frame : DataFrame
        Columns model, family, dimensions, k and `column`; one row a model and k.
    pairs : sequence of Pair
        May be empty: then every model that is no control stands in one drawing.
    column : str
        What is drawn upwards.
    title : str
        Of the vertical axis.
    k : int
        The judged size, marked by a vertical line.
    sphere : DataFrame, optional
        Columns dimensions, k and `column`: points spread evenly over the sphere.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    for pair in pairs:
        if sphere is not None:
            wide = frame.loc[frame["model"] == pair.contrastive, "dimensions"].iloc[0]
            fig.add_trace(_sphere(sphere, int(wide), column))
        for name in pair.models:
            fig.add_trace(_curve(frame, name, column))
    paired = {name for pair in pairs for name in pair.models}
    if sphere is not None and not pairs:
        fig.add_traces([_sphere(sphere, d, column) for d in sphere["dimensions"].unique()])
    others = [name for name in frame["model"].unique() if name not in paired]
    fig.add_traces([_curve(frame, name, column) for name in others])
    pair_slider(fig, pairs, 2 if sphere is None else 3)
    fig.add_vline(x=k, line={"color": "#000000", "width": 1, "dash": "dot"})
    fig.update_xaxes(type="log", dtick=1, title="k, size of the random subset")
    fig.update_yaxes(title=title, rangemode="tozero")
    fig.update_layout(height=520)
    return fig


def curves_alt(
    frame: pd.DataFrame, pairs: Sequence[Pair], column: str, *, what: str, ks: Sequence[int]
) -> str:
    """Say in words how a quantity falls with k, for each pair and for the controls.

    Parameters
    ----------
    frame, pairs, column
        As in `curves`.
    what : str
        Name of the quantity, at the start of the sentence.
    ks : sequence of int
        Sizes that were drawn; the ends and the middle one are quoted.

    Returns
    -------
    str
    """
    ends = sorted({ks[0], ks[len(ks) // 2], ks[-1]})
    sizes = ", ".join(f"{size:,}" for size in ends)
    lines = [f"{what} (vertical) against k (horizontal, logarithmic). At k = {sizes}:"]
    table = frame.pivot(index="model", columns="k", values=column)[ends]
    paired = [name for pair in pairs for name in pair.models]
    for name in dict.fromkeys([*paired, *(n for n in table.index if n in CONTROL_DASHES)]):
        lines.append(f"{name} {', '.join(f'{value:.3f}' for value in table.loc[name])};")
    return " ".join(lines).rstrip(";:") + "."


def _curve(frame: pd.DataFrame, name: str, column: str) -> go.Scatter:
    rows = frame[frame["model"] == name]
    family = str(rows["family"].iloc[0])
    return go.Scatter(
        x=rows["k"].tolist(),
        y=rows[column].tolist(),
        mode="lines" if family == "control" else "lines+markers",
        name=name,
        line={"color": COLOURS[family], "dash": CONTROL_DASHES.get(name, "solid")},
        marker={"symbol": "diamond" if family == "contrastive" else "circle", "size": 7},
        hovertemplate=f"{name}<br>k = %{{x:,}}<br>%{{y:.3f}}<extra></extra>",
    )


def _sphere(sphere: pd.DataFrame, d: int, column: str) -> go.Scatter:
    rows = sphere[sphere["dimensions"] == d]
    return go.Scatter(
        x=rows["k"].tolist(),
        y=rows[column].tolist(),
        mode="lines",
        name=f"sphere, d = {d}",
        line={"color": "#c4c4c4", "width": 5},  # wide and pale: a curve upon it stays visible
        hovertemplate=f"sphere, d = {d}<br>k = %{{x:,}}<br>%{{y:.3f}}<extra></extra>",
    )


def strips(
    frame: pd.DataFrame,
    *,
    title: str = "difference of reward coverage<br>(left: contrastive tells more)",
) -> go.Figure:
    """Draw every reward function's difference as a point, a row a pair, the mean as a line.

    Parameters
    ----------
    frame : DataFrame
        Columns pair, community, difference (contrastive minus reconstruction).
    title : str
        Of the horizontal axis.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    for name, rows in frame.groupby("pair", sort=False):
        fig.add_trace(
            go.Box(
                x=rows["difference"].tolist(), y=[name] * len(rows), orientation="h",
                boxpoints="all", boxmean=True, jitter=0.6, pointpos=0, name=str(name),
                text=rows["community"].tolist(), fillcolor="rgba(0,0,0,0)",
                line={"color": "#555555", "width": 1},
                marker={"color": COLOURS["contrastive"], "size": 5, "opacity": 0.7},
                hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            )
        )  # fmt: skip
    fig.add_vline(x=0, line={"color": "#000000", "width": 1})
    fig.update_xaxes(title=title)
    fig.update_yaxes(automargin=True, autorange="reversed")
    fig.update_layout(showlegend=False, height=160 + 70 * frame["pair"].nunique())
    return fig


def strips_alt(frame: pd.DataFrame, *, what: str = "Difference of reward coverage") -> str:
    """Say in words for how many reward functions the difference lies below zero."""
    lines = [f"{what}, contrastive minus reconstruction, a point a function."]
    for name, rows in frame.groupby("pair", sort=False):
        values = rows["difference"]
        lines.append(
            f"{name}: below zero for {int((values < 0).sum())} of {len(values)}, mean "
            f"{values.mean():.3f}, from {values.min():.3f} to {values.max():.3f}."
        )
    return " ".join(lines)
