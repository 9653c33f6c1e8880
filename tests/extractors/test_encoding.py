import numpy as np
import pytest

from crlib.extractors import MODELS, encode, encoding, forward
from crlib.extractors.forward import batch_bounds
from crlib.extractors.load import load_encoder
from crlib.extractors.weights import describe, weight_files

ODD = ["", " ", "\U0001f600 \u65e5\u672c", "word " * 5000, "\x00", "a\nb\tc"]
NEURAL = [name for name in MODELS if name not in ("gaussian", "lsa")]


@pytest.mark.parametrize("model", NEURAL)
def test_rows_are_unit_in_order_and_do_not_depend_on_their_batch(model, texts, vectors):
    given = [*texts[:40], *ODD]
    together = encode(given, model, cache_dir=vectors / "a")
    alone = encode(given[::-1], model, cache_dir=vectors / "b", batch_tokens=1)[::-1]
    assert together.shape == (46, MODELS[model].dimensions)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("model", ["simcse", "clm-llama"])
def test_what_was_encoded_before_does_not_matter(model, texts, vectors):
    """A store that was filled bit by bit holds the vectors of one that was filled at once."""
    at_once = encode(texts, model, cache_dir=vectors / "a")
    for some in (texts[1::7], texts[::3], texts[:10]):
        encode(some, model, cache_dir=vectors / "b")
    bit_by_bit = encode(texts, model, cache_dir=vectors / "b")
    # To the last bit or nearly so, by the processor; with padding it was 1e-7.
    np.testing.assert_allclose(bit_by_bit, at_once, rtol=0, atol=3e-8)


@pytest.mark.parametrize("model", ["gaussian", "random-start", "lsa"])
def test_a_text_that_comes_twice_has_one_row(model, texts, vectors):
    rows = encode([*texts, *texts[:3]], model, cache_dir=vectors)
    np.testing.assert_array_equal(rows[:3], rows[-3:])


def test_a_text_is_cut_at_the_models_length(vectors):
    short, long = "word " * 100, "word " * 9000 + "other"
    rows = encode([short, long], "random-start", cache_dir=vectors)
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)


def test_no_texts_give_no_rows(vectors):
    assert encode([], "simcse", cache_dir=vectors).shape == (0, 128)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"pass \[text\]"),
        (["a", None], r"texts\[1\] is NoneType"),
        (["a", b"b"], r"texts\[1\] is bytes"),
        (["\ud800"], r"texts\[0\] holds half of a surrogate pair"),
    ],
)
def test_what_is_no_text_is_named(texts, message, vectors):
    with pytest.raises(ValueError, match=message):
        encode(texts, "gaussian", cache_dir=vectors)


def test_bad_settings_are_named(vectors):
    with pytest.raises(ValueError, match="Did you mean 'simcse'"):
        encode(["a"], "simsce", cache_dir=vectors)
    with pytest.raises(ValueError, match="batch_tokens = 0"):
        encode(["a"], "simcse", cache_dir=vectors, batch_tokens=0)


def test_only_what_is_missing_is_computed(texts, vectors, monkeypatch):
    counted: list[int] = []
    honest = forward.encode_tokens

    def count(encoder, tokens, batch_tokens):
        counted.append(len(tokens))
        return honest(encoder, tokens, batch_tokens)

    monkeypatch.setattr(forward, "encode_tokens", count)
    first = encode(texts[:20], "random-start", cache_dir=vectors)
    second = encode(texts[:30], "random-start", cache_dir=vectors)
    again = encode(texts[:30], "random-start", cache_dir=vectors)
    assert counted == [20, 10]
    np.testing.assert_array_equal(first, second[:20])
    np.testing.assert_array_equal(second, again)


def test_an_interrupted_encoding_keeps_its_shards(texts, vectors, monkeypatch):
    monkeypatch.setattr(encoding, "SHARD_ROWS", 10)
    honest, calls = forward.encode_tokens, []

    def interrupted(encoder, tokens, batch_tokens):
        calls.append(len(tokens))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return honest(encoder, tokens, batch_tokens)

    monkeypatch.setattr(forward, "encode_tokens", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encode(texts[:40], "random-start", cache_dir=vectors)
    resumed = encode(texts[:40], "random-start", cache_dir=vectors)
    assert calls == [10, 10, 10, 10, 10]
    fresh = encode(texts[:40], "random-start", cache_dir=vectors / "other")
    np.testing.assert_allclose(resumed, fresh, atol=1e-5)


def test_the_seed_counts_for_controls_and_not_for_trained_models(texts):
    for name in ("random-start", "lsa"):
        keys = [describe(MODELS[name], seed=seed, text_keys=["k"]) for seed in (0, 1)]
        assert keys[0] != keys[1]
    assert describe(MODELS["simcse"], seed=0, text_keys=["k"]) == describe(
        MODELS["simcse"], seed=1, text_keys=["other"]
    )


def test_the_texts_count_for_a_model_that_is_fitted_on_them():
    one, other = (describe(MODELS["lsa"], seed=0, text_keys=keys) for keys in (["a"], ["b"]))
    assert one != other


def test_batches_keep_the_budget():
    lengths = sorted(np.random.default_rng(0).integers(2, 60, size=500).tolist())
    bounds = list(batch_bounds(lengths, 256))
    assert [start for start, _ in bounds][1:] == [stop for _, stop in bounds][:-1]
    assert (bounds[0][0], bounds[-1][1]) == (0, 500)
    sizes = [(stop - start) * max(lengths[start:stop]) for start, stop in bounds]
    assert max(sizes) <= 256
    # Of one length each: no padding, which would move a row's last digits.
    assert all(len(set(lengths[start:stop])) == 1 for start, stop in bounds)
    assert list(batch_bounds([300], 256)) == [(0, 1)]
    assert list(batch_bounds([], 256)) == []


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"simcse: .*model.safetensors is missing.*make twins"):
        weight_files(MODELS["simcse"], shipped=tmp_path)


@pytest.mark.parametrize(("model", "leaks"), [("clm-llama", False), ("llm2vec", True)])
def test_the_shipped_causal_twin_is_causal_and_llm2vec_is_not(model, leaks):
    import torch

    from crlib.extractors.twins.architecture import hidden_states

    module = load_encoder(MODELS[model]).module
    ids = torch.tensor([[2, 50, 60, 70, 3], [2, 50, 60, 70, 80]])
    with torch.no_grad():
        states = hidden_states(module, ids, torch.ones_like(ids))
    assert torch.equal(states[0, 0], states[1, 0]) != leaks
