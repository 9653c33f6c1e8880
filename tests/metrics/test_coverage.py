"""Coverage against full enumeration of the subsets, scipy and Monte Carlo."""

import tracemalloc
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from crlib import metrics

SCHEMES = [
    {"replace": False, "leave_out": False},
    {"replace": True, "leave_out": False},
    {"replace": False, "leave_out": True},
    {"replace": True, "leave_out": True},
]


def subsets(pool, k, replace):
    """Return all k-subsets (or k-tuples) of the pool, each as likely as the next."""
    return list(product(pool, repeat=k) if replace else combinations(pool, k))


def enumerated_coverage(X, k, *, replace, leave_out):
    """Return the mean distance to the nearest member over all actions and all subsets."""
    distances = cdist(X, X)
    means = []
    for action in range(len(X)):
        pool = [a for a in range(len(X)) if not (leave_out and a == action)]
        draws = subsets(pool, k, replace)
        means.append(np.mean([distances[action, list(draw)].min() for draw in draws]))
    return np.mean(means)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n", [2, 5, 8])
def test_coverage_is_the_mean_over_all_subsets(scheme, n, unit_rows):
    sizes = range(1, (n if not scheme["leave_out"] else n - 1) + 1)
    sizes = [k for k in sizes if not scheme["replace"] or n**k <= 40_000]
    for X in (unit_rows(n, 3, seed=n), np.random.default_rng(n).normal(size=(n, 3)) + 4):
        found = metrics.coverage(X, sizes, **scheme)
        expected = [enumerated_coverage(X, k, **scheme) for k in sizes]
        assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("n", [5, 30])
def test_rank_weights_are_the_binomial_formulas(n):
    for k in range(1, n):
        plain = [comb(n - 1 - j, k - 1) / comb(n, k) for j in range(n)]
        with_return = [((n - j) ** k - (n - j - 1) ** k) / n**k for j in range(n)]
        others = [comb(n - 2 - j, k - 1) / comb(n - 1, k) for j in range(n - 1)]
        for expected, scheme in zip((plain, with_return, others), SCHEMES, strict=False):
            found = metrics.rank_weights(n, k, **scheme)[0]
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rank_weights_of_a_million_actions_sum_to_one(scheme):
    weights = metrics.rank_weights(10**6, [1, 1000, 999_999], **scheme)
    assert np.all(weights >= 0)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-9)


def weighted_by_hand(X, k, *, leave_out=False):
    """Return each action's expected distance from all sorted distances and exact binomials."""
    distances = np.sort(cdist(X, X), axis=1)[:, int(leave_out) :]
    n = distances.shape[1]
    # Exact integers first: their ratio is rounded once.
    weights = [comb(n - 1 - j, k - 1) / comb(n, k) for j in range(n)]
    return distances @ np.array(weights)


@pytest.mark.parametrize("leave_out", [False, True])
@pytest.mark.parametrize("clump", [0.0, 1.0])
def test_tiles_and_thresholds_lose_nothing(unit_rows, leave_out, clump):
    # 2,600 actions make three tiles, the last one narrow; k = 200 keeps few neighbours.
    X = unit_rows(2600, 6, seed=1, clump=clump)
    X[100:160] = X[7]  # duplicates: distance 0
    for rows in (X, 3 * X + 1):
        expected = weighted_by_hand(rows, 200, leave_out=leave_out)
        found = metrics.coverage_profile(rows, 200, leave_out=leave_out)[0]
        np.testing.assert_allclose(found, expected, atol=2e-7 * np.max(cdist(rows[:9], rows)))
        single = metrics.coverage_profile(rows.astype(np.float32), 200, leave_out=leave_out)[0]
        np.testing.assert_allclose(single, expected, atol=3e-3)
        assert single.mean() == pytest.approx(expected.mean(), rel=1e-4)


def test_rows_that_are_all_alike_are_covered_by_anyone():
    X = np.tile(np.eye(5, dtype=np.float32)[:1], (2100, 1))
    assert metrics.coverage(X, 300) == pytest.approx(0, abs=1e-3)


def test_sorted_input_does_not_fool_the_thresholds():
    # Actions in order along a curve: neighbours are neighbours in the list.
    angle = np.linspace(0, 1, 3000)
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    expected = weighted_by_hand(X, 400)
    assert metrics.coverage_profile(X, 400)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_coverage_is_the_mean_of_random_subsets(unit_rows, seed):
    X = unit_rows(300, 5, seed=seed, clump=0.4)
    rng = np.random.default_rng(seed)
    draws = [
        metrics.nearest_distance(X, rng.choice(300, 20, replace=False)).mean() for _ in range(400)
    ]
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    assert abs(metrics.coverage(X, 20) - np.mean(draws)) < 4 * error


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", range(3))
def test_larger_subsets_cover_better(unit_rows, scheme, seed):
    X = unit_rows(50, 4, seed=seed)
    curve = metrics.coverage(X, np.arange(1, 50), **scheme)
    assert np.all(np.diff(curve) < 0)


def test_the_whole_set_covers_itself(unit_rows):
    X = unit_rows(40, 4)
    assert metrics.coverage(X, 40) == 0
    assert metrics.coverage(X, 1) == pytest.approx(np.mean(cdist(X, X)))
    others = np.mean(np.sort(cdist(X, X), axis=1)[:, 1])
    assert metrics.coverage(X, 39, leave_out=True) == pytest.approx(others)


@pytest.mark.parametrize("seed", range(3))
def test_coverage_turns_and_scales_with_the_embedding(unit_rows, seed):
    rng = np.random.default_rng(seed)
    X = unit_rows(60, 5, seed=seed)
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    moved = 3 * X @ rotation + rng.normal(size=5)
    assert metrics.coverage(moved, 7) == pytest.approx(3 * metrics.coverage(X, 7))


def test_profile_of_some_rows_is_part_of_the_whole(unit_rows):
    X = unit_rows(1500, 5)
    chosen = np.array([1400, 3, 3, 77])
    whole = metrics.coverage_profile(X, [5, 300])
    np.testing.assert_allclose(
        metrics.coverage_profile(X, [5, 300], rows=chosen), whole[:, chosen], atol=1e-12
    )
    assert metrics.coverage(X, [5, 300]) == pytest.approx(whole.mean(axis=1))
    # Asking for a large k alone takes the other way of selecting neighbours.
    assert metrics.coverage_profile(X, 300)[0] == pytest.approx(whole[1], abs=1e-6)


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_nearest_of_a_given_subset(unit_rows, shift):
    X = unit_rows(700, 6) if shift == 0 else unit_rows(700, 6) * 2 + shift
    subset = np.random.default_rng(0).choice(700, 40, replace=False)
    expected = cdist(X, X[subset]).min(axis=1)
    assert metrics.nearest_distance(X, subset) == pytest.approx(expected, abs=1e-7)
    single = metrics.nearest_distance(X.astype(np.float32), subset)
    assert np.all(single[subset] == 0)
    assert single == pytest.approx(expected, abs=2e-3)


def test_sixteen_thousand_actions_fit_in_64_mib(unit_rows):
    X = unit_rows(16_384, 16).astype(np.float32)
    for call in (
        lambda: metrics.coverage(X, 1000),
        lambda: metrics.coverage(np.tile(X[:1], (4096, 1)), 1000),  # a collapsed embedding
        lambda: metrics.nearest_distance(X, np.arange(1000)),
        lambda: metrics.reward_coverage(X[:4096], X[:4096, 0], [1, 1000]),
        lambda: metrics.uniformity(X[:4096]),
        lambda: metrics.participation_ratio_interval(X),
    ):
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 << 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X: metrics.coverage(X, 11), "k = 11 exceeds the 10 actions"),
        (lambda X: metrics.coverage(X, 10, leave_out=True), "k = 10 exceeds the 9 actions"),
        (lambda X: metrics.coverage(X, 0), "at least 1"),
        (lambda X: metrics.coverage(X, 2.5), "whole numbers"),
        (lambda X: metrics.coverage(X, [[1]]), "one size or a list"),
        (lambda X: metrics.coverage(X, []), "k is empty"),
        (lambda X: metrics.coverage_profile(X, 2, rows=[10]), r"rows must lie in \[0, 10\)"),
        (lambda X: metrics.nearest_distance(X, []), "subset must be a non-empty"),
        (lambda X: metrics.nearest_distance(X, [-1]), r"subset must lie in \[0, 10\)"),
        (lambda X: metrics.nearest_distance(X, [0.5]), "whole numbers"),
    ],
)
def test_bad_arguments(call, message, unit_rows):
    with pytest.raises(ValueError, match=message):
        call(unit_rows(10, 3))
