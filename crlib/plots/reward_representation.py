"""The figure of chapter C4: cumulative power of the reward along the spectrum."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from crlib.extractors import Pair
from crlib.figures import COLOURS
from crlib.metrics import Eigenbasis
from crlib.plots.pairs import CONTROL_DASHES, pair_slider


def power_frame(
    bases: Mapping[str, Eigenbasis], power: Mapping[str, ArrayLike], families: Mapping[str, str]
) -> pd.DataFrame:
    """Put mean cumulative power beside the share of the variance, a row a model and component.

    Parameters
    ----------
    bases : mapping of str to Eigenbasis
    power : mapping of str to (d, m) array
        Cumulative power of m reward functions.
    families : mapping of str to str

    Returns
    -------
    DataFrame
        Columns model, family, component, variance, power; component 0 is the origin.
    """
    parts = []
    for name, basis in bases.items():
        mean = np.asarray(power[name]).reshape(basis.eigenvalues.size, -1).mean(axis=1)
        parts.append(pd.DataFrame({
            "model": name, "family": families[name], "component": np.arange(mean.size + 1),
            "variance": np.r_[0, np.cumsum(basis.eigenvalues)], "power": np.r_[0, mean],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def power(frame: pd.DataFrame, pairs: Sequence[Pair]) -> go.Figure:
    """Draw power against the share of the variance: a slider's step for each pair.

    Parameters
    ----------
    frame : DataFrame
        From `power_frame`.
    pairs : sequence of Pair

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    paired = [name for pair in pairs for name in pair.models]
    rest = [name for name in frame["model"].unique() if name not in paired]
    for name in [*paired, *rest]:
        rows = frame[frame["model"] == name]
        family = str(rows["family"].iloc[0])
        fig.add_trace(go.Scatter(
            x=rows["variance"].tolist(), y=rows["power"].tolist(), mode="lines", name=name,
            line={"color": COLOURS[family], "dash": CONTROL_DASHES.get(name, "solid")},
            customdata=rows["component"].tolist(),
            hovertemplate=f"{name}<br>%{{customdata}} components<br>variance %{{x:.2f}}, "
            "power %{y:.3f}<extra></extra>",
        ))  # fmt: skip
    pair_slider(fig, pairs, 2)
    fig.update_xaxes(title="share of variance", range=[0, 1])
    fig.update_yaxes(title="share of the reward's variance", rangemode="tozero")
    fig.update_layout(height=480)
    return fig


def power_alt(frame: pd.DataFrame, pairs: Sequence[Pair]) -> str:
    """Say in words what half of the variance holds of the reward, and what all of it does."""
    lines = ["Share of the reward's variance against share of the embedding's. At half and at all:"]
    paired = [name for pair in pairs for name in pair.models]
    for name in dict.fromkeys([*paired, *frame["model"]]):
        rows = frame[frame["model"] == name]
        half = float(np.interp(0.5, rows["variance"], rows["power"]))
        lines.append(f"{name} {half:.3f} and {rows['power'].iloc[-1]:.3f};")
    return " ".join(lines).rstrip(";") + "."
