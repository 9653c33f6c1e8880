"""Figures of chapter C1a: spectra, and the participation ratio against the number of actions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from crlib.extractors import AnySpec, Pair
from crlib.figures import COLOURS
from crlib.metrics import participation_ratio, spectrum
from crlib.plots.pairs import CONTROL_DASHES, pair_slider


def spectra_frame(
    vectors: Mapping[str, NDArray[np.float32]], models: Mapping[str, AnySpec]
) -> pd.DataFrame:
    """Eigenvalues of each model, columns model, family, component, eigenvalue (above rounding)."""
    parts = []
    for name, X in vectors.items():
        values = spectrum(X)
        values = values[values > 1e-9]
        parts.append(
            pd.DataFrame(
                {"model": name, "family": models[name].family,
                 "component": np.arange(1, values.size + 1), "eigenvalue": values}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def spectra(frame: pd.DataFrame, pairs: Sequence[Pair]) -> go.Figure:
    """Draw spectra on two logarithmic axes: a slider's step for each pair, the controls always.

    Parameters
    ----------
    frame : DataFrame
        From `spectra_frame`.
    pairs : sequence of Pair
        May be empty: then all models stand in one drawing.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    fig.add_traces([_spectrum(frame, name) for pair in pairs for name in pair.models])
    paired = {name for pair in pairs for name in pair.models}
    controls = frame[(frame["family"] == "control") | (not pairs)]["model"].unique()
    fig.add_traces([_spectrum(frame, name) for name in controls if name not in paired])
    pair_slider(fig, pairs, 2)
    fig.update_xaxes(type="log", dtick=1, title="component")
    fig.update_yaxes(type="log", dtick=1, title="eigenvalue (sum 1)", exponentformat="power")
    fig.update_layout(height=520)
    return fig


def spectra_alt(frame: pd.DataFrame, pairs: Sequence[Pair], ratios: Mapping[str, float]) -> str:
    """Say in words how much the leading components of each model hold."""
    top = frame[frame["component"] <= 10].groupby("model")["eigenvalue"].sum().to_dict()
    lines = ["Eigenvalues (vertical) against component (horizontal), both logarithmic."]
    for pair in pairs:
        old, new = pair.models
        lines.append(
            f"{pair.name}: the ten leading components hold {top[old]:.0%} of {old} (effective "
            f"dimension {ratios[old]:.1f}) and {top[new]:.0%} of {new} ({ratios[new]:.1f})."
        )
    return " ".join(lines)


def subset_ratios(X: ArrayLike, sizes: Sequence[int], n_draws: int, *, seed: int) -> pd.DataFrame:
    """Participation ratio of random subsets of the rows, naive and unbiased.

    Parameters
    ----------
    X : array_like, shape (K, d)
    sizes : sequence of int
        Numbers of rows, each at most K.
    n_draws : int
        Subsets of each size.
    seed : int
        The same seed draws the same rows for every embedding.

    Returns
    -------
    DataFrame
        Columns n, naive, unbiased: medians over the draws.
    """
    rows, rng = np.asarray(X), np.random.default_rng(seed)
    found = []
    for n in sizes:
        draws = [rng.choice(len(rows), n, replace=False) for _ in range(n_draws)]
        naive = [participation_ratio(rows[draw], unbiased=False) for draw in draws]
        unbiased = [participation_ratio(rows[draw]) for draw in draws]
        found.append({"n": n, "naive": np.median(naive), "unbiased": np.median(unbiased)})
    return pd.DataFrame(found)


def against_n(frame: pd.DataFrame, pairs: Sequence[Pair]) -> go.Figure:
    """Draw naive and unbiased estimates against n: a slider's step for each pair.

    Parameters
    ----------
    frame : DataFrame
        Columns n, naive, unbiased, model, family.
    pairs : sequence of Pair

    Returns
    -------
    plotly.graph_objects.Figure
    """
    fig = go.Figure()
    for name in [name for pair in pairs for name in pair.models] or frame["model"].unique():
        for kind in ("naive", "unbiased"):
            fig.add_trace(_estimate(frame, name, kind))
    pair_slider(fig, pairs, 4)
    sizes = sorted(frame["n"].unique().tolist())
    fig.update_xaxes(
        type="log", title="n, number of actions", tickvals=sizes, ticktext=[f"{n:,}" for n in sizes]
    )
    fig.update_yaxes(title="participation ratio", rangemode="tozero")
    fig.update_layout(height=480)
    return fig


def against_n_alt(frame: pd.DataFrame, pairs: Sequence[Pair]) -> str:
    """Say in words what both estimates are at the smallest and the largest n."""
    least, most = int(frame["n"].min()), int(frame["n"].max())
    lines = [f"Participation ratio, naive and unbiased, at n = {least:,} and n = {most:,} actions."]
    table = frame.set_index(["model", "n"])
    naive, unbiased = table["naive"].to_dict(), table["unbiased"].to_dict()
    for name in dict.fromkeys(name for pair in pairs for name in pair.models):
        small, large = (name, least), (name, most)
        lines.append(
            f"{name}: naive {naive[small]:.1f} and {naive[large]:.1f}, "
            f"unbiased {unbiased[small]:.1f} and {unbiased[large]:.1f}."
        )
    return " ".join(lines)


def _spectrum(frame: pd.DataFrame, name: str) -> go.Scatter:
    rows = frame[frame["model"] == name]
    family = str(rows["family"].iloc[0])
    return go.Scatter(
        x=rows["component"].tolist(),
        y=rows["eigenvalue"].tolist(),
        mode="lines",
        name=name,
        line={"color": COLOURS[family], "dash": CONTROL_DASHES.get(name, "solid"), "width": 2},
        hovertemplate=f"{name}<br>component %{{x}}<br>%{{y:.2e}}<extra></extra>",
    )


def _estimate(frame: pd.DataFrame, name: str, kind: str) -> go.Scatter:
    rows = frame[frame["model"] == name]
    family = str(rows["family"].iloc[0])
    return go.Scatter(
        x=rows["n"].tolist(),
        y=rows[kind].tolist(),
        mode="lines+markers",
        name=f"{name}, {kind}",
        line={"color": COLOURS[family], "dash": "dot" if kind == "naive" else "solid"},
        marker={"symbol": "diamond" if family == "contrastive" else "circle", "size": 7},
        hovertemplate=f"{name}, {kind}<br>n = %{{x:,}}<br>%{{y:.1f}}<extra></extra>",
    )
