"""Spectrum transplants against distances and whitening; effects against their sum."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from crlib import metrics


def embedding(seed=0, n=90, d=7):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 2


@pytest.mark.parametrize("seed", range(3))
def test_own_spectrum_gives_the_embedding_back(seed):
    X = embedding(seed)
    same = metrics.spectrum_transplant(X, metrics.spectrum(X))
    scale = np.sqrt(np.sum(np.var(X, axis=0)))
    np.testing.assert_allclose(pdist(same), pdist(X) / scale, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_transplant_has_the_target_spectrum_and_the_own_information(seed):
    X, Y = embedding(seed), embedding(seed + 10)
    moved = metrics.spectrum_transplant(X, 5 * metrics.spectrum(Y)[::-1])
    np.testing.assert_allclose(metrics.spectrum(moved), metrics.spectrum(Y), atol=1e-12)
    assert np.sum(np.var(moved, axis=0)) == pytest.approx(1)
    # Whitened, the two are the same actions again; each axis keeps its rank.
    flat = np.ones(7)
    np.testing.assert_allclose(
        pdist(metrics.spectrum_transplant(moved, flat)), pdist(metrics.spectrum_transplant(X, flat))
    )
    r = np.random.default_rng(seed).normal(size=90)
    np.testing.assert_allclose(metrics.cumulative_power(moved, r), metrics.cumulative_power(X, r))


def test_flat_spectrum_whitens():
    white = metrics.spectrum_transplant(embedding(), np.ones(7))
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(7) / 7, atol=1e-12)


def test_lengths_are_cut_to_the_smaller_rank():
    X = np.hstack([embedding(d=4), embedding(d=4)])  # rank 4 in 8 dimensions
    longer = metrics.spectrum_transplant(X, [5, 4, 3, 2, 1, 1])
    assert longer.shape == (90, 8)
    assert metrics.spectrum(longer) == pytest.approx(np.array([5, 4, 3, 2, 0, 0, 0, 0]) / 14)
    shorter = metrics.spectrum_transplant(X, [1, 3, 0, 0, 0])
    assert metrics.spectrum(shorter) == pytest.approx([0.75, 0.25, 0, 0, 0, 0, 0, 0])


def test_effects_add_up_and_are_paired():
    rng = np.random.default_rng(0)
    n = 300
    unit = rng.normal(size=n) * 5  # common to all cells: pairing removes it
    noise = rng.normal(size=(2, 2, n)) * 0.1
    cells = unit + noise
    cells[1] += 0.7  # information
    cells[:, 1] -= 0.3  # geometry
    cells[1, 1] += 0.2  # interaction, half of it in either effect
    found = metrics.transplant_effects(cells, rng=0)
    effects = found.geometry, found.information, found.interaction
    for interval, true in zip(effects, (-0.2, 0.8, 0.2), strict=True):
        error = 0.1 / np.sqrt(n) * (2 if interval is found.interaction else 1)
        assert interval.estimate == pytest.approx(true, abs=4 * error)
        assert interval.high - interval.low == pytest.approx(
            2 * stats.norm.ppf(0.975) * error, rel=0.25
        )
    total = np.mean(cells[1, 1] - cells[0, 0])
    assert found.geometry.estimate + found.information.estimate == pytest.approx(total)
    assert found == metrics.transplant_effects(cells, rng=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.spectrum_transplant(embedding(), [1, -1]), "not all 0"),
        (lambda: metrics.spectrum_transplant(embedding(), [0, 0]), "not all 0"),
        (lambda: metrics.spectrum_transplant(embedding(), np.eye(2)), "spectrum has shape"),
        (lambda: metrics.spectrum_transplant(np.ones((5, 2)), [1]), "no variance"),
        (lambda: metrics.transplant_effects(np.ones((2, 3, 5)), rng=0), r"pass \(2, 2, n\)"),
        (lambda: metrics.transplant_effects(np.ones((2, 2, 1)), rng=0), "at least 2"),
        (lambda: metrics.transplant_effects(np.full((2, 2, 4), np.nan), rng=0), "holds 16 NaN"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
