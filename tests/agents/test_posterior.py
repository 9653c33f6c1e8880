"""The square-root posterior against closed forms and scikit-learn."""

import numpy as np
import pytest
from scipy import linalg, optimize, stats
from sklearn.linear_model import BayesianRidge

from crlib.agents.posterior import Posterior, evidence_maximum, log_evidence

S, D = 3, 7


def observations(n, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    phi = rng.standard_normal((S, n, D)) * np.geomspace(scale, 0.01 * scale, D)
    theta = rng.standard_normal((S, D))
    return phi, np.einsum("snd,sd->sn", phi, theta) + 0.5 * rng.standard_normal((S, n))


def closed_form(phi, reward, tau2, sigma2):
    covariance = np.linalg.inv(np.eye(D) / tau2 + phi.T @ phi / sigma2)
    return covariance @ phi.T @ reward / sigma2, covariance


@pytest.mark.parametrize("block", [1, 4, 13])
@pytest.mark.parametrize(("tau2", "sigma2"), [(1.0, 1.0), (0.3, 2.5), (100.0, 0.01)])
def test_posterior_is_the_closed_form(block, tau2, sigma2):
    phi, reward = observations(52)
    posterior = Posterior(S, D, tau2=tau2, sigma2=sigma2)
    for start in range(0, 52, block):
        part = slice(start, start + block)
        posterior.update(phi[:, part], reward[:, part])
    for s in range(S):
        mean, covariance = closed_form(phi[s], reward[s], tau2, sigma2)
        np.testing.assert_allclose(posterior.mean[s], mean, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(
            posterior.root[s] @ posterior.root[s].T, covariance, rtol=1e-7, atol=1e-12
        )
    assert posterior.n == 52


def test_single_rounds_without_a_block_axis_are_the_same():
    phi, reward = observations(9)
    one, other = Posterior(S, D), Posterior(S, D)
    for t in range(9):
        one.update(phi[:, t], reward[:, t])
    other.update(phi, reward)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-9)


def test_posterior_after_many_rounds_keeps_its_small_eigenvalues():
    rng = np.random.default_rng(1)
    posterior = Posterior(1, D)
    precision = np.eye(D)
    for _ in range(5000):
        phi = rng.standard_normal((1, D)) * np.geomspace(1, 1e-3, D)
        posterior.update(phi, np.zeros(1))
        precision += phi.T @ phi
    found = np.linalg.eigvalsh(posterior.root[0] @ posterior.root[0].T)
    np.testing.assert_allclose(found, 1 / np.linalg.eigvalsh(precision)[::-1], rtol=1e-9)


def test_float32_follows_ten_thousand_rounds():
    """Features of a power-law spectrum: the case in which a covariance in float32 would fail."""
    rng = np.random.default_rng(1)
    exact, rounded = Posterior(1, D), Posterior(1, D, dtype=np.float32)
    theta = rng.standard_normal(D)
    for _ in range(1250):
        phi = rng.standard_normal((1, 8, D)) * np.geomspace(1, 1e-2, D)
        reward = phi @ theta + rng.standard_normal((1, 8))
        exact.update(phi, reward)
        rounded.update(phi, reward)
    deviation = np.sqrt(np.diag(exact.root[0] @ exact.root[0].T))
    assert (np.abs(rounded.mean - exact.mean)[0] < 0.01 * deviation).all()
    found = np.linalg.eigvalsh((rounded.root[0] @ rounded.root[0].T).astype(np.float64))
    expected = np.linalg.eigvalsh(exact.root[0] @ exact.root[0].T)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_posterior_equals_bayesian_ridge_at_its_own_variances():
    phi, reward = observations(60)
    model = BayesianRidge(fit_intercept=False).fit(phi[0], reward[0])
    posterior = Posterior(1, D, tau2=1 / model.lambda_, sigma2=1 / model.alpha_)
    posterior.update(phi[:1], reward[:1])
    np.testing.assert_allclose(posterior.mean[0], model.coef_, rtol=1e-8)
    np.testing.assert_allclose(
        posterior.root[0] @ posterior.root[0].T, model.sigma_, rtol=1e-7, atol=1e-12
    )


def test_draws_have_the_posterior_s_mean_and_covariance():
    phi, reward = observations(5)
    posterior = Posterior(S, D)
    posterior.update(phi, reward)
    draws = posterior.sample(np.random.default_rng(0).standard_normal((S, 200_000, D)))
    for s in range(S):
        covariance = posterior.root[s] @ posterior.root[s].T
        np.testing.assert_allclose(draws[s].mean(0), posterior.mean[s], atol=0.012)
        np.testing.assert_allclose(np.cov(draws[s].T), covariance, atol=0.012)


def test_evidence_is_the_density_of_the_rewards():
    phi, reward = observations(11)
    posterior = Posterior(S, D, tau2=0.7, sigma2=0.4)
    posterior.update(phi, reward)
    a, _, c = posterior.eigen()
    square = (reward**2).sum(axis=1)
    value, _ = log_evidence(np.array([2.0]), a, c, square, 11, np.full(S, 0.4))
    for s in range(S):
        covariance = 0.4 * np.eye(11) + 0.8 * phi[s] @ phi[s].T
        expected = stats.multivariate_normal(np.zeros(11), covariance).logpdf(reward[s])
        assert value[s, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("noise", [None, 0.25])
def test_evidence_maximum_is_scipy_s(noise):
    phi, reward = observations(40, scale=0.3)
    posterior = Posterior(S, D)
    posterior.update(phi, reward)
    a, _, c = posterior.eigen()
    square = (reward**2).sum(axis=1)
    sigma2 = None if noise is None else np.full(S, noise)
    tau2, found = evidence_maximum(a, c, square, 40, sigma2)
    for s in range(S):

        def negative(log_ratio, s=s):
            part = None if sigma2 is None else sigma2[s : s + 1]
            ratio = np.exp([log_ratio])
            row = slice(s, s + 1)
            return -log_evidence(ratio, a[row], c[row], square[row], 40, part)[0].item()

        best = optimize.minimize_scalar(negative, bounds=(-13, 13), method="bounded")
        assert negative(np.log(tau2[s] / found[s])) <= best.fun + 1e-4
        if abs(best.x) < 12:  # else the evidence has no maximum inside
            assert np.log(tau2[s] / found[s]) == pytest.approx(best.x, abs=0.01)


def test_refit_keeps_the_data():
    phi, reward = observations(30)
    posterior = Posterior(S, D)
    posterior.update(phi, reward)
    posterior.refit(fit_noise=True)
    for s in range(S):
        mean, covariance = closed_form(phi[s], reward[s], posterior.tau2[s], posterior.sigma2[s])
        np.testing.assert_allclose(posterior.mean[s], mean, rtol=1e-6)
        np.testing.assert_allclose(
            posterior.root[s] @ posterior.root[s].T, covariance, rtol=1e-6, atol=1e-10
        )


def test_refit_s_root_is_the_symmetric_one():
    """It is unique: signs of eigenvectors, which LAPACK is free to choose, do not enter."""
    phi, reward = observations(30)
    posterior = Posterior(S, D)
    posterior.update(phi, reward)
    posterior.refit()
    for s in range(S):
        _, covariance = closed_form(phi[s], reward[s], posterior.tau2[s], posterior.sigma2[s])
        np.testing.assert_allclose(posterior.root[s], posterior.root[s].T, atol=1e-12)
        np.testing.assert_allclose(posterior.root[s], linalg.sqrtm(covariance).real, rtol=1e-6,
                                   atol=1e-9)  # fmt: skip


def test_refit_finds_prior_and_noise_of_plenty_of_data():
    rng = np.random.default_rng(5)
    phi = rng.standard_normal((1, 2000, 200))
    theta = 3 * rng.standard_normal(200)
    posterior = Posterior(1, 200)
    posterior.update(phi, phi @ theta + 0.7 * rng.standard_normal((1, 2000)))
    posterior.refit(fit_noise=True)
    assert posterior.tau2[0] == pytest.approx(9, rel=0.25)
    assert posterior.sigma2[0] == pytest.approx(0.49, rel=0.1)


def test_refit_before_two_observations_changes_nothing():
    posterior = Posterior(S, D, tau2=2.0)
    posterior.refit()
    assert (posterior.tau2 == 2.0).all()
    assert (posterior.mean == 0).all()


@pytest.mark.parametrize("field", ["n_replications", "d", "tau2", "sigma2"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_sizes_and_variances_must_be_positive(field, value):
    arguments = {"n_replications": 1, "d": 2, "tau2": 1.0, "sigma2": 1.0, field: value}
    sizes = arguments.pop("n_replications"), arguments.pop("d")
    with pytest.raises(ValueError, match=f"{field} = "):
        Posterior(*sizes, **arguments)


@pytest.mark.parametrize(
    ("phi", "reward"),
    [(np.ones((S, D + 1)), np.ones(S)), (np.ones((S, D)), np.ones(S + 1)),
     (np.ones((S, 2, D)), np.ones((S, 3)))],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_named(phi, reward):
    with pytest.raises(ValueError, match="expected"):
        Posterior(S, D).update(phi, reward)


def test_a_reward_that_is_not_finite_is_refused():
    posterior = Posterior(S, D)
    with pytest.raises(ValueError, match="not finite"):
        posterior.update(np.ones((S, D)), np.array([1.0, np.nan, 0.0]))
    assert posterior.n == 0
    assert (posterior.mean == 0).all()
