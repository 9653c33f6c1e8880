"""The actor-critic: gradients, learning, determinism, resuming."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crlib.agents import policy
from crlib.agents.a2c import A2C, Settings
from crlib.agents.imitation import imitate
from crlib.agents.reward_transformer import Shape
from crlib.agents.rollouts import live_states, roll_out
from crlib.envs.tools import ToolBatch

TINY = Shape(32, 1, 2)


def problem(n_tools=50, per_solution=1, seed=0, max_length=3):
    """Each query's embedding is near the sum of its tools'."""
    rng = np.random.default_rng(seed)
    tools = rng.standard_normal((n_tools, 16))
    tools /= np.linalg.norm(tools, axis=1, keepdims=True)
    solutions = [tuple(rng.choice(n_tools, per_solution, replace=False)) for _ in range(60)]
    queries = np.array([tools[list(s)].sum(0) for s in solutions])
    return ToolBatch(tools, queries, solutions, max_length=max_length, step_cost=0.1)


def train(agent, env, updates=None):
    return list(agent.train(env, np.arange(env.n_queries), updates))


def test_it_learns_what_no_constant_choice_can_do():
    env = problem(per_solution=1, max_length=1)
    settings = Settings(updates=400, rate=3e-3, entropy_weight=0.003)
    agent = A2C(env.tool_vectors, 1, size=TINY, settings=settings)
    history = train(agent, env)
    _, info = agent.act(env, np.arange(60))
    counts = np.bincount([s[0] for s in env.solutions], minlength=50)
    assert info["success"].mean() >= 0.95
    assert counts.max() / 60 < 0.2  # the best constant choice
    assert history[0]["success"] < 0.2
    assert history[-1]["rollouts"] == 400 * 64


def test_a_warm_start_imitates_solutions_of_several_tools():
    env = problem(n_tools=20, per_solution=2, max_length=3)
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(rate=3e-3))
    losses = [row["loss"] for row in imitate(agent, env, np.arange(60), 500, rate=3e-3)]
    _, info = agent.act(env, np.arange(60))
    assert losses[-1] < 0.3 * losses[0]
    assert info["success"].mean() > 0.6
    assert agent.update_number == 0  # the schedule of the reinforcement learner has not begun


@pytest.mark.parametrize("support", ["exact", "top-k", "sampled"])
def test_the_loss_s_gradient_is_that_of_finite_differences(support):
    env = problem(n_tools=8, per_solution=2)
    settings = Settings(batch=6, support=support, k=4, entropy_weight=0.05)
    agent = A2C(env.tool_vectors, 3, size=Shape(8, 1, 2), settings=settings)
    agent.network.double()
    agent.actions = agent.actions.double()

    # `read` makes float32 of what comes from numpy: this stands in for it in float64.
    def exact(state, offered=None):
        query = torch.from_numpy(np.asarray(state.query, np.float64) * agent.scale)
        chain = agent.actions[torch.from_numpy(np.maximum(state.chain, 0))] * 4.0
        value, proto, stop = agent.network(query, chain, torch.from_numpy(state.length))
        actions = agent.actions if offered is None else agent.actions[offered]
        return value, torch.cat([proto @ actions.T, stop[:, None]], dim=1)

    agent.read = exact

    def supported(logits):
        offered = agent._offered()
        if offered is not None:
            out = torch.ones(9, dtype=torch.bool)
            out[[*offered.tolist(), 8]] = False
            return logits.masked_fill(out, -1e9)
        return policy.keep_highest(logits, 4) if support == "top-k" else logits

    episodes = agent.explore(env, np.arange(6))
    states, played = episodes.states, episodes.played
    rewards, live = episodes.rewards, episodes.live
    values = torch.stack([exact(s)[0] for s in states], 1).detach()

    def loss():
        # advantages and targets are constants of the gradient
        from crlib.agents.advantages import generalised_advantages

        advantage = torch.from_numpy(
            generalised_advantages(rewards, values.numpy(), live, gamma=1.0, lam=0.95)
        )
        alive, total, critic, spread = torch.from_numpy(live), 0.0, 0.0, 0.0
        for t, state in enumerate(states):
            value, logits = exact(state)
            row = alive[:, t]
            chances = torch.distributions.Categorical(logits=supported(logits)[row])
            logs = chances.log_prob(torch.from_numpy(played[:, t])[row])
            total = total - (logs * advantage[row, t]).sum()
            critic = critic + ((value - advantage[:, t] - values[:, t]) ** 2)[row].sum()
            spread = spread + chances.entropy().sum()
        return (total + 0.5 * critic - 0.05 * spread) / alive.sum()

    found, _ = agent.loss(episodes)
    assert found.item() == pytest.approx(loss().item(), rel=1e-9)
    agent.optimiser.zero_grad()
    found.backward()
    rng = np.random.default_rng(0)
    for parameter in agent.network.parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for i in rng.choice(flat.numel(), min(3, flat.numel()), replace=False):
            sides = []
            for step in (1e-5, -2e-5):
                flat[i] += step
                with torch.no_grad():
                    sides.append(float(loss()))
            flat[i] += 1e-5
            assert gradient[i].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=2e-6)


def test_a_sampled_support_is_one_subset_an_update_and_the_played_actions_come_from_it():
    env = problem(n_tools=50)
    settings = Settings(updates=3, support="sampled", k=6, batch=200)
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=settings)
    subsets = [agent._offered().tolist(), agent._offered().tolist()]
    played = agent.explore(env, np.zeros(200, int)).played
    agent.update_number = 1
    subsets.append(agent._offered().tolist())
    assert subsets[0] == subsets[1] != subsets[2]
    assert all(len(set(subset)) == 6 for subset in subsets)
    assert set(played[:, 0]) == {*subsets[0], 50}


@pytest.mark.parametrize("negatives", [10, None])
def test_imitation_learns_all_tools_from_a_few_rivals_too(negatives):
    env = problem(n_tools=50)
    agent = A2C(env.tool_vectors, 1, size=TINY)
    env = ToolBatch(env.tool_vectors, env.query_vectors, env.solutions, max_length=1)
    list(imitate(agent, env, np.arange(60), 200, negatives=negatives))
    assert agent.act(env, np.arange(60))[1]["success"].mean() > 0.9


def test_imitation_says_what_it_cannot_do():
    env = problem()
    agent = A2C(env.tool_vectors, 3, size=TINY)
    with pytest.raises(ValueError, match="negatives = 0"):
        next(imitate(agent, env, [0], 1, negatives=0))
    with torch.no_grad():
        agent.network.stop.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"imitation, update 1: the loss is nan"):
        next(imitate(agent, env, [0], 1))


def test_live_states_come_step_by_step():
    env = problem(n_tools=9, per_solution=2)
    script = iter([np.array([9, 3]), np.array([0, env.solutions[1][0]]), np.array([1, 9])])
    episodes = roll_out(env, [0, 1], lambda state: next(script))
    rows = live_states(episodes)
    assert rows.length.tolist() == [0, 0, 1, 2]
    np.testing.assert_array_equal(rows.query[2], env.query_vectors[1])
    assert episodes.played.T[episodes.live.T].tolist() == [9, 3, env.solutions[1][0], 9]


def test_the_same_seed_trains_the_same_agent():
    def weights(seed):
        env = problem()
        agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(updates=6, seed=seed))
        train(agent, env)
        return torch.cat([p.detach().flatten() for p in agent.network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("support", ["exact", "sampled"])
def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path, support):
    settings = Settings(updates=8, support=support, k=10)
    env = problem()
    whole = A2C(env.tool_vectors, 3, size=TINY, settings=settings)
    history = train(whole, env)
    first = A2C(env.tool_vectors, 3, size=TINY, settings=settings)
    train(first, env, 3)
    first.save(tmp_path / "agent.safetensors")
    second = A2C(env.tool_vectors, 3, size=TINY, settings=settings)
    second.restore(tmp_path / "agent.safetensors")
    rest = train(second, env)
    assert rest == history[3:]
    for a, b in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_checkpoints_that_do_not_fit_are_refused(tmp_path):
    env, path = problem(), tmp_path / "agent.safetensors"
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(updates=2))
    with pytest.raises(ValueError, match="no checkpoint that can be read"):
        agent.restore(path)
    agent.save(path)
    other = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(updates=3))
    with pytest.raises(ValueError, match="written with settings"):
        other.restore(path)
    wide = A2C(env.tool_vectors, 3, size=Shape(16, 1, 2), settings=Settings(updates=2))
    with pytest.raises(ValueError, match="another network"):
        wide.restore(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="no checkpoint that can be read"):
        agent.restore(path)


def test_a_loss_that_is_not_finite_stops_the_training_with_the_reason():
    env = problem()
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(updates=5))
    with torch.no_grad():
        agent.network.value.bias.fill_(float("nan"))
    before = [p.detach().clone() for p in agent.network.encoder.parameters()]
    with pytest.raises(FloatingPointError, match=r"update 1: the loss is nan; lower rate"):
        train(agent, env)
    for a, b in zip(before, agent.network.encoder.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_learning_rate_rises_and_falls():
    agent = A2C(np.eye(4), 2, size=TINY, settings=Settings(updates=100))
    factors = [agent.rate_factor(i) for i in range(1, 101)]
    assert factors[0] == pytest.approx(0.2)
    assert max(factors) == pytest.approx(1.0)
    assert factors.index(max(factors)) == 4
    assert factors[-1] == pytest.approx(1 / 95)


def test_a_fresh_policy_is_nearly_uniform_whatever_the_vectors_length():
    env = problem()
    for scale in (1e-3, 1.0, 1e3):
        agent = A2C(env.tool_vectors * scale, 3, size=TINY)
        scaled = ToolBatch(env.tool_vectors * scale, env.query_vectors * scale, env.solutions, 3)
        _, logits = agent.read(scaled.reset([0, 1]))
        assert torch.softmax(logits, dim=1).max() < 0.2


@pytest.mark.parametrize("bad", [np.zeros((3, 2)), np.ones(4), np.array([[np.nan, 1.0]])])
def test_actions_must_be_a_finite_matrix(bad):
    with pytest.raises(ValueError, match="actions of shape"):
        A2C(bad, 2)


def test_settings_are_values():
    assert replace(Settings(), seed=3) != Settings()
    assert Settings() == Settings()


def test_a_roll_out_keeps_what_was_seen_and_done():
    env = problem(n_tools=9, per_solution=2)
    script = iter([np.array([env.solutions[0][0], 9]), np.array([env.solutions[0][1], 0])])
    episodes = roll_out(env, [0, 1], lambda state: next(script))
    first, second = env.solutions[0]
    assert [state.chain.tolist() for state in episodes.states] == [
        [[-1, -1, -1]] * 2, [[first, -1, -1], [-1, -1, -1]],
    ]  # fmt: skip
    assert episodes.live.tolist() == [[True, True], [True, False]]
    np.testing.assert_allclose(episodes.rewards, [[0.9, 0.9], [0.0, 0.0]])
    assert episodes.chain.tolist() == [[first, second, -1], [-1, -1, -1]]
    assert episodes.info["success"].tolist() == [True, False]
