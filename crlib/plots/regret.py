"""Figures of the regret chapters: curves with their bands, and one mark for each run."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from crlib.extractors import Pair
from crlib.figures import COLOURS
from crlib.plots.pairs import CONTROL_DASHES, pair_slider

ARM_MARKS = {
    "raw": "circle", "whitened": "square-open", "eb": "diamond", "neural": "star",
    "geometry": "circle", "information": "diamond", "interaction": "x",
    "geometry, predicted": "circle-open", "information, predicted": "diamond-open",
    "plain head": "star", "retrieval": "triangle-up-open", "random": "circle-open",
    "nearest problem": "triangle-up-open", "critic alone": "star", "random steps": "circle-open",
}  # fmt: skip
# Whose colour an effect of the spectrum transplant takes.
EFFECT_COLOURS = {
    "geometry": "reconstruction", "information": "contrastive", "interaction": "control",
}  # fmt: skip
NORMAL_95 = 1.96


def checkpoints(horizon: int, n_points: int = 40) -> NDArray[np.int64]:
    """Rounds at which a curve is drawn: 1 to `horizon`, evenly spaced in the logarithm."""
    return np.unique(np.rint(np.geomspace(1, horizon, n_points)).astype(np.int64))


def curve_frame(
    curves: Mapping[tuple[str, str], ArrayLike],
    families: Mapping[str, str],
    predicted: Mapping[str, ArrayLike] | None = None,
) -> pd.DataFrame:
    """Condense cumulative regrets to their mean and its 95% band at the checkpoints.

    Parameters
    ----------
    curves : mapping of (model, arm) to (m, T) array
        Cumulative regret of m reward functions.
    families : mapping of str to str
        Family of each model, for its colour.
    predicted : mapping of str to (n_points, m) array, optional
        Predicted regret of the raw arm at the checkpoints.

    Returns
    -------
    DataFrame
        Columns model, family, arm, t, regret, low, high; the arm "predicted" has no band.
    """
    parts = []
    for (model, arm), values in curves.items():
        regret = np.asarray(values, np.float64)
        t = checkpoints(regret.shape[1])
        at = regret[:, t - 1]
        half = NORMAL_95 * at.std(axis=0, ddof=1) / np.sqrt(len(at)) if len(at) > 1 else 0 * at[0]
        mean = at.mean(axis=0)
        parts.append(pd.DataFrame({
            "model": model, "family": families[model], "arm": arm, "t": t, "regret": mean,
            "low": mean - half, "high": mean + half,
        }))  # fmt: skip
    for model, stated in (predicted or {}).items():
        mean = np.asarray(stated).mean(axis=1)
        horizon = max(frame["t"].max() for frame in parts)
        parts.append(pd.DataFrame({
            "model": model, "family": families[model], "arm": "predicted",
            "t": checkpoints(int(horizon)), "regret": mean, "low": mean, "high": mean,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def curves(frame: pd.DataFrame, pairs: Sequence[Pair], *, arm: str = "raw") -> go.Figure:
    """Draw regret a round, R(t) / t, against t, both logarithmic: a slider's step for each pair.

    Flat is linear regret, a slope of minus a half its square root. R(t) itself would rise over so
    many decades that no two curves could be told apart.

    Parameters
    ----------
    frame : DataFrame
        From `curve_frame`.
    pairs : sequence of Pair
        May be empty: then every model stands in one drawing.
    arm : str
        The arm that is drawn with its band; a predicted curve is dotted.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    drawn = frame[frame["arm"].isin([arm, "predicted"])]
    has_prediction = "predicted" in set(drawn["arm"])
    names = [name for pair in pairs for name in pair.models]
    for name in names:
        _add_curves(fig, drawn[drawn["model"] == name], arm, prediction=has_prediction)
    rest = [name for name in drawn["model"].unique() if name not in names]
    for name in rest:
        _add_curves(fig, drawn[drawn["model"] == name], arm, prediction=False)
    pair_slider(fig, pairs, 2 * (3 if has_prediction else 2))
    fig.update_xaxes(type="log", dtick=1, title="round t")
    fig.update_yaxes(type="log", title="regret a round, R(t) / t")
    fig.update_layout(height=520)
    return fig


def _add_curves(fig: go.Figure, rows: pd.DataFrame, arm: str, *, prediction: bool) -> None:
    played = rows[rows["arm"] == arm]
    family, name = str(played["family"].iloc[0]), str(played["model"].iloc[0])
    t = played["t"].tolist()
    low, high = (played["low"] / t).clip(lower=1e-3).tolist(), (played["high"] / t).tolist()
    fig.add_trace(go.Scatter(
        x=t + t[::-1], y=high + low[::-1], fill="toself",
        fillcolor=COLOURS[family], opacity=0.15, line={"width": 0}, hoverinfo="skip",
        showlegend=False, name=f"{name}, 95% band",
    ))  # fmt: skip
    fig.add_trace(go.Scatter(
        x=t, y=(played["regret"] / t).tolist(), mode="lines", name=name,
        line={"color": COLOURS[family], "dash": CONTROL_DASHES.get(name, "solid")},
        hovertemplate=f"{name}<br>t = %{{x:,}}<br>%{{y:.3f}} a round<extra></extra>",
    ))  # fmt: skip
    if prediction:
        stated = rows[rows["arm"] == "predicted"]
        fig.add_trace(go.Scatter(
            x=stated["t"].tolist(), y=(stated["regret"] / stated["t"]).tolist(), mode="lines",
            name=f"{name}, predicted", line={"color": COLOURS[family], "dash": "dot"},
            hovertemplate=f"{name}, predicted<br>t = %{{x:,}}<br>%{{y:.3f}}<extra></extra>",
        ))  # fmt: skip


def curves_alt(frame: pd.DataFrame, pairs: Sequence[Pair], *, arm: str = "raw") -> str:
    """Say in words where each curve ends, and where its prediction does."""
    last = frame[frame["t"] == frame["t"].max()].set_index(["model", "arm"])["regret"].to_dict()
    horizon = int(frame["t"].max())
    lines = [f"Regret a round against rounds, both logarithmic. R(t) after {horizon:,} rounds:"]
    paired = [name for pair in pairs for name in pair.models]
    for name in dict.fromkeys([*paired, *frame["model"]]):
        ending = f"{name} {last[name, arm]:,.0f}"
        if (name, "predicted") in last:
            ending += f" (predicted {last[name, 'predicted']:,.0f})"
        lines.append(ending + ";")
    return " ".join(lines).rstrip(";") + "."


def marks(
    frame: pd.DataFrame,
    *,
    value: str,
    row: str,
    title: str,
    line: float | None = None,
    ends: tuple[str, str] = ("low", "high"),
) -> go.Figure:
    """Draw one mark with its interval for each row and arm.

    Parameters
    ----------
    frame : DataFrame
        Columns `row`, arm, family, `value`, and those of `ends`.
    value, row : str
        Columns that are drawn along and beside the horizontal axis.
    title : str
        Of the horizontal axis.
    line : float, optional
        A rule's threshold.
    ends : pair of str
        Columns that hold the ends of the interval.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    low, high = ends
    order = list(dict.fromkeys(frame[row]))
    arms = list(dict.fromkeys(frame["arm"]))
    # A row has room for the arms that it has, one below the other.
    place = frame.groupby(row)["arm"].transform(lambda own: own.map(arms.index).rank()) - 1
    count = frame.groupby(row)["arm"].transform("size")
    most = int(count.max())
    frame = frame.assign(shift=0.75 / most * (place - (count - 1) / 2))
    for arm in arms:
        rows = frame[frame["arm"] == arm]
        fig.add_trace(go.Scatter(
            x=rows[value].tolist(), y=(rows[row].map(order.index) + rows["shift"]).tolist(),
            mode="markers", name=arm,
            marker={"symbol": ARM_MARKS.get(arm, "circle"), "size": 9,
                    "color": [COLOURS[family] for family in rows["family"]]},
            error_x={"type": "data", "symmetric": False, "thickness": 1.2, "width": 3,
                     "array": (rows[high] - rows[value]).tolist(),
                     "arrayminus": (rows[value] - rows[low]).tolist()},
            customdata=rows[row].tolist(),
            hovertemplate=f"%{{customdata}}, {arm}<br>%{{x:.3f}}<extra></extra>",
        ))  # fmt: skip
    if line is not None:
        fig.add_vline(x=line, line={"color": "#000000", "width": 1, "dash": "dot"})
    fig.update_yaxes(
        tickvals=list(range(len(order))),
        autorange="reversed",
        automargin=True,
        ticktext=["<br>".join(textwrap.wrap(name, 24)) for name in order],
    )
    fig.update_xaxes(title=title)
    fig.update_layout(height=180 + len(order) * max(36, 18 * most), showlegend=len(arms) > 1)
    return fig


def marks_alt(frame: pd.DataFrame, *, value: str, row: str, what: str) -> str:
    """Say in words what each mark's value is."""
    lines = [f"{what}:"]
    for name, rows in frame.groupby(row, sort=False):
        said = ", ".join(f"{r.arm} {getattr(r, value):.2f}" for r in rows.itertuples())
        lines.append(f"{name}: {said};")
    return " ".join(lines).rstrip(";") + "."
