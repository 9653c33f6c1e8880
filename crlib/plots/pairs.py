"""What the figures of matched pairs share: the controls' dashes and the slider over pairs."""

from collections.abc import Sequence

import plotly.graph_objects as go

from crlib.extractors import Pair
from crlib.figures import slider

CONTROL_DASHES = {"gaussian": "dash", "random-start": "dot", "lsa": "dashdot"}


def pair_slider(fig: go.Figure, pairs: Sequence[Pair], per_step: int) -> None:
    """Give a figure a step for each pair; without pairs it stays as it is.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Its first `len(pairs) * per_step` traces belong to the pairs, in their order.
    pairs : sequence of Pair
    per_step : int
        Traces a pair.
    """
    if not pairs:
        return
    slider(fig, [pair.name for pair in pairs], per_step, title="pair")
    # The name of the step stands above the slider; names below it would collide on a phone.
    fig.layout.sliders[0].update(font={"color": "rgba(0,0,0,0)"})
    fig.layout.sliders[0].currentvalue.update(font={"color": "#1a1a1a"})
