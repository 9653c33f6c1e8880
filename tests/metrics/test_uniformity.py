"""Alignment and uniformity against scipy, closed forms on the sphere and the two-sided bound."""

import numpy as np
import pytest
from scipy import special
from scipy.spatial.distance import pdist

from crlib import metrics


def direct_uniformity(X, t):
    squared = pdist(X) ** 2
    return special.logsumexp(-t * squared) - np.log(squared.size)


@pytest.mark.parametrize("n", [2, 3, 511, 512, 513, 1100])  # around the edges of a block
@pytest.mark.parametrize("t", [0.1, 2.0, 30.0, 400.0])  # the last two need the shifted sums
def test_uniformity_is_that_of_all_pairs(unit_rows, n, t):
    X = unit_rows(n, 24, seed=n, clump=0.3)
    assert metrics.uniformity(X, t) == pytest.approx(direct_uniformity(X, t), rel=1e-9)


def test_uniformity_in_single_precision(unit_rows):
    X = unit_rows(900, 64)
    assert metrics.uniformity(X.astype(np.float32)) == pytest.approx(
        direct_uniformity(X, 2.0), abs=1e-6
    )


@pytest.mark.parametrize("seed", range(3))
def test_uniformity_ignores_rotation_and_order(unit_rows, seed):
    rng = np.random.default_rng(seed)
    X = unit_rows(70, 6, seed=seed)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert metrics.uniformity(rng.permutation(X) @ rotation) == pytest.approx(metrics.uniformity(X))


def test_sampled_uniformity_is_within_its_error(unit_rows):
    X = unit_rows(400, 8, clump=0.5)
    misses = []
    for seed in range(100):
        sampled = metrics.uniformity_sampled(X, rng=seed, n_pairs=2000)
        misses.append((sampled.value - metrics.uniformity(X)) / sampled.standard_error)
    # Standardised errors have mean 0 and variance 1; four standard deviations of either.
    assert abs(np.mean(misses)) < 4 / np.sqrt(100)
    assert abs(np.var(misses) - 1) < 4 * np.sqrt(2 / 100)
    again = metrics.uniformity_sampled(X, rng=np.random.default_rng(3), n_pairs=2000)
    assert again == metrics.uniformity_sampled(X, rng=3, n_pairs=2000)
    assert again.n == 2000


def test_sampled_pairs_are_distinct_rows():
    opposite = np.array([[1.0, 0.0], [-1.0, 0.0]])
    sampled = metrics.uniformity_sampled(opposite, t=1.0, rng=0, n_pairs=500)
    assert sampled.value == pytest.approx(-4.0)
    assert sampled.standard_error == 0


@pytest.mark.parametrize("t", [0.5, 2.0, 10.0, 500.0])
@pytest.mark.parametrize("clump", [0.0, 0.3, 3.0])
def test_bounds_hold(unit_rows, t, clump):
    X = unit_rows(300, 20, seed=1, clump=clump)
    low, high = metrics.uniformity_bounds(X, t)
    assert low - 1e-9 <= metrics.uniformity(X, t) <= high + 1e-9


@pytest.mark.parametrize("n", [2, 3, 5])
def test_bounds_hold_for_a_handful_of_rows(unit_rows, n):
    for seed in range(30):
        X = unit_rows(n, 3, seed=seed)
        low, high = metrics.uniformity_bounds(X)
        assert low - 1e-9 <= metrics.uniformity(X) <= high + 1e-9


def test_upper_bound_is_reached_by_equal_rows_and_their_opposites():
    # Cosines are 1 only: the bound's inequality is an equality there.
    X = np.tile([0.6, 0.8], (4, 1))
    assert metrics.uniformity_bounds(X)[1] == pytest.approx(0.0, abs=1e-12)
    assert metrics.uniformity(X) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("t", [0.3, 2.0, 60.0])
def test_minimum_on_the_circle_and_the_sphere(t):
    s = 2 * t  # E exp(s cos) is I_0(s) on the circle and sinh(s)/s on the 2-sphere
    circle = np.log(special.i0e(s))
    sphere = np.log(-np.expm1(-2 * s) / (2 * s))
    assert metrics.uniformity_minimum(2, t) == pytest.approx(circle)
    assert metrics.uniformity_minimum(3, t) == pytest.approx(sphere)


@pytest.mark.parametrize("d", [8, 128, 768, 4096])
def test_minimum_is_the_hypergeometric_function(d):
    expected = -4.0 + np.log(special.hyp0f1(d / 2, 4.0))
    assert metrics.uniformity_minimum(d) == pytest.approx(expected, rel=1e-12)


def test_tight_clusters_are_high_dimensional_but_not_uniform():
    # 128 orthogonal clusters: the example of the theory chapter.
    X = np.repeat(np.eye(128), 8, axis=0)
    assert metrics.participation_ratio(X, unbiased=False) == pytest.approx(127)
    same = 8 * 128 * 7 / (1024 * 1023)
    assert metrics.uniformity(X) == pytest.approx(np.log(same + (1 - same) * np.exp(-4)))


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.0])
def test_alignment_is_the_mean_power_of_the_distance(unit_rows, alpha):
    X, Y = unit_rows(40, 7, seed=1), unit_rows(40, 7, seed=2)
    expected = np.mean([np.linalg.norm(x - y) ** alpha for x, y in zip(X, Y, strict=True)])
    assert metrics.alignment(X, Y, alpha) == pytest.approx(expected)
    assert metrics.alignment(X, X) == 0
    assert metrics.alignment(X, -X) == pytest.approx(4)


def test_mean_cosine_is_that_of_all_pairs(unit_rows):
    X = unit_rows(50, 9, clump=1.0)
    lengths = np.random.default_rng(0).uniform(0.1, 9, size=(50, 1))
    assert metrics.mean_cosine(lengths * X) == pytest.approx(np.mean(1 - pdist(X, "cosine")))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.uniformity(2 * np.eye(3)), "row 0 has length 2"),
        (lambda: metrics.uniformity([[1, 0], [0, 0]]), "row 1 has length 0: it is all zero"),
        (lambda: metrics.uniformity(np.eye(3), t=0), "t = 0"),
        (lambda: metrics.uniformity(np.eye(3), t=np.nan), "t = nan"),
        (lambda: metrics.uniformity_sampled(np.eye(3), rng=0, n_pairs=1), "n_pairs"),
        (lambda: metrics.alignment(np.eye(3), np.eye(4)), "equal shapes"),
        (lambda: metrics.alignment(np.eye(3), np.eye(3), alpha=-1), "alpha = -1"),
        (lambda: metrics.mean_cosine([[1, 0], [0, 0]]), "zero row"),
        (lambda: metrics.uniformity_minimum(1), "d = 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
