"""Features of tools and queries, and small tasks cut out of large ones."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from crlib.envs.tool_arms import few_tools, small_batch, task_features, tool_features
from crlib.extractors import encode


@pytest.mark.parametrize("whiten", [False, True])
def test_features_are_scikit_learn_s_components_of_the_tools(whiten):
    rng = np.random.default_rng(0)
    tools = rng.standard_normal((200, 12)) @ rng.standard_normal((12, 12)) + 3
    queries = rng.standard_normal((9, 12))
    found = tool_features(tools, queries, width=5, whiten=whiten)
    reference = PCA(5, whiten=whiten, svd_solver="full").fit(tools)
    for rows, expected in zip(
        found, (reference.transform(tools), reference.transform(queries)), strict=True
    ):
        signs = np.sign((rows * expected).sum(axis=0))
        np.testing.assert_allclose(rows * signs, expected, atol=2e-4)
        assert rows.dtype == np.float32


def test_the_queries_do_not_change_the_tools_features():
    rng = np.random.default_rng(1)
    tools = rng.standard_normal((50, 6))
    one, _ = tool_features(tools, rng.standard_normal((3, 6)), width=4)
    other, _ = tool_features(tools, 100 + rng.standard_normal((3, 6)), width=4)
    np.testing.assert_array_equal(one, other)


def test_narrow_embeddings_keep_what_they_have():
    tools, queries = tool_features(np.random.default_rng(2).random((30, 4)), np.ones((2, 4)))
    assert tools.shape == (30, 4)
    assert queries.shape == (2, 4)


def test_two_models_are_refused():
    with pytest.raises(ValueError, match="embed both with one model"):
        tool_features(np.ones((5, 4)), np.ones((2, 3)))


def test_tasks_are_encoded_by_each_model_raw_and_whitened():
    tools = [f"tool {word}" for word in ("open", "close", "read", "write", "sort", "merge")]
    queries = ["open and read", "merge what was sorted"]
    found = task_features(tools, queries, ["gaussian", "simcse"], 3)
    assert set(found) == {(n, arm) for n in ("gaussian", "simcse") for arm in ("raw", "whitened")}
    for (name, arm), both in found.items():
        alone = encode(tools, name), encode(queries, name)
        expected = tool_features(*alone, width=3, whiten=arm == "whitened")
        for rows, reference in zip(both, expected, strict=True):
            np.testing.assert_array_equal(rows, reference)
        spread = both[0].var(axis=0)
        assert (spread.max() / spread.min() < 1.01) == (arm == "whitened")


SOLUTIONS = [(1, 2), (3,), (90, 4, 5), (2, 7), (11, 12)]


def test_a_larger_task_holds_the_smaller_one():
    options = {"n_available": 100, "n_queries": 3, "seed": 4}
    small, asked = few_tools(SOLUTIONS, range(5), n_tools=12, **options)
    large, same = few_tools(SOLUTIONS, range(5), n_tools=60, **options)
    needed = {tool for query in asked for tool in SOLUTIONS[query]}
    assert asked.tolist() == same.tolist()
    assert len(small) == len(set(small.tolist())) == 12
    assert needed <= set(small.tolist()) <= set(large.tolist())
    assert len(set(large.tolist())) == 60
    other, _ = few_tools(SOLUTIONS, range(5), n_tools=60, **options | {"seed": 5})
    assert set(other.tolist()) != set(large.tolist())


def test_queries_come_from_those_that_may_be_drawn():
    _, asked = few_tools(SOLUTIONS, [1, 4], n_tools=9, n_available=100, n_queries=2)
    assert asked.tolist() == [1, 4]


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"n_queries": 6}, "6 queries"), ({"n_tools": 101}, "101 tools"), ({"n_tools": 5}, "raise")],
)
def test_tasks_that_cannot_be_are_refused(changed, message):
    options = {"n_tools": 12, "n_available": 100, "n_queries": 5} | changed
    with pytest.raises(ValueError, match=message):
        few_tools(SOLUTIONS, range(5), **options)


def test_a_small_batch_asks_for_the_same_tools():
    rng = np.random.default_rng(3)
    features = rng.random((100, 4)), rng.random((5, 4))
    tools, asked = few_tools(SOLUTIONS, range(5), n_tools=20, n_available=100, n_queries=3)
    env = small_batch(features, SOLUTIONS, tools, asked, max_length=4)
    np.testing.assert_array_equal(env.tool_vectors, features[0][tools])
    np.testing.assert_array_equal(env.query_vectors, features[1][asked])
    assert [tuple(tools[list(s)]) for s in env.solutions] == [SOLUTIONS[i] for i in asked]
