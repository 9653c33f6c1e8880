"""Row profiles, comparisons and retrieval against brute force and leave-one-out by hand."""

import numpy as np
import pytest

from crlib.metrics import coverage_profile, uniformity
from crlib.metrics.comparisons import (
    group_totals,
    log_relative_ratio,
    pooled_mean_difference,
    uniformity_difference,
    uniformity_interval,
)
from crlib.metrics.retrieval import recall_at, related_ranks
from crlib.metrics.rows import BLOCK, distance_profile, kernel_profile


def unit(n: int, d: int, seed: int, dtype: str = "f8") -> np.ndarray:
    X = np.random.default_rng(seed).standard_normal((n, d))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(dtype)


def squared_distances(X: np.ndarray) -> np.ndarray:
    return ((X[:, None] - X[None]) ** 2).sum(axis=2)


@pytest.mark.parametrize("n", [3, 40, BLOCK + 7])
def test_kernel_profile_is_the_brute_force_mean_over_others(n: int) -> None:
    X, ts = unit(n, 5, 0), [0.5, 2.0]
    for found, t in zip(kernel_profile(X, ts), ts, strict=True):
        kernel = np.exp(-t * squared_distances(X))
        np.fill_diagonal(kernel, 0)
        np.testing.assert_allclose(found, kernel.sum(axis=1) / (n - 1), rtol=1e-10)


def test_log_mean_of_the_kernel_profile_is_uniformity() -> None:
    X = unit(700, 16, 1, "f4")
    assert np.log(kernel_profile(X, 2.0).mean()) == pytest.approx(uniformity(X), abs=1e-5)


@pytest.mark.parametrize("t", [0.0, -1.0, 20.5])
def test_kernel_profile_refuses_a_temperature_out_of_range(t: float) -> None:
    with pytest.raises(ValueError, match="temperatures in"):
        kernel_profile(unit(4, 3, 0), t)


@pytest.mark.parametrize("n", [3, BLOCK + 7])
def test_distance_profile_is_coverage_at_one(n: int) -> None:
    X = unit(n, 6, 2)
    np.testing.assert_allclose(
        distance_profile(X), np.sqrt(squared_distances(X)).mean(axis=1), atol=1e-7
    )
    np.testing.assert_allclose(distance_profile(X), coverage_profile(X, 1)[0], atol=1e-6)


def test_uniformity_difference_leaves_out_each_action() -> None:
    X, Y, t = unit(12, 4, 3), unit(12, 4, 4), 1.5
    a, b = kernel_profile(X, t)[0], kernel_profile(Y, t)[0]
    left_out = [
        uniformity(np.delete(X, i, axis=0), t) - uniformity(np.delete(Y, i, axis=0), t)
        for i in range(12)
    ]
    error = np.sqrt(11 / 12 * np.sum((left_out - np.mean(left_out)) ** 2))
    found = uniformity_difference(a, b)
    assert found.estimate == pytest.approx(uniformity(X, t) - uniformity(Y, t))
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error, rel=1e-5)
    assert found.n == 12


def test_uniformity_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # The truth for rows (cos x, sin x) with x uniform: E exp(-t(2 - 2 cos)) = e^-2t I_0(2t).
    t, n_sets = 2.0, 300
    truth = -2 * t + np.log(np.i0(2 * t))
    hits = 0
    for seed in range(n_sets):
        angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, 60)
        X = np.column_stack([np.cos(angles), np.sin(angles)])
        interval = uniformity_interval(kernel_profile(X, t)[0])
        hits += interval.low <= truth <= interval.high
    # On a uniform law the U-statistic is degenerate (all row means are alike): the jackknife is
    # then too wide rather than too narrow.
    assert hits / n_sets >= 0.91


def test_uniformity_interval_on_a_clumped_law() -> None:
    # x ~ N(0, 0.8^2) on the circle: a dense grid of pairs gives the truth.
    t, spread, n_sets = 2.0, 0.8, 300
    grid = np.linspace(-8 * spread * 2**0.5, 8 * spread * 2**0.5, 20001)
    density = np.exp(-(grid**2) / (4 * spread**2))
    truth = np.log(np.sum(density * np.exp(-2 * t * (1 - np.cos(grid)))) / np.sum(density))
    hits = 0
    for seed in range(n_sets):
        angles = np.random.default_rng(seed).normal(0, spread, 80)
        X = np.column_stack([np.cos(angles), np.sin(angles)])
        interval = uniformity_interval(kernel_profile(X, t)[0])
        hits += interval.low <= truth <= interval.high
    assert 0.90 <= hits / n_sets <= 0.99


@pytest.mark.parametrize("values", [[0.5, 0.5], [0.1, 0.0, 0.3], [[0.1, 0.2, 0.3]]])
def test_uniformity_interval_refuses_what_is_no_profile(values: list) -> None:
    with pytest.raises(ValueError, match="profile"):
        uniformity_interval(values)


def test_uniformity_difference_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="a and b"):
        uniformity_difference([0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4])


def test_log_relative_ratio_by_hand() -> None:
    a = np.array([[1.0, 2.0], [3.0, 2.0]])  # means 2, 2
    b = np.array([[1.0, 4.0], [1.0, 4.0]])  # means 1, 4
    assert log_relative_ratio(a, b) == pytest.approx(np.log(4))


def test_group_totals_keep_sums_and_numbers() -> None:
    totals = group_totals([1.0, 2.0, 4.0, 8.0], ["b", "a", "b", "b"])
    assert totals.tolist() == [[2.0, 1.0], [13.0, 3.0]]
    other = group_totals([0.0, 0.0, 1.0, 1.0], ["b", "a", "b", "b"])
    assert pooled_mean_difference(totals, other) == pytest.approx(15 / 4 - 2 / 4)
    with pytest.raises(ValueError, match="values and groups"):
        group_totals([1.0, 2.0], ["a"])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_related_ranks_count_by_brute_force(dtype: str) -> None:
    X = unit(90, 7, 5, dtype)
    rng = np.random.default_rng(6)
    related = np.array([rng.choice(90, 2, replace=False) for _ in range(200)])
    distances = squared_distances(X.astype("f8"))
    expected = []
    for i, j in np.concatenate([related, related[:, ::-1]]):
        others = np.delete(distances[i], i)
        expected.append(np.count_nonzero(others <= distances[i, j]))
    assert related_ranks(X, related).tolist() == expected
    assert recall_at(X, related, 5) == np.mean(np.array(expected) <= 5)


def test_a_collapsed_embedding_retrieves_nothing() -> None:
    X = np.tile([[1.0, 0.0]], (30, 1))
    assert recall_at(X, [[0, 1], [2, 3]], 10) == 0.0


@pytest.mark.parametrize("related", [[[1, 1]], [[0, 99]], [0, 1], np.empty((0, 2), int)])
def test_related_ranks_refuse_what_are_no_pairs(related: object) -> None:
    with pytest.raises(ValueError, match="related"):
        related_ranks(unit(10, 3, 0), related)
