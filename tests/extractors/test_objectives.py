import math

import numpy as np
import pytest
import torch
from scipy import stats

from crlib.extractors.twins.architecture import PredictionHead, hidden_states, new_encoder
from crlib.extractors.twins.objectives import (
    IGNORED,
    choose_next,
    info_nce,
    mask_tokens,
    mean_pool,
    prediction_loss,
)
from crlib.extractors.twins.tokenizer import CLS, MASK, SEP

VOCABULARY = 150
SEEDS = ((0, False), (0, True), (1, False))


def row(*inner: int) -> np.ndarray:
    return np.array([CLS, *inner, SEP])


def masked(rows, keys, **more):
    return mask_tokens(rows, keys, mask_id=MASK, special=5, vocabulary=VOCABULARY, **more)


def info_nce_by_hand(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    """The definition, term by term, in plain Python."""
    total = 0.0
    for i in range(len(a)):
        scores = [
            math.exp(float(a[i] @ b[j] / np.linalg.norm(a[i]) / np.linalg.norm(b[j])) / temperature)
            for j in range(len(b))
        ]
        total -= math.log(scores[i] / sum(scores))
    return total / len(a)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_info_nce_is_its_definition(temperature):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 6, 5))
    given = (torch.tensor(a), torch.tensor(b))
    one_way = info_nce_by_hand(a, b, temperature)
    other_way = info_nce_by_hand(b, a, temperature)
    assert info_nce(*given, temperature=temperature).item() == pytest.approx(one_way)
    assert info_nce(*given, temperature=temperature, both_ways=True).item() == pytest.approx(
        (one_way + other_way) / 2
    )


def test_info_nce_of_indistinguishable_rows_is_log_n():
    rows = torch.ones(7, 3)
    assert info_nce(rows, rows, temperature=0.05).item() == pytest.approx(math.log(7))


def test_masking_rates_are_those_of_bert():
    rng = np.random.default_rng(1)
    rows = [row(*rng.integers(5, VOCABULARY, size=40)) for _ in range(3000)]
    inputs, labels = masked(rows, [(3, i) for i in range(3000)])
    original, hidden, label = (np.concatenate(part) for part in (rows, inputs, labels))
    inner = ~np.isin(original, [CLS, SEP])
    chosen = label != IGNORED
    assert (label[chosen] == original[chosen]).all()
    assert (hidden[~chosen] == original[~chosen]).all()
    assert not chosen[~inner].any()
    assert stats.binomtest(int(chosen.sum()), int(inner.sum()), 0.15).pvalue > 1e-3
    replaced = hidden[chosen]
    same = replaced == original[chosen]
    counts = [(replaced == MASK).sum(), (~same & (replaced != MASK)).sum(), same.sum()]
    # A random token hits the original by chance once in 145.
    miss = 0.1 * (1 - 1 / (VOCABULARY - 5))
    expected = np.array([0.8, miss, 0.2 - miss]) * chosen.sum()
    assert stats.chisquare(counts, expected).pvalue > 1e-3


def test_random_replacements_are_uniform_and_never_special():
    rows = [row(*[7] * 40) for _ in range(6000)]
    inputs, labels = masked(rows, [(4, i) for i in range(6000)])
    hidden, label = np.concatenate(inputs), np.concatenate(labels)
    drawn = hidden[(label != IGNORED) & (hidden != MASK) & (hidden != 7)]
    assert drawn.min() >= 5
    counts = np.bincount(drawn, minlength=VOCABULARY)[5:]
    counts = np.delete(counts, 7 - 5)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_mask_depends_on_its_key_alone():
    rows = [row(*range(10, 40)), row(*range(50, 60))]
    first = masked(rows, [(0, 1), (0, 2)])
    alone = masked(rows[1:], [(0, 2)])
    other = masked(rows[1:], [(1, 2)])
    np.testing.assert_array_equal(first[0][1], alone[0][0])
    assert not np.array_equal(alone[0][0], other[0][0])


def test_at_least_one_token_is_predicted_unless_the_text_is_empty():
    _, labels = masked([row(9), row()], [(0, 0), (0, 1)], share=0.0)
    assert labels[0].tolist() == [IGNORED, 9, IGNORED]
    assert labels[1].tolist() == [IGNORED, IGNORED]


def test_causal_labels_are_the_tokens_themselves_but_never_the_first():
    rows = [row(*range(10, 50))] * 500
    labels = np.stack(choose_next(rows, [(0, i) for i in range(500)]))
    assert (labels[:, 0] == IGNORED).all()
    chosen = labels[:, 1:] != IGNORED
    assert (labels[:, 1:][chosen] == np.stack(rows)[:, 1:][chosen]).all()
    assert stats.binomtest(int(chosen.sum()), chosen.size, 0.15).pvalue > 1e-3


@pytest.mark.parametrize("shift", [False, True])
def test_prediction_loss_is_the_mean_negative_log_probability(shift):
    torch.manual_seed(0)
    hidden = torch.randn(2, 5, 4, dtype=torch.float64)
    words = torch.randn(6, 4, dtype=torch.float64)
    labels = torch.tensor([[IGNORED, 2, IGNORED, 5, IGNORED], [IGNORED, IGNORED, 1, IGNORED, 0]])
    terms = []
    for i, position in ((0, 1), (0, 3), (1, 2), (1, 4)):
        state = hidden[i, position - 1 if shift else position].numpy()
        scores = words.numpy() @ state
        terms.append(math.log(np.exp(scores).sum()) - scores[labels[i, position]])
    loss = prediction_loss(hidden, labels, lambda states: states @ words.T, shift=shift)
    assert loss.item() == pytest.approx(np.mean(terms))


def test_mean_pool_ignores_padding():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).item() == 2.0


@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize(("causal", "leaks"), [(True, False), (False, True)])
def test_the_future_reaches_the_first_state_only_without_the_causal_mask(causal, leaks, padding):
    model = new_encoder(seed=0, causal=causal, vocabulary=VOCABULARY).eval()
    ids = torch.tensor([[CLS, 10, 11, 12, SEP] + [0] * padding] * 2)
    ids[1, 4] = 99
    mask = (torch.arange(ids.shape[1]) < 5).long().expand(2, -1)
    with torch.no_grad():
        states = hidden_states(model, ids, mask)
    assert torch.equal(states[0, 0], states[1, 0]) != leaks
    assert not torch.equal(states[0, 4], states[1, 4])


def test_the_start_is_the_same_for_every_objective_and_differs_between_seeds():
    starts = [new_encoder(seed=seed, causal=causal) for seed, causal in SEEDS]
    first, second, other = (dict(model.named_parameters()) for model in starts)
    assert all(torch.equal(first[name], second[name]) for name in first)
    name = "embeddings.word_embeddings.weight"
    assert not torch.equal(first[name], other[name])


def test_the_head_shares_the_word_vectors_without_counting_them():
    encoder = new_encoder(seed=0, vocabulary=VOCABULARY)
    head = PredictionHead(encoder.get_input_embeddings().weight, seed=0)
    assert sum(p.numel() for p in head.parameters()) == 128 * 128 + 128 + 2 * 128 + VOCABULARY
    head(torch.randn(3, 128)).sum().backward()
    assert encoder.get_input_embeddings().weight.grad is not None
