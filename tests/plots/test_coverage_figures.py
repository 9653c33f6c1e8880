"""Figures of C3: what is drawn, for which slider step, and what the alt text says."""

import pandas as pd
import pytest

from crlib import settings
from crlib.extractors import Pair
from crlib.plots import coverage

PAIRS = (Pair("A", "mlm-bert", "simcse"), Pair("B", "clm-llama", "llm2vec"))
NAMES = {"mlm-bert": "reconstruction", "simcse": "contrastive", "clm-llama": "reconstruction",
         "llm2vec": "contrastive", "gaussian": "control"}  # fmt: skip
KS = (1, 10, 100)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"model": name, "family": family, "dimensions": 128, "k": k, "rho": 1 + place - k / 1000}
        for place, (name, family) in enumerate(NAMES.items())
        for k in KS
    )


@pytest.fixture
def sphere() -> pd.DataFrame:
    return pd.DataFrame({"dimensions": 128, "k": KS, "rho": [1.4, 1.3, 1.2]})


def visible(fig, step: int) -> list[str]:
    shown = fig.layout.sliders[0].steps[step].args[1]
    return [trace.name for trace, on in zip(fig.data, shown, strict=True) if on]


def test_a_step_shows_its_pair_the_sphere_and_the_controls(frame, sphere) -> None:
    fig = coverage.curves(frame, PAIRS, "rho", title="rho", k=10, sphere=sphere)
    assert visible(fig, 0) == ["sphere, d = 128", "mlm-bert", "simcse", "gaussian"]
    assert visible(fig, 1) == ["sphere, d = 128", "clm-llama", "llm2vec", "gaussian"]
    assert [step.label for step in fig.layout.sliders[0].steps] == ["A", "B"]


def test_curves_hold_the_numbers_of_the_frame(frame) -> None:
    fig = coverage.curves(frame, PAIRS[:1], "rho", title="rho", k=10)
    drawn = {trace.name: (list(trace.x), list(trace.y)) for trace in fig.data}
    expected = frame[frame["model"] == "simcse"]
    assert drawn["simcse"] == (list(KS), expected["rho"].tolist())


def test_without_pairs_all_stand_in_one_drawing(frame, sphere) -> None:
    fig = coverage.curves(frame, (), "rho", title="rho", k=10, sphere=sphere)
    assert {trace.name for trace in fig.data} == {*NAMES, "sphere, d = 128"}
    assert not fig.layout.sliders


def test_alt_text_quotes_the_frame(frame) -> None:
    alt = coverage.curves_alt(frame, PAIRS, "rho", what="Coverage", ks=KS)
    assert "At k = 1, 10, 100:" in alt
    assert "simcse 1.999, 1.990, 1.900" in alt
    assert "gaussian 4.999, 4.990, 4.900" in alt


def test_strips_show_every_reward_function() -> None:
    differences = pd.DataFrame(
        {"pair": ["A", "A", "B"], "community": ["x", "y", "x"], "difference": [-0.1, 0.3, 0.2]}
    )
    fig = coverage.strips(differences)
    assert [list(trace.x) for trace in fig.data] == [[-0.1, 0.3], [0.2]]
    assert "A: below zero for 1 of 2, mean 0.100, from -0.100 to 0.300." in coverage.strips_alt(
        differences
    )


@pytest.mark.parametrize(("values", "said"), [
    ({"k": 400, "limit": 400}, "expected less than limit = 400"),
    ({"limit": 500}, "parameter k = 1000"),
    ({"k": 1}, "parameter k = 1"),
])  # fmt: skip
def test_k_must_leave_actions_to_be_covered(values: dict, said: str) -> None:
    with pytest.raises(settings.ParameterError, match=said):
        settings.check("theory/coverage", values)
