"""Chains without learning, against full sorts, counts of subsets, and loops over lengths."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from crlib.agents import retrieval
from crlib.agents.retrieval import popular_chain, random_chain, retrieve, train_length
from crlib.envs.tools import ToolBatch


def test_the_nearest_tools_are_those_of_a_full_sort(monkeypatch):
    rng = np.random.default_rng(0)
    queries, tools = rng.standard_normal((70, 6)), rng.standard_normal((90, 6))
    tools[50:60] = tools[40]  # ties
    lengths = rng.integers(1, 8, size=70)
    expected = []
    for query, length in zip(queries, lengths, strict=True):
        cosine = tools @ query / np.linalg.norm(tools, axis=1)
        order = np.lexsort((np.arange(90), -np.round(cosine, 12)))[:length].tolist()
        expected.append(order + [-1] * (lengths.max() - length))
    found = retrieve(queries * 7, tools * rng.uniform(1, 2, (90, 1)).round(), lengths)
    assert found.tolist() == expected
    monkeypatch.setattr(retrieval, "BLOCK_BYTES", 5 * 90 * 8)
    np.testing.assert_array_equal(retrieve(queries, tools, lengths), found)


def test_ties_go_to_the_lower_number():
    tools = np.array([[0, 1], [1, 0], [1, 0], [1, 0], [0, 1.0]])
    assert retrieve([[1.0, 0]], tools, 2).tolist() == [[1, 2]]
    assert retrieve([[1.0, 0]], tools, 5).tolist() == [[1, 2, 3, 0, 4]]
    assert retrieve([[0, 1.0]], tools, 1).tolist() == [[0]]


def test_random_chains_are_uniform_over_ordered_choices():
    chains = random_chain(24_000, 4, 3, seed=0)
    kinds = {kind: i for i, kind in enumerate(permutations(range(4), 3))}
    counts = np.bincount([kinds[tuple(row)] for row in chains.tolist()], minlength=24)
    assert stats.chisquare(counts).pvalue > 1e-3
    np.testing.assert_array_equal(chains, random_chain(24_000, 4, 3, seed=0))
    assert (chains != random_chain(24_000, 4, 3, seed=1)).any()


def test_a_shorter_random_chain_is_uniform_too():
    chains = random_chain(20_000, 10, np.tile([1, 4], 10_000), seed=2)
    assert ((chains >= 0).sum(axis=1) == np.tile([1, 4], 10_000)).all()
    assert stats.chisquare(np.bincount(chains[::2, 0], minlength=10)).pvalue > 1e-3
    assert all(len(set(row)) == 4 for row in chains[1::2].tolist())


def test_popular_tools_are_those_of_most_train_solutions():
    train = [(3, 1), (1,), (4, 3, 1), (4, 0), (2,)]  # 1: 3, 3 and 4: 2, 0 and 2: 1, 5: 0
    found = popular_chain(train, 3, 6, [5, 1, 2])
    assert found.tolist() == [[1, 3, 4, 0, 2], [1, -1, -1, -1, -1], [1, 3, -1, -1, -1]]
    assert popular_chain(train, 1, 6, 6).tolist() == [[1, 3, 4, 0, 2, 5]]


def test_the_length_is_that_of_the_best_return_in_training():
    rng = np.random.default_rng(3)
    tools = rng.standard_normal((30, 5))
    queries = rng.standard_normal((60, 5))
    ranked = np.argsort(-(queries @ (tools / np.linalg.norm(tools, axis=1, keepdims=True)).T))
    # In training the nearest and the third nearest are right, elsewhere the nearest alone.
    solutions = [(int(r[0]), int(r[2])) if i < 40 else (int(r[0]),) for i, r in enumerate(ranked)]
    train = np.arange(40)

    def chosen(cost, numbers):
        batch = ToolBatch(tools, queries, solutions, 6, cost)
        return train_length(batch, numbers, lambda q, n: retrieve(queries[q], tools, n))

    assert chosen(0.1, train) == 3  # 2 - 0.3 beats 1 - 0.1
    assert chosen(0.6, train) == 1  # 2 - 1.8 does not beat 1 - 0.6
    assert chosen(0.1, np.arange(40, 60)) == 1


def test_input_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="query_vectors: row 1 is all zero"):
        retrieve([[1.0, 0], [0, 0]], np.eye(2), 1)
    with pytest.raises(ValueError, match="embed both with one model"):
        retrieve(np.ones((2, 3)), np.eye(2), 1)
    for lengths in (0, 3, [1, 0]):
        with pytest.raises(ValueError, match="lengths must lie in 1 to K = 2"):
            retrieve(np.eye(2), np.eye(2), lengths)
    for lengths in (1.5, [1], [[1, 1]]):
        with pytest.raises(ValueError, match="one for each of 2 queries"):
            random_chain(2, 5, lengths)
