"""A model by any name: the tables, a folder, a file of rows, through the same `encode`."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from crlib.extractors import MODELS, PAPER_PAIRS, encode, models_for, pairs_for, spec_of
from crlib.extractors.hub import loading
from crlib.extractors.twins.tokenizer import read_tokenizer
from crlib.extractors.weights import SHIPPED
from crlib.settings import ParameterError, check

TEXTS = ["open a file", "sort numbers", "open a file", "draw a line between points"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small model as its authors would save it: weights, configuration, tokenizer."""
    path = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    tokenizer = read_tokenizer(SHIPPED / "tokenizer" / "tokenizer.json")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), intermediate_size=32, **sizes)
    BertModel(config).save_pretrained(path)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        unk_token="[UNK]", mask_token="[MASK]",
    )  # fmt: skip
    fast.save_pretrained(path)
    return path


def test_a_folder_is_embedded_once_and_read_back(folder, tmp_path, monkeypatch):
    first = encode(TEXTS, str(folder), cache_dir=tmp_path)
    assert first.shape == (4, 16)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(first[0], first[2])

    def refuse(*_, **__):
        raise AssertionError("what is stored was computed again")

    monkeypatch.setattr(loading, "load_hub", refuse)
    np.testing.assert_array_equal(encode(TEXTS[::-1], str(folder), cache_dir=tmp_path), first[::-1])


def test_other_weights_have_another_store(folder, tmp_path):
    before = encode(TEXTS, str(folder), cache_dir=tmp_path)
    model = BertModel.from_pretrained(folder)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.mul_(-1)
    try:
        model.save_pretrained(folder)
        assert np.abs(encode(TEXTS, str(folder), cache_dir=tmp_path) - before).max() > 1e-3
    finally:
        with torch.no_grad():
            model.embeddings.word_embeddings.weight.mul_(-1)
        model.save_pretrained(folder)


def test_a_file_of_rows_is_a_model_too(tmp_path):
    rows = np.random.default_rng(0).standard_normal((4, 5))
    np.save(tmp_path / "mine.npy", rows)
    found = encode(TEXTS, str(tmp_path / "mine.npy"))
    np.testing.assert_allclose(found, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6)
    with pytest.raises(ValueError, match="4 rows for 3 texts"):
        encode(TEXTS[:3], str(tmp_path / "mine.npy"))


def test_chapters_know_pairs_and_controls(folder):
    assert pairs_for("paper") == PAPER_PAIRS
    assert pairs_for("jina-v3") == (PAPER_PAIRS[1],)
    assert pairs_for(str(folder)) == ()
    assert list(models_for("jina-v3")) == [
        "roberta-base", "jina-v3", "gaussian", "random-start", "lsa",
    ]  # fmt: skip
    assert next(iter(models_for(str(folder)))) == str(folder)
    assert models_for("all") == MODELS


def test_unknown_names_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'jina-v3'"):
        spec_of("jina-v33")
    with pytest.raises(ValueError, match="is missing; expected a file of embeddings"):
        spec_of(str(tmp_path / "none.npy"))
    with pytest.raises(ParameterError, match="did you mean jina-v3"):
        check("theory/coverage", {"model": "jina-v33"})
    with pytest.raises(ParameterError, match="is missing"):
        check("theory/coverage", {"model": "none.npy"})
    assert check("theory/coverage", {"model": "paper"}).model == "paper"
