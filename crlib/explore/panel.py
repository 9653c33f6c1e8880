"""What the explorers share: a line of messages, labelled controls, and figures redrawn at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
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


class Drawing:
    """A figure whose traces are replaced at once; show `box`.

    The figure's widget is made with its first traces: what is sent to it before a page has
    connected would be lost.

    Parameters
    ----------
    base : plotly.graph_objects.Figure
        With its axes, without traces.
    height : int
        Pixels.
    """

    def __init__(self, base: go.Figure, height: int) -> None:
        base.update_layout(
            height=height, margin={"t": 40, "l": 60, "r": 20, "b": 50}, template="plotly_white"
        )
        self.base = base
        self.figure: Any = None
        self.box = widgets.Box(layout=widgets.Layout(width="100%", display="block"))

    def redraw(
        self, traces: Sequence[Any], places: Sequence[tuple[int, int]] = (), title: str = ""
    ) -> None:
        """Replace all traces, and the title.

        Parameters
        ----------
        traces : sequence of plotly traces
        places : sequence of (row, column), optional
            Of each trace in a figure of subplots.
        title : str
            Markup that was escaped.
        """
        first = self.figure is None
        figure = self.base if first else self.figure
        rows, columns = zip(*places, strict=True) if places else (None, None)
        with figure.batch_update() if not first else nullcontext():
            figure.data = ()
            figure.add_traces(list(traces), rows=rows, cols=columns)
            if title:
                figure.update_layout(title={"text": title, "font": {"size": 14}})
        if first:
            self.figure = go.FigureWidget(self.base)
            self.box.children = (self.figure,)


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
