"""Reward coverage against full enumeration of the subsets."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from crlib import metrics

SCHEMES = [(False, False), (True, False), (False, True), (True, True)]


def enumerated_reward_coverage(X, r, k, replace, leave_out):
    distances = cdist(X, X)
    n = len(X)
    gaps, scales = [], []
    for action in range(n):
        pool = [a for a in range(n) if not (leave_out and a == action)]
        draws = product(pool, repeat=k) if replace else combinations(pool, k)
        nearest = [min(draw, key=lambda a: distances[action, a]) for draw in draws]
        gaps.append(np.mean(np.abs(r[action] - r[nearest])))
        scales.append(np.mean(np.abs(r[action] - r[pool])))
    return np.mean(gaps) / np.mean(scales)


@pytest.mark.parametrize(("replace", "leave_out"), SCHEMES)
@pytest.mark.parametrize("n", [4, 7])
def test_reward_coverage_is_the_mean_over_all_subsets(replace, leave_out, n, unit_rows):
    X = unit_rows(n, 3, seed=n)
    rng = np.random.default_rng(n)
    rewards = np.column_stack([rng.normal(size=n), np.arange(n) % 2, rng.poisson(2, n) - 5.0])
    options = {"replace": replace, "leave_out": leave_out}
    for k in range(1, 4):
        expected = [enumerated_reward_coverage(X, r, k, **options) for r in rewards.T]
        found = metrics.reward_coverage(X, rewards, k, **options)
        assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("leave_out", [False, True])
def test_one_sampled_action_tells_nothing(unit_rows, leave_out):
    X = unit_rows(500, 4)
    r = np.random.default_rng(0).gamma(0.3, size=500)
    assert metrics.reward_coverage(X, r, 1, leave_out=leave_out) == pytest.approx(1)


def test_reward_of_position_is_covered_and_noise_is_not(unit_rows):
    X = unit_rows(2500, 3)
    rewards = np.column_stack([X[:, 0], np.random.default_rng(0).normal(size=2500)])
    smooth, noise = metrics.reward_coverage(X, rewards, 250, leave_out=True)
    assert smooth < 0.1
    assert noise == pytest.approx(1, abs=0.05)


def test_both_ways_of_selecting_neighbours_agree(unit_rows):
    X = unit_rows(2200, 5).astype(np.float32)
    r = np.random.default_rng(1).normal(size=(2200, 2))
    both = metrics.reward_coverage(X, r, [3, 200])  # k = 3 keeps every neighbour
    assert metrics.reward_coverage(X, r, 200) == pytest.approx(both[1], abs=1e-5)
    assert metrics.reward_coverage(X.astype(float), r, [3, 200]) == pytest.approx(both, rel=1e-3)


def test_equal_distances_are_ranked_by_row_number():
    # Four rows at one place: among the others, the first sampled one counts.
    X = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]])
    r = np.array([0.0, 1.0, 2.0, 3.0, 10.0])
    for dtype in (np.float32, np.float64):
        profile = metrics.reward_coverage_profile(X.astype(dtype), r, 2, leave_out=True)
        scale = np.mean(np.abs(r[:, None] - r)[~np.eye(5, dtype=bool)])
        # Action 0 ranks 1, 2, 3, 4 with weights 3/6, 2/6, 1/6, 0.
        expected = (3 * 1 + 2 * 2 + 1 * 3) / 6 / scale
        assert profile[0, 0, 0] == pytest.approx(expected)


def test_affine_rewards_and_shapes(unit_rows):
    X = unit_rows(60, 4)
    r = np.random.default_rng(2).normal(size=(60, 3))
    curve = metrics.reward_coverage(X, r, [2, 5])
    assert curve.shape == (2, 3)
    assert metrics.reward_coverage(X, -4 * r + 7, [2, 5]) == pytest.approx(curve)
    assert metrics.reward_coverage(X, r[:, 0], [2, 5]) == pytest.approx(curve[:, 0])
    assert metrics.reward_coverage(X, r, 5) == pytest.approx(curve[1])
    single = metrics.reward_coverage(X, r[:, 0], 5)
    assert isinstance(single, float)
    assert single == pytest.approx(curve[1, 0])


def test_profile_averages_to_the_reward_coverage(unit_rows):
    X = unit_rows(300, 4)
    r = np.random.default_rng(3).poisson(0.2, size=(300, 2))
    profile = metrics.reward_coverage_profile(X, r, [2, 50])
    assert profile.shape == (2, 300, 2)
    assert profile.mean(axis=1) == pytest.approx(metrics.reward_coverage(X, r, [2, 50]))
    some = metrics.reward_coverage_profile(X, r, [2, 50], rows=[7, 200])
    assert some == pytest.approx(profile[:, [7, 200]])


@pytest.mark.parametrize(
    ("r", "message"),
    [
        (np.zeros(10), "reward function 0 of r is constant"),
        (np.column_stack([np.arange(10), np.full(10, 3.7)]), "reward function 1"),
        (np.arange(9), "a row an action"),
        (np.zeros((10, 2, 2)), "a row an action"),
        (np.full(10, np.nan), "r holds 10 NaN"),
    ],
)
def test_bad_rewards(r, message, unit_rows):
    with pytest.raises(ValueError, match=message):
        metrics.reward_coverage(unit_rows(10, 3), r, 2)
