"""The trained models in the repository are what their cards say."""

import json

import pytest
from safetensors import safe_open

from crlib.extractors import MODELS
from crlib.extractors.train import BUDGET, MINILM_STEPS, TRAINABLE, TWIN_STEPS
from crlib.extractors.weights import SHIPPED
from crlib.io import sha256_file

CARDS = {name: json.loads((SHIPPED / name / "card.json").read_text()) for name in TRAINABLE}


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_card_matches_the_weights(name):
    card = CARDS[name]
    weights = SHIPPED / name / card["weights_file"]
    assert sha256_file(weights) == card["weights_sha256"]
    assert weights.stat().st_size == card["weights_bytes"]
    with safe_open(weights, framework="pt") as file:
        slices = [file.get_slice(key) for key in file.keys()]  # noqa: SIM118
        sizes = [int(__import__("math").prod(part.get_shape())) for part in slices]
        assert {part.get_dtype() for part in slices} == {"F16"}
    assert sum(sizes) == card["parameters"]
    assert card["seed"] == MODELS[name].seed


@pytest.mark.parametrize("name", TRAINABLE)
def test_twins_differ_in_nothing_but_the_objective(name):
    card = CARDS[name]
    minilm = name.startswith("minilm")
    peer = CARDS["minilm-simcse" if minilm else "simcse"]
    assert card["steps"] == (MINILM_STEPS if minilm else TWIN_STEPS)
    assert card["tokens_per_step"] == BUDGET
    assert card["data"] == peer["data"]
    assert card["parameters"] == peer["parameters"]
    assert abs(card["tokens"] / peer["tokens"] - 1) < 0.05


def test_all_cards_name_the_shipped_tokenizer():
    digest = sha256_file(SHIPPED / "tokenizer" / "tokenizer.json")
    twins = [name for name in TRAINABLE if not name.startswith("minilm")]
    assert {CARDS[name]["data"]["tokenizer_sha256"] for name in twins} == {digest}


def test_a_twin_has_the_stated_number_of_parameters():
    vectors = (8192 + 64 + 1) * 128 + 2 * 128
    attention = 4 * (128 * 128 + 128) + 2 * 128
    feed_forward = 128 * 512 + 512 + 512 * 128 + 128 + 2 * 128
    assert CARDS["mlm-bert"]["parameters"] == vectors + 2 * (attention + feed_forward)


def test_all_models_together_stay_below_forty_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) <= 40e6


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_loss_fell_and_its_curve_is_complete(name):
    card = CARDS[name]
    assert card["loss_curve"][-1][0] == card["steps"]
    if name != "minilm-simcse":  # its start already tells the texts of a batch apart
        assert card["loss"]["last"] < card["loss"]["first"]
