"""Figures of C2: the plane, its slider, its reference lines and its alt text."""

import pandas as pd
import pytest

from crlib.extractors import Pair
from crlib.metrics import uniformity_minimum
from crlib.plots import alignment_uniformity as plots

PAIR = Pair("A", "mlm-bert", "simcse")


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = [("mlm-bert", "reconstruction", 0.4, -1.0, 0.2),
            ("simcse", "contrastive", 0.7, -3.0, 0.3),
            ("simcse-s1", "contrastive", 0.6, -2.9, 0.3),
            ("gaussian", "control", 2.0, -3.9, 0.0)]  # fmt: skip
    return pd.DataFrame(
        {"model": name, "family": family, "t": t, "alignment": alignment,
         "uniformity": uniformity * t / 2, "recall": recall}
        for t in (1.0, 2.0)
        for name, family, alignment, uniformity, recall in rows
    )  # fmt: skip


def at_start(fig) -> dict:
    return {trace.name: trace for trace in fig.data if trace.visible}


def test_the_plane_starts_at_the_judged_temperature(frame) -> None:
    fig = plots.plane(frame, [PAIR], [128], 2.0)
    shown = at_start(fig)
    assert fig.layout.sliders[0].active == 1
    assert list(shown["contrastive"].x) == [-3.0, -2.9]
    assert list(shown["matched pair"].x) == [-1.0, -3.0, None]
    assert list(shown["matched pair"].y) == [0.4, 0.7, None]


def test_the_minimum_is_the_spheres(frame) -> None:
    fig = plots.plane(frame, [], [64, 128], 1.0)
    shown = at_start(fig)
    for d in (64, 128):
        assert set(shown[f"sphere's minimum, d = {d}"].x) == {uniformity_minimum(d, 1.0)}


def test_other_seeds_carry_no_label_but_a_hover(frame) -> None:
    trace = at_start(plots.plane(frame, [PAIR], [128], 2.0))["contrastive"]
    assert list(trace.text) == ["simcse", ""]
    assert list(trace.customdata) == ["simcse", "simcse-s1"]


def test_relevance_draws_recall(frame) -> None:
    drawn = {trace.name: list(trace.y) for trace in plots.relevance(frame, 2.0).data}
    assert drawn["reconstruction"] == [0.2]
    assert drawn["control"] == [0.0]


def test_alt_texts_quote_the_frame(frame) -> None:
    alt = plots.plane_alt(frame, [PAIR], 2.0)
    assert "Most uniform: gaussian (-3.90); best aligned: mlm-bert (0.40)." in alt
    assert "A: from uniformity -1.00, alignment 0.40 to -3.00, 0.70." in alt
    assert "Highest recall: simcse (0.30, uniformity -3.00)" in plots.relevance_alt(frame, 2.0)
