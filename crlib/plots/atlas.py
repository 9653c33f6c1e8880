"""The validity atlas as a figure: one part of a claim along one axis, a step of the slider each."""

import pandas as pd
import plotly.graph_objects as go

from crlib.figures import slider
from crlib.sweep.atlas import AXES, UNORDERED

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666")
SYMBOLS = {"supported": "circle", "not supported": "x", "inconclusive": "circle-open"}


def atlas(frame: pd.DataFrame) -> go.Figure:
    """Draw estimates and intervals against the axis; the marks say the verdict.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `crlib.sweep.atlas.along_axes` gives it.

    Returns
    -------
    plotly.graph_objects.Figure
        A step of the slider for each part and ordered axis, a line for each pair, a dotted line at
        the value that is judged in its chapter.
    """
    fig, labels = go.Figure(), []
    frame = frame[~frame["axis"].isin(UNORDERED)]
    groups = list(dict.fromkeys(frame["group"]))
    for (part, axis), rows in frame.groupby(["part", "axis"], sort=False):
        labels.append(f"{part} over {AXES[str(axis)].split()[-1]}")
        for place, group in enumerate(groups):
            fig.add_trace(_line(rows[rows["group"] == group], str(group), place))
        low, high = rows["ci_low"].min(), rows["ci_high"].max()
        fig.add_trace(go.Scatter(
            x=[rows["judged"].iloc[0]] * 2, y=[low, high], mode="lines", name="judged",
            line={"color": "#000000", "width": 1, "dash": "dot"}, hoverinfo="skip",
        ))  # fmt: skip
    slider(fig, labels, len(groups) + 1, title="part")
    fig.layout.sliders[0].len = 0.9  # the last step's label is centred on the end
    fig.update_xaxes(type="log", title="value of the axis (logarithmic)")
    fig.update_yaxes(title="estimate and 95% interval")
    fig.update_layout(height=580)
    return fig


def _line(rows: pd.DataFrame, group: str, place: int) -> go.Scatter:
    colour = COLOURS[place % len(COLOURS)]
    estimate = rows["estimate"]
    return go.Scatter(
        x=rows["value"].tolist(), y=estimate.tolist(), mode="lines+markers", name=group,
        line={"color": colour, "width": 1.5}, showlegend=not rows.empty,
        marker={"symbol": [SYMBOLS[verdict] for verdict in rows["verdict"]], "size": 9},
        error_y={"type": "data", "symmetric": False, "thickness": 1.2,
                 "array": (rows["ci_high"] - estimate).tolist(),
                 "arrayminus": (estimate - rows["ci_low"]).tolist()},
        text=rows["verdict"].tolist(),
        hovertemplate=f"{group}<br>%{{x:,}}: %{{y:.3g}}, %{{text}}<extra></extra>",
    )  # fmt: skip


def atlas_alt(frame: pd.DataFrame, table: pd.DataFrame) -> str:
    """Say in words along how many lines the verdict holds and how it moves, and which flip."""
    counts = table["kind"].value_counts()
    flipping = table[table["kind"] == "flips"]
    named = sorted({f"{row.part} over {row.axis} ({row.group})" for row in flipping.itertuples()})
    steps = frame[~frame["axis"].isin(UNORDERED)].groupby(["part", "axis"]).ngroups
    return (
        f"Estimates with intervals of {steps} parts and axes, a line a pair of models. The verdict "
        f"is the same at all values in {counts.get('holds', 0)} of {len(table)} lines, and the "
        f"interval too in {counts.get('idle', 0)}, where the parameter has no part in it; the "
        f"verdict becomes inconclusive away from where it is judged in {counts.get('fades', 0)}, "
        f"is inconclusive where it is judged and decided elsewhere in {counts.get('emerges', 0)}, "
        f"and turns into its opposite in "
        f"{counts.get('flips', 0)}{': ' + ', '.join(named) if named else ''}."
    )
