"""Layer, pooling and device of the shipped models, and options that mean nothing."""

import itertools

import numpy as np
import pytest
import torch

from crlib.extractors import MODELS, encode, spec_of
from crlib.extractors.load import load_encoder
from crlib.extractors.options import POOLINGS, with_options
from crlib.extractors.store import store_folder
from crlib.extractors.weights import describe

TEXTS = ["sort a list of numbers by size", "open", "", "draw a line between two points, then stop"]
NETWORKS = [name for name, spec in MODELS.items() if spec.layers]


def reference(model: str, layer: int, pooling: str) -> np.ndarray:
    """One text at a time, so without padding, straight on the transformers module."""
    encoder = load_encoder(MODELS[model])
    rows = []
    for text in TEXTS:
        ids = torch.tensor([encoder.tokenizer.encode(text).ids])
        with torch.inference_mode():
            out = encoder.module(input_ids=ids, output_hidden_states=True)
        hidden = [states[0] for states in out.hidden_states]
        chosen = hidden[layer]
        rows.append(
            {
                "mean": chosen.mean(0),
                "cls": chosen[0],
                "lasttoken": chosen[-1],
                "max": chosen.max(0).values,
                "first-last": 0.5 * hidden[1].mean(0) + 0.5 * hidden[-1].mean(0),
            }[pooling]
        )
    return torch.nn.functional.normalize(torch.stack(rows), dim=1).numpy()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("model", ["simcse", "minilm"])
def test_every_pooling_is_that_of_plain_transformers(model, pooling, vectors):
    found = encode(TEXTS, model, pooling=pooling, cache_dir=vectors)
    np.testing.assert_allclose(found, reference(model, -1, pooling), atol=1e-5)


@pytest.mark.parametrize(("layer", "pooling"), [(0, "mean"), (0, "max"), (1, "cls"), (-2, "max")])
def test_every_layer_is_that_of_plain_transformers(layer, pooling, vectors):
    model = "mlm-bert" if pooling == "cls" else "clm-llama"
    found = encode(TEXTS, model, layer=layer, pooling=pooling, cache_dir=vectors)
    np.testing.assert_allclose(found, reference(model, layer, pooling), atol=1e-5)


def test_variants_differ_and_each_has_vectors_of_its_own(vectors):
    options = [{}, {"layer": 0}, {"layer": 1}, *({"pooling": p} for p in POOLINGS if p != "mean")]
    rows = [encode(TEXTS, "mlm-bert", cache_dir=vectors, **chosen) for chosen in options]
    for one, other in itertools.combinations(rows, 2):
        assert np.abs(one - other).max() > 1e-2
    assert len(list(vectors.iterdir())) == len(options)
    again = [encode(TEXTS, "mlm-bert", cache_dir=vectors, **chosen) for chosen in options]
    np.testing.assert_array_equal(rows, again)


@pytest.mark.parametrize("options", [{"layer": -1}, {"layer": 2}, {"pooling": "mean"},
                                     {"dtype": "float32"}])  # fmt: skip
def test_what_is_the_default_anyhow_keeps_the_stored_vectors(options):
    changed = with_options(spec_of("simcse"), **options)
    assert changed == MODELS["simcse"]


def test_the_key_of_the_default_has_no_new_field(tmp_path):
    def key(spec):
        return describe(spec, seed=0, text_keys=[])

    assert set(key(MODELS["simcse"])) == {
        "name", "kind", "dimensions", "max_tokens", "pooling", "dtype", "normalised", "batches",
        "weights", "majors",
    }  # fmt: skip
    folders = {
        store_folder(tmp_path, key(with_options(MODELS["simcse"], **options)))
        for options in ({}, {"layer": 1}, {"layer": 0}, {"pooling": "max"})
    }
    assert len(folders) == 4


@pytest.mark.parametrize("model", NETWORKS)
def test_the_table_knows_layers_and_direction(model):
    config = load_encoder(MODELS[model]).module.config
    assert MODELS[model].layers == config.num_hidden_layers
    assert MODELS[model].causal == bool(config.is_decoder)


def test_a_device_changes_nothing_but_the_place(vectors):
    here = encode(TEXTS, "simcse", cache_dir=vectors / "a")
    there = encode(TEXTS, "simcse", device=["cpu"], cache_dir=vectors / "b")
    np.testing.assert_array_equal(here, there)
    assert [path.name for path in (vectors / "a").iterdir()] == [
        path.name for path in (vectors / "b").iterdir()
    ]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("simcse", {"layer": 3}, r"simcse: layer = 3 is out of range; expected 0 .* to 2, or -3"),
        ("minilm", {"layer": -8}, "layer = -8 is out of range"),
        ("simcse", {"layer": True}, "layer = True; expected a whole number"),
        ("simcse", {"pooling": "men"}, r"pooling = 'men'; expected one of mean, cls, lasttoken"),
        ("simcse", {"pooling": "none"}, "pooling = 'none'; expected one of"),
        ("simcse", {"pooling": "first-last", "layer": 1}, "its own two layers; leave layer out"),
        ("simcse", {"dtype": "float64"}, "dtype = 'float64'; expected one of float32"),
        ("simcse", {"dtype": "bfloat16"}, "simcse runs in float32 only"),
        ("simcse", {"revision": "main"}, "simcse comes with the project and has no revision"),
        ("simcse", {"layer": 0, "pooling": "cls"}, "layer 0 holds each token's own embedding"),
        ("clm-llama", {"pooling": "cls"}, "clm-llama: its first token sees no other"),
        ("gaussian", {"pooling": "cls"}, "gaussian has no layers .* takes no pooling = 'cls'"),
        ("lsa", {"layer": 1}, "lsa has no layers or tokens and takes no layer = 1"),
        ("gaussian", {"device": "cpu"}, "gaussian runs on no device"),
        ("simcse", {"device": ["cpu", "cpu"]}, "takes one device, not 2"),
        ("simcse", {"device": []}, "expected a device, as cpu or cuda:0"),
        ("simcse", {"device": "gpu7"}, "device = 'gpu7' cannot be used here"),
        ("simcse", {"device": "cuda:99"}, "device = 'cuda:99' cannot be used here"),
        ("clip-vit-b-32", {"pooling": "mean"}, "clip-vit-b-32: its own projection"),
        ("clip-vit-b-32", {"layer": 1}, "leave layer and pooling out"),
        ("llama-3-8b", {"pooling": "cls"}, "llama-3-8b: its first token sees no other"),
        ("simcse-base", {"layer": 0}, "pooling = 'cls' would take one token's"),
    ],
)
def test_what_means_nothing_is_refused(model, options, message, vectors):
    with pytest.raises(ValueError, match=message):
        encode(TEXTS, model, cache_dir=vectors, **options)
    assert not vectors.exists()


def test_rows_that_are_ready_made_take_no_option(tmp_path):
    np.save(tmp_path / "mine.npy", np.eye(4))
    for options in ({"layer": 1}, {"revision": "main"}, {"device": "cpu"}):
        with pytest.raises(ValueError, match=r"mine.npy"):
            encode(TEXTS, str(tmp_path / "mine.npy"), **options)
