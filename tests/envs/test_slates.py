"""The bandit over slates, and the controlled problems it is played on."""

import numpy as np
import pytest

from crlib.agents.baselines import RandomAgent
from crlib.envs.slates import SlateBandit, block_size, play
from crlib.envs.spectra import (
    features_with,
    power_law,
    rewards_with,
    scaled,
    spectrum_with_pr,
)
from crlib.metrics import participation_ratio


class Oracle:
    """Knows the table."""

    def __init__(self, table):
        self.table = table

    def select(self, context=None, slate=None, *, rounds=None):
        actions = np.empty((self.table.shape[1], rounds or 1), np.int64)
        slates = [np.arange(len(self.table))] * (rounds or 1)
        if slate is not None:
            slates = np.reshape(slate, (rounds or 1, -1))
        for i, offered in enumerate(slates):
            actions[:, i] = offered[self.table[offered].argmax(axis=0)]
        return actions if rounds else actions[:, 0]

    def update(self, context, action, reward):
        pass


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).standard_normal((500, 3))


@pytest.mark.parametrize("slate", [None, 20])
def test_the_oracle_has_no_regret(table, slate):
    regret = play(Oracle(table), SlateBandit(table, slate=slate), 50, block="growing")
    assert (regret == 0).all()


@pytest.mark.parametrize("slate", [1, 20, 500])
def test_slates_hold_distinct_actions(table, slate):
    bandit = SlateBandit(table, slate=slate)
    _, slates = bandit.deal(30)
    assert slates.shape == (30, slate)
    assert all(len(set(row.tolist())) == slate for row in slates)
    assert slates.min() >= 0
    assert slates.max() < 500


def test_slates_reach_every_action_equally(table):
    _, slates = SlateBandit(table, slate=50).deal(4000)
    counts = np.bincount(slates.ravel(), minlength=500)
    # hypergeometric: 4000 * 0.1 = 400, standard deviation 19
    assert abs(counts - 400).max() < 6 * 19


def test_a_slate_of_one_leaves_no_choice_and_no_regret(table):
    regret = play(RandomAgent(500, 3), SlateBandit(table, slate=1), 20)
    assert (regret == 0).all()


def test_regret_of_random_choice_is_the_slate_s_gap(table):
    bandit = SlateBandit(table, slate=20, seed=2)
    regret = play(RandomAgent(500, 3, seed=1), bandit, 3000, block=10)
    draws = np.random.default_rng(9)
    best = [table[draws.choice(500, 20, replace=False)].max(axis=0) for _ in range(3000)]
    np.testing.assert_allclose(
        regret.mean(axis=1), np.mean(best, axis=0) - table.mean(axis=0), atol=0.1
    )


def test_observed_rewards_are_the_table_s_plus_noise(table):
    bandit = SlateBandit(table, slate=None, noise=0.5)
    bandit.deal(4000)
    seen, lost = bandit.step(np.full((3, 4000), 7))
    np.testing.assert_allclose(lost, np.tile(table.max(0) - table[7], (4000, 1)).T)
    np.testing.assert_allclose(seen.mean(axis=1), table[7], atol=0.04)
    np.testing.assert_allclose(seen.std(axis=1), 0.5, rtol=0.05)
    assert abs(np.corrcoef(seen)[0, 1]) < 0.07  # noise is each replication's own


def test_rounds_do_not_depend_on_what_was_played(table):
    one, other = SlateBandit(table, seed=4), SlateBandit(table, seed=4)
    first = one.deal(5)[1]
    one.step(first[:, 0] * np.ones((3, 1), np.int64))
    np.testing.assert_array_equal(first, other.deal(5)[1])
    other.step(first[:, 1] * np.ones((3, 1), np.int64))
    np.testing.assert_array_equal(one.deal(3)[1], other.deal(3)[1])


@pytest.mark.parametrize("kind", ["random", "fixed"])
def test_contexts_weigh_the_features(kind):
    rng = np.random.default_rng(0)
    features, theta = rng.standard_normal((40, 6)), rng.standard_normal((6, 3))
    bandit = SlateBandit(theta, features=features, contexts=kind, slate=8, noise=0, n_contexts=4)
    context, slates = bandit.deal(9)
    assert context.shape == (3, 9, 6)
    actions = np.tile(slates[:, 3], (3, 1))
    seen, lost = bandit.step(actions)
    for s in range(3):
        for i in range(9):
            means = features[slates[i]] * context[s, i] @ theta[:, s]
            assert seen[s, i] == pytest.approx(means[3])
            assert lost[s, i] == pytest.approx(means.max() - means[3])
    distinct = len(np.unique(context[0], axis=0))
    assert distinct == (4 if kind == "fixed" else 9)
    if kind == "fixed":  # they take turns across blocks
        np.testing.assert_array_equal(bandit.deal(1)[0][0, 0], context[0, 1])


def test_block_sizes_grow_with_the_history():
    sizes = [block_size(t) for t in range(10_000)]
    assert (sizes[0], sizes[-1]) == (1, 32)
    assert sizes == sorted(sizes)
    assert all(size <= max(1, t / 100) for t, size in enumerate(sizes))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"slate": 0}, "slate = 0"), ({"slate": 501}, "slate = 501"), ({"noise": -1}, "noise = -1"),
     ({"contexts": "often"}, "contexts = 'often'"), ({"contexts": "random"}, "features"),
     ({"replications": [1]}, "replications")],
)  # fmt: skip
def test_options_that_do_not_fit_are_named(table, options, message):
    with pytest.raises(ValueError, match=message):
        SlateBandit(table, **options)


@pytest.mark.parametrize("bad", [np.ones(3), np.full((3, 2), np.nan)])
def test_rewards_must_be_a_finite_table(bad):
    with pytest.raises(ValueError, match="rewards"):
        SlateBandit(bad)


@pytest.mark.parametrize("pr", [1.5, 50.0, 200.0, 256.0])
def test_spectrum_has_exactly_the_participation_ratio_asked_for(pr):
    spectrum = spectrum_with_pr(256, pr)
    assert 1 / np.sum(spectrum**2) == pytest.approx(pr, rel=1e-9)
    assert spectrum.sum() == pytest.approx(1)
    assert (np.diff(spectrum) <= 0).all()
    features = features_with(spectrum, 2000, 0)
    assert participation_ratio(features, unbiased=False) == pytest.approx(pr, rel=1e-4)


@pytest.mark.parametrize("pr", [1.0, 0.5, 257.0])
def test_participation_ratios_out_of_range_are_refused(pr):
    with pytest.raises(ValueError, match="pr = "):
        spectrum_with_pr(256, pr)


def test_features_have_exactly_the_covariance_asked_for():
    spectrum = power_law(20, 1.3)
    features = features_with(spectrum, 400, 3).astype(np.float64)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-7)
    np.testing.assert_allclose(features.T @ features / 400, np.diag(spectrum), atol=1e-7)
    with pytest.raises(ValueError, match="n_actions = 20"):
        features_with(spectrum, 20, 3)


@pytest.mark.parametrize("energy", ["top", "isotropic", "flat", "bottom"])
def test_reward_energy_lies_where_it_is_put(energy):
    spectrum = power_law(40, 1.0)
    features = features_with(spectrum, 1000, 0)
    rewards = rewards_with(features, energy, 4000, 1)
    np.testing.assert_allclose(rewards.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(rewards.var(axis=0), 1)
    z = features / features.std(axis=0)
    share = ((z.T @ rewards / 1000) ** 2).mean(axis=1)
    np.testing.assert_allclose(share.sum(), 1, rtol=1e-3)
    before = {
        "top": np.r_[np.full(4, 0.25), np.zeros(36)],
        "isotropic": spectrum,
        "flat": np.full(40, 1 / 40),
        "bottom": np.r_[np.zeros(36), np.full(4, 0.25)],
    }[energy]
    sizes = before * np.random.default_rng(2).chisquare(1, (20_000, 40))
    expected = (sizes / sizes.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(share, expected, atol=0.015)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_unexplained_share_is_beyond_any_linear_function(share):
    features = features_with(power_law(10, 1.0), 600, 0)
    rewards = rewards_with(features, "flat", 5, 1, unexplained=share)
    design = np.c_[np.ones(600), features]
    fitted = design @ np.linalg.lstsq(design, rewards, rcond=None)[0]
    np.testing.assert_allclose((rewards - fitted).var(axis=0), share, atol=1e-6)
    np.testing.assert_allclose(rewards.var(axis=0), 1)


def test_unknown_energy_and_share_are_refused():
    features = features_with(power_law(4, 1.0), 60, 0)
    with pytest.raises(ValueError, match="energy = 'middle'"):
        rewards_with(features, "middle", 1, 0)
    with pytest.raises(ValueError, match=r"unexplained = 1\.2"):
        rewards_with(features, "top", 1, 0, unexplained=1.2)


def test_scaled_features_are_centred_with_trace_one():
    rows = scaled(np.random.default_rng(0).standard_normal((50, 4)) + 3)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-6)
    assert np.trace(np.cov(rows.T, bias=True)) == pytest.approx(1, rel=1e-6)
    with pytest.raises(ValueError, match="equal"):
        scaled(np.ones((3, 2)))
