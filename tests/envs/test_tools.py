"""Tools for a query: rewards of every ending by hand, the batch against single episodes."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from crlib.envs.tools import ToolBatch, ToolEnv

K, STOP = 5, 5
SOLUTIONS = [(2, 0), (4,), (1, 3, 0)]
COST = 0.25


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((K + len(SOLUTIONS), 4)).astype(np.float32)
    return rows[:K], rows[K:], SOLUTIONS


def played(problem, query, actions, max_length=4):
    """Rewards, done and the last info of one episode."""
    batch = ToolBatch(*problem, max_length, COST, 0)
    batch.reset([query])
    steps = [batch.step([action]) for action in actions]
    last = {name: values[0].item() for name, values in steps[-1][2].items()}
    return [r[0] for r, _, _ in steps], [bool(d[0]) for _, d, _ in steps], last


@pytest.mark.parametrize(
    ("query", "actions", "rewards", "ends_at", "info"),
    [
        # success, in order and not
        (0, [2, 0], [0.75, 0.75], 1, (True, 2, True)),
        (0, [0, 2], [0.75, 0.75], 1, (True, 2, False)),
        (0, [2, 4, 0], [0.75, -0.25, 0.75], 2, (True, 2, True)),
        (1, [4], [0.75], 0, (True, 1, True)),
        (2, [1, 3, 0], [0.75] * 3, 2, (True, 3, True)),
        (2, [1, 0, 3], [0.75] * 3, 2, (True, 3, False)),
        # stop, which is free
        (0, [STOP], [0], 0, (False, 0, False)),
        (0, [0, STOP], [0.75, 0], 1, (False, 1, False)),
        # the limit; a repeated call and one of another tool only cost
        (0, [2, 2, 2, 2], [0.75, -0.25, -0.25, -0.25], 3, (False, 1, False)),
        (0, [1, 3, 4, 1], [-0.25] * 4, 3, (False, 0, False)),
        (0, [1, 3, 0, 2], [-0.25, -0.25, 0.75, 0.75], 3, (True, 2, False)),
        # what comes after the end
        (1, [4, 0, STOP], [0.75, 0, 0], 0, (True, 1, True)),
        (1, [STOP, 4], [0, 0], 0, (False, 0, False)),
    ],
)
def test_the_rewards_of_every_ending(problem, query, actions, rewards, ends_at, info):
    found, done, last = played(problem, query, actions)
    assert found == rewards
    assert done == [step >= ends_at for step in range(len(actions))]
    assert (last["success"], last["covered"], last["ordered"]) == info


def test_the_state_holds_the_query_and_the_chain(problem):
    batch = ToolBatch(*problem, 3, COST, 0)
    state = batch.reset([1, 0])
    np.testing.assert_array_equal(state.query, problem[1][[1, 0]])
    assert state.chain.tolist() == [[-1, -1, -1]] * 2
    before = state.chain
    batch.step([STOP, 3])
    batch.step([-7, 3])  # the first is done: whatever it does is ignored
    assert before.tolist() == [[-1, -1, -1]] * 2  # what a rollout has kept stays
    assert state is batch.state
    assert state.chain.tolist() == [[-1, -1, -1], [3, 3, -1]]
    assert state.length.tolist() == [0, 2]
    assert state.done.tolist() == [True, False]


def test_the_batch_plays_as_single_environments_do():
    rng = np.random.default_rng(1)
    n_tools, n_queries, length = 6, 40, 5
    solutions = [
        tuple(rng.choice(n_tools, rng.integers(1, 5), replace=False).tolist())
        for _ in range(n_queries)
    ]
    problem = rng.normal(size=(n_tools, 3)), rng.normal(size=(n_queries, 3)), solutions
    actions = rng.integers(n_tools + 1, size=(length, n_queries))
    batch = ToolBatch(*problem, length, COST)
    state = batch.reset(np.arange(n_queries))
    steps = [(*batch.step(row), state.chain, state.length) for row in actions]
    endings = set()
    for query in range(n_queries):
        env = ToolEnv(*problem, length, COST)
        env.reset(options={"query": query})
        over = False
        for step, (reward, done, info, chain, called) in enumerate(steps):
            if over:
                assert reward[query] == 0
                continue
            seen, alone, over, truncated, told = env.step(actions[step, query])
            assert (reward[query], done[query], truncated) == (alone, over, False)
            assert told == {name: values[query] for name, values in info.items()}
            np.testing.assert_array_equal(seen["chain"], chain[query])
            assert seen["length"] == called[query]
            if over:
                endings.add((told["success"], actions[step, query] == n_tools))
    assert endings == {(True, False), (False, True), (False, False)}
    assert steps[-1][1].all()


def test_whoever_calls_the_solution_succeeds_with_the_known_return():
    rng = np.random.default_rng(2)
    solutions = [tuple(rng.permutation(50)[: 1 + i % 4].tolist()) for i in range(30)]
    batch = ToolBatch(np.eye(50), np.ones((30, 50)), solutions, 6, 0.1)
    batch.reset(np.arange(30))
    returns = np.zeros(30)
    for step in range(4):
        reward, done, info = batch.step([(*s, -1, -1, -1)[step] for s in solutions])
        returns += reward
    sizes = np.array([len(s) for s in solutions])
    np.testing.assert_allclose(returns, sizes * 0.9)
    assert done.all()
    assert info["success"].all()
    assert info["ordered"].all()
    np.testing.assert_array_equal(info["covered"], sizes)
    np.testing.assert_array_equal(batch.state.length, sizes)


def test_gymnasium_s_own_checks_pass(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Embeddings are bounded by nothing, which the checker finds worth a word.
        warnings.filterwarnings("ignore", message=".*value is -?infinity")
        check_env(ToolEnv(*problem, 4, COST), skip_render_check=True)


def test_the_same_seed_asks_the_same_queries(problem):
    def asked(seed):
        env = ToolEnv(*problem, seed=seed)
        return [env.reset()[1]["query"] for _ in range(30)]

    assert asked(3) == asked(3)
    assert asked(3) != asked(4)
    assert set(asked(3)) == {0, 1, 2}
    one, other = (ToolBatch(*problem, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.draw(20), other.draw(20))
    assert set(one.draw(40, among=[0, 2]).tolist()) == {0, 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tool_vectors": np.ones(5)}, "tool_vectors has shape"),
        ({"query_vectors": np.full((3, 4), np.nan)}, "query_vectors holds 12 NaN"),
        ({"query_vectors": np.ones((3, 2))}, "embed both with one model"),
        ({"solutions": [(0,)]}, "1 solutions for 3 query_vectors"),
        ({"solutions": [(0,), (), (1,)]}, "solution 1 must be a non-empty list"),
        ({"solutions": [(0,), (2, 2), (1,)]}, "solution 1 names a tool twice"),
        ({"solutions": [(0,), (5,), (1,)]}, r"solution 1 must lie in \[0, 5\)"),
        ({"max_length": 2}, "the longest solution has 3 tools"),
        ({"step_cost": -0.1}, "step_cost = -0.1"),
        ({"step_cost": np.nan}, "step_cost = nan"),
    ],
)
def test_input_that_does_not_fit_is_named(problem, change, message):
    names = ("tool_vectors", "query_vectors", "solutions")
    with pytest.raises(ValueError, match=message):
        ToolBatch(**{**dict(zip(names, problem, strict=True)), **change})


def test_actions_that_do_not_fit_are_named(problem):
    batch = ToolBatch(*problem)
    with pytest.raises(ValueError, match="call reset first"):
        batch.step([0])
    with pytest.raises(ValueError, match="query_numbers must lie in"):
        batch.reset([3])
    batch.reset([0, 1])
    with pytest.raises(ValueError, match="expected 2 whole numbers"):
        batch.step([0])
    with pytest.raises(ValueError, match="expected 2 whole numbers"):
        batch.step([0.0, 1.0])
    for bad in (-1, 6):
        with pytest.raises(ValueError, match=r"0 to K = 5 \(stop\)"):
            batch.step([0, bad])
    assert batch.state.length.tolist() == [0, 0]  # a refused step has called nothing
