"""How the chapters train: after a supervised start, or from rewards alone."""

import numpy as np
import pytest
import torch

from crlib.agents.practice import chains_of, learning_curve, practised
from crlib.agents.reward_transformer import Shape
from crlib.envs.chains import score_chains
from crlib.envs.tools import ToolBatch


@pytest.fixture
def env():
    rng = np.random.default_rng(0)
    tools = rng.standard_normal((30, 12)).astype(np.float32)
    solutions = [(int(a), int((a + 7) % 30)) for a in rng.integers(30, size=40)]
    queries = np.array([tools[a] + tools[b] for a, b in solutions], np.float32)
    return ToolBatch(tools, queries, solutions, max_length=3)


def test_practice_generalises_where_queries_tell_their_tools(env):
    train, asked = np.arange(30), np.arange(30, 40)
    agent = practised(env, train, imitation=250, updates=5, size=Shape(32, 1, 2), negatives=10)
    chains = chains_of(agent, env, asked, batch=4)
    found = score_chains(chains, [env.solutions[i] for i in asked])["coverage"].mean()
    blind = practised(env, train, imitation=0, updates=0, size=Shape(32, 1, 2))
    chance = score_chains(chains_of(blind, env, asked), [env.solutions[i] for i in asked])
    assert found > 0.3 + chance["coverage"].mean()
    assert agent.update_number == 5


def test_chains_do_not_depend_on_the_batch(env):
    agent = practised(env, np.arange(40), imitation=20, updates=0)
    np.testing.assert_array_equal(
        chains_of(agent, env, np.arange(40), batch=7), chains_of(agent, env, np.arange(40))
    )


@pytest.mark.parametrize("agent", ["proto", "plain", "wolpertinger"])
def test_a_learning_curve_has_a_share_for_each_update_and_rises(env, agent):
    small = ToolBatch(env.tool_vectors[:8], env.query_vectors[:4], [(0, 1)] * 4, max_length=3)
    curve = learning_curve(small, np.arange(4), agent=agent, updates=60, batch=16, seed=1)
    assert curve.shape == (60,)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert curve[-10:].mean() > curve[:10].mean() + 0.3
    np.testing.assert_array_equal(
        curve, learning_curve(small, np.arange(4), agent=agent, updates=60, batch=16, seed=1)
    )


def test_small_networks_take_one_thread_and_leave_the_others_as_they_were(env, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "crlib.agents.practice.imitate", lambda *a, **k: seen.append(torch.get_num_threads()) or []
    )
    torch.set_num_threads(3)
    try:
        practised(env, np.arange(4), imitation=1, updates=0, size="small")
        practised(env, np.arange(4), imitation=1, updates=0, size="paper")
        assert seen == [1, 3]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
