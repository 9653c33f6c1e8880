"""Variants of models: distinct, complete, and embeddable."""

import numpy as np
import pytest

from crlib.extractors import MODELS, PAPER_PAIRS, encode, variants_for
from crlib.extractors.names import spec_of
from crlib.extractors.options import with_options

TEXTS = ["Return the mean of the values.", "Open a file.", "Sort a list in place."]


@pytest.mark.parametrize("model", ["all", "paper", "mlm-bert", "simcse"])
def test_names_are_distinct_and_options_are_taken(model):
    variants = variants_for(model)
    assert len({variant.name for variant in variants}) == len(variants)
    changed = {with_options(spec_of(v.model), **v.options) for v in variants}
    assert len(changed) == len(variants)


def test_all_holds_every_trained_model_and_three_of_each_twin():
    variants = variants_for("all")
    models = [variant.model for variant in variants]
    assert set(models) == {name for name, spec in MODELS.items() if spec.kind != "control"}
    assert models.count("simcse") == 3
    assert models.count("simcse-s1") == models.count("minilm") == 1
    assert len(variants) >= 16


def test_paper_holds_three_of_each_of_its_encoders():
    models = [variant.model for variant in variants_for("paper")]
    for pair in PAPER_PAIRS:
        assert all(models.count(name) == 3 for name in pair.models)
    assert len(models) >= 16


def test_one_model_brings_its_pair():
    assert {v.model for v in variants_for("mlm-bert")} >= {"mlm-bert", "simcse"}


def test_variants_of_one_model_are_different_vectors(tmp_path):
    found = [
        encode(TEXTS, v.model, cache_dir=tmp_path, **v.options)
        for v in variants_for("mlm-bert")
        if v.model == "mlm-bert"
    ]
    assert len(found) == 3
    for i in range(3):
        for j in range(i):
            assert np.abs(found[i] - found[j]).max() > 0.01
