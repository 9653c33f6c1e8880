import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from crlib.extractors import encode, minilm, weights
from crlib.extractors.load import load_encoder
from crlib.extractors.specs import MODELS
from crlib.extractors.weights import SHIPPED

SENTENCES = ["That is a happy person", "That is a happy dog", "That is a very happy person",
             "Today is a sunny day"]  # fmt: skip


def test_similarities_are_those_that_the_model_is_known_for(vectors):
    rows = encode(SENTENCES, "minilm", cache_dir=vectors)
    # Published on the model's page: the widget's example against its first sentence.
    np.testing.assert_allclose(rows[0] @ rows[1:].T, [0.695, 0.943, 0.257], atol=2e-3)


def test_rows_are_those_of_sentence_transformers(texts, vectors):
    from sentence_transformers import SentenceTransformer

    peer = SentenceTransformer(str(minilm.minilm_folder()), device="cpu", local_files_only=True)
    given = [*texts[:20], "word " * 400, ""]
    np.testing.assert_allclose(
        encode(given, "minilm", cache_dir=vectors), peer.encode(given), atol=1e-5
    )


def test_another_weight_file_is_refused(monkeypatch):
    minilm.minilm_folder.cache_clear()
    monkeypatch.setattr(weights, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="is not the expected file"):
        minilm.minilm_folder()


def test_a_missing_package_is_named(monkeypatch):
    minilm.minilm_folder.cache_clear()
    monkeypatch.setattr(weights, "PACKAGE", "gt-no-such-package")
    with pytest.raises(ValueError, match="gt-no-such-package is not installed"):
        minilm.minilm_folder()


@pytest.fixture(scope="module")
def base():
    return minilm.load_minilm()


def test_a_fresh_adapter_changes_nothing_and_trains_the_encoders_linear_layers_alone():
    model = minilm.adapted(minilm.load_minilm(), seed=0)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert len(trained) == 6 * 6 * 2
    assert not any("pooler" in name for name in trained)
    ids = torch.tensor([[101, 2023, 2003, 102]])
    with torch.no_grad():
        adapted = model(input_ids=ids).last_hidden_state
        plain = minilm.load_minilm()(input_ids=ids).last_hidden_state
    torch.testing.assert_close(adapted, plain)


def test_a_saved_adapter_is_merged_as_it_was(tmp_path):
    model = minilm.adapted(minilm.load_minilm(), seed=0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) / 50)
    minilm.save_adapter(model, tmp_path)
    merged = minilm.merge_adapter(minilm.load_minilm(), tmp_path)
    ids = torch.tensor([[101, 2023, 2003, 102]])
    with torch.no_grad():
        expected = model.eval()(input_ids=ids).last_hidden_state
        torch.testing.assert_close(
            merged(input_ids=ids).last_hidden_state, expected, atol=2e-3, rtol=2e-3
        )


def test_an_adapter_with_other_names_is_refused(tmp_path):
    tensors = load_file(SHIPPED / "minilm-simcse" / "adapter_model.safetensors")
    name = next(iter(tensors))
    tensors[f"other.{name}"] = tensors.pop(name)
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ValueError, match="2 tensors are missing or unknown"):
        minilm.merge_adapter(minilm.load_minilm(), tmp_path)


def test_the_continued_models_start_from_the_same_weights_and_part(texts, vectors):
    rows = {
        name: encode(texts[:20], name, cache_dir=vectors)
        for name in ("minilm", "minilm-mlm", "minilm-simcse")
    }
    assert load_encoder(MODELS["minilm-mlm"]).tokenizer.get_vocab_size() == minilm.VOCABULARY
    assert np.abs(rows["minilm"] - rows["minilm-mlm"]).max() > 1e-2
    assert np.abs(rows["minilm-mlm"] - rows["minilm-simcse"]).max() > 1e-2
