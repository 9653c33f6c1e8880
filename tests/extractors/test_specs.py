import pytest

from crlib.extractors import MODELS, PAIRS, SEED_PAIRS, pairs_for, spec_of
from crlib.extractors.twins.recipes import RECIPES


def test_the_contracted_names_exist():
    assert set(MODELS) == {
        "mlm-bert", "mlm-roberta", "clm-llama", "simcse", "supervised-jina", "llm2vec",
        "mlm-bert-s1", "mlm-bert-s2", "simcse-s1", "simcse-s2",
        "minilm", "minilm-mlm", "minilm-simcse", "gaussian", "random-start", "lsa",
    }  # fmt: skip


def test_pairs_set_a_reconstruction_model_against_a_contrastive_one_of_equal_kind():
    for pair in PAIRS + SEED_PAIRS:
        left, right = MODELS[pair.reconstruction], MODELS[pair.contrastive]
        assert (left.family, right.family) == ("reconstruction", "contrastive")
        assert (left.seed, left.dimensions, left.pooling, left.max_tokens) == (
            right.seed, right.dimensions, right.pooling, right.max_tokens,
        )  # fmt: skip


def test_every_trained_model_has_a_recipe():
    assert all(spec.recipe in RECIPES for spec in MODELS.values() if spec.kind == "twin")


def test_pairs_for():
    assert pairs_for("all") == PAIRS
    assert [pair.contrastive for pair in pairs_for("mlm-bert")] == ["simcse"]
    assert pairs_for("simcse-s2") == (SEED_PAIRS[1],)
    assert pairs_for("gaussian") == ()


def test_a_mistyped_name_is_answered_with_the_closest_one_and_all():
    with pytest.raises(ValueError, match=r"'simcs'.*Did you mean 'simcse'.*gaussian"):
        spec_of("simcs")
    with pytest.raises(ValueError, match="unknown model"):
        pairs_for("nothing of the kind")
