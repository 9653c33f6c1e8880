"""The hub's loader on tiny random checkpoints of every architecture, against plain transformers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hub_models import BUILDERS, TEXTS, reference, spec_for, tokenizer
from peft import LoraConfig, get_peft_model
from transformers import AutoModel

from crlib.extractors.hub import HUB_MODELS, PAPER_PAIRS, hub_spec
from crlib.extractors.hub.loading import embed, load_hub
from crlib.extractors.options import POOLINGS


def adapter(checkpoint, folder, seed: int, **options):
    """Save a LoRA adapter whose second factor is not zero, so that it does something."""
    torch.manual_seed(seed)
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], **options)
    model = get_peft_model(AutoModel.from_pretrained(checkpoint), config)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_rows_are_those_of_plain_transformers(checkpoints, name, pooling):
    spec = spec_for(checkpoints / name, pooling=pooling)
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    model = AutoModel.from_pretrained(checkpoints / name).eval()
    np.testing.assert_allclose(found, reference(model, TEXTS, pooling), atol=2e-6)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_layer_can_be_chosen(checkpoints, layer):
    spec = spec_for(checkpoints / "bert", layer=layer)
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    model = AutoModel.from_pretrained(checkpoints / "bert").eval()
    np.testing.assert_allclose(found, reference(model, TEXTS, "mean", layer=layer), atol=2e-6)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_prompt_is_seen_and_not_pooled(checkpoints, side):
    spec = spec_for(checkpoints / "llama", prompt="<user> ", suffix=" <end>", padding_side=side)
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    model = AutoModel.from_pretrained(checkpoints / "llama").eval()
    rows = []
    for text in TEXTS:
        tokens = tokenizer()(f"<user> {text} <end>", return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**{k: tokens[k] for k in ("input_ids", "attention_mask")})
        rows.append(hidden.last_hidden_state[0, 2:].mean(0))  # [CLS] and the prompt are left out
    expected = torch.nn.functional.normalize(torch.stack(rows), dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("others", [[], ["sort a list of numbers by size"]])
def test_the_last_token_reaches_the_first_state_only_when_bidirectional(
    checkpoints, bidirectional, others
):
    spec = spec_for(
        checkpoints / "llama", bidirectional=bidirectional, pooling="cls", padding_side="left"
    )
    model = load_hub(spec, device="cpu")
    one, two = (
        embed(model, spec, [text, *others])[0] for text in ("open the file", "open the list")
    )
    assert (np.abs(one - two).max() > 1e-4) == bidirectional


def test_adapters_are_merged_in_their_order(checkpoints, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    adapter(checkpoints / "llama", first, 1)
    adapter(checkpoints / "llama", second, 2)
    spec = spec_for(checkpoints / "llama", adapters=(str(first), str(second)))
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    from safetensors.torch import load_file

    plain = AutoModel.from_pretrained(checkpoints / "llama").eval()
    for folder in (first, second):
        tensors = load_file(folder / "adapter_model.safetensors")
        for name, parameter in plain.named_parameters():
            stem = f"base_model.model.{name.removesuffix('.weight')}"
            if f"{stem}.lora_A.weight" in tensors:
                up, down = tensors[f"{stem}.lora_B.weight"], tensors[f"{stem}.lora_A.weight"]
                parameter.data += 2.0 * up @ down  # alpha / r
    np.testing.assert_allclose(found, reference(plain, TEXTS, "mean"), atol=2e-6)
    alone = replace(spec, adapters=(str(first),))
    assert np.abs(found - embed(load_hub(alone, device="cpu"), alone, TEXTS)).max() > 1e-3


def test_a_task_adapter_lies_in_a_subfolder(checkpoints, tmp_path):
    adapter(checkpoints / "jina", tmp_path / "text_matching", 3)
    spec = spec_for(checkpoints / "jina", adapters=(f"{tmp_path}:text_matching",))
    direct = spec_for(checkpoints / "jina", adapters=(str(tmp_path / "text_matching"),))
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    expected = embed(load_hub(direct, device="cpu"), direct, TEXTS)
    np.testing.assert_array_equal(found, expected)
    plain = replace(spec, adapters=())
    assert np.abs(found - embed(load_hub(plain, device="cpu"), plain, TEXTS)).max() > 1e-3


def test_an_adapter_with_other_names_is_refused(checkpoints, tmp_path):
    from safetensors.torch import load_file, save_file

    adapter(checkpoints / "llama", tmp_path, 1)
    path = tmp_path / "adapter_model.safetensors"
    save_file(
        {name.replace("layers.0", "layers.7"): t for name, t in load_file(path).items()}, path
    )
    spec = spec_for(checkpoints / "llama", adapters=(str(tmp_path),))
    with pytest.raises(ValueError, match="does not fit the model"):
        load_hub(spec, device="cpu")


def test_rows_in_bfloat16_have_unit_length(checkpoints):
    spec = spec_for(checkpoints / "bert", dtype="bfloat16")
    found = embed(load_hub(spec, device="cpu"), spec, TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_a_model_that_is_nowhere_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    spec = replace(HUB_MODELS["bert-base"], repo="nobody/no-such-model-anywhere")
    with pytest.raises(ValueError, match=r"bert-base is not on this machine .* 0\.4 GB"):
        load_hub(spec, device="cpu")


def test_the_table_holds_the_papers_pairs_and_its_numbers():
    for pair in PAPER_PAIRS:
        old, new = HUB_MODELS[pair.reconstruction], HUB_MODELS[pair.contrastive]
        assert (old.family, new.family) == ("reconstruction", "contrastive")
        assert old.expected_d_eff < new.expected_d_eff
    assert HUB_MODELS["llama-3-8b"].gigabytes == pytest.approx(16.06)
    with pytest.raises(ValueError, match="Did you mean 'jina-v3'"):
        hub_spec("jina-v4")
