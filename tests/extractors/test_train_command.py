import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crlib.extractors.forward import encode_tokens
from crlib.extractors.load import load_encoder
from crlib.extractors.specs import MODELS
from crlib.extractors.train import Order, app, train_model, train_models
from crlib.extractors.twins.tokenizer import save_tokenizer, token_ids


def test_models_are_trained_side_by_side_and_can_be_loaded(tmp_path: Path, texts):
    order = Order(tmp_path / "models", tmp_path / "work", steps=2)
    names = ["clm-llama", "supervised-jina"]
    cards = train_models(names, texts, order, jobs=2, vocabulary=150)
    assert [card["name"] for card in cards] == names
    for name, card in zip(names, cards, strict=True):
        assert json.loads((order.out / name / "card.json").read_text()) == json.loads(
            json.dumps(card)
        )
        encoder = load_encoder(MODELS[name], shipped=order.out)
        assert encoder.module.config.is_decoder == (name == "clm-llama")
        rows = encode_tokens(encoder, token_ids(encoder.tokenizer, texts[:5]), 1024)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_the_last_phase_decides_the_shipped_attention(tmp_path: Path, texts, tokenizer):
    order = Order(tmp_path / "models", tmp_path / "work", steps=5)
    save_tokenizer(tokenizer, order.out / "tokenizer" / "tokenizer.json")
    card = train_model("llm2vec", texts, order, lambda name, step, loss: None)
    assert card["objectives"] == ["causal", "masked-next", "simcse"]
    assert load_encoder(MODELS["llm2vec"], shipped=order.out).module.config.is_decoder is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "pass --all"),
        (["simse"], "Did you mean 'simcse'"),
        (["minilm"], "not trained here"),
        (["simcse", "--steps", "0"], "greater than or equal to 1"),
    ],
)
def test_the_command_says_what_it_expects(arguments, message):
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2
    said = re.sub(r"[\s│]+", " ", result.output)
    assert message in said
