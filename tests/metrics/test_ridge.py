"""Leave-one-out R^2 and evidence against scikit-learn, refitting and the multivariate normal."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.linear_model import Ridge, RidgeCV

from crlib import metrics
from crlib.metrics.eigenbasis import draw_labels
from crlib.metrics.ridge import RIDGE_GRID


def task(seed=0, n=60, d=8, m=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.arange(1, d + 1) ** -1.0 + 3
    return X, X @ rng.normal(size=(d, m)) + rng.normal(size=(n, m))


def scaled(X):
    rows = X - X.mean(axis=0)
    return rows / np.sqrt(np.mean(np.sum(rows**2, axis=1)))


def refitted_r2(rows, y, ridge):
    """Return 1 - PRESS / baseline by fitting n times."""
    errors, baseline = [], []
    for i in range(len(y)):
        others = np.delete(np.arange(len(y)), i)
        model = Ridge(alpha=ridge, solver="svd").fit(rows[others], y[others])
        errors.append(y[i] - model.predict(rows[i : i + 1])[0])
        baseline.append(y[i] - y[others].mean())
    return 1 - np.sum(np.square(errors)) / np.sum(np.square(baseline))


@pytest.mark.parametrize("ridge", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize(("n", "d"), [(40, 5), (15, 30), (12, 11)])
def test_closed_form_is_refitting(ridge, n, d):
    X, R = task(1, n, d)
    found = metrics.loo_r2(X, R, ridge=ridge)
    rewards = (R - R.mean(axis=0)) / R.std(axis=0)
    expected = [refitted_r2(scaled(X), y, ridge) for y in rewards.T]
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_labels", [None, 25, 6])
def test_labelled_subset_is_refitting_on_it(n_labels):
    X, R = task(2)
    labels = draw_labels(R, 60, n_labels, 0.3, 5)
    expected = [refitted_r2(scaled(X)[labels.rows], y, 0.5) for y in labels.values.T]
    found = metrics.loo_r2(X, R, n_labels=n_labels, noise=0.3, rng=5, ridge=0.5)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_ridge_is_the_one_that_scikit_learn_chooses(seed):
    X, R = task(seed, n=50, d=12, m=3)
    rewards = (R - R.mean(axis=0)) / R.std(axis=0)
    model = RidgeCV(alphas=RIDGE_GRID, alpha_per_target=True).fit(scaled(X), rewards)
    # Its best score is minus the mean squared leave-one-out error.
    expected = 1 + model.best_score_ * (49 / 50) ** 2
    assert metrics.loo_r2(X, R) == pytest.approx(expected, rel=1e-9)
    assert metrics.loo_r2(X, R[:, 0]) == pytest.approx(expected[0])


def test_generalised_cross_validation_is_its_formula():
    X, R = task(3)
    rows, y = scaled(X), (R[:, 0] - R[:, 0].mean()) / R[:, 0].std()

    def criterion(ridge):
        hat = rows @ np.linalg.solve(rows.T @ rows + ridge * np.eye(8), rows.T) + 1 / 60
        return np.sum((y - hat @ y) ** 2) / np.trace(np.eye(60) - hat) ** 2

    best = RIDGE_GRID[np.argmin([criterion(ridge) for ridge in RIDGE_GRID])]
    assert metrics.loo_r2(X, R[:, 0], ridge="gcv") == metrics.loo_r2(X, R[:, 0], ridge=best)


def test_linear_rewards_are_learned_and_noise_is_not():
    X, _ = task(4, n=400)
    R = np.column_stack([X @ np.ones(8), np.random.default_rng(0).normal(size=400)])
    learned, noise = metrics.loo_r2(X, R)
    assert learned == pytest.approx(1, abs=1e-6)
    assert -1e-3 < noise < 0.03
    assert metrics.loo_r2(X, R, ridge=1e12) == pytest.approx([0, 0], abs=1e-6)


def normal_log_density(rows, y, prior, noise):
    """Return the log density of n - 1 contrasts of the labels, per contrast."""
    n = len(y)
    contrasts = np.linalg.svd(np.eye(n) - 1 / n)[0][:, : n - 1].T
    covariance = contrasts @ (prior * rows @ rows.T + noise * np.eye(n)) @ contrasts.T
    return stats.multivariate_normal(cov=covariance).logpdf(contrasts @ y) / (n - 1)


@pytest.mark.parametrize(("n", "d"), [(30, 4), (12, 20)])
@pytest.mark.parametrize("noise_variance", [None, 0.4])
def test_evidence_is_the_largest_normal_density(n, d, noise_variance):
    X, R = task(5, n, d, 3)
    found = metrics.gp_evidence(X, R, noise_variance=noise_variance)
    rewards = (R - R.mean(axis=0)) / R.std(axis=0)
    for column, y in enumerate(rewards.T):
        prior, noise = found.prior_variance[column], found.noise_variance[column]
        here = normal_log_density(scaled(X), y, prior, noise)
        assert found.log_evidence[column] == pytest.approx(here)
        assert 1e-6 * 0.999 <= prior / noise <= 1e6 * 1.001

        def loss(x, y=y, given=noise_variance):
            return -normal_log_density(scaled(X), y, np.exp(x[0]), given or np.exp(x[1]))

        starts = [[np.log(prior), np.log(noise)], [0.0, 0.0], [3.0, -2.0]]
        bounds = [(-12, 10), (-6, 3)]
        best = min(optimize.minimize(loss, s, bounds=bounds).fun for s in starts)
        assert found.log_evidence[column] >= -best - 1e-6


def test_evidence_falls_back_on_the_mean_for_noise():
    X, _ = task(6, n=200)
    r = np.random.default_rng(1).normal(size=200)
    signs = np.linalg.lstsq(scaled(X), r, rcond=None)[0]
    r = r - scaled(X) @ signs  # nothing linear is left
    found = metrics.gp_evidence(X, r)
    assert found.prior_variance == pytest.approx(1e-6, rel=0.01)
    assert found.log_evidence == pytest.approx(-0.5 * (np.log(2 * np.pi * 200 / 199) + 1), abs=1e-5)


def test_evidence_recovers_the_variances_it_was_drawn_from():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(2000, 100))
    theta = rng.normal(size=(100, 20))
    R = scaled(X) @ theta + rng.normal(size=(2000, 20)) * 0.5
    found = metrics.gp_evidence(X, R)
    variance = R.var(axis=0)
    # tau^2 from 100 coefficients is known to sqrt(2/100), sigma^2 from 1,900 residuals to 3 %.
    assert np.mean(found.prior_variance * variance) == pytest.approx(1, abs=4 * np.sqrt(0.02 / 20))
    assert np.mean(found.noise_variance * variance) == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ridge": "cv"}, '"loo", "gcv"'),
        ({"ridge": 0.0}, "ridge = 0"),
        ({"ridge": np.nan}, "ridge = nan"),
        ({"n_labels": 20}, "pass rng"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        metrics.loo_r2(*task(), **options)


def test_bad_noise_variance():
    with pytest.raises(ValueError, match="noise_variance = 0"):
        metrics.gp_evidence(*task(), noise_variance=0.0)
