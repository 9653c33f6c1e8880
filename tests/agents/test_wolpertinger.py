"""The Wolpertinger agent: its candidates, its two gradients, learning, resuming."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from crlib.agents.reward_transformer import Shape
from crlib.agents.wolpertinger import Wolpertinger, WolpertingerSettings
from crlib.envs.tools import ToolBatch

TINY = Shape(32, 1, 2)


def problem(n_tools=50, max_length=1, seed=0):
    """Each query's embedding is its tool's."""
    rng = np.random.default_rng(seed)
    tools = rng.standard_normal((n_tools, 16))
    tools /= np.linalg.norm(tools, axis=1, keepdims=True)
    solutions = [(int(i),) for i in rng.choice(n_tools, 60)]
    queries = tools[[s[0] for s in solutions]]
    return ToolBatch(tools, queries, solutions, max_length=max_length, step_cost=0.1)


def agent_of(env, **options):
    settings = WolpertingerSettings(**{"k": 5, **options})
    return Wolpertinger(env.tool_vectors, env.max_length, size=TINY, settings=settings)


def train(agent, env, updates=None):
    return list(agent.train(env, np.arange(env.n_queries), updates))


def encoded(agent, state):
    online = agent.network["online"]
    with torch.no_grad():
        hidden = online.state.encode(*agent.inputs(state))
        return online, hidden, online.proto(hidden)


def test_candidates_are_the_nearest_by_brute_force_and_stopping():
    env = problem()
    agent = agent_of(env)
    proto = np.random.default_rng(1).standard_normal((7, 16)).astype(np.float32)
    found = agent.nearest(torch.from_numpy(proto)).numpy()
    scaled = env.tool_vectors * agent.scale
    assert np.mean(scaled**2) == pytest.approx(1)
    np.testing.assert_array_equal(found[:, :-1], cdist(proto, scaled).argsort(axis=1)[:, :5])
    assert (found[:, -1] == 50).all()


@pytest.mark.parametrize("k", [1, 5, 50])
def test_the_action_of_largest_q_among_the_candidates_is_played(k):
    env = problem()
    agent = agent_of(env, k=k)
    state = env.reset(np.arange(20))
    online, hidden, proto = encoded(agent, state)
    with torch.no_grad():
        every = torch.stack([
            online.q(torch.relu(online.of_state(hidden) + online.of_action(row)))[:, 0]
            for row in agent.table
        ], dim=1)  # fmt: skip
        found = agent._best(state)
    offered = torch.full_like(every, -torch.inf)
    offered.scatter_(1, agent.nearest(proto), 0.0)
    assert torch.equal(found, (every + offered).argmax(dim=1))
    if k == 50:
        assert torch.equal(found, every.argmax(dim=1))


def test_the_actor_s_gradient_goes_through_its_action_and_the_critic_s_does_not_reach_the_actor():
    env = problem()
    agent = agent_of(env)
    state = env.reset(np.arange(8))
    online = agent.network["online"]
    hidden = online.state.encode(*agent.inputs(state)).detach()
    agent._climb(online, hidden, online.proto(hidden)).sum().backward()
    found = online.direction.weight.grad.clone()
    assert online.q.weight.grad is None
    assert online.of_action.weight.grad is None
    online.zero_grad()
    online.value(hidden, online.proto(hidden)[:, None]).sum().backward()  # through Q itself
    torch.testing.assert_close(found, online.direction.weight.grad)
    online.zero_grad()
    _, (q, target, _) = agent._draw(state)
    q.sum().backward()
    assert online.direction.weight.grad is None
    assert not target.requires_grad


def test_targets_are_rewards_and_the_target_network_s_next_value():
    env = problem(n_tools=6, max_length=3)
    agent = agent_of(env, k=3, gamma=0.9, noise=2.0)
    episodes = agent.explore(env, np.arange(40))
    assert not episodes.live.all()
    q, after, climb = (np.zeros(episodes.live.T.shape) for _ in range(3))
    for t, row in enumerate(episodes.read):
        for array, values in zip((q, after, climb), row, strict=True):
            array[t, episodes.live[:, t]] = values.detach().numpy()
    errors, climbed = [], []
    for b in range(40):
        for t in np.flatnonzero(episodes.live[b]):
            ended = t + 1 == episodes.live.shape[1] or not episodes.live[b, t + 1]
            wanted = episodes.rewards[b, t] + (0 if ended else 0.9 * after[t + 1, b])
            errors.append((q[t, b] - wanted) ** 2)
            climbed.append(climb[t, b])
    expected = np.mean(errors) - np.mean(climbed)
    assert agent.loss(episodes)[0].item() == pytest.approx(expected, rel=1e-5)


def test_it_learns_far_beyond_chance():
    env = problem()
    agent = agent_of(env, updates=600, rate=3e-3)
    train(agent, env)
    _, info = agent.act(env, np.arange(60))
    counts = np.bincount([s[0] for s in env.solutions], minlength=50)
    assert counts.max() / 60 < 0.2  # the best constant choice
    assert info["success"].mean() > 0.5


def test_the_target_network_follows_slowly():
    env = problem()
    agent = agent_of(env, updates=4, tau=0.25)
    before = agent.network["target"].q.weight.clone()
    train(agent, env, 1)
    online, target = agent.network["online"].q.weight, agent.network["target"].q.weight
    torch.testing.assert_close(target, 0.75 * before + 0.25 * online.detach())


def test_the_same_seed_trains_the_same_agent_and_a_stopped_one_goes_on(tmp_path):
    env = problem(max_length=3)
    whole, other = agent_of(env, updates=6), agent_of(env, updates=6, seed=1)
    history = train(whole, env)
    assert train(agent_of(env, updates=6), env) == history
    assert train(other, env) != history
    first, second = agent_of(env, updates=6), agent_of(env, updates=6)
    train(first, env, 2)
    first.save(tmp_path / "agent.safetensors")
    second.restore(tmp_path / "agent.safetensors")
    assert train(second, env) == history[2:]
    for a, b in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("k", [0, 51])
def test_more_candidates_than_actions_are_refused(k):
    with pytest.raises(ValueError, match=rf"k = {k}: expected 1 to K = 50"):
        agent_of(problem(), k=k)
