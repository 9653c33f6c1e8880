"""Scores of few runs against loops over pairs and textbook variances."""

import numpy as np
import pytest
from scipy import stats

from crlib import metrics


def test_profile_is_the_share_above():
    scores = np.array([[0.1, 0.5], [0.5, 0.9]])
    found = metrics.performance_profile(scores, [0, 0.1, 0.5, 0.7, 0.9])
    assert found.tolist() == [1, 0.75, 0.25, 0.25, 0]


def test_improvement_counts_pairs_within_tasks():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, size=(7, 3)), rng.integers(0, 6, size=(5, 3))
    wins = [
        np.mean([(x > y) + 0.5 * (x == y) for x in a[:, task] for y in b[:, task]])
        for task in range(3)
    ]
    assert metrics.probability_of_improvement(a, b) == pytest.approx(np.mean(wins))
    assert metrics.probability_of_improvement(a[:, 0], b[:, 0]) == pytest.approx(wins[0])
    assert metrics.probability_of_improvement(b, a) == pytest.approx(1 - np.mean(wins))
    assert metrics.probability_of_improvement([1, 1], [1, 1, 1]) == 0.5


def test_bootstrap_within_strata_leaves_out_what_lies_between_them():
    rng = np.random.default_rng(1)
    strata = np.repeat(["easy", "hard", "mid"], [100, 60, 40])
    rng.shuffle(strata)
    scores = rng.normal(size=200) + 10 * (strata == "hard")
    found = metrics.stratified_bootstrap(scores, np.mean, rng=0, strata=strata, n_resamples=4000)
    parts = [scores[strata == name] for name in np.unique(strata)]
    half = stats.norm.ppf(0.975) * np.sqrt(sum(p.size * p.var() for p in parts)) / 200
    assert found.estimate == pytest.approx(scores.mean())
    # The ends are quantiles of 4,000 draws: their own error is about 4 % of the half-width.
    assert found.low == pytest.approx(scores.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(scores.mean() + half, abs=0.15 * half)
    pooled = metrics.stratified_bootstrap(scores, np.mean, rng=0, n_resamples=500)
    assert pooled.high - pooled.low > 3 * (found.high - found.low)


def test_every_draw_keeps_the_strata_in_place():
    strata = np.array([2, 1, 1, 2, 3, 3, 1])
    rows = np.column_stack([strata, np.arange(7), np.arange(7)]).astype(float)
    seen = []

    def look(drawn):
        assert drawn[:, 0].tolist() == strata.tolist()
        assert drawn[:, 1].tolist() == drawn[:, 2].tolist()  # columns stay together
        seen.append(tuple(drawn[:, 1]))
        return float(drawn[:, 1].mean())

    metrics.stratified_bootstrap(rows, look, rng=0, strata=strata, n_resamples=50)
    assert len(set(seen)) > 20


def test_bootstrap_is_seeded_and_agrees_with_the_paired_one():
    a, b = np.random.default_rng(2).gamma(2, size=(2, 80))
    both = np.column_stack([a, b])

    def gap(rows):
        return metrics.iqm(rows[:, 0]) - metrics.iqm(rows[:, 1])

    first = metrics.stratified_bootstrap(both, gap, rng=3, n_resamples=300)
    assert first == metrics.stratified_bootstrap(both, gap, rng=3, n_resamples=300)
    assert first != metrics.stratified_bootstrap(both, gap, rng=4, n_resamples=300)
    paired = metrics.paired_bootstrap(
        a, b, lambda x, y: metrics.iqm(x) - metrics.iqm(y), rng=3, n_resamples=300
    )
    assert (first.low, first.high) == pytest.approx((paired.low, paired.high))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.performance_profile([np.nan], [0]), "scores holds 1 NaN"),
        (lambda: metrics.probability_of_improvement([1, 2], [[1], [2]]), "the same tasks"),
        (lambda: metrics.probability_of_improvement(np.ones((2, 3)), np.ones((2, 2))), "tasks"),
        (lambda: metrics.stratified_bootstrap([1, 2], np.mean, rng=0, strata=[1]), "a label"),
        (
            lambda: metrics.stratified_bootstrap([1, 2, 3], np.mean, rng=0, strata=[1, 1, 2]),
            "um 2 has 1",
        ),
        (lambda: metrics.stratified_bootstrap(1.0, np.mean, rng=0), "a row for each"),
        (lambda: metrics.stratified_bootstrap([1, 2], np.mean, rng=0, level=95), "level = 95"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
