"""Reward energy in the eigenbasis against loops, closed forms and repeated sampling."""

from itertools import combinations

import numpy as np
import pytest

from crlib import metrics
from crlib.metrics.eigenbasis import Labels, draw_labels
from crlib.metrics.energy import label_energy


def embedding(seed=0, n=120, d=6, decay=1.0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.arange(1, d + 1) ** -decay + 2


def by_hand(X, r):
    """Return l, w and se2 of one reward function, axis by axis."""
    rows = X - X.mean(axis=0)
    rows = rows / np.sqrt(np.mean(np.sum(rows**2, axis=1)))
    values, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    rewards = (r - r.mean()) / r.std()
    w, se2 = [], []
    for i in np.argsort(values)[::-1]:
        products = rewards * (rows @ axes[:, i]) / np.sqrt(values[i])
        w.append(products.mean())
        se2.append(products.var(ddof=1) / len(products))
    return np.sort(values)[::-1], np.array(w), np.array(se2)


@pytest.mark.parametrize("seed", range(3))
def test_energy_is_that_of_each_axis(seed):
    X = embedding(seed)
    R = np.random.default_rng(seed).gamma(1.0, size=(120, 2)) + X[:, :2]
    found = metrics.reward_energy(X, R)
    for column in range(2):
        values, w, se2 = by_hand(X, R[:, column])
        np.testing.assert_allclose(found.eigenvalues, values, rtol=1e-9)
        np.testing.assert_allclose(found.w[:, column] ** 2, w**2, rtol=1e-7)
        np.testing.assert_allclose(found.se2[:, column], se2, rtol=1e-9)
    single = metrics.reward_energy(X, R[:, 1])
    assert single.w == pytest.approx(found.w[:, 1])


@pytest.mark.parametrize("seed", range(3))
def test_norm_of_a_linear_reward_is_that_of_its_coefficients(seed):
    X = embedding(seed)
    rows = X - X.mean(axis=0)
    theta = np.random.default_rng(seed).normal(size=6)
    scale = np.mean(np.sum(rows**2, axis=1))
    expected = scale * theta @ theta / np.var(rows @ theta)
    found = metrics.rkhs_norm(X, 3 * X @ theta - 5)
    assert found.squared_norm == pytest.approx(expected)
    values, _, se2 = by_hand(X, X @ theta)
    assert found.bias == pytest.approx(np.sum(se2 / values))
    assert found.debiased == pytest.approx(found.squared_norm - found.bias)


def test_plug_in_norm_is_off_by_the_bias_formula_and_the_debiased_is_not():
    # Gaussian scores, unit variance split between a linear part and noise: plug-in B^2 exceeds the
    # truth by sum var(r z_i) / (n l_i), var(r z_i) = V + w_i^2 for jointly Gaussian r and z_i.
    rng = np.random.default_rng(0)
    n, values = 200, np.arange(1, 21) ** -2.0
    values /= values.sum()
    w = 0.7 * np.sqrt(values)
    truth = np.sum(w**2 / values)
    bias = np.sum((1 + w**2) / values) / n
    found = []
    for _ in range(400):
        scores = rng.normal(size=(n, 20))
        rewards = scores @ w + rng.normal(size=n) * np.sqrt(1 - w @ w)
        # The population's own axes, mean and variance: what the formula is about.
        basis = metrics.Eigenbasis(values, scores)
        energy = label_energy(basis, Labels(np.arange(n), rewards[:, None], 0.0))
        plug_in = np.sum(energy.w[:, 0] ** 2 / values)
        found.append((plug_in, plug_in - np.sum(energy.se2[:, 0] / values)))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert bias > 2 * truth  # most of what is read is bias
    # Centring the rewards by their own mean costs order 1/n of the bias.
    assert abs(mean[0] - truth - bias) < 4 * error[0] + 2 * bias / n
    assert abs(mean[1] - truth) < 4 * error[1] + 2 * bias / n


def test_energy_is_unbiased_over_all_subsets_of_labels():
    X, r = embedding(n=9, d=3), np.random.default_rng(1).normal(size=9)
    basis = metrics.eigenbasis(X)
    rewards = ((r - r.mean()) / r.std())[:, None]
    subsets = [np.array(rows) for rows in combinations(range(9), 4)]
    drawn = [label_energy(basis, Labels(s, rewards[s], 0.0)).w[:, 0] for s in subsets]
    np.testing.assert_allclose(np.mean(drawn, axis=0), metrics.reward_energy(X, r).w, atol=1e-12)


def test_debiased_power_is_unbiased_for_a_population():
    # A finite population whose labelled subsets are small: C(d) averages to the power of all.
    X = embedding(n=4000, d=8)
    r = np.random.default_rng(3).normal(size=4000) + X[:, 0] + 3 * X[:, 6]
    basis = metrics.eigenbasis(X)
    truth = np.cumsum(metrics.reward_energy(basis, r).w ** 2)
    plain, debiased = [], []
    for seed in range(300):
        energy = label_energy(basis, draw_labels(r, 4000, 60, 0.5, seed))
        plain.append(np.cumsum(energy.w[:, 0] ** 2))
        debiased.append(np.cumsum(energy.w[:, 0] ** 2 - energy.se2[:, 0]))
    error = np.std(debiased, axis=0) / np.sqrt(300)
    assert np.all(np.abs(np.mean(debiased, axis=0) - truth) < 4 * error + 0.005)
    assert np.mean(plain, axis=0)[-1] > truth[-1] + 10 * error[-1]


def test_noise_carries_no_power_after_debiasing():
    X = embedding(n=300, d=40)
    R = np.random.default_rng(4).normal(size=(300, 500))
    power = metrics.cumulative_power(X, R)
    assert power.shape == (40, 500)
    assert abs(power[-1].mean()) < 4 * power[-1].std() / np.sqrt(500) + 40 / 300**2 * 3
    assert np.mean(metrics.reward_energy(X, R).w ** 2) * 40 > 0.1  # what it was before


def test_cumulative_power_is_the_running_sum():
    X, r = embedding(), np.random.default_rng(5).normal(size=120)
    _, w, se2 = by_hand(X, r)
    np.testing.assert_allclose(metrics.cumulative_power(X, r), np.cumsum(w**2 - se2), atol=1e-12)


def test_area_of_rewards_with_a_closed_form():
    # Signs from a Hadamard matrix: exactly uncorrelated scores of variance 1, products +1 and -1.
    signs = np.array([[1, 1], [1, -1]])
    hadamard = signs
    for _ in range(11):
        hadamard = np.kron(hadamard, signs)
    values = np.array([0.4, 0.3, 0.2, 0.1])
    scores = hadamard[:, [1, 2, 4, 8]]
    X = scores * np.sqrt(values)
    tolerance = 4 / 4096
    rewards = np.column_stack([scores[:, 0], scores[:, 3], scores @ values**0.5])
    areas = metrics.power_area(X, rewards)
    assert areas == pytest.approx([1 - 0.2, 0.05, 0.5], abs=tolerance)
    assert metrics.power_area(X, hadamard[:, 16]) == pytest.approx(0, abs=tolerance)
    energy = metrics.reward_energy(X, scores[:, 0])
    assert energy.w**2 == pytest.approx([1, 0, 0, 0], abs=1e-12)
    assert energy.se2 == pytest.approx([0, *[1 / 4095] * 3])


def test_area_is_the_trapezoid_of_the_drawn_curve():
    X, r = embedding(), np.random.default_rng(6).normal(size=120)
    shares = np.concatenate([[0], np.cumsum(metrics.spectrum(X))])
    power = np.concatenate([[0], metrics.cumulative_power(X, r)])
    assert metrics.power_area(X, r) == pytest.approx(np.trapezoid(power, shares))


def test_learnability_is_the_filtered_share():
    X = embedding()
    R = np.random.default_rng(7).normal(size=(120, 2)) + X[:, :2]
    curve = metrics.learnability(X, R, [1e-12, 0.1, 1e12])
    assert curve.shape == (3, 2)
    assert curve[0] == pytest.approx(metrics.cumulative_power(X, R)[-1])
    assert curve[2] == pytest.approx(0, abs=1e-10)
    values, w, se2 = by_hand(X, R[:, 1])
    assert curve[1, 1] == pytest.approx(np.sum((w**2 - se2) * values / (values + 0.1)))
    plain = metrics.learnability(X, R[:, 1], 0.1, debias=False)
    assert plain == pytest.approx(np.sum(w**2 * values / (values + 0.1)))


@pytest.mark.parametrize("axis", range(6))
def test_anisotropy_raises_the_norm_only_of_rewards_on_quiet_axes(axis):
    basis = metrics.eigenbasis(embedding())
    r = basis.scores[:, axis]
    found = metrics.anisotropy_condition(basis, r, debias=False)
    isotropic = metrics.Eigenbasis(np.full(6, 1 / 6), basis.scores)
    own, flat = metrics.rkhs_norm(basis, r), metrics.rkhs_norm(isotropic, r)
    assert found.ratio == pytest.approx(own.squared_norm / flat.squared_norm)
    assert found.holds == (basis.eigenvalues[axis] < 1 / 6)


def test_anisotropy_of_a_reward_that_is_not_there_is_undefined():
    R = np.random.default_rng(0).normal(size=(120, 60))
    found = metrics.anisotropy_condition(embedding(), R)
    missing = metrics.cumulative_power(embedding(), R)[-1] <= 0
    assert 0 < missing.sum() < 60
    assert np.array_equal(np.isnan(found.ratio), missing)
    assert not found.holds[missing].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copied_columns_add_no_direction(dtype):
    X = embedding(d=4).astype(dtype)
    r = np.random.default_rng(8).normal(size=120)
    doubled = np.hstack([X, X, 0 * X[:, :1] + 3])
    basis = metrics.eigenbasis(doubled)
    assert basis.rank == 4
    assert basis.eigenvalues[4:] == pytest.approx(0, abs=0)
    assert basis.eigenvalues[:4] == pytest.approx(metrics.spectrum(X), rel=1e-4)
    assert metrics.cumulative_power(doubled, r)[3:] == pytest.approx(
        metrics.cumulative_power(X, r)[3], rel=1e-4
    )
    assert metrics.rkhs_norm(doubled, r).squared_norm == pytest.approx(
        metrics.rkhs_norm(X, r).squared_norm, rel=1e-4
    )


def test_fewer_actions_than_dimensions_hold_any_reward():
    X, r = np.random.default_rng(9).normal(size=(12, 40)), np.arange(12.0)
    basis = metrics.eigenbasis(X)
    assert basis.rank == 11
    assert np.sum(metrics.reward_energy(X, r).w ** 2) == pytest.approx(1)
    gram = (X - X.mean(axis=0)) @ (X - X.mean(axis=0)).T
    rewards = (r - r.mean()) / r.std()
    expected = rewards @ np.linalg.pinv(gram) @ rewards * np.trace(gram) / 12
    assert metrics.rkhs_norm(X, r).squared_norm == pytest.approx(expected)


def test_metrics_do_not_depend_on_scale_shift_and_rotation():
    X, r = embedding(), np.random.default_rng(10).normal(size=120)
    rotation = np.linalg.qr(np.random.default_rng(11).normal(size=(6, 6)))[0]
    moved = 7 * X @ rotation - 3
    for metric in (metrics.cumulative_power, metrics.power_area, metrics.loo_r2):
        assert metric(moved, 5 - 2 * r) == pytest.approx(metric(X, r))
        assert metric(metrics.eigenbasis(X), r) == pytest.approx(metric(X, r))


def test_few_noisy_labels_are_seeded():
    X, r = embedding(), np.random.default_rng(12).normal(size=120)
    options = {"n_labels": 30, "noise": 0.5}
    first = metrics.rkhs_norm(X, r, **options, rng=1)
    assert first == metrics.rkhs_norm(X, r, **options, rng=np.random.default_rng(1))
    assert first != metrics.rkhs_norm(X, r, **options, rng=2)
    labels = draw_labels(r, 120, 30, 0.5, 1)
    assert np.unique(labels.rows).size == 30
    noise = draw_labels(r, 120, None, 0.5, 1).values[:, 0] - (r - r.mean()) / r.std()
    assert noise.std() == pytest.approx(0.5, rel=4 / np.sqrt(240))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, r: metrics.rkhs_norm(X, np.full(120, 0.1)), "function 0 of r is constant"),
        (lambda X, r: metrics.power_area(X, r[:9]), "a row an action"),
        (lambda X, r: metrics.cumulative_power(X, r * np.nan), "r holds 120 NaN"),
        (lambda X, r: metrics.reward_energy(X[:1].repeat(120, 0), r), "no variance"),
        (lambda X, r: metrics.rkhs_norm(X, r, n_labels=30), "pass rng"),
        (lambda X, r: metrics.rkhs_norm(X, r, noise=0.1), "pass rng"),
        (lambda X, r: metrics.rkhs_norm(X, r, noise=-1.0, rng=0), "noise = -1"),
        (
            lambda X, r: metrics.rkhs_norm(X, r, n_labels=121, rng=0),
            r"n_labels = 121 .* \[3, 120\]",
        ),
        (lambda X, r: metrics.rkhs_norm(X, r, n_labels=2, rng=0), "n_labels = 2"),
        (lambda X, r: metrics.rkhs_norm(X, r == r[3], n_labels=5, rng=0), "raise n_labels"),
        (lambda X, r: metrics.learnability(X, r, 0), "kappa = 0.0"),
        (lambda X, r: metrics.learnability(X, r, [[1]]), "kappa"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(embedding(), np.random.default_rng(0).normal(size=120))
