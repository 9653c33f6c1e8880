"""Rankings of embeddings: correlations within a task, and what a choice loses."""

import numpy as np
import pandas as pd
import pytest

from crlib.plots import few_labels

RNG = np.random.default_rng(0)


def test_rank_correlations_are_spearman_s_formula():
    scores, value = RNG.standard_normal((2, 9, 4))
    found = few_labels.rank_correlations(scores, value)
    for task in range(4):
        ranks = [np.argsort(np.argsort(x[:, task])) for x in (scores, value)]
        squares = np.sum((ranks[0] - ranks[1]) ** 2)
        assert found[task] == pytest.approx(1 - 6 * squares / (9 * 80))


def test_a_score_that_does_not_tell_embeddings_apart_ranks_nothing():
    assert few_labels.rank_correlations(np.ones((5, 1)), RNG.standard_normal((5, 1))) == [0.0]


def test_regret_of_choice_is_that_of_the_highest_score():
    scores = np.array([[0.1, 0.9], [0.5, 0.2], [0.5, 0.3]])
    regret = np.array([[10.0, 1.0], [4.0, 2.0], [6.0, 3.0]])
    np.testing.assert_allclose(few_labels.regret_of_choice(scores, regret), [5.0, 1.0])
    np.testing.assert_allclose(few_labels.regret_of_choice(np.zeros((0, 0)), regret), [1.0])


@pytest.fixture
def frame():
    return pd.DataFrame({
        "embedding": ["a", "b", "c"], "family": ["contrastive", "reconstruction", "contrastive"],
        "normalised regret": [0.5, 0.7, 0.6], "R2 from labels": [0.4, 0.1, 0.2],
        "participation ratio": [10.0, 20.0, 30.0],
    })  # fmt: skip


def test_every_embedding_is_a_mark_in_both_panels(frame):
    fig = few_labels.scatter(frame)
    for score, axis in zip(few_labels.SCORES, ("x", "x2"), strict=True):
        marks = {
            name: (x, y)
            for trace in fig.data if (trace.xaxis or "x") == axis
            for name, x, y in zip(trace.text, trace.x, trace.y, strict=True)
        }  # fmt: skip
        expected = zip(frame[score], frame["normalised regret"], strict=True)
        assert marks == dict(zip(frame["embedding"], expected, strict=True))
    assert sum(trace.showlegend for trace in fig.data) == 2


def test_alt_text_names_the_best_and_the_worst(frame):
    text = few_labels.scatter_alt(frame)
    assert "Least: a, regret 0.500, R squared 0.400, participation ratio 10.0." in text
    assert "Most: b, regret 0.700" in text
