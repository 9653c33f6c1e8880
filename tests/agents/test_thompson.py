"""Linear Thompson sampling: what it chooses, and that replications do not touch each other."""

import numpy as np
import pytest
from scipy import stats

from crlib.agents.baselines import RandomAgent, TabularTS
from crlib.agents.thompson import LinearTS
from crlib.envs.slates import SlateBandit, play
from crlib.envs.spectra import features_with, power_law, rewards_with


@pytest.fixture(scope="module")
def problem():
    features = features_with(power_law(12, 1.0), 300, 0)
    return features, rewards_with(features, "isotropic", 4, 1)


def test_choice_probabilities_are_the_posterior_s(problem):
    """Two actions: P(first) = Phi(mean difference / its standard deviation), in closed form."""
    features = np.array([[1.0, 0.2], [0.3, 0.9]], np.float32)
    agent = LinearTS(features, 2000, sigma2=0.5)
    seen = np.array([[0, 0.8], [1, 0.1], [0, 0.9]])
    for action, reward in seen:
        agent.update(None, np.full(2000, int(action)), np.full(2000, reward))
    phi, reward = features[seen[:, 0].astype(int)], seen[:, 1]
    covariance = np.linalg.inv(np.eye(2) + phi.T @ phi / 0.5)
    gap = features[0] - features[1]
    mean = gap @ covariance @ phi.T @ reward / 0.5
    expected = stats.norm.cdf(mean / np.sqrt(gap @ covariance @ gap))
    chosen = np.concatenate([agent.select() for _ in range(10)])
    result = stats.binomtest(int((chosen == 0).sum()), chosen.size, expected)
    assert result.pvalue > 1e-4
    assert 0.1 < expected < 0.9


def test_many_actions_are_chosen_as_often_as_monte_carlo_says():
    rng = np.random.default_rng(3)
    features = rng.standard_normal((6, 3)).astype(np.float32)
    agent = LinearTS(features, 4000)
    action = np.tile([0, 2, 4], (4000, 1))
    agent.update(None, action, np.tile([1.0, -0.5, 0.2], (4000, 1)))
    phi = features[[0, 2, 4]].astype(np.float64)
    covariance = np.linalg.inv(np.eye(3) + phi.T @ phi)
    mean = covariance @ phi.T @ np.array([1.0, -0.5, 0.2])
    draws = rng.multivariate_normal(mean, covariance, 400_000)
    expected = np.bincount((draws @ features.T).argmax(axis=1), minlength=6) / 400_000
    found = np.bincount(np.concatenate([agent.select() for _ in range(5)]), minlength=6)
    likely = expected > 0.001
    assert stats.chisquare(
        found[likely], expected[likely] / expected[likely].sum() * found[likely].sum()
    ).pvalue > 1e-4  # fmt: skip
    assert found[~likely].sum() < 100


def test_a_joint_draw_gives_equal_actions_equal_scores():
    """Independent draws for each action would choose the second copy about half the time."""
    features = np.array([[0.6, 0.1], [0.6, 0.1], [-0.6, 0.4]], np.float32)
    agent = LinearTS(features, 500)
    assert not (agent.select() == 1).any()


@pytest.mark.parametrize("explore", ["thompson", "greedy", "vmf"])
@pytest.mark.parametrize("prior", ["fixed", "eb"])
@pytest.mark.parametrize("slate", [None, 40])
def test_replications_in_a_batch_equal_those_alone(problem, explore, prior, slate):
    features, rewards = problem

    def regret(numbers):
        agent = LinearTS(features, numbers, explore=explore, prior=prior, seed=5)
        bandit = SlateBandit(rewards[:, numbers], slate=slate, replications=numbers, seed=6)
        return play(agent, bandit, 60)

    together = regret([0, 1, 2, 3])
    for number in (0, 3):
        np.testing.assert_allclose(regret([number])[0], together[number], atol=1e-6)


def test_blocks_of_one_are_single_rounds(problem):
    features, rewards = problem
    agent, bandit = LinearTS(features, 4, seed=5), SlateBandit(rewards, seed=6)
    regret = play(agent, bandit, 30)
    agent, bandit = LinearTS(features, 4, seed=5), SlateBandit(rewards, seed=6)
    for t in range(30):
        _, slate = bandit.deal(1)
        action = agent.select(None, slate[0])
        assert action.shape == (4,)
        seen, lost = bandit.step(action[:, None])
        agent.update(None, action, seen[:, 0])
        np.testing.assert_allclose(lost[:, 0], regret[:, t], atol=1e-6)


def test_the_same_seed_plays_the_same_game_and_another_does_not(problem):
    features, rewards = problem

    def regret(seed):
        return play(LinearTS(features, 4, seed=seed), SlateBandit(rewards), 40)

    np.testing.assert_array_equal(regret(1), regret(1))
    assert (regret(1) != regret(2)).any()


def test_thompson_learns_what_random_and_tabular_do_not(problem):
    features, rewards = problem
    linear = play(LinearTS(features, 4), SlateBandit(rewards), 600).sum(axis=1)
    empirical = play(LinearTS(features, 4, prior="eb"), SlateBandit(rewards), 600).sum(axis=1)
    random = play(RandomAgent(300, 4), SlateBandit(rewards), 600).sum(axis=1)
    tabular = play(TabularTS(300, 4), SlateBandit(rewards), 600).sum(axis=1)
    assert (linear < 0.5 * random).all()
    assert (empirical < 0.5 * random).all()
    assert (linear < tabular).all()


def test_contexts_enter_features_and_scores():
    """With x = e_i only coordinate i is learnt, and the best action follows the context."""
    features = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]] * np.array([[1], [1], [1], [-1]])
    agent = LinearTS(features, 2, explore="greedy", sigma2=0.01)
    context = np.tile([1.0, 0.0, 0.0], (2, 1))
    for _ in range(20):
        agent.update(context, np.array([0, 3]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(agent.posterior.mean[:, 1:], 0)
    np.testing.assert_array_equal(agent.select(context), [0, 3])
    np.testing.assert_array_equal(agent.select(-context), [3, 0])


def test_a_subset_bounds_what_is_looked_at(problem):
    features, _ = problem
    agent = LinearTS(features, 4, explore="greedy", subset=5, seed=1)
    agent.update(None, np.zeros(4, np.int64), np.ones(4))
    seen = {int(a) for _ in range(50) for a in agent.select()}
    assert len(seen) > 20  # greedy over all actions would name four at most
    full = LinearTS(features, 4, explore="greedy", subset=300, seed=1)
    full.update(None, np.zeros(4, np.int64), np.ones(4))
    scores = features @ full.posterior.mean.T
    np.testing.assert_array_equal(full.select(), scores.argmax(axis=0))


def test_vmf_draws_have_the_mean_resultant_length_of_their_kappa():
    features = np.eye(5, dtype=np.float32)
    agent = LinearTS(features, 1, explore="vmf", kappa=8.0)
    agent.update(None, np.array([2]), np.array([3.0]))
    from crlib.agents.explore import vmf

    draws = vmf(agent.posterior, agent.noise, 20_000, 8.0)[0]
    np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1)
    from scipy.special import ive

    expected = ive(2.5, 8.0) / ive(1.5, 8.0)
    assert draws.mean(axis=0)[2] == pytest.approx(expected, abs=0.005)


def test_tabular_posterior_is_the_conjugate_one():
    agent = TabularTS(2, 50_000, tau2=2.0, sigma2=0.5)
    for reward in (1.0, 0.6):
        agent.update(None, np.zeros(50_000, np.int64), np.full(50_000, reward))
    precision = 1 / 2 + 2 / 0.5
    mean = 1.6 / 0.5 / precision
    expected = stats.norm.cdf(mean / np.sqrt(1 / precision + 2.0))
    share = (agent.select() == 0).mean()
    assert share == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"prior": "flat"}, "prior = 'flat'"), ({"explore": "ucb"}, "explore = 'ucb'"),
     ({"subset": 0}, "subset = 0"), ({"subset": 301}, "subset = 301"),
     ({"replications": []}, "replications"), ({"replications": 0}, "replications"),
     ({"sigma2": 0.0}, "sigma2 = 0.0")],
)  # fmt: skip
def test_options_that_mean_nothing_are_named(problem, options, message):
    replications = options.pop("replications", 2)
    with pytest.raises(ValueError, match=message):
        LinearTS(problem[0], replications, **options)


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.ones(4), np.array([["a"]])])
def test_features_must_be_a_matrix_of_numbers(bad):
    with pytest.raises(ValueError, match="features"):
        LinearTS(bad)


def test_features_that_are_not_finite_are_refused(problem):
    rows = problem[0].copy()
    rows[7, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        LinearTS(rows)


def test_an_approximate_index_is_audited_now_and_then(problem, monkeypatch):
    from crlib.agents import thompson
    from crlib.agents.index import build

    monkeypatch.setattr(thompson, "AUDIT_EVERY", 4)
    features, rewards = problem
    exact, scan = LinearTS(features, 4), LinearTS(features, 4, index="scan")
    poor = LinearTS(features, 4, index=build(features, "ivf", nlist=30, nprobe=1))
    for agent in (exact, scan, poor):
        play(agent, SlateBandit(rewards, slate=None), 10)
    assert exact.audits == []
    assert len(scan.audits) == len(poor.audits) == 3
    assert min(scan.audits) > 0.99
    assert max(scan.audits + poor.audits) <= 1 + 1e-6
    assert np.mean(poor.audits) < np.mean(scan.audits)
