"""A hub model's options through `encode`: on tiny checkpoints, against plain transformers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hub_models import TEXTS, reference, save, spec_for
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, BitsAndBytesConfig

from crlib.extractors import HUB_MODELS, encode
from crlib.extractors.hub import loading
from crlib.extractors.hub.loading import embed, load_hub, weights_options
from crlib.extractors.hub.rows import hub_rows

VARIANTS = [
    {"layer": 0, "pooling": "max"},
    {"layer": 1, "pooling": "cls"},
    {"layer": 1, "pooling": "lasttoken"},
    {"layer": -2},
    {"pooling": "max"},
    {"pooling": "first-last"},
]


@pytest.mark.parametrize("name", ["bert", "llama"])
@pytest.mark.parametrize("options", VARIANTS)
def test_a_layer_and_a_pooling_are_those_of_plain_transformers(checkpoints, name, options, vectors):
    found = encode(TEXTS, str(checkpoints / name), cache_dir=vectors, device="cpu", **options)
    model = AutoModel.from_pretrained(checkpoints / name).eval()
    expected = reference(model, TEXTS, **({"pooling": "mean"} | options))
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_each_variant_is_stored_by_itself(checkpoints, vectors):
    model = str(checkpoints / "bert")
    rows = [encode(TEXTS, model, cache_dir=vectors, **options) for options in [{}, *VARIANTS]]
    assert len(list(vectors.iterdir())) == 1 + len(VARIANTS)
    again = [encode(TEXTS, model, cache_dir=vectors, **options) for options in [{}, *VARIANTS]]
    np.testing.assert_array_equal(rows, again)


def test_a_layer_that_is_not_there_is_refused(checkpoints, vectors):
    with pytest.raises(ValueError, match=r"layer = 3 is out of range; expected 0 .* to 2"):
        encode(TEXTS, str(checkpoints / "bert"), layer=3, cache_dir=vectors)
    assert not vectors.exists()


def test_a_checkpoint_with_modules_follows_them_unless_told_otherwise(
    checkpoints, tmp_path, vectors
):
    folder = str(tmp_path / "whole")
    SentenceTransformer(
        modules=list(load_hub(spec_for(checkpoints / "bert", pooling="cls"), device="cpu"))
    ).save_pretrained(folder)
    model = AutoModel.from_pretrained(checkpoints / "bert").eval()
    for options, pooling in [({}, "cls"), ({"pooling": "mean"}, "mean"), ({"layer": -1}, "mean")]:
        found = encode(TEXTS, folder, cache_dir=vectors, **options)
        np.testing.assert_allclose(found, reference(model, TEXTS, pooling), atol=2e-6)
    wide = SentenceTransformer(folder, model_kwargs={"dtype": torch.bfloat16})
    expected = wide.encode(TEXTS, convert_to_tensor=True).float()
    found = encode(TEXTS, folder, dtype="bfloat16", cache_dir=vectors)
    expected = torch.nn.functional.normalize(expected, dim=1).cpu().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_weights_are_of_the_chosen_type(checkpoints, vectors):
    folder = checkpoints / "bert"
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()
    found = encode(TEXTS, str(folder), dtype="bfloat16", cache_dir=vectors)
    np.testing.assert_allclose(found, reference(model, TEXTS, "mean"), atol=0.01)
    full = encode(TEXTS, str(folder), dtype="float32", cache_dir=vectors)
    assert 1e-5 < np.abs(found - full).max() < 0.05
    np.testing.assert_array_equal(full, encode(TEXTS, str(folder), cache_dir=vectors))
    assert len(list(vectors.iterdir())) == 2


def test_eight_bits_without_bitsandbytes_say_how_to_get_it(checkpoints, vectors, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"dtype = 'int8' needs .* pip install bitsandbytes"):
        encode(TEXTS, str(checkpoints / "bert"), dtype="int8", cache_dir=vectors)
    with pytest.raises(ValueError, match=r"llama-3-8b: .* pip install bitsandbytes"):
        load_hub(replace(HUB_MODELS["llama-3-8b"], dtype="int8"))


def test_eight_bits_are_asked_of_transformers(checkpoints, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    spec = spec_for(checkpoints / "llama", dtype="int8")
    options = weights_options(spec, "cuda:1")
    assert isinstance(options["quantization_config"], BitsAndBytesConfig)
    assert options["quantization_config"].load_in_8bit
    assert options["device_map"] == {"": "cuda:1"}
    assert "device_map" not in weights_options(spec)
    assert weights_options(spec_for(checkpoints / "llama")) == {"dtype": torch.float32}
    given = {}

    def loader(repo, **keywords):
        given.update(keywords["model_kwargs"])
        raise OSError("far enough")

    monkeypatch.setattr(loading, "Transformer", loader)
    with pytest.raises(ValueError, match="cannot be read: far enough"):
        load_hub(spec)
    assert given["quantization_config"].load_in_8bit
    assert HUB_MODELS["llama-3-8b"].gigabytes == 2 * replace(
        HUB_MODELS["llama-3-8b"], dtype="int8"
    ).gigabytes  # fmt: skip


def test_eight_bits_take_one_device(checkpoints, monkeypatch, vectors):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(ValueError, match="takes one device with dtype = 'int8'"):
        encode(TEXTS, str(checkpoints / "bert"), dtype="int8", device=["cpu", "cpu"],
               cache_dir=vectors)  # fmt: skip


def test_several_devices_give_the_rows_of_one(checkpoints, vectors, monkeypatch):
    monkeypatch.setattr("crlib.extractors.hub.rows.SHARD", 8)
    texts = [f"sort {'a list of numbers ' * (i % 9)} by size {i}" for i in range(40)]
    model, started = str(checkpoints / "bert"), []
    honest = SentenceTransformer.start_multi_process_pool

    def start(self, devices):
        started.append(honest(self, devices))
        return started[-1]

    monkeypatch.setattr(SentenceTransformer, "start_multi_process_pool", start)
    one = encode(texts, model, cache_dir=vectors / "one", device="cpu")
    assert not started
    two = encode(texts, model, cache_dir=vectors / "two", device=["cpu", "cpu"])
    np.testing.assert_allclose(two, one, atol=1e-6)
    assert [len(pool["processes"]) for pool in started] == [2]  # one pool for all shards
    for process in started[0]["processes"]:
        with pytest.raises(ValueError, match="closed"):
            process.is_alive()


def test_a_worker_has_the_layers_the_direction_and_the_prompt(checkpoints, vectors):
    spec = spec_for(
        checkpoints / "llama", pooling="first-last", bidirectional=True, padding_side="left",
        prompt="<user> ", suffix=" <end>",
    )  # fmt: skip
    one, two = (
        hub_rows("abc", TEXTS, spec, cache_dir=vectors / str(len(device)), device=device)
        for device in (["cpu"], ["cpu", "cpu"])
    )
    np.testing.assert_allclose(two, one, atol=1e-6)
    for other in (replace(spec, bidirectional=False), replace(spec, prompt="")):
        assert np.abs(embed(load_hub(other, device="cpu"), other, TEXTS) - two).max() > 1e-3


def cached(cache, repo: str, commits: list[str]) -> None:
    """Lay checkpoints of other weights out as the hub's cache does; the last is `main`."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    for seed, commit in enumerate(commits):
        save("bert", folder / "snapshots" / commit, seed=seed)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(commits[-1])


def test_a_commit_can_be_pinned(tmp_path, vectors, monkeypatch):
    old, new = "a" * 40, "b" * 40
    cached(tmp_path, "some/model", [old, new])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for revision, commit in ((None, new), (old, old), (new, new)):
        found = encode(TEXTS, "some/model", revision=revision, cache_dir=vectors)
        folder = tmp_path / "models--some--model" / "snapshots" / commit
        model = AutoModel.from_pretrained(folder).eval()
        np.testing.assert_allclose(found, reference(model, TEXTS, "mean"), atol=2e-6)
    assert len(list(vectors.iterdir())) == 2  # a commit's vectors, however it was named
    with pytest.raises(ValueError, match="some/model is not on this machine"):
        encode(TEXTS, "some/model", revision="c" * 40, cache_dir=vectors)


def test_an_id_with_modules_follows_them_too(checkpoints, tmp_path, vectors, monkeypatch):
    folder = tmp_path / "models--some--whole"
    SentenceTransformer(
        modules=list(load_hub(spec_for(checkpoints / "bert", pooling="cls"), device="cpu"))
    ).save_pretrained(str(folder / "snapshots" / ("d" * 40)))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("d" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = AutoModel.from_pretrained(checkpoints / "bert").eval()
    found = encode(TEXTS, "some/whole", cache_dir=vectors)
    np.testing.assert_allclose(found, reference(model, TEXTS, "cls"), atol=2e-6)


def test_a_folder_has_no_commit(checkpoints, vectors):
    with pytest.raises(ValueError, match="is a folder and has no revision"):
        encode(TEXTS, str(checkpoints / "bert"), revision="main", cache_dir=vectors)
