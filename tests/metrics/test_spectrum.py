"""Participation ratio against enumeration, closed forms, simulation and IsoScore."""

from itertools import permutations

import numpy as np
import pytest

from crlib import metrics


def rows_with_spectrum(eigenvalues):
    """Return rows whose covariance (divided by K) has exactly these eigenvalues."""
    axes = np.diag(np.sqrt(eigenvalues) * np.sqrt(len(eigenvalues)))
    return np.vstack([axes, -axes])


def enumerated_ratio(X):
    """Return the unbiased PR from all quadruples of distinct rows: the definition, in O(n^4)."""
    G = X @ X.T
    quadruples = np.array(list(permutations(range(len(X)), 4))).T
    i, j, k, m = quadruples
    trace_square = (G[i, i] - G[i, j]) * (G[k, k] - G[k, m])
    square_trace = G[i, j] ** 2 - 2 * G[i, j] * G[j, k] + G[i, j] * G[k, m]
    return trace_square.mean() / square_trace.mean()


def isoscore(X):
    """Return IsoScore as Rudman et al. (2022) define it, step by step."""
    n = X.shape[1]
    components = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2]
    variances = np.var((X - X.mean(axis=0)) @ components.T, axis=0, ddof=1)
    normalised = np.sqrt(n) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(normalised - 1) / np.sqrt(2 * (n - np.sqrt(n)))
    share = (n - defect**2 * (n - np.sqrt(n))) ** 2 / n**2
    return (n * share - 1) / (n - 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("d", [3, 12])  # fewer and more dimensions than rows
def test_unbiased_ratio_is_the_mean_over_distinct_quadruples(seed, d):
    X = np.random.default_rng(seed).normal(size=(7, d)) * np.arange(1, d + 1) + 5
    assert metrics.participation_ratio(X) == pytest.approx(enumerated_ratio(X), rel=1e-9)


@pytest.mark.parametrize("d", [3, 30])
def test_uncentred_ratio_is_one_over_the_mean_squared_cosine(unit_rows, d):
    X = unit_rows(20, d, clump=0.5)
    cosines = X @ X.T
    distinct = ~np.eye(20, dtype=bool)
    expected = 1 / np.mean(cosines[distinct] ** 2)
    assert metrics.participation_ratio(X, centre=False) == pytest.approx(expected, rel=1e-9)
    naive = metrics.participation_ratio(X, centre=False, unbiased=False)
    assert naive == pytest.approx(1 / np.mean(cosines**2), rel=1e-9)


def test_ratio_is_unbiased_where_the_naive_one_is_far_off():
    # 1/PR is nearly linear in the unbiased tr S^2, so that its mean shows the bias directly.
    true, n, repeats = 200, 100, 300
    rng = np.random.default_rng(0)
    draws = [rng.normal(size=(n, true)) for _ in range(repeats)]
    inverse = np.array([1 / metrics.participation_ratio(X) for X in draws])
    naive = np.array([metrics.participation_ratio(X, unbiased=False) for X in draws])
    error = inverse.std(ddof=1) / np.sqrt(repeats)
    assert abs(inverse.mean() - 1 / true) < 4 * error
    assert error < 0.02 / true
    assert naive.mean() == pytest.approx(1 / (1 / n + 1 / true), rel=0.02)


@pytest.mark.parametrize("spread", [1.0, 0.7, 0.3])
def test_naive_ratio_of_an_exact_geometric_spectrum(spread):
    X = rows_with_spectrum(spread ** np.arange(20))
    expected = metrics.geometric_pr(spread, 20)
    assert metrics.participation_ratio(X, unbiased=False) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("q", [0.2, 0.9, 1 - 1e-9, 1.0])
def test_geometric_closed_form_is_the_sum(q):
    eigenvalues = q ** np.arange(50)
    expected = eigenvalues.sum() ** 2 / np.sum(eigenvalues**2)
    assert metrics.geometric_pr(q, 50) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("a", [1.5, 2.0, 3.0])
def test_power_law_closed_form_is_the_limit_of_sums(a):
    n = 10**6
    eigenvalues = np.arange(1.0, n + 1) ** -a
    # The missing tail of the trace is the integral n^(1-a)/(a-1), up to half its last term.
    trace = eigenvalues.sum() + n ** (1 - a) / (a - 1) - n**-a / 2
    assert metrics.power_law_pr(a) == pytest.approx(trace**2 / np.sum(eigenvalues**2), rel=1e-8)
    assert metrics.power_law_pr(2.0) == pytest.approx(2.5)


@pytest.mark.parametrize("seed", range(3))
def test_isoscore_is_an_affine_map_of_the_naive_ratio(seed):
    X = np.random.default_rng(seed).normal(size=(300, 12)) * np.linspace(0.2, 2, 12)
    ratio = metrics.participation_ratio(X, unbiased=False)
    assert isoscore(X) == pytest.approx((ratio - 1) / 11, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(200, 9), (9, 30)])
def test_spectrum_is_that_of_numpy_covariance(n, d):
    X = np.random.default_rng(1).normal(size=(n, d)) * np.arange(1, d + 1)
    expected = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    spectrum = metrics.spectrum(X)
    assert spectrum.shape == (d,)
    np.testing.assert_allclose(spectrum, expected / expected.sum(), atol=1e-12)


def test_blocks_of_rows_add_up():
    X = np.random.default_rng(2).normal(size=(9001, 5)) * np.arange(1, 6) + 3
    l = np.linalg.eigvalsh(np.cov(X.T))  # noqa: E741 - the eigenvalue's usual letter
    naive = metrics.participation_ratio(X, unbiased=False)
    assert naive == pytest.approx(l.sum() ** 2 / np.sum(l**2), rel=1e-9)
    single = metrics.participation_ratio(X.astype(np.float32))
    assert single == pytest.approx(metrics.participation_ratio(X), rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_ratio_ignores_rotation_scale_and_shift(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 8)) * np.arange(1, 9)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    moved = 7 * X @ rotation + rng.normal(size=8)
    assert metrics.participation_ratio(moved) == pytest.approx(metrics.participation_ratio(X))
    assert metrics.participation_ratio_interval(moved).low == pytest.approx(
        metrics.participation_ratio_interval(X).low
    )


def test_without_top_reveals_the_rest():
    X = rows_with_spectrum([1000.0, 1, 1, 1, 1])
    assert metrics.participation_ratio(X, unbiased=False) < 1.01
    assert metrics.participation_without_top(X) == pytest.approx(4)
    with pytest.raises(ValueError, match="n_removed"):
        metrics.participation_without_top(X, 5)


def brute_force_jackknife(X):
    return np.array(
        [np.log(metrics.participation_ratio(np.delete(X, i, axis=0))) for i in range(len(X))]
    )


@pytest.mark.parametrize(("n", "d"), [(40, 6), (25, 60), (12, 11)])
def test_closed_form_jackknife_is_the_brute_force_one(n, d):
    X = np.random.default_rng(3).normal(size=(n, d)) * np.linspace(1, 3, d) + 2
    expected = metrics.jackknife_interval(
        np.log(metrics.participation_ratio(X)), brute_force_jackknife(X)
    )
    interval = metrics.participation_ratio_interval(X)
    assert np.log([interval.low, interval.high]) == pytest.approx([expected.low, expected.high])
    assert interval.estimate == pytest.approx(metrics.participation_ratio(X))
    assert (interval.n, interval.level) == (n, 0.95)


def test_paired_jackknife_of_the_log_difference():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 7))
    Y = X[:, :5] * [3, 1, 1, 1, 1]
    expected = metrics.jackknife_interval(
        np.log(metrics.participation_ratio(X) / metrics.participation_ratio(Y)),
        brute_force_jackknife(X) - brute_force_jackknife(Y),
        level=0.9,
    )
    found = metrics.log_pr_difference(X, Y, level=0.9)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (expected.estimate, expected.low, expected.high)
    )
    assert found.low > 0


def test_jackknife_interval_holds_the_truth_as_often_as_it_says():
    true, repeats = 20, 300
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(repeats):
        interval = metrics.participation_ratio_interval(rng.normal(size=(150, true)))
        held += interval.low <= true <= interval.high
    # Four standard deviations of a binomial with p = 0.95.
    assert held / repeats > 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats)


@pytest.mark.parametrize("n", [6, 20])
def test_rows_that_share_no_direction_have_no_bound(n):
    X = np.eye(n)  # (x_i - x_j).(x_k - x_l) = 0 for distinct i, j, k, l
    assert metrics.participation_ratio(X) == np.inf
    assert metrics.participation_ratio(X, unbiased=False) == pytest.approx(n - 1)
    with pytest.raises(ValueError, match="too few to bound"):
        metrics.participation_ratio_interval(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_have_no_spectrum(dtype):
    X = np.tile(np.random.default_rng(7).normal(size=33).astype(dtype), (50, 1))
    with pytest.raises(ValueError, match="no variance"):
        metrics.participation_ratio(X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.power_law_pr(1.0), "above 1"),
        (lambda: metrics.geometric_pr(1.5, 3), "q = 1.5"),
        (lambda: metrics.geometric_pr(0.5, 0), "n = 0"),
        (lambda: metrics.participation_ratio(np.eye(3)), "at least 4"),
        (lambda: metrics.participation_ratio_interval(np.eye(4)), "at least 5"),
        (lambda: metrics.participation_ratio(np.zeros((9, 2)), centre=False), "only zero rows"),
        (lambda: metrics.log_pr_difference(np.eye(6), np.eye(7)), "6 and 7 rows"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
