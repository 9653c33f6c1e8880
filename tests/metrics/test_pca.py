"""What PCA does to the participation ratio, against direct projection and the jackknife."""

import numpy as np
import pytest
from scipy import optimize

from crlib import metrics


def embedding(seed, d=10, n=400, decay=1.0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.arange(1, d + 1) ** -decay + 1


def projected_ratio(X, m):
    """Return the naive PR of the scores on the first m components, by SVD."""
    centred = X - X.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2][:m].T
    return metrics.participation_ratio(scores, unbiased=False)


@pytest.mark.parametrize("seed", range(3))
def test_ratio_after_pca_is_that_of_the_scores(seed):
    X = embedding(seed)
    ms = [1, 2, 5, 10]
    found = metrics.pca_participation(X, ms)
    assert found == pytest.approx([projected_ratio(X, m) for m in ms])
    assert np.all(np.diff(found) >= 0)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_for_any_spectrum(seed):
    eigenvalues = np.sort(np.random.default_rng(seed).pareto(1.0, size=30))[::-1]
    ms = np.arange(1, 31)
    low, high = metrics.pr_bounds(eigenvalues, ms)
    ratio = np.cumsum(eigenvalues) ** 2 / np.cumsum(eigenvalues**2)
    assert np.all(low <= ratio * (1 + 1e-12))
    assert np.all(ratio <= high * (1 + 1e-12))
    assert low[-1] == pytest.approx(ratio[-1]) == high[-1]


@pytest.mark.parametrize(("true", "kept"), [(200, 54.9), (50, 24.1)])
def test_a_power_law_in_768_dimensions_after_pca_to_128(true, kept):
    # The figures of the theory chapter: a participation ratio of 200 does not survive PCA to 128.
    ranks = np.arange(1.0, 769)

    def ratio(exponent, m=768):
        eigenvalues = ranks[:m] ** -exponent
        return eigenvalues.sum() ** 2 / np.sum(eigenvalues**2)

    exponent = optimize.brentq(lambda a: ratio(a) - true, 0.01, 3)
    X = np.diag(np.sqrt(ranks**-exponent))
    found = metrics.pca_participation(np.vstack([X, -X]), 128)
    assert found == pytest.approx([ratio(exponent, 128)])
    assert found == pytest.approx([kept], abs=0.05)


def leave_one_out(statistic, n):
    return np.array([statistic(np.delete(np.arange(n), i)) for i in range(n)])


def test_gap_interval_agrees_with_the_brute_force_jackknife():
    X, Y = embedding(0, decay=0.5), embedding(1, d=8)

    def gap(rows):
        return np.log(projected_ratio(X[rows], 4) / projected_ratio(Y[rows], 4))

    expected = metrics.jackknife_interval(gap(np.arange(400)), leave_one_out(gap, 400))
    (found,) = metrics.pca_gap(X, Y, 4)
    assert found.estimate == pytest.approx(expected.estimate)
    # The influence function is the limit of the jackknife: they differ by order 1/n.
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.03)


def test_gap_ratio_agrees_with_the_brute_force_jackknife():
    X, Y = embedding(0, decay=0.3), embedding(1, decay=1.0)

    def share(rows):
        gaps = [np.log(projected_ratio(X[rows], m) / projected_ratio(Y[rows], m)) for m in (4, 10)]
        return gaps[0] / gaps[1]

    expected = metrics.jackknife_interval(share(np.arange(400)), leave_one_out(share, 400))
    found = metrics.pca_gap_ratio(X, Y, [4, 10])
    assert found[0].estimate == pytest.approx(expected.estimate)
    assert found[0].high - found[0].low == pytest.approx(expected.high - expected.low, rel=0.05)
    assert (found[1].low, found[1].high) == pytest.approx((1, 1))


@pytest.mark.parametrize("ms", [0, 11, 2.5, [[1]]])
def test_impossible_dimensions(ms):
    with pytest.raises(ValueError, match=r"m must be whole numbers in \[1, 10\]"):
        metrics.pca_participation(embedding(0), ms)


def test_no_gap_to_share():
    with pytest.raises(ValueError, match="no gap"):
        metrics.pca_gap_ratio(embedding(0), embedding(0), 4)
