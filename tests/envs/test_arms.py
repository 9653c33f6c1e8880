"""The arms of a comparison: what their features are, and that they meet the same rounds."""

import numpy as np
import pytest

from crlib.agents.baselines import RandomAgent, TabularTS
from crlib.envs.arms import (
    ARMS,
    arm_features,
    baseline_regret_of,
    common_width,
    neural_regret_of,
    regret_of,
    told_regret_of,
)
from crlib.envs.spectra import features_with, power_law, rewards_with
from crlib.metrics import participation_ratio


@pytest.fixture(scope="module")
def problem():
    features = features_with(power_law(10, 1.0), 200, 0)
    return features, rewards_with(features, "top", 3, 1)


@pytest.mark.parametrize("arm", ARMS)
def test_features_of_every_arm_have_trace_one(problem, arm):
    rows = arm_features(problem[0] * 7 + 3, arm)
    assert np.trace(np.cov(rows.T, bias=True)) == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-6)


def test_whitened_features_have_equal_eigenvalues(problem):
    rows = arm_features(problem[0], "whitened")
    assert participation_ratio(rows, unbiased=False) == pytest.approx(10, rel=1e-4)
    with pytest.raises(ValueError, match="arm = 'sphered'"):
        arm_features(problem[0], "sphered")


def test_raw_and_eb_have_the_same_features_up_to_scale(problem):
    np.testing.assert_allclose(arm_features(problem[0], "raw"), problem[0], atol=1e-6)
    np.testing.assert_array_equal(arm_features(problem[0], "raw"), arm_features(problem[0], "eb"))


def test_a_constant_reward_is_refused(problem):
    X, rewards = problem
    constant = np.column_stack([rewards[:, 0], np.ones(len(X))])
    with pytest.raises(ValueError, match="reward function 1 of r is constant"):
        regret_of(X, constant, "raw", horizon=5, slate=20)


def test_regret_does_not_depend_on_the_rewards_scale_or_on_other_replications(problem):
    X, rewards = problem
    options = {"horizon": 150, "slate": 20}
    whole = regret_of(X, rewards, "raw", **options)
    np.testing.assert_allclose(
        regret_of(X, 3 * rewards - 5, "raw", **options), whole, rtol=1e-5, atol=1e-4
    )
    alone = regret_of(X, rewards[:, [2]], "raw", replications=[2], **options)
    np.testing.assert_allclose(alone[0], whole[2], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_learns_a_linear_reward(problem, arm):
    X, rewards = problem
    found = regret_of(X, rewards, arm, horizon=1200, slate=20)
    random = baseline_regret_of(RandomAgent, rewards, horizon=1200, slate=20)
    assert found.shape == (3, 1200)
    assert (np.diff(found, axis=1) >= -1e-3).all()
    assert (found[:, -1] < 0.5 * random[:, -1]).all()


def test_neural_regret_learns_and_repeats(problem):
    X, rewards = problem
    options = {"horizon": 500, "slate": 20, "width": 8}
    found = neural_regret_of(X, rewards, **options)
    random = baseline_regret_of(RandomAgent, rewards, horizon=500, slate=20)
    assert (found[:, -1] < 0.8 * random[:, -1]).all()
    np.testing.assert_array_equal(found, neural_regret_of(X, rewards, **options))


def test_a_slate_is_never_larger_than_the_catalogue(problem):
    found = baseline_regret_of(TabularTS, problem[1][:50], horizon=30, slate=200)
    assert found.shape == (3, 30)


@pytest.mark.parametrize(("width", "expected"), [(4, 4), (10, 10), (64, 10)])
def test_common_width_only_ever_narrows(problem, width, expected):
    assert common_width(problem[0], width).shape == (200, expected)


def test_who_was_told_the_fit_loses_nothing_on_a_linear_reward_but_on_one_outside(problem):
    X, rewards = problem
    assert told_regret_of(X, rewards, horizon=200, slate=20).max() < 1e-3
    outside = rewards_with(X, "top", 3, 1, unexplained=0.5)
    told = told_regret_of(X, outside, horizon=200, slate=20)[:, -1]
    learnt = regret_of(X, outside, "raw", horizon=200, slate=20)[:, -1]
    assert (told > 10).all()
    assert (learnt > told).all()
    # nothing is learnt, so that every round loses alike: the second half as much as the first
    curve = told_regret_of(X, outside, horizon=4000, slate=20)
    np.testing.assert_allclose(curve[:, 1999] / curve[:, -1], 0.5, atol=0.03)
