"""The actor-critic: gradients, learning, determinism, resuming."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crlib.agents import policy
from crlib.agents.a2c import A2C, Settings
from crlib.agents.advantages import generalised_advantages
from crlib.agents.imitation import imitate
from crlib.agents.reward_transformer import Shape
from crlib.agents.rollouts import roll_out
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


@pytest.mark.parametrize(("head", "least"), [("proto", 0.95), ("plain", 0.5)])
def test_it_learns_what_no_constant_choice_can_do(head, least):
    env = problem(per_solution=1, max_length=1)
    settings = Settings(updates=400, rate=3e-3, entropy_weight=0.003, head=head)
    agent = A2C(env.tool_vectors, 1, size=TINY, settings=settings)
    history = train(agent, env)
    _, info = agent.act(env, np.arange(60))
    counts = np.bincount([s[0] for s in env.solutions], minlength=50)
    assert info["success"].mean() >= least
    assert counts.max() / 60 < 0.2  # the best constant choice
    assert history[0]["success"] < 0.2
    assert history[-1]["rollouts"] == 400 * 64


@pytest.mark.parametrize("head", ["proto", "plain"])
def test_a_warm_start_imitates_solutions_of_several_tools(head):
    env = problem(n_tools=20, per_solution=2, max_length=3)
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(head=head))
    losses = [row["loss"] for row in imitate(agent, env, np.arange(60), 500, rate=3e-3)]
    _, info = agent.act(env, np.arange(60))
    assert losses[-1] < 0.3 * losses[0]
    assert info["success"].mean() > 0.6
    assert agent.update_number == 0  # the schedule of the reinforcement learner has not begun


@pytest.mark.parametrize(("negatives", "head"), [(10, "proto"), (None, "proto"), (10, "plain")])
def test_imitation_learns_all_tools_from_a_few_rivals_too(negatives, head):
    env = problem(n_tools=50)
    agent = A2C(env.tool_vectors, 1, size=TINY, settings=Settings(head=head))
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


@pytest.mark.parametrize("head", ["proto", "plain"])
def test_some_scores_are_those_of_all(head):
    env = problem()
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(head=head))
    state, numbers = env.reset([0, 1]), torch.tensor([3, 17, 50])
    torch.testing.assert_close(agent.read(state, numbers)[1], agent.read(state)[1][:, numbers])


@pytest.mark.parametrize("head", ["proto", "plain"])
@pytest.mark.parametrize("support", ["exact", "top-k", "sampled"])
def test_the_loss_s_gradient_is_that_of_finite_differences(support, head):
    env = problem(n_tools=8, per_solution=2)
    settings = Settings(batch=6, support=support, k=4, entropy_weight=0.05, head=head)
    agent = A2C(env.tool_vectors, 3, size=Shape(8, 1, 2), settings=settings)
    agent.network.double()
    agent.rows, agent.table = agent.rows.double(), agent.table.double()
    episodes = agent.explore(env, np.arange(6))
    states, played = episodes.states, episodes.played
    rewards, live = episodes.rewards, episodes.live
    values = torch.stack([agent.read(s)[0] for s in states], 1).detach()

    def loss():
        # advantages and targets are constants of the gradient
        advantage = torch.from_numpy(
            generalised_advantages(rewards, values.numpy(), live, gamma=1.0, lam=0.95)
        )
        total, critic, spread = 0.0, 0.0, 0.0
        for t, state in enumerate(states):
            value, logits = agent.read(state)
            generator = torch.Generator().manual_seed(0)  # of seed 0 and update 0
            kept = policy.restrict(logits, support, 4, generator)
            for i in np.flatnonzero(live[:, t]):
                given = torch.distributions.Categorical(logits=kept[i])
                log = given.log_prob(torch.tensor(played[i, t]))
                total = total - log * advantage[i, t]
                critic = critic + (value[i] - advantage[i, t] - values[i, t]) ** 2
                shares = given.probs[given.probs > 0]
                spread = spread - (shares * shares.log()).sum()
        return (total + 0.5 * critic - 0.05 * spread) / live.sum()

    found, told = agent.loss(episodes)
    assert found.item() == pytest.approx(loss().item(), rel=1e-9)
    assert 0 < told["entropy"] <= np.log(9 if support == "exact" else 5)
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


def test_the_same_seed_trains_the_same_agent():
    def weights(seed):
        env = problem()
        agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(updates=6, seed=seed))
        train(agent, env)
        return torch.cat([p.detach().flatten() for p in agent.network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize(
    ("support", "head"), [("exact", "proto"), ("sampled", "proto"), ("exact", "plain")]
)
def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path, support, head):
    settings = Settings(updates=8, support=support, k=10, head=head)
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


def test_a_plain_head_has_an_output_an_action_and_no_embedding_of_it():
    env = problem()
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(head="plain"))
    assert agent.network.proto.weight.shape == (50, 32)
    state = env.reset([0, 1])
    _, before = agent.read(state)
    assert before.shape == (2, 51)
    agent.table.zero_()  # the embeddings that a proto-action would be compared with
    assert torch.equal(agent.read(state)[1], before)
    with torch.no_grad():
        agent.network.proto.bias[7] += 1
    changed = (agent.read(state)[1] - before).detach()
    assert changed[:, 7] == pytest.approx(1, abs=1e-5)
    assert (changed[:, np.arange(51) != 7] == 0).all()
    with pytest.raises(ValueError, match="head = 'linear'"):
        A2C(env.tool_vectors, 3, settings=Settings(head="linear"))


def test_only_the_sampled_actions_are_played():
    env = problem(max_length=3)
    agent = A2C(env.tool_vectors, 3, size=TINY, settings=Settings(support="sampled", k=5))
    generator = torch.Generator().manual_seed(0)
    offered = {*torch.randperm(50, generator=generator)[:5].tolist(), 50}
    episodes = agent.explore(env, np.arange(60))
    assert set(episodes.played[episodes.live]) == offered
    assert torch.isfinite(agent.loss(episodes)[0])


def test_finished_episodes_are_not_read(monkeypatch):
    env = problem(n_tools=4, max_length=3)
    agent = A2C(env.tool_vectors, 3, size=TINY)
    read, inputs = [], agent.inputs
    monkeypatch.setattr(agent, "inputs", lambda state: read.append(state) or inputs(state))
    episodes = agent.explore(env, np.arange(60))
    assert not episodes.live.all()
    assert [len(state.done) for state in read] == episodes.live.sum(axis=0).tolist()
    assert not any(state.done.any() for state in read)


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
