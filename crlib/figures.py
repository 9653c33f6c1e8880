"""Figures: one plotly figure becomes a drawing on the page, a CSV of its data, and alt text."""

import json
import re
import textwrap
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

from crlib import io
from crlib.claims import Run

# Okabe and Ito's palette: told apart with colour-vision deficiencies, and by dash and marker too.
COLOURS = {
    "reconstruction": "#D55E00",
    "contrastive": "#0072B2",
    "pretrained": "#009E73",
    "control": "#666666",
}
DASHES = ("solid", "dash", "dot", "dashdot")
PICTURES = ("pdf", "png", "svg")  # what `crlib.book.pictures` draws beside a figure's data

pio.templates["crlib"] = go.layout.Template(
    layout={
        "font": {"family": "system-ui, sans-serif", "size": 14, "color": "#1a1a1a"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 64, "r": 16, "t": 24, "b": 56},
        # Above the drawing, where no title of an axis can run into it.
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        # The axes' titles stay clear of their tick labels, long ones and those of two lines too.
        **{
            axis: {
                "gridcolor": "#e6e6e6",
                "zeroline": False,
                "ticks": "outside",
                "automargin": True,
                "title": {"standoff": 12},
            }
            for axis in ("xaxis", "yaxis")
        },
    }
)
TITLE = 36  # letters of an axis' title in a line: more would be cut in a narrow figure


class Figure:
    """What a notebook displays: plotly for Jupyter, a drawable block of HTML for the book."""

    def __init__(self, bundle: dict[str, Any]) -> None:
        self.bundle = bundle

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle


def show(fig: go.Figure, name: str, alt: str, *, data: pd.DataFrame, run: Run) -> Figure:
    """Save a figure beside the run's result and make what the notebook displays.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        The figure; it may carry precomputed sliders.
    name : str
        Lower-case letters, digits and hyphens; unique within the notebook.
    alt : str
        What a reader who cannot see the figure needs to know: axes, series, what they do.
    data : pandas.DataFrame
        The numbers that are drawn, one row a point.
    run : Run
        The notebook's run; files go to `<run.out_dir>/figures/`.

    Returns
    -------
    Figure
        Displays as plotly in Jupyter and as a labelled block in the static book, where the
        page's script draws it and offers the data for download.

    Raises
    ------
    ValueError
        For a name of another form or used before in this run, empty alt text or empty data.
    """
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"figure name {name!r}: expected lower-case letters, digits, hyphens")
    if not alt.strip():
        raise ValueError(f"figure {name}: alt text is empty; say what the figure shows")
    if data.empty:
        raise ValueError(f"figure {name}: its data frame is empty; pass the numbers drawn")
    if name in run.figures:
        raise ValueError(f"figure {name}: this run has one of that name; choose another")
    run.figures.append(name)
    fig.update_layout(template="crlib")
    for axis in (*fig.select_xaxes(), *fig.select_yaxes()):
        if axis.title.text:
            lines = axis.title.text.split("<br>")
            axis.title.text = "<br>".join(part for line in lines for part in _wrapped(line))
    drawing = json.loads(fig.to_json())
    csv = data.to_csv(index=False, float_format="%.6g")
    folder = run.out_dir / "figures"
    for form in PICTURES:  # an earlier run's would show other numbers than the data beside them
        (folder / f"{name}.{form}").unlink(missing_ok=True)
    io.write_json(folder / f"{name}.json", drawing)
    io.write_text(folder / f"{name}.csv", csv)
    io.write_json(
        folder / f"{name}.provenance.json",
        {"figure": name, "alt": alt, "notebook": run.notebook,
         "parameters": run.parameters.model_dump(exclude={"out_dir"}),
         "data_sha256": io.sha256_text(csv)},
    )  # fmt: skip
    return Figure(
        {
            "application/vnd.plotly.v1+json": drawing,
            "text/html": _html(run.notebook, name, alt, drawing, csv),
            "text/plain": f"Figure {name}: {alt}",
        }
    )


def _wrapped(line: str) -> list[str]:
    """Lines of at most `TITLE` letters: broken before a bracket first, then in equal parts."""
    if len(line) <= TITLE:
        return [line]
    head, bracket, tail = line.partition(" (")
    if bracket:
        return [*_wrapped(head), *_wrapped(f"({tail}")]
    count = -(-len(line) // TITLE)
    return textwrap.wrap(line, max(len(line) // count + 6, TITLE * 2 // 3), break_on_hyphens=False)


def _html(notebook: str, name: str, alt: str, drawing: dict[str, Any], csv: str) -> str:
    # "</script>" would end the element, "<!--<script>" keep it open; JSON reads it as the same "<".
    payload = json.dumps(drawing, separators=(",", ":")).replace("<", "\\u003c")
    table = json.dumps(csv).replace("<", "\\u003c")
    identity = f"{notebook.replace('/', '-')}-{name}"
    return (
        f'<figure class="crlib-plot" id="figure-{identity}">'
        f'<div class="crlib-plot-area" role="group" aria-label="{escape(alt)}"></div>'
        f'<script type="application/json" class="crlib-plot-json">{payload}</script>'
        f'<script type="application/json" class="crlib-plot-csv" data-file="{identity}.csv">'
        f"{table}</script>"
        f'<figcaption class="crlib-plot-alt">{escape(alt)}</figcaption></figure>'
    )


def slider(
    fig: go.Figure, labels: list[str], per_step: int, *, title: str, active: int = 0
) -> None:
    """Give a figure a slider whose steps show consecutive groups of its traces.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Holds `len(labels) * per_step` traces first, in the order of the steps; later traces
        stay visible always. Changed in place.
    labels : list of str
        One a step.
    per_step : int
        Traces a step.
    title : str
        Stands before the step's label.
    active : int
        The step shown at first.

    Raises
    ------
    ValueError
        When the figure holds fewer traces than the steps need.
    """
    needed, total = len(labels) * per_step, len(fig.data)
    if needed > total:
        raise ValueError(f"slider: {len(labels)} steps of {per_step} traces, figure has {total}")
    steps = []
    for step, label in enumerate(labels):
        shown = [i >= needed or i // per_step == step for i in range(total)]
        steps.append({"method": "restyle", "args": ["visible", shown], "label": label})
    for i, trace in enumerate(fig.data):
        trace.visible = i >= needed or i // per_step == active
    fig.update_layout(
        # Below the axis' title, which may have two lines.
        sliders=[{"active": active, "steps": steps, "pad": {"t": 84},
                  "currentvalue": {"prefix": f"{title}: "}}],
    )  # fmt: skip
