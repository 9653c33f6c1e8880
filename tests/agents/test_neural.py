"""Neural Thompson Sampling against its formulas written out, and against a random player."""

import numpy as np
import pytest

from crlib.agents.neural import DiagonalDesign, FullDesign, NeuralGreedy, NeuralTS
from crlib.agents.rounds import arm_features


def contexts(rounds, S, d, seed=5):
    return np.random.default_rng(seed).normal(size=(rounds, S, d))


def play(agent, rows, mean_of, rounds, seed=5):
    """Return the mean regret a round of the agent, and of an action at random."""
    rng = np.random.default_rng(seed + 1)
    regret = chance = 0.0
    for context in contexts(rounds, agent.S, rows.shape[1], seed):
        means = mean_of(arm_features(rows, agent.S, context, None))
        action = agent.select(context)
        gained = means[np.arange(agent.S), action]
        agent.update(context, action, gained + 0.1 * rng.normal(size=agent.S))
        regret += np.mean(means.max(axis=1) - gained) / rounds
        chance += np.mean(means.max(axis=1) - means.mean(axis=1)) / rounds
    return regret, chance


def trained(kind, rows, **options):
    """Return an agent that has played 25 rounds of a linear problem."""
    agent = kind(rows, 2, width=6, retrain=8, seed=3, **options)
    w = np.linspace(-1, 1, rows.shape[1])
    play(agent, rows, lambda phi: phi @ w, 25)
    return agent


@pytest.mark.parametrize("design", [DiagonalDesign, FullDesign])
def test_the_design_is_the_sum_over_explicit_gradients(design, action_rows):
    agent = trained(NeuralTS, action_rows(9, 4))
    network, m = agent.network, agent.network.width
    rng = np.random.default_rng(0)
    mine = design(network, 0.7)
    U = np.repeat(0.7 * np.eye(m * 5)[None], 2, axis=0)
    for _ in range(30):
        x = rng.normal(size=(2, 4))
        mine.add(network, x)
        g = network.gradients(x[:, None])[:, 0]
        U += g[:, :, None] * g[:, None] / m
    if design is DiagonalDesign:
        U *= np.eye(m * 5)
    else:
        np.testing.assert_allclose(mine.inverse, np.linalg.inv(U), rtol=1e-6, atol=1e-9)
    X = rng.normal(size=(2, 11, 4))
    g = network.gradients(X)
    expected = np.einsum("snp,spq,snq->sn", g, np.linalg.inv(U), g) / m
    np.testing.assert_allclose(mine.variance(network, X, network.hidden(X)), expected, rtol=1e-8)


def test_the_full_variance_is_the_same_in_any_block(action_rows, monkeypatch):
    agent = trained(NeuralTS, action_rows(9, 4), design="full")
    X = contexts(2, 13, 4)
    whole = agent.design.variance(agent.network, X, agent.network.hidden(X))
    monkeypatch.setattr("crlib.agents.neural.GRADIENT_BYTES", 1)
    np.testing.assert_allclose(
        agent.design.variance(agent.network, X, agent.network.hidden(X)), whole, rtol=1e-12
    )


@pytest.mark.parametrize("design", ["diagonal", "full"])
def test_the_agent_s_design_is_that_of_what_it_played(design, action_rows):
    """One training never happens here, so that all gradients are the first network's."""
    rows = action_rows(12, 3)
    agent = NeuralTS(rows, 2, width=4, retrain=1000, ridge=0.5, design=design, seed=1)
    g = []
    for context in contexts(20, 2, 3):
        action = agent.select(context)
        agent.update(context, action, np.zeros(2))
        g.append(agent.network.gradients((context * rows[action])[:, None])[:, 0])
    U = 0.5 * np.eye(16) + np.einsum("tsp,tsq->spq", g, g) / 4
    if design == "full":
        np.testing.assert_allclose(agent.design.inverse, np.linalg.inv(U), rtol=1e-7, atol=1e-10)
    else:
        kept = np.concatenate([agent.design.W.reshape(2, -1), agent.design.v], axis=1)
        np.testing.assert_allclose(kept, np.einsum("spp->sp", U), rtol=1e-10)


@pytest.mark.parametrize("design", ["diagonal", "full"])
def test_drawn_scores_have_the_stated_mean_and_variance(design, action_rows):
    agent = trained(NeuralTS, action_rows(9, 4), design=design, nu=0.8, ridge=0.6)
    X = contexts(2, 5, 4)
    draws = np.stack([agent.scores(X) for _ in range(20_000)])
    g, m = agent.network.gradients(X), agent.network.width
    if design == "full":
        inverse = agent.design.inverse
    else:
        diagonal = np.concatenate([agent.design.W.reshape(2, -1), agent.design.v], axis=1)
        inverse = np.stack([np.diag(1 / row) for row in diagonal])
    variance = 0.8**2 * 0.6 * np.einsum("snp,spq,snq->sn", g, inverse, g) / m
    error = np.sqrt(variance / 20_000)
    assert np.all(np.abs(draws.mean(axis=0) - agent.network(X)) < 4.5 * error)
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.05)
    # Each candidate's draw is its own.
    correlation = np.corrcoef(draws[:, 0].T)
    assert np.abs(correlation - np.eye(5)).max() < 0.04


@pytest.mark.parametrize("kind", [NeuralTS, NeuralGreedy])
@pytest.mark.parametrize("curved", [False, True])
def test_learns_a_linear_and_a_cosine_reward(kind, curved, action_rows):
    rows = action_rows(50, 4)
    w = np.array([2.0, -1.0, 1.0, 0.5]) / 2.5
    options = {"nu": 0.3} if kind is NeuralTS else {"epsilon": 0.05}
    agent = kind(rows, 4, width=40, ridge=0.1, retrain=20, steps=100, **options)
    mean_of = (lambda phi: np.cos(3 * phi @ w)) if curved else (lambda phi: phi @ w)
    regret, chance = play(agent, rows, mean_of, 300)
    assert regret < 0.5 * chance


@pytest.mark.parametrize("kind", [NeuralTS, NeuralGreedy])
def test_the_seed_decides_everything(kind, action_rows):
    rows = action_rows(30, 4)
    runs = [
        play(kind(rows, 3, retrain=5, seed=seed), rows, lambda phi: phi.sum(axis=2), 30)[0]
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_training_happens_on_schedule_and_on_the_whole_history(action_rows):
    rows = action_rows(10, 4)
    agent = NeuralGreedy(rows, retrain=4, seed=0)
    changed = []
    for t, context in enumerate(contexts(12, 1, 4), start=1):
        before = agent.network
        agent.update(context, agent.select(context), np.ones(1))
        if agent.network is not before:
            changed.append(t)
    assert changed == [4, 8, 12]
    # Every reward was 1: a network that saw all rounds scores them near 1.
    played = np.stack(agent._inputs, axis=1)
    assert np.mean(agent.network(played)) > 0.5


def test_a_slate_bounds_the_choice(action_rows):
    rows = action_rows(40, 4)
    agent = trained(NeuralGreedy, rows)
    context, slate = contexts(2, 2, 4)[0], np.array([[7, 3, 30], [9, 9, 1]])
    scores = agent.network(arm_features(rows, 2, context, slate))
    np.testing.assert_array_equal(
        agent.select(context, slate), slate[[0, 1], scores.argmax(axis=1)]
    )


def test_without_context_the_network_sees_the_rows(action_rows):
    rows = action_rows(8, 4)
    agent = NeuralGreedy(rows, 2, width=20, ridge=0.01, retrain=8, steps=300, epsilon=1.0)
    means = rows @ np.array([1.0, 2.0, -1.0, 0.0])
    for _ in range(64):
        action = agent.select()
        agent.update(None, action, means[action])
    agent.epsilon = 0.0
    assert agent.select().tolist() == [means.argmax()] * 2


def test_epsilon_plays_any_action_so_often(action_rows):
    rows = action_rows(4, 3)
    agent = NeuralGreedy(rows, 5000, epsilon=0.4, width=2, seed=0)
    context = contexts(1, 5000, 3)[0]
    best = agent.network(arm_features(rows, 5000, context, None)).argmax(axis=1)
    away = (agent.select(context) - best) % 4
    np.testing.assert_allclose(np.bincount(away) / 5000, [0.7, 0.1, 0.1, 0.1], atol=0.03)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_replications": 0}, "n_replications = 0"),
        ({"retrain": 0}, "retrain = 0"),
        ({"steps": 0}, "steps = 0"),
        ({"ridge": 0.0}, "ridge = 0.0"),
        ({"width": 5}, "width = 5"),
        ({"nu": -1.0}, "nu = -1.0"),
        ({"design": "half"}, "design 'half' is unknown"),
    ],
)
def test_unfit_options_are_refused(options, message, action_rows):
    with pytest.raises(ValueError, match=message):
        NeuralTS(action_rows(5, 3), **options)


def test_unfit_rounds_are_refused(action_rows):
    agent = NeuralGreedy(action_rows(5, 3), 2)
    with pytest.raises(ValueError, match=r"epsilon = 2 must lie in \[0, 1\]"):
        NeuralGreedy(action_rows(5, 3), epsilon=2)
    with pytest.raises(ValueError, match=r"context has shape \(3,\)"):
        agent.select(np.ones(3))
    with pytest.raises(ValueError, match="slate has shape"):
        agent.select(None, [[1, 2]])
    with pytest.raises(ValueError, match=r"slate must lie in \[0, 5\)"):
        agent.select(None, [[1, 2], [0, 5]])
    with pytest.raises(ValueError, match=r"action must lie in \[0, 5\)"):
        agent.update(None, [0, -1], [1.0, 1.0])
    with pytest.raises(ValueError, match="action has shape"):
        agent.update(None, [0.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="reward has shape"):
        agent.update(None, [0, 1], [1.0])
    with pytest.raises(ValueError, match="reward holds 1 NaN"):
        agent.update(None, [0, 1], [1.0, np.nan])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_shared_slate_is_that_slate_for_each(dtype, action_rows):
    """One product for all replications gives what a product for each gives."""
    rows, offered = action_rows(40, 6), np.array([3, 30, 7, 12])
    agents = [NeuralTS(rows, 3, width=8, retrain=4, dtype=dtype, seed=1) for _ in range(2)]
    rng = np.random.default_rng(0)
    for _ in range(12):
        shared = agents[0].select(None, offered)
        single = agents[1].select(None, np.tile(offered, (3, 1)))
        np.testing.assert_array_equal(shared, single)
        reward = rng.standard_normal(3)
        for agent in agents:
            agent.update(None, shared, reward)
    np.testing.assert_allclose(agents[0].network.W, agents[1].network.W, rtol=1e-4)
    assert agents[0].network.W.dtype == dtype


def test_doubling_trains_at_16_and_at_every_doubling(action_rows, monkeypatch):
    trained = []
    from crlib.agents import neural

    def spy(network, start, inputs, rewards, *, decay, steps):
        trained.append(rewards.shape[1])
        return network

    monkeypatch.setattr(neural, "train", spy)
    agent = NeuralGreedy(action_rows(9, 4), retrain="doubling")
    for _ in range(140):
        agent.update(None, [0], [1.0])
    assert trained == [16, 32, 64, 128]


def test_float32_learns_what_float64_learns(action_rows):
    rows = action_rows(60, 5)
    networks = []
    for dtype in (np.float64, np.float32):
        agent = NeuralGreedy(rows, 2, width=8, retrain=30, steps=40, dtype=dtype, seed=4)
        for i in range(60):
            agent.update(None, [i, 59 - i], [rows[i, 0], rows[59 - i, 1]])
        networks.append(agent.network(np.broadcast_to(rows, (2, 60, 5))))
    np.testing.assert_allclose(networks[0], networks[1], atol=2e-3)
