"""The figure of the chapter on cost: a quantity against the number of actions."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy import stats

STYLES = {
    "exact": ("#000000", "solid", "circle"),
    "scan": ("#0072B2", "dash", "square"),
    "ivf": ("#D55E00", "dot", "diamond"),
}


def curves(frame: pd.DataFrame, value: str, title: str) -> go.Figure:
    """Draw a quantity against K, a curve an index, both axes logarithmic.

    Parameters
    ----------
    frame : DataFrame
        Columns K, index and `value`.
    value : str
    title : str
        Of the vertical axis.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    for name, rows in frame.groupby("index", sort=False):
        colour, dash, symbol = STYLES[str(name)]
        fig.add_trace(go.Scatter(
            x=rows["K"].tolist(), y=rows[value].tolist(), mode="lines+markers", name=str(name),
            line={"color": colour, "dash": dash}, marker={"symbol": symbol, "size": 8},
            hovertemplate=f"{name}<br>K = %{{x:,}}<br>%{{y:.3g}}<extra></extra>",
        ))  # fmt: skip
    fig.update_xaxes(type="log", dtick=1, title="K, number of actions")
    fig.update_yaxes(type="log", title=title)
    fig.update_layout(height=440)
    return fig


def curves_alt(frame: pd.DataFrame, value: str, what: str) -> str:
    """Say in words what each curve is at its ends."""
    lines = [f"{what} against the number of actions K, both logarithmic:"]
    for name, rows in frame.groupby("index", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        lines.append(
            f"{name} {first[value]:,.0f} at K = {first['K']:,} and {last[value]:,.0f} at "
            f"{last['K']:,};"
        )
    return " ".join(lines).rstrip(";") + "."


def exponent(frame: pd.DataFrame, index: str, *, least: int) -> float:
    """Return p of "time a round grows as K^p": the slope of its logarithm from `least` on.

    Parameters
    ----------
    frame : DataFrame
        Columns K, index and rounds_per_second.
    index : str
    least : int
        Smaller K are left out, as long as two are left.

    Returns
    -------
    float
    """
    rows = frame[frame["index"] == index]
    kept = rows[rows["K"] >= least]
    kept = kept if len(kept) >= 2 else rows
    fit = stats.linregress(np.log(kept["K"]), -np.log(kept["rounds_per_second"]))
    return float(fit.slope)
