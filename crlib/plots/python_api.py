"""What the data page draws and lists: the long tail, and samples as text that cannot run."""

import re
from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import HTML
from numpy.typing import ArrayLike

STYLES = {
    "actions": {"color": "#0072B2", "dash": "solid"},
    "files": {"color": "#D55E00", "dash": "dash"},
}


def ranked(counts: ArrayLike, series: str, points: int = 200) -> pd.DataFrame:
    """Rank-frequency points of counts, thinned evenly on the logarithmic axis.

    Parameters
    ----------
    counts : array_like of int
        Zeros are left out.
    series : str
        What is counted; fills the column of that name.
    points : int
        At most so many ranks are kept, the first and the last among them.

    Returns
    -------
    pandas.DataFrame
        Columns series, rank (from 1) and count (not increasing).

    Raises
    ------
    ValueError
        When no count is positive.
    """
    values = np.sort(np.asarray(counts))[::-1]
    values = values[values > 0]
    if values.size == 0:
        raise ValueError(f"{series}: no positive count; nothing to rank")
    ranks = np.unique(np.geomspace(1, values.size, points).round().astype(int))
    return pd.DataFrame({"series": series, "rank": ranks, "count": values[ranks - 1]})


def slope(frame: pd.DataFrame, series: str, deepest: int) -> float:
    """Least-squares slope of log count on log rank over the ranks up to `deepest`.

    The points are spaced evenly in log rank, so that the head weighs as much as the tail. NaN
    where fewer than three points are left.
    """
    here = frame[(frame["series"] == series) & (frame["rank"] <= deepest)]
    if len(here) < 3:
        return float("nan")
    return float(np.polyfit(np.log(here["rank"]), np.log(here["count"]), 1)[0])


def long_tail(frame: pd.DataFrame) -> go.Figure:
    """Draw rank against count, both logarithmic, one line a series of `ranked`."""
    fig = go.Figure()
    labels = {"actions": "actions, by files that call them",
              "files": "files, by actions that they call"}  # fmt: skip
    for series, part in frame.groupby("series", sort=True):
        fig.add_scatter(
            x=part["rank"], y=part["count"], name=labels.get(str(series), str(series)),
            mode="lines", line=STYLES.get(str(series), {}),
        )  # fmt: skip
    fig.update_xaxes(type="log", title="rank")
    fig.update_yaxes(type="log", title="count")
    fig.update_layout(height=440)
    return fig


def long_tail_alt(frame: pd.DataFrame) -> str:
    """Say in words how the counts fall from the first rank to the last."""
    parts = []
    for series, part in frame.groupby("series", sort=True):
        first, last = part.iloc[0], part.iloc[-1]
        parts.append(
            f"{series}: from {first['count']:,} at rank {first['rank']:,} "
            f"to {last['count']:,} at rank {last['rank']:,}"
        )
    return f"Rank against count on logarithmic axes. {'; '.join(parts)}."


def draw(n: int, size: int, rng: np.random.Generator) -> list[int]:
    """Draw `size` of n indices without repeats, all of them where there are fewer; sorted."""
    return sorted(rng.choice(n, size=min(n, size), replace=False).tolist())


def table(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> HTML:
    """Show rows as an HTML table whose every cell is plain text.

    Docstrings are other people's text: it is escaped, and the formulas in it are left alone.

    Parameters
    ----------
    rows : sequence of sequences
        One value a column; converted by `str`.
    columns : sequence of str
        Headings.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a row has another number of values than there are columns.
    """
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"table: expected {len(columns)} values in every row")
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_breakable(str(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return HTML(
        '<div class="mathjax_ignore tex2jax_ignore crlib-rows">'
        f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def _breakable(text: str) -> str:
    """Escape text, and let the dotted names in it break after a dot or an underscore."""
    return re.sub(r"(?<=\w)([._]+)(?=[^\W\d])", r"\1<wbr>", escape(text))
