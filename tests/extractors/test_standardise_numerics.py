"""Moments and principal axes against exact and independent references, on hard data."""

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.decomposition import PCA

from crlib.extractors import standardise
from crlib.extractors.moments import blocks_of, gather_moments


def mixed(n: int, d: int, rank: int | None = None, seed: int = 0) -> np.ndarray:
    """(n, d) rows with a spectrum of standard deviations 1, 1/2, 1/4, ... over `rank` axes."""
    rng = np.random.default_rng(seed)
    rank = rank or d
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0][:, :rank]
    return rng.standard_normal((n, rank)) / 2 ** np.arange(rank) @ axes.T


def by_svd(rows: np.ndarray, m: int, *, whiten: bool = False) -> np.ndarray:
    """Components by numpy's SVD of the centred rows, in float64; the signs are free."""
    exact = rows.astype(np.float64)
    left, singular, _ = np.linalg.svd(exact - exact.mean(axis=0), full_matrices=False)
    return left[:, :m] * (math.sqrt(len(rows) - 1) if whiten else singular[:m])


def assert_same_up_to_sign(ours: np.ndarray, theirs: np.ndarray, atol: float) -> None:
    assert ours.shape == theirs.shape
    exact = ours.astype(np.float64)
    signs = np.sign((exact * theirs).sum(axis=0))
    np.testing.assert_allclose(exact, theirs * signs, rtol=0, atol=atol)


def exact_moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance in rational arithmetic, rounded once at the end."""
    columns = [[Fraction(float(x)) for x in column] for column in rows.T]
    n, d = rows.shape
    means = [sum(column) / n for column in columns]
    centred = [[x - mean for x in column] for column, mean in zip(columns, means, strict=True)]
    covariance = np.array(
        [
            [float(sum(map(Fraction.__mul__, centred[i], centred[j])) / (n - 1)) for j in range(d)]
            for i in range(d)
        ]
    )
    return np.array([float(mean) for mean in means]), covariance


@pytest.mark.parametrize("block_rows", [1, 2, 7, 40, 100])
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
def test_moments_are_those_of_rational_arithmetic(offset, block_rows):
    rows = mixed(41, 3) + offset
    mean, covariance = exact_moments(rows)
    ours = gather_moments(blocks_of(rows, block_rows))
    assert ours.count == 41
    np.testing.assert_allclose(ours.mean, mean, rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(ours.covariance, covariance, rtol=0, atol=1e-14)


def test_the_hard_rows_are_hard():
    rows = mixed(41, 3) + 1e8
    _, covariance = exact_moments(rows)
    naive = (rows.T @ rows - 41 * np.outer(rows.mean(0), rows.mean(0))) / 40
    assert np.abs(naive - covariance).max() > 0.1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int16])
@pytest.mark.parametrize("shape", [(60, 7), (8, 7), (5, 30), (2, 3)])
@pytest.mark.parametrize("whiten", [False, True])
def test_components_are_those_of_the_svd(shape, dtype, whiten):
    rows = (np.random.default_rng(1).standard_normal(shape) * 50 + 20).astype(dtype)
    m = min(shape[1], shape[0] - 1)
    ours = standardise(rows, pca=m, whiten=whiten)
    single = dtype in (np.float32, np.float16)
    assert ours.dtype == (np.float32 if single else np.float64)
    scale = 1 if whiten else 500
    reference = by_svd(rows, m, whiten=whiten)
    assert_same_up_to_sign(ours, reference, atol=scale * (5e-7 if single else 1e-12))


@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 3e-9), (np.float32, 1e-6)])
@pytest.mark.parametrize("whiten", [False, True])
def test_a_mean_of_ten_thousand_spreads(dtype, atol, whiten):
    rows = (mixed(500, 4, seed=2) + 1e4).astype(dtype)
    ours = standardise(rows, pca=4, whiten=whiten)
    # Of the rows as they are stored: float32 has rounded them to 1e-3 before anyone sees them.
    assert_same_up_to_sign(ours, by_svd(rows, 4, whiten=whiten), atol=atol)


def test_float32_statistics_would_not_do():
    rows = (mixed(500, 4, seed=2) + 1e4).astype(np.float32)
    coarse = rows - rows.mean(axis=0, dtype=np.float32)
    exact = standardise(rows)
    assert np.abs(exact.mean(axis=0, dtype=np.float64)).max() < 1e-7
    assert np.abs(coarse.mean(axis=0, dtype=np.float64)).max() > 1e-5


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize("rank", [1, 4])
def test_whitening_leaves_out_what_has_no_variance(dtype, offset, rank):
    # In float32 and float16 the dependent columns are rounded: that noise is no direction.
    rng = np.random.default_rng(3)
    independent = rng.standard_normal((300, rank)).astype(dtype)
    combined = independent.astype(np.float64) @ rng.standard_normal((rank, 6)) + offset
    rows = np.hstack([independent, combined.astype(dtype)])
    white = standardise(rows, whiten=True)
    assert white.shape == (300, rank)
    covariance = np.atleast_2d(np.cov(white.T.astype(np.float64)))
    np.testing.assert_allclose(covariance, np.eye(rank), atol=1e-5)
    assert standardise(rows, pca=6, whiten=True).shape == (300, rank)


def test_a_small_variance_that_is_there_is_kept():
    rng = np.random.default_rng(4)
    rows = (rng.standard_normal((200, 2)) * [1, 1e-5]).astype(np.float32)
    assert standardise(rows, whiten=True).shape == (200, 2)


def test_components_beyond_the_rank_are_zero():
    rows = mixed(50, 8, rank=3)
    ours = standardise(rows, pca=6)
    assert ours.shape == (50, 6)
    assert_same_up_to_sign(ours[:, :3], by_svd(rows, 3), atol=1e-12)
    assert np.abs(ours[:, 3:]).max() < 1e-12


def test_constant_columns_change_nothing():
    rows = mixed(60, 4)
    padded = np.insert(rows, [0, 2, 4], [0.1, 1e6, -7.0], axis=1)
    assert not standardise(padded)[:, [0, 3, 6]].any()
    for whiten in (False, True):
        np.testing.assert_allclose(
            np.abs(standardise(padded, pca=4, whiten=whiten)),
            np.abs(standardise(rows, pca=4, whiten=whiten)),
            atol=1e-9,
        )


@pytest.mark.parametrize("value", [0.1, 1e6, 1 / 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_equal_rows_have_nothing_to_whiten(value, dtype):
    rows = np.full((1001, 3), min(value, 6e4), dtype=dtype)
    assert not standardise(rows).any()
    assert not standardise(rows, pca=2).any()
    with pytest.raises(ValueError, match="no variance to whiten"):
        standardise(rows, whiten=True)


def falling(power: float) -> tuple[np.ndarray, np.ndarray]:
    """3,000 rows of 200 columns whose j-th component has the standard deviation j^-power."""
    rng = np.random.default_rng(5)
    left = rng.standard_normal((3000, 200))
    left = np.linalg.qr(left - left.mean(axis=0))[0]
    right = np.linalg.qr(rng.standard_normal((200, 200)))[0]
    deviations = np.arange(1.0, 201) ** -power
    return left * (deviations * math.sqrt(2999)) @ right.T + 3, deviations


# What the randomised solver is allowed: a share of each component's standard deviation.
@pytest.mark.parametrize(("power", "allowed"), [(2.0, 1e-5), (1.0, 0.05)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_randomised_components_on_a_known_spectrum(power, allowed, seed):
    rows, deviations = falling(power)
    exact = standardise(rows, pca=20)
    ours = standardise(rows, pca=20, solver="randomised", seed=seed)
    np.testing.assert_allclose(exact.std(axis=0, ddof=1), deviations[:20], rtol=1e-12)
    np.testing.assert_allclose(ours.std(axis=0, ddof=1), deviations[:20], rtol=1e-5)
    assert (np.abs(ours - exact).max(axis=0) / deviations[:20]).max() < allowed
    white = standardise(rows, pca=20, solver="randomised", seed=seed, whiten=True)
    np.testing.assert_allclose(np.cov(white.T), np.eye(20), atol=1e-5)


def test_randomised_components_of_a_flat_spectrum_still_hold_the_variance():
    # Any 20 axes are as good as any others here: only the variance can be compared.
    rows, _ = falling(0.0)
    ours = standardise(rows, pca=20, solver="randomised")
    assert ours.var(axis=0, ddof=1).sum() == pytest.approx(20, rel=1e-6)


def test_randomised_components_follow_from_the_seed():
    rows, _ = falling(0.5)
    first, again, other = (
        standardise(rows, pca=5, solver="randomised", seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_randomised_whitening_leaves_out_what_has_no_variance():
    rows = mixed(300, 40, rank=4).astype(np.float32)
    white = standardise(rows, pca=10, whiten=True, solver="randomised")
    assert white.shape == (300, 4)
    reference = PCA(4, whiten=True, svd_solver="full").fit_transform(rows.astype(np.float64))
    assert_same_up_to_sign(white, reference, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pca": 0}, "pca = 0; expected an integer, 1 <= pca <= 3"),
        ({"pca": 4}, "1 <= pca <= 3, as X has shape"),
        ({"pca": 2.0}, "pca = 2.0; expected an integer"),
        ({"pca": True}, "pca = True; expected an integer"),
        ({"solver": "fast"}, "expected 'exact' or 'randomised'"),
        ({"solver": "randomised"}, "needs pca"),
        ({"solver": "randomised", "pca": 4}, "1 <= pca <= 3"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        standardise(mixed(4, 5), **settings)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((1, 3)), "at least 2 rows"),
        (np.zeros((0, 3)), "at least 2 rows"),
        (np.zeros((3, 0)), "1 column"),
        (np.array([["a", "b"], ["c", "d"]]), "expected .* numbers"),
        (np.ones((3, 2), dtype=complex), "dtype complex128"),
        (np.array([[1e200, 1], [-1e200, 2], [0, 3]]), "exceed float64"),
        (np.vstack([np.zeros((5000, 2)), [[1, np.nan]]]), "NaN or infinity, first in row 5000"),
        (np.array([[1, 2], [np.inf, 0]], dtype=np.float16), "first in row 1"),
    ],
)
@pytest.mark.parametrize("settings", [{"pca": 1}, {"pca": 1, "solver": "randomised"}])
def test_bad_rows_are_named(rows, message, settings):
    with pytest.raises(ValueError, match=message):
        standardise(rows, **settings)


def test_the_input_is_left_alone():
    rows = mixed(30, 4) + 2
    before = rows.copy()
    for settings in ({}, {"pca": 2}, {"pca": 2, "solver": "randomised"}, {"whiten": True}):
        standardise(rows, **settings)
    np.testing.assert_array_equal(rows, before)
