"""The atlas as drawn: a step a part and axis, the verdict in each mark."""

import pandas as pd

from crlib.plots import atlas
from crlib.sweep.atlas import flips


def test_marks_say_the_verdict_and_steps_the_axis():
    rows = [
        {"part": part, "axis": "k", "value": value, "judged": 1000, "group": group,
         "estimate": 0.5, "ci_low": 0.25, "ci_high": 1.0, "verdict": verdict}
        for part in ("C3.raw", "C3.reward") for group in ("a", "b")
        for value, verdict in ((10, "inconclusive"), (1000, "not supported"))
    ]  # fmt: skip
    # A seed is no quantity: it is told in the table.
    rows.insert(0, {**rows[0], "axis": "seed", "value": 3, "judged": 0})
    frame = pd.DataFrame(rows[:-2])  # one pair was not judged in the last part
    fig = atlas.atlas(frame)
    labels = [step.label for step in fig.layout.sliders[0].steps]
    assert labels == ["C3.raw over k", "C3.reward over k"]
    assert len(fig.data) == 6
    assert fig.data[0].marker.symbol == ("circle-open", "x")
    assert (fig.data[0].error_y.array, fig.data[0].error_y.arrayminus) == ((0.5, 0.5), (0.25, 0.25))
    assert len(fig.data[4].x or ()) == 0
    assert [trace.showlegend for trace in fig.data[3:5]] == [True, False]
    text = atlas.atlas_alt(frame, flips(frame))
    assert "of 2 parts and axes" in text
    assert "same at all values in 1 of 4 lines, and the interval too in 0" in text
    assert "away from where it is judged in 3" in text
