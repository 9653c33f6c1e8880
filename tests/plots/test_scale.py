"""The chapter on cost: its figure and its fitted exponent."""

import pandas as pd
import pytest

from crlib.plots import scale

KS = (1000, 10_000, 100_000)


@pytest.fixture
def frame():
    return pd.DataFrame(
        [{"K": k, "index": name, "rounds_per_second": 1e6 * k**-power}
         for name, power in (("exact", 1.0), ("ivf", 0.5)) for k in KS]
    )  # fmt: skip


def test_the_exponent_of_a_power_law_is_its_power(frame):
    assert scale.exponent(frame, "exact", least=10_000) == pytest.approx(1.0)
    assert scale.exponent(frame, "ivf", least=10_000) == pytest.approx(0.5)


def test_small_numbers_of_actions_are_left_out_where_enough_are_left(frame):
    frame.loc[frame["K"] == 1000, "rounds_per_second"] = 5.0
    assert scale.exponent(frame, "exact", least=10_000) == pytest.approx(1.0)
    assert scale.exponent(frame, "exact", least=100_000) < 0.5


def test_every_index_is_a_curve_of_its_numbers(frame):
    fig = scale.curves(frame, "rounds_per_second", "rounds a second")
    drawn = {trace.name: (list(trace.x), list(trace.y)) for trace in fig.data}
    rows = frame[frame["index"] == "ivf"]
    assert drawn["ivf"] == (list(KS), rows["rounds_per_second"].tolist())
    assert fig.layout.xaxis.type == fig.layout.yaxis.type == "log"


def test_alt_text_quotes_both_ends(frame):
    text = scale.curves_alt(frame, "rounds_per_second", "Rounds a second")
    assert "exact 1,000 at K = 1,000 and 10 at 100,000" in text
