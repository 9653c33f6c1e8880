"""Predicted regret against root finding, exact sums, closed limits and simulated regressions."""

import numpy as np
import pytest
from scipy import optimize

from crlib import metrics
from crlib.metrics.eigenbasis import draw_labels
from crlib.metrics.energy import labelled_energies
from crlib.metrics.predicted import effective_ridge, predicted_correlation


def power_law(d, exponent):
    values = np.arange(1, d + 1) ** -float(exponent)
    return values / values.sum()


def task(seed=0, n=400, d=8, m=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.arange(1, d + 1) ** -1.0 + 3
    R = X @ rng.normal(size=(d, m)) + rng.normal(size=(n, m))
    return X, R[:, 0] if m == 1 else R


@pytest.mark.parametrize("noise", [1e-6, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("exponent", [0, 1, 3])
def test_effective_ridge_is_the_root(noise, exponent):
    values = power_law(50, exponent)
    t = np.array([1.0, 7.0, 49.0, 51.0, 1e4, 1e6])

    def excess(log_kappa, t):
        kappa = np.exp(log_kappa)
        return np.sum(values / (values + kappa)) + noise**2 / kappa - t

    expected = [np.exp(optimize.brentq(excess, -80, 20, args=(x,), xtol=1e-13)) for x in t]
    np.testing.assert_allclose(effective_ridge(values, t, noise), expected, rtol=1e-7)


def test_isotropic_embedding_without_noise_learns_a_share_t_over_d():
    t = np.array([1.0, 10.0, 50.0, 99.0])
    energies = np.full((100, 1), 0.01)
    found = predicted_correlation(np.full(100, 0.01), energies, t, noise=1e-6)[:, 0]
    assert found == pytest.approx(t / 100, rel=1e-6)


def test_correlation_is_the_written_formula():
    values, t = power_law(6, 1), 40.0
    w2, noise = np.array([0.1, 0.3, 0.0, 0.2, 0.05, 0.1]), 0.7
    kappa = effective_ridge(values, np.array([t]), noise)[0]
    learned = values / (values + kappa)
    error = t / (t - sum(learned**2)) * (sum((1 - learned) ** 2 * w2) + 1 - sum(w2) + noise**2)
    spread = sum(learned**2 * w2) + error / t * sum(learned**2) + sum(values * (1 - learned))
    expected = sum(learned * w2) / np.sqrt(spread)
    found = predicted_correlation(values, w2[:, None], np.array([t]), noise=noise)
    assert found == pytest.approx(np.array([[expected]]))


@pytest.mark.parametrize("exponent", [0, 1, 2])
@pytest.mark.parametrize("t", [40, 200])
@pytest.mark.parametrize("explained", [1.0, 0.6])
def test_correlation_is_that_of_simulated_regressions(exponent, t, explained):
    # Gaussian features, a posterior draw of Bayesian regression at prior variance 1; the formula
    # is asymptotic in d and t, so 1 % is allowed beside the simulation's error.
    rng = np.random.default_rng(0)
    d, noise = 60, 0.8
    values = power_law(d, exponent)
    w = rng.normal(size=d)
    w *= np.sqrt(explained) / np.linalg.norm(w)
    residual = np.sqrt(1 - explained + noise**2)
    shared, spread = [], []
    for _ in range(300):
        scores = rng.normal(size=(t, d))
        rows = scores * np.sqrt(values)
        y = scores @ w + residual * rng.normal(size=t)
        precision = rows.T @ rows + noise**2 * np.eye(d)
        root = np.linalg.cholesky(precision)
        theta = np.linalg.solve(precision, rows.T @ y)
        theta += noise * np.linalg.solve(root.T, rng.normal(size=d))
        shared.append(theta * np.sqrt(values) @ w)
        spread.append(theta**2 @ values)
    found = predicted_correlation(values, w[:, None] ** 2, np.array([float(t)]), noise=noise)[0, 0]
    expected = np.mean(shared) / np.sqrt(np.mean(spread))
    error = (
        expected
        * (np.std(shared) / np.mean(shared) + 0.5 * np.std(spread) / np.mean(spread))
        / np.sqrt(300)
    )
    assert abs(found - expected) < 0.01 * expected + 4 * error


@pytest.mark.parametrize("noise", [1e-6, 0.01, 1.0, 10.0])
@pytest.mark.parametrize(("d", "exponent"), [(3, 2), (100, 2), (100, 0), (400, 1)])
def test_grid_loses_less_than_it_says(noise, d, exponent):
    values = power_law(d, exponent)
    rng = np.random.default_rng(d)
    rows = rng.normal(size=(3 * d, d))
    axes = np.linalg.qr(rows - rows.mean(axis=0))[0]
    basis = metrics.Eigenbasis(values, axes * np.sqrt(3 * d))
    r = basis.scores.sum(axis=1) + rng.normal(size=3 * d)
    energies = metrics.reward_energy(basis, r).w[:, None] ** 2
    t = np.arange(1.0, 10_001)
    exact = np.cumsum(1 - predicted_correlation(values, energies, t, noise=noise))
    ask = [1, 10, 99, 100, 101, 300, 10_000]
    found = metrics.predicted_curve(basis, r, ask, None, noise=noise)
    np.testing.assert_allclose(found, exact[np.array(ask) - 1], rtol=2e-4)


def test_rewards_outside_the_embedding_cost_what_random_choice_costs():
    X = np.random.default_rng(0).normal(size=(300, 5))
    r = np.random.default_rng(1).normal(size=300)
    design = np.column_stack([np.ones(300), X])
    r -= design @ np.linalg.lstsq(design, r, rcond=None)[0]
    curve = metrics.predicted_curve(X, r, [1, 50, 2000], 20)
    gap = metrics.best_mean_gap((r - r.mean()) / r.std(), 20)
    np.testing.assert_allclose(curve, gap * np.array([1, 50, 2000]), rtol=1e-9)
    share = metrics.linear_share(metrics.predicted_curve(X, r, range(1, 500), 20))
    assert share == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_curve_rises_concave_and_below_random_choice(seed):
    X, r = task(seed)
    t = np.arange(1, 3000)
    curve = metrics.predicted_curve(X, r, t, None)
    assert np.all(np.diff(curve) > 0)
    assert np.all(np.diff(curve, 2) < 1e-9)
    assert np.all(curve <= t)
    noisier = metrics.predicted_curve(X, r, t, None, noise=3.0)
    assert np.all(noisier > curve)


def test_shapes_orders_and_units():
    X, R = task(1, m=3)
    options = {"n_labels": 200, "label_noise": 0.2, "rng": 4}
    total = metrics.predicted_regret(X, R, 1000, 50, **options)
    assert total.shape == (3,)
    curve = metrics.predicted_curve(X, R, [1000, 10, 1000], 50, **options)
    np.testing.assert_allclose(curve[[0, 2]], [total, total], rtol=2e-4)
    assert np.all(curve[1] < curve[0])
    whole = metrics.predicted_regret(X, R, 1000, None)
    np.testing.assert_allclose(metrics.predicted_regret(X, 5 - 3 * R, 1000, None), whole)
    single = metrics.predicted_regret(metrics.eigenbasis(X), R[:, 1], 1000, None)
    assert isinstance(single, float)
    assert single == pytest.approx(whole[1])


def test_quiet_axes_are_learned_late():
    X = np.random.default_rng(2).normal(size=(500, 10)) * np.arange(1, 11) ** -1.0
    basis = metrics.eigenbasis(X)
    regret = metrics.predicted_regret(basis, basis.scores, 2000, None)
    assert np.all(np.diff(regret) > 0)


def test_labels_of_a_subset_estimate_the_regret_of_all():
    X, r = task(3, n=3000)
    whole = metrics.predicted_regret(X, r, 2000, 50, noise=0.5)
    options = {"noise": 0.5, "n_labels": 300, "label_noise": 0.5}
    drawn = [metrics.predicted_regret(X, r, 2000, 50, **options, rng=seed) for seed in range(60)]
    # Label noise raises the expected best of a slate by about a tenth.
    assert np.median(drawn) == pytest.approx(whole, rel=0.15)
    again = metrics.predicted_regret(X, r, 2000, 50, **options, rng=3)
    assert again == drawn[3] != drawn[4]


@pytest.mark.parametrize("n_labels", [30, 150, 300])
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_energies_from_labels_are_unbiased_for_these_actions(n_labels, noise):
    X, r = task(7, n=300, d=5)
    basis = metrics.eigenbasis(X)
    truth = metrics.reward_energy(basis, r).w ** 2
    drawn = np.array(
        [
            labelled_energies(basis, draw_labels(r, 300, n_labels, noise, seed))[:, 0]
            for seed in range(1500)
        ]
    )
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    # The standard error itself is estimated, from labels centred by their own mean: order 1/n^2.
    assert np.all(np.abs(drawn.mean(axis=0) - truth) < 4 * error + 3 / n_labels**2)


def test_prediction_sees_the_labels_alone():
    X, r = task(8)
    seen = draw_labels(r, 400, 100, 0.0, 5).rows
    hidden = np.where(np.isin(np.arange(400), seen), r, 1e3 * r)
    found = metrics.predicted_regret(X, hidden, 500, 20, n_labels=100, rng=5)
    assert found == pytest.approx(metrics.predicted_regret(X, r, 500, 20, n_labels=100, rng=5))


def test_all_labels_without_noise_are_the_truth():
    X, r = task(4)
    assert metrics.predicted_regret(X, r, 500, 20, n_labels=400) == metrics.predicted_regret(
        X, r, 500, 20
    )
    energies = metrics.reward_energy(X, r).w[:, None] ** 2
    t = np.arange(1.0, 30)  # the grid holds every one of these rounds
    direct = np.sum(1 - predicted_correlation(metrics.spectrum(X), energies, t))
    assert metrics.predicted_regret(X, r, 29, None) == pytest.approx(direct)


@pytest.mark.parametrize("n_labels", [5, 30])
def test_fewer_actions_than_dimensions(n_labels):
    # 30 actions in 80 dimensions: energies from 5 labels sum to more than the variance at times,
    # and a correlation must not exceed 1 even so.
    X = np.random.default_rng(5).normal(size=(30, 80))
    R = np.random.default_rng(6).normal(size=(30, 50))
    t = np.array([1, 100, 10_000])
    curve = metrics.predicted_curve(X, R, t, None, n_labels=n_labels, noise=0.01, rng=0)
    assert np.all(curve > 0)
    assert np.all(np.diff(curve, axis=0) >= 0)
    assert np.all(curve <= t[:, None])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "at least 1"),
        ({"horizon": [10]}, "one number of rounds"),
        ({"slate": 401}, r"slate = 401 must lie in \[1, 400\]"),
        ({"slate": 50, "n_labels": 40, "rng": 0}, r"slate = 50 must lie in \[1, 40\]"),
        ({"noise": 0.0}, "noise = 0"),
        ({"n_labels": 40}, "pass rng"),
        ({"n_labels": 5, "slate": 2, "label_noise": 50.0, "rng": 1}, "raise n_labels"),
    ],
)
def test_bad_arguments(options, message):
    X, r = task()
    with pytest.raises(ValueError, match=message):
        metrics.predicted_regret(X, r, **{"horizon": 100, "slate": 10, **options})
