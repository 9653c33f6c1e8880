"""Figures of the regret chapters: what is drawn and what the alt text says."""

import numpy as np
import pandas as pd
import pytest

from crlib.extractors import Pair
from crlib.metrics import eigenbasis
from crlib.plots import regret, reward_representation

PAIRS = (Pair("A", "mlm-bert", "simcse"), Pair("B", "clm-llama", "llm2vec"))
FAMILIES = {"mlm-bert": "reconstruction", "simcse": "contrastive", "clm-llama": "reconstruction",
            "llm2vec": "contrastive", "gaussian": "control"}  # fmt: skip


@pytest.fixture
def curves():
    rng = np.random.default_rng(0)
    return {
        (name, arm): np.cumsum(rng.random((4, 200)), axis=1)
        for name in FAMILIES
        for arm in (("raw", "eb") if name != "gaussian" else ("raw",))
    }


@pytest.fixture
def frame(curves):
    points = regret.checkpoints(200)
    predicted = {name: np.ones((len(points), 4)) for name in ("mlm-bert", "simcse", "clm-llama",
                                                              "llm2vec")}  # fmt: skip
    return regret.curve_frame(curves, FAMILIES, predicted)


def test_checkpoints_go_from_one_to_the_horizon():
    points = regret.checkpoints(10_000)
    assert (points[0], points[-1]) == (1, 10_000)
    assert (np.diff(points) > 0).all()
    assert regret.checkpoints(1).tolist() == [1]


def test_a_curve_is_the_mean_with_its_band(curves, frame):
    rows = frame[(frame["model"] == "simcse") & (frame["arm"] == "eb")]
    at = curves["simcse", "eb"][:, rows["t"] - 1]
    np.testing.assert_allclose(rows["regret"], at.mean(axis=0))
    half = 1.96 * at.std(axis=0, ddof=1) / 2
    np.testing.assert_allclose(rows["high"] - rows["regret"], half)
    np.testing.assert_allclose(rows["regret"] - rows["low"], half)


def test_a_step_shows_its_pair_with_bands_and_predictions_and_the_control(frame):
    fig = regret.curves(frame, PAIRS)
    for step, pair in zip(fig.layout.sliders[0].steps, PAIRS, strict=True):
        shown = [t.name for t, on in zip(fig.data, step.args[1], strict=True) if on]
        endings = (", 95% band", "", ", predicted")
        expected = [name + ending for name in pair.models for ending in endings]
        assert shown == [*expected, "gaussian, 95% band", "gaussian"]


def test_only_the_arm_asked_for_is_drawn(frame):
    fig = regret.curves(frame, PAIRS, arm="eb")
    drawn = next(t for t in fig.data if t.name == "simcse")
    expected = frame[(frame["model"] == "simcse") & (frame["arm"] == "eb")]["regret"]
    np.testing.assert_allclose(np.array(drawn.y) * np.array(drawn.x), expected)
    assert "gaussian" not in {t.name for t in fig.data}


def test_alt_text_quotes_the_last_round(frame):
    text = regret.curves_alt(frame, PAIRS)
    last = frame[(frame["t"] == 200) & (frame["arm"] == "raw")].set_index("model")["regret"]
    for name, value in last.items():
        assert f"{name} {value:,.0f}" in text
    assert "200 rounds" in text
    assert "(predicted 1)" in text


def test_marks_stand_at_their_values_beside_their_rows():
    table = pd.DataFrame({"setting": ["a", "a", "b"], "arm": ["raw", "eb", "raw"],
                          "family": ["contrastive", "contrastive", "reconstruction"],
                          "share": [0.2, 0.3, 0.9], "low": [0.1, 0.2, 0.8],
                          "high": [0.4, 0.5, 1.0]})  # fmt: skip
    fig = regret.marks(table, value="share", row="setting", title="x", line=0.25)
    raw = next(t for t in fig.data if t.name == "raw")
    assert list(raw.x) == [0.2, 0.9]
    np.testing.assert_allclose(np.round(raw.y), [0, 1])
    np.testing.assert_allclose(raw.error_x.array, [0.2, 0.1])
    np.testing.assert_allclose(raw.error_x.arrayminus, [0.1, 0.1])
    assert list(fig.layout.yaxis.ticktext) == ["a", "b"]
    text = regret.marks_alt(table, value="share", row="setting", what="Shares")
    assert text == "Shares: a: raw 0.20, eb 0.30; b: raw 0.90."
    renamed = table.rename(columns={"low": "share low", "high": "share high"})
    again = regret.marks(
        renamed, value="share", row="setting", title="x", line=0.25,
        ends=("share low", "share high"),
    )  # fmt: skip
    assert again == fig


def test_power_runs_from_the_origin_along_the_variance():
    rng = np.random.default_rng(1)
    bases = {name: eigenbasis(rng.standard_normal((40, 3)) * [3, 2, 1]) for name in FAMILIES}
    power = {name: np.array([[0.2, 0.0], [0.3, 0.1], [0.5, 0.1]]) for name in FAMILIES}
    frame = reward_representation.power_frame(bases, power, FAMILIES)
    rows = frame[frame["model"] == "simcse"]
    np.testing.assert_allclose(rows["power"], [0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(rows["variance"], [0, *np.cumsum(bases["simcse"].eigenvalues)])
    fig = reward_representation.power(frame, PAIRS)
    shown = [t.name for t, on in zip(fig.data, fig.layout.sliders[0].steps[1].args[1], strict=True)
             if on]  # fmt: skip
    assert shown == ["clm-llama", "llm2vec", "gaussian"]
    half = np.interp(0.5, rows["variance"], rows["power"])
    assert f"simcse {half:.3f} and 0.300" in reward_representation.power_alt(frame, PAIRS)
