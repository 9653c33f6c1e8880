"""Figure of chapter C1b: the participation ratio after PCA, between its bounds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.optimize import brentq

from crlib.extractors import AnySpec, Pair
from crlib.figures import COLOURS
from crlib.metrics import pca_participation, pr_bounds, spectrum
from crlib.plots.pairs import CONTROL_DASHES, pair_slider


def power_law_after_pca(ratio: float, d: int, m: int) -> float:
    """Participation ratio that PCA to m leaves of a power law whose own ratio is given.

    Parameters
    ----------
    ratio : float
        Participation ratio of the eigenvalues i^-a, i = 1, ..., d; a is solved for. In (2, d).
    d, m : int
        Width, and components kept, m <= d.

    Returns
    -------
    float
    """
    component = np.arange(1, d + 1)

    def of_leading(a: float, n: int) -> float:
        values = component[:n] ** -a
        return float(values.sum() ** 2 / np.sum(values**2))

    exponent = brentq(lambda a: of_leading(a, d) - ratio, 0.0, 3.0)
    return of_leading(exponent, m)


def ratio_frame(
    vectors: Mapping[str, NDArray[np.float32]], models: Mapping[str, AnySpec], m: int
) -> pd.DataFrame:
    """Participation ratio and bounds after PCA to each of some 40 sizes that the rank allows.

    Parameters
    ----------
    vectors : mapping of str to ndarray, shape (K, d)
    models : mapping of str to spec
    m : int
        The judged number of components; one of the sizes, where the rank allows it.

    Returns
    -------
    DataFrame
        Columns model, family, m, ratio, low, high.
    """
    parts = []
    for name, X in vectors.items():
        values = spectrum(X)
        rank = int(np.sum(values > 1e-9))
        sizes = np.union1d(np.geomspace(1, rank, 40).round().astype(int), min(m, rank))
        low, high = pr_bounds(values, sizes)
        parts.append(
            pd.DataFrame(
                {"model": name, "family": models[name].family, "m": sizes,
                 "ratio": pca_participation(X, sizes), "low": low, "high": high}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def ratios(frame: pd.DataFrame, pairs: Sequence[Pair], m: int) -> go.Figure:
    """Draw the ratio against m with its band: a slider's step for each pair, noise always.

    Parameters
    ----------
    frame : DataFrame
        From `ratio_frame`.
    pairs : sequence of Pair
        May be empty: then all models stand in one drawing.
    m : int
        The judged number of components, marked by a vertical line.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    paired = [name for pair in pairs for name in pair.models]
    for name in paired:
        fig.add_traces([_band(frame, name), _curve(frame, name)])
    rest = [name for name in frame["model"].unique() if name not in paired]
    fig.add_traces([_curve(frame, name) for name in rest])
    pair_slider(fig, pairs, 4)
    fig.add_vline(x=m, line={"color": "#000000", "width": 1, "dash": "dot"})
    fig.update_xaxes(type="log", title="m, principal components kept")
    fig.update_yaxes(type="log", dtick=1, title="participation ratio after PCA")
    fig.update_layout(height=520)
    return fig


def ratios_alt(frame: pd.DataFrame, pairs: Sequence[Pair], m: int) -> str:
    """Say in words what PCA to about m components leaves of each pair."""
    lines = ["Participation ratio after PCA (vertical) against components kept (horizontal)."]
    for pair in pairs:
        said = []
        for name in pair.models:
            rows = frame[frame["model"] == name]
            near = rows.iloc[int((rows["m"] - m).abs().to_numpy().argmin())]
            last = rows.iloc[-1]
            said.append(
                f"{name} {near['ratio']:.1f} at m = {near['m']} and {last['ratio']:.1f} at "
                f"m = {last['m']}"
            )
        lines.append(f"{pair.name}: {'; '.join(said)}.")
    return " ".join(lines)


def _curve(frame: pd.DataFrame, name: str) -> go.Scatter:
    rows = frame[frame["model"] == name]
    family = str(rows["family"].iloc[0])
    return go.Scatter(
        x=rows["m"].tolist(),
        y=rows["ratio"].tolist(),
        mode="lines",
        name=name,
        line={"color": COLOURS[family], "dash": CONTROL_DASHES.get(name, "solid"), "width": 2.5},
        hovertemplate=f"{name}<br>m = %{{x}}<br>%{{y:.1f}}<extra></extra>",
    )


def _band(frame: pd.DataFrame, name: str) -> go.Scatter:
    rows = frame[frame["model"] == name]
    colour = COLOURS[str(rows["family"].iloc[0])]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return go.Scatter(
        x=[*rows["m"], *rows["m"][::-1]],
        y=[*rows["high"], *rows["low"][::-1]],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.13)",
        line={"width": 0},
        hoverinfo="skip",
        name=f"{name}, bounds",
    )
