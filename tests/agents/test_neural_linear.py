"""The neural-linear agent against closed-form posteriors and against linear Thompson sampling."""

import numpy as np
import pytest
import torch

from crlib.agents.neural_linear import NeuralLinearTS, StaleError
from crlib.agents.posterior import Posterior
from crlib.agents.towers import Towers, Training, loss

RIDGE_ONLY = Training(ridge=1.0, decay=1.0, steps=50, rate=0.02, batch=10_000)


def closed_form(phi, rewards, tau2, sigma2):
    """Return mean and covariance of a Gaussian linear model, of phi (T, d) and rewards (T,)."""
    covariance = np.linalg.inv(np.eye(phi.shape[1]) / tau2 + phi.T @ phi / sigma2)
    return covariance @ phi.T @ rewards / sigma2, covariance


def play(agent, mean_of, rounds, seed=5, noise=0.3):
    """Play and return (contexts, actions, rewards, mean regret a round)."""
    rng = np.random.default_rng(seed)
    history, regret = [], 0.0
    for _ in range(rounds):
        context = rng.normal(size=(agent.S, agent.d))
        means = mean_of(context)
        action = agent.select(context)
        gained = means[np.arange(agent.S), action]
        reward = gained + noise * rng.normal(size=agent.S)
        agent.update(context, action, reward)
        history.append((context, action, reward))
        regret += np.mean(means.max(axis=1) - gained) / rounds
    contexts, actions, rewards = (np.stack(part, axis=1) for part in zip(*history, strict=True))
    return contexts, actions, rewards, regret


def linear(rows, w):
    return lambda context: (context * w) @ rows.T


@pytest.mark.parametrize("S", [1, 3])
def test_frozen_towers_give_the_linear_posterior(S, action_rows):
    rows = action_rows(30, 5)
    agent = NeuralLinearTS(rows, S, first=None, tau2=2.0, sigma2=0.4, seed=1)
    contexts, actions, rewards, _ = play(agent, linear(rows, np.arange(5.0)), 40)
    for s in range(S):
        phi = contexts[s] * rows[actions[s]]
        mean, covariance = closed_form(phi, rewards[s], 2.0, 0.4)
        np.testing.assert_allclose(agent.posterior.mean[s], mean, rtol=1e-8, atol=1e-10)
        root = agent.posterior.root[s]
        np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-8, atol=1e-10)


def test_frozen_towers_play_as_linear_thompson_sampling(action_rows):
    """The same draws from a posterior kept beside the agent give the same actions."""
    rows = action_rows(40, 4)
    agent = NeuralLinearTS(rows, 2, first=None, seed=3)
    # The agent drew its towers first: its generator is copied from there on.
    rng = np.random.default_rng()
    rng.bit_generator.state = agent.rng.bit_generator.state
    posterior, world = Posterior(2, 4), np.random.default_rng(0)
    for _ in range(50):
        context = world.normal(size=(2, 4))
        theta = posterior.sample(rng)
        expected = ((context * theta) @ rows.T.astype(np.float64)).argmax(axis=1)
        action = agent.select(context)
        np.testing.assert_array_equal(action, expected)
        reward = world.normal(size=2)
        posterior.update(context * rows[action], reward)
        agent.update(context, action, reward)


@pytest.mark.parametrize("features", [None, 3])
def test_after_a_training_posterior_and_index_are_those_of_the_new_features(features, action_rows):
    rows = action_rows(30, 5)
    agent = NeuralLinearTS(
        rows, 2, features=features, first=16, hidden=8, sigma2=0.5, steps=30, seed=1
    )
    before = agent.towers.contexts(np.ones((2, 1, 5)))
    # 16, 32 and 64 train; 11 rounds more are learnt one by one.
    contexts, actions, rewards, _ = play(agent, linear(rows, np.arange(5.0)), 75)
    assert agent.towers.version == 3
    assert not np.allclose(agent.towers.contexts(np.ones((2, 1, 5))), before)
    z = agent.towers.contexts(contexts)
    for s in range(2):
        b = agent.towers.actions(rows, s)
        np.testing.assert_allclose(np.linalg.norm(b, axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(agent.indexes[s if features else 0].rows, b)
        mean, covariance = closed_form(z[s] * b[actions[s]], rewards[s], 1.0, 0.5)
        np.testing.assert_allclose(agent.posterior.mean[s], mean, rtol=1e-7, atol=1e-9)
        root = agent.posterior.root[s]
        np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-7, atol=1e-9)


def test_trainings_double(action_rows):
    rows = action_rows(10, 3)
    agent = NeuralLinearTS(rows, first=3, hidden=2, steps=1)
    rounds, version = [], 0
    for t in range(1, 50):
        agent.update(np.ones((1, 3)), [t % 10], [1.0])
        if agent.towers.version > version:
            rounds.append(t)
            version = agent.towers.version
    assert rounds == [3, 6, 12, 24, 48]


@pytest.mark.parametrize("features", [None, 2])
def test_a_stale_posterior_or_index_is_never_used(features, action_rows):
    rows, context = action_rows(20, 4), np.ones((2, 4))
    agent = NeuralLinearTS(rows, 2, features=features, first=None, hidden=4, steps=5)
    agent.update(context, agent.select(context), [1.0, -1.0])
    agent.train()
    for use in (
        lambda: agent.select(context),
        lambda: agent.select(context, [[0, 1], [2, 3]]),
        lambda: agent.query(context),
        lambda: agent.update(context, [0, 1], [1.0, 1.0]),
        lambda: agent.posterior,
        lambda: agent.indexes,
        lambda: agent.train(),
    ):
        with pytest.raises(StaleError, match=r"version 0, the features of version 1: .*rebuild"):
            use()
    agent.rebuild()
    assert agent.select(context).shape == (2,)
    # The refused update left nothing behind.
    phi = agent.towers.contexts(context[:, None])[0]
    b = agent.towers.actions(rows, 0)[agent._actions[0][:1]]
    mean, _ = closed_form(phi * b, np.array([1.0]), 1.0, 1.0)
    np.testing.assert_allclose(agent.posterior.mean[0], mean, rtol=1e-7)


def test_learns_a_nonlinear_context_effect_better_than_linear_ts(action_rows):
    """The reward depends on |context|, of which a linear model sees nothing."""
    rows = action_rows(50, 5)
    w = np.array([2.0, -2.0, 1.5, 1.0, -1.0])

    def mean_of(context):
        return (np.abs(context) * w) @ rows.T

    neural, frozen = (
        play(NeuralLinearTS(rows, 6, first=first, seed=2), mean_of, 400)[3] for first in (50, None)
    )
    assert neural < 0.7 * frozen


def test_a_trained_action_map_learns(action_rows):
    """Two directions of ten carry the reward: two features suffice."""
    rows = action_rows(60, 10)
    w = np.zeros(10)
    w[[2, 7]] = 3.0
    agent = NeuralLinearTS(rows, 4, features=4, first=32, decay=0.1, seed=0)
    untrained = NeuralLinearTS(rows, 4, features=4, first=None, seed=0)
    mean_of = linear(rows, w)
    assert play(agent, mean_of, 400)[3] < 0.8 * play(untrained, mean_of, 400)[3]


def test_training_lowers_the_stated_loss(action_rows):
    rows, rng = action_rows(20, 4), np.random.default_rng(0)
    contexts, actions = rng.normal(size=(2, 60, 4)), rng.integers(20, size=(2, 60))
    rewards = np.abs(contexts).sum(axis=2) + rng.normal(size=(2, 60))
    towers = Towers(2, 4, hidden=16, features=None, rng=rng)

    def best_error(s):
        """Return the least penalised error over heads, on the present features."""
        phi = towers.contexts(contexts)[s] * rows[actions[s]]
        mean, _ = closed_form(phi, rewards[s], 1.0, 1.0)
        return np.sum((rewards[s] - phi @ mean) ** 2) + mean @ mean

    before = [best_error(s) for s in range(2)]
    towers.train(rows, contexts, actions, rewards, np.zeros((2, 4)), RIDGE_ONLY, rng)
    assert all(best_error(s) < 0.8 * before[s] for s in range(2))


def test_the_loss_is_the_stated_one(action_rows):
    rng = np.random.default_rng(4)
    sizes = {"W": (2, 5, 3), "b": (2, 5), "V": (2, 2, 5), "P": (2, 2, 3), "A": (2, 2, 3)}
    weights, start = ({k: rng.normal(size=n) for k, n in sizes.items()} for _ in range(2))
    head, contexts, rewards = (rng.normal(size=n) for n in ((2, 2), (2, 9, 3), (2, 9)))
    rows = action_rows(18, 3).reshape(2, 9, 3).astype(np.float64)
    expected = 0.0
    for s in range(2):
        for c, a, r in zip(contexts[s], rows[s], rewards[s], strict=True):
            hidden = np.maximum(weights["W"][s] @ c + weights["b"][s], 0)
            z = weights["P"][s] @ c + weights["V"][s] @ hidden
            b = weights["A"][s] @ a
            expected += (r - np.sum(head[s] * z * b / np.linalg.norm(b))) ** 2
    penalty = 0.3 * np.sum(head**2)
    penalty += 0.7 * sum(np.sum((weights[k] - start[k]) ** 2) for k in sizes)
    training = Training(ridge=0.3, decay=0.7, steps=1, rate=0.1, batch=9)
    tensors = [{k: torch.from_numpy(v) for k, v in part.items()} for part in (weights, start)]
    tensors += [torch.from_numpy(a) for a in (head, contexts, rows, rewards)]
    assert loss(*tensors, training, 9).item() == pytest.approx(expected + penalty)
    # Nine rounds that stand for ninety.
    assert loss(*tensors, training, 90).item() == pytest.approx(10 * expected + penalty)


def test_the_towers_gradient_step_is_adam_s_on_the_written_out_loss(action_rows):
    """One step: Adam moves every weight by the rate against its gradient's sign."""
    rows, rng = action_rows(6, 3), np.random.default_rng(4)
    contexts, actions = rng.normal(size=(1, 9, 3)), rng.integers(6, size=(1, 9))
    rewards, head = rng.normal(size=(1, 9)), rng.normal(size=(1, 2))
    towers = Towers(1, 3, hidden=4, features=2, rng=rng)
    start = {key: value.clone() for key, value in towers._weights.items()}
    leaves = {key: value[0].clone().requires_grad_() for key, value in start.items()}
    squares = torch.zeros(())
    for t in range(9):
        c = torch.from_numpy(contexts[0, t])
        z = leaves["P"] @ c + leaves["V"] @ torch.relu(leaves["W"] @ c + leaves["b"])
        b = leaves["A"] @ torch.from_numpy(rows[actions[0, t]].astype(np.float64))
        score = (torch.from_numpy(head[0]) * z * b / b.norm()).sum()
        squares = squares + (rewards[0, t] - score) ** 2
    squares.backward()
    one = Training(ridge=1.0, decay=1.0, steps=1, rate=0.01, batch=100)
    towers.train(rows, contexts, actions, rewards, head, one, rng)
    for key in ("P", "V", "A"):
        moved = (towers._weights[key] - start[key])[0]
        assert torch.allclose(moved, -0.01 * leaves[key].grad.sign(), atol=1e-5)


@pytest.mark.parametrize("features", [None, 3])
def test_the_seed_decides_everything(features, action_rows):
    rows = action_rows(30, 4)
    runs = [
        play(
            NeuralLinearTS(
                rows, 2, features=features, first=8, hidden=4, steps=10, batch=12, seed=seed
            ),
            linear(rows, np.ones(4)),
            40,
        )[1]
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.any(runs[0] != runs[2])


@pytest.mark.parametrize("features", [None, 3])
def test_a_slate_bounds_the_choice(features, action_rows):
    rows = action_rows(30, 4)
    agent = NeuralLinearTS(rows, 3, features=features, first=None, tau2=1e-12)
    # The prior's draws are next to zero: what was learnt decides.
    agent._readout.posterior.mean[:] = np.arange(1.0, 1 + agent.towers.features)
    context = np.random.default_rng(0).normal(size=(3, 4))
    slate = np.array([[4, 9, 2], [1, 0, 29], [8, 8, 8]])
    z = agent.towers.contexts(context[:, None])[:, 0] * agent.posterior.mean
    for s in range(3):
        scores = agent.towers.actions(rows, s) @ z[s]
        assert agent.select(context, slate)[s] == slate[s, scores[slate[s]].argmax()]
        assert agent.select(context)[s] == scores.argmax()


def test_without_context_features_are_the_rows(action_rows):
    rows = action_rows(20, 4)
    agent = NeuralLinearTS(rows, 2, first=None)
    agent.update(None, [3, 7], [1.0, 2.0])
    for s, (action, reward) in enumerate([(3, 1.0), (7, 2.0)]):
        mean, _ = closed_form(rows[[action]].astype(float), np.array([reward]), 1.0, 1.0)
        np.testing.assert_allclose(agent.posterior.mean[s], mean, rtol=1e-7)
    assert agent.select().shape == (2,)


def test_the_named_index_is_built_with_its_options(action_rows):
    agent = NeuralLinearTS(action_rows(300, 8), index="scan", index_options={"rerank": 3})
    assert agent.indexes[0].name == "scan"
    assert agent.indexes[0].rerank == 3


def test_a_row_that_the_map_sends_to_zero_keeps_length_one():
    rows = np.eye(3, dtype=np.float32)
    towers = Towers(1, 3, hidden=2, features=2, rng=np.random.default_rng(0))
    towers._weights["A"] = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=torch.float64)
    np.testing.assert_array_equal(towers.actions(rows, 0), [[1, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_replications": 0}, "n_replications = 0"),
        ({"first": 0}, "first = 0"),
        ({"steps": 0}, "steps = 0"),
        ({"batch": 0}, "batch = 0"),
        ({"rate": 0.0}, "rate = 0.0"),
        ({"tau2": -1.0}, "tau2 = -1.0"),
        ({"sigma2": np.nan}, "sigma2 = nan"),
        ({"decay": -1.0}, "decay = -1.0"),
        ({"hidden": 0}, "hidden = 0"),
        ({"features": 4}, r"features = 4 must lie in \[1, 3\]"),
        ({"index": "hnsw"}, "index 'hnsw' is unknown"),
    ],
)
def test_unfit_options_are_refused(options, message, action_rows):
    with pytest.raises(ValueError, match=message):
        NeuralLinearTS(action_rows(5, 3), **options)


def test_unfit_rounds_are_refused(action_rows):
    agent = NeuralLinearTS(action_rows(5, 3), 2)
    with pytest.raises(RuntimeError, match="nothing was played yet"):
        agent.train()
    with pytest.raises(ValueError, match="context has shape"):
        agent.select(np.ones((1, 3)))
    with pytest.raises(ValueError, match="slate has shape"):
        agent.select(None, [[1, 2]])
    with pytest.raises(ValueError, match="reward holds 1 NaN"):
        agent.update(None, [0, 1], [1.0, np.nan])
    with pytest.raises(ValueError, match=r"action must lie in \[0, 5\)"):
        agent.update(None, [0, 5], [1.0, 1.0])
