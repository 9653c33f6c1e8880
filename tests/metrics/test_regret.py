"""Regret curves against constructed mixtures, enumeration of slates and scipy's optimiser."""

from itertools import combinations

import numpy as np
import pytest
from scipy import optimize

from crlib import metrics

T = np.arange(1.0, 2001)


@pytest.mark.parametrize("horizon", [5, 300, 10_000])
def test_share_of_an_exact_mixture(horizon):
    t = np.arange(1.0, horizon + 1)
    curves = [
        3 + 2 * np.log(t) + 0.5 * np.sqrt(t) + 0.1 * t,
        7 * np.log(t) + 0.001 * t,
        2 * np.sqrt(t),
        0.3 * t,
    ]
    linear = np.array([0.1, 0.001, 0, 0.3]) * horizon
    expected = linear / [curve[-1] for curve in curves]
    assert metrics.linear_share(curves) == pytest.approx(expected, abs=1e-6)
    assert metrics.linear_share(curves[0]) == pytest.approx(expected[0], abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_share_is_that_of_the_constrained_fit(seed):
    rng = np.random.default_rng(seed)
    steps = rng.gamma(0.5, size=500) * rng.choice([1.0, 0.2]) / np.arange(1, 501) ** rng.random()
    curve, t = np.cumsum(steps), np.arange(1.0, 501)
    terms = np.column_stack([np.ones(500), np.log(t), np.sqrt(t), t])
    found = optimize.lsq_linear(terms / terms[-1], curve, bounds=(0, np.inf), tol=1e-14).x
    assert metrics.linear_share(curve) == pytest.approx(found[-1] / found.sum(), abs=1e-4)


def test_share_ignores_scale_and_reads_sparse_rounds():
    curve = 5 * np.sqrt(T) + 0.05 * T + np.random.default_rng(0).normal(size=T.size)
    share = metrics.linear_share(curve)
    assert metrics.linear_share(1e-6 * curve) == pytest.approx(share)
    some = slice(19, None, 20)
    assert metrics.linear_share(curve[some], t=T[some]) == pytest.approx(share, abs=0.05)
    assert metrics.linear_share(np.zeros(50)) == 0


@pytest.mark.parametrize("slate", [1, 2, 5, 9])
def test_gap_is_the_mean_over_all_slates(slate):
    rewards = np.random.default_rng(0).gamma(1.0, size=(9, 2))
    rewards[3] = rewards[4]
    best = [rewards[list(chosen)].max(axis=0) for chosen in combinations(range(9), slate)]
    expected = np.mean(best, axis=0) - rewards.mean(axis=0)
    assert metrics.best_mean_gap(rewards, slate) == pytest.approx(expected)
    assert metrics.best_mean_gap(rewards[:, 0], slate) == pytest.approx(expected[0])


def test_gap_of_ranks_has_a_closed_form():
    # The expected largest of k from 1, ..., K is k (K + 1) / (k + 1).
    for n, k in [(10_000, 200), (1000, 1000), (50, 3)]:
        expected = k * (n + 1) / (k + 1) - (n + 1) / 2
        assert metrics.best_mean_gap(np.arange(1, n + 1), k) == pytest.approx(expected)


def test_gap_from_a_subset_is_unbiased():
    rewards = np.random.default_rng(1).gamma(1.0, size=8)
    drawn = [metrics.best_mean_gap(rewards[list(s)], 3) for s in combinations(range(8), 5)]
    assert np.mean(drawn) == pytest.approx(metrics.best_mean_gap(rewards, 3))


def test_normalised_regret_of_random_choice_is_one():
    rng = np.random.default_rng(2)
    rewards = rng.normal(size=500)
    slates = rng.permuted(np.tile(np.arange(500), (4000, 1)), axis=1)[:, :20]
    regret = np.cumsum(rewards[slates].max(axis=1) - rewards[slates[:, 0]])
    gap = metrics.best_mean_gap(rewards, 20)
    error = 4 * np.std(np.diff(regret)) / gap / np.sqrt(4000)
    assert metrics.normalised_regret(regret, gap) == pytest.approx(1, abs=error)
    both = np.stack([regret, regret / 2])
    assert metrics.normalised_regret(both, [gap, 2 * gap]) == pytest.approx(
        metrics.normalised_regret(regret, gap) * np.array([1, 0.25])
    )
    assert metrics.normalised_regret(regret[99::100], gap, horizon=4000) == pytest.approx(
        metrics.normalised_regret(regret, gap)
    )


def test_runs_that_never_arrive_are_censored():
    curves = [[0.1, 0.5, 0.9], [0.9, 0.1, 0.1], [0.1, 0.2, 0.3], [0, 0, 0]]
    found = metrics.rollouts_to_threshold(curves, 0.5)
    assert found.rollouts.tolist() == [2, 1, np.inf, np.inf]
    assert found.censored == 2
    assert found.median == np.inf
    assert metrics.rollouts_to_threshold(curves[:3], 0.5).median == 2
    spent = metrics.rollouts_to_threshold(curves[0], 0.9, t=[10, 40, 160])
    assert (spent.rollouts.tolist(), spent.censored, spent.median) == ([160], 0, 160)


def test_median_matches_that_of_exponential_arrivals():
    # Arrivals at rate 1/30 watched for 50 rounds: a fifth is censored, the median is 30 ln 2.
    arrival = np.random.default_rng(3).exponential(30, size=4000)
    curves = np.arange(1, 51) >= arrival[:, None]
    found = metrics.rollouts_to_threshold(curves.astype(float), 1.0)
    share = np.exp(-50 / 30)
    assert found.censored / 4000 == pytest.approx(share, abs=4 * np.sqrt(share / 4000))
    assert found.median == pytest.approx(np.ceil(30 * np.log(2)), abs=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.linear_share([1, 2, 3, 4]), "4 rounds"),
        (lambda: metrics.linear_share([1, 2, np.nan, 4, 5]), "cumulative_regret holds 1 NaN"),
        (lambda: metrics.linear_share(np.ones((2, 6, 1))), r"pass \(rounds,\)"),
        (lambda: metrics.linear_share(np.ones(6), t=[0, 1, 2, 3, 4, 5]), "t must be 6"),
        (lambda: metrics.linear_share(np.ones(6), t=[1, 2, 2, 3, 4, 5]), "t must be 6"),
        (lambda: metrics.linear_share(np.ones(6), t=[1, 2]), "t must be 6"),
        (lambda: metrics.best_mean_gap([1.0, 2.0], 3), "exceeds the 2 actions"),
        (lambda: metrics.best_mean_gap(1.0, 3), "r has shape"),
        (lambda: metrics.normalised_regret([1, 2], 0), "gap has shape"),
        (lambda: metrics.normalised_regret([1, 2], [1, 2]), "one a curve"),
        (lambda: metrics.normalised_regret([1, 2], 1, horizon=0), "horizon = 0"),
        (lambda: metrics.rollouts_to_threshold([1, 2], np.nan), "threshold is NaN"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_recent_mean_is_that_of_each_full_window():
    curves = np.random.default_rng(0).random((3, 9))
    expected = [[row[i : i + 4].mean() for i in range(6)] for row in curves]
    np.testing.assert_allclose(metrics.recent_mean(curves, 4), expected)
    np.testing.assert_array_equal(metrics.recent_mean(curves, 1), curves)
    with pytest.raises(ValueError, match="window = 10: expected 1 to 9"):
        metrics.recent_mean(curves, 10)
