"""What the explorers share: a line of messages, labelled controls, and figures redrawn at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import plotly.graph_objects as go

WIDE = widgets.Layout(width="420px")
LABEL = {"description_width": "160px"}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#666666")


class Messages:
    """One line that says what is going on, and what went wrong instead of a stack trace."""

    def __init__(self) -> None:
        self.text = ""
        self.line = widgets.HTML(value="", layout=widgets.Layout(min_height="2em"))

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a text, escaped."""
        self.text = text
        role, style = ("alert", "color:#b00020") if wrong else ("status", "color:#333")
        self.line.value = f'<span role="{role}" style="{style}">{escape(text)}</span>'

    def guard(self, work: Callable[[], None], busy: str = "Computing …") -> Callable[..., None]:
        """Return a callback that does the work and says how it went.

        Parameters
        ----------
        work : callable
            Takes nothing. What it raises is shown as a message.
        busy : str
            Shown meanwhile.
        """

        def callback(*_: Any) -> None:
            self.say(busy)
            try:
                work()
            except (ValueError, FloatingPointError) as error:
                self.say(str(error), wrong=True)
            except Exception as error:  # a reader of a page can do nothing with a trace
                self.say(f"This did not work: {type(error).__name__}: {error}", wrong=True)
            else:
                if self.text == busy:  # the work had nothing of its own to say
                    self.say("")

        return callback


def redraw(figure: Any, traces: Sequence[Any], places: Sequence[tuple[int, int]] = ()) -> None:
    """Replace all traces of a figure widget at once.

    Parameters
    ----------
    figure : plotly.graph_objects.FigureWidget
    traces : sequence of plotly traces
    places : sequence of (row, column), optional
        Of each trace in a figure of subplots.
    """
    with figure.batch_update():
        figure.data = ()
        if places:
            rows, columns = zip(*places, strict=True)
            figure.add_traces(list(traces), rows=list(rows), cols=list(columns))
        else:
            figure.add_traces(list(traces))


def figure_widget(base: go.Figure, height: int, description: str) -> Any:
    """Return a figure as a widget, with a name for those who do not see it."""
    figure = go.FigureWidget(base)
    figure.update_layout(height=height, margin={"t": 40, "l": 60, "r": 20, "b": 50},
                         template="plotly_white", meta={"description": description})  # fmt: skip
    return figure


def observe(controls: Sequence[Any], callback: Callable[..., None]) -> None:
    """Call back when the value of any of the controls changes."""
    for control in controls:
        control.observe(callback, names="value")


def table(rows: Sequence[Sequence[object]], columns: Sequence[str], caption: str) -> str:
    """Return an HTML table of escaped cells."""
    head = "".join(f'<th scope="col" style="padding:2px 10px">{escape(c)}</th>' for c in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="padding:2px 10px">{escape(str(cell))}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )  # fmt: skip
    return (
        f'<table style="text-align:left"><caption style="text-align:left">{escape(caption)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
