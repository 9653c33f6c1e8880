import numpy as np
import pytest
from sklearn.decomposition import PCA

from crlib.extractors import standardise
from crlib.extractors.standardise import unit_rows


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((60, 7)) @ rng.standard_normal((7, 7)) + 5


def test_centring_alone_keeps_the_axes(rows):
    np.testing.assert_allclose(standardise(rows), rows - rows.mean(0), atol=1e-12)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("m", [1, 3, 7])
def test_components_are_those_of_scikit_learn_up_to_sign(rows, m, whiten):
    ours = standardise(rows, pca=m, whiten=whiten)
    theirs = PCA(m, whiten=whiten, svd_solver="full").fit_transform(rows)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)


def test_whitened_rows_have_the_identity_as_covariance(rows):
    np.testing.assert_allclose(np.cov(standardise(rows, whiten=True).T), np.eye(7), atol=1e-9)


def test_directions_without_variance_are_left_out_of_whitening(rows):
    flat = np.hstack([rows, rows[:, :2] @ np.ones((2, 1))])
    assert standardise(flat, whiten=True).shape == (60, 7)


def test_a_large_mean_in_float32_does_not_spoil_the_statistics():
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((500, 3)) + 1000).astype(np.float32)
    white = standardise(rows, whiten=True)
    assert white.dtype == np.float32
    np.testing.assert_allclose(np.cov(white.T.astype(float)), np.eye(3), atol=1e-5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones(3), "one row per action"),
        (np.ones((1, 3)), "at least 2 rows"),
        (np.array([[np.nan, 1], [2, 3]]), "NaN or infinity"),
    ],
)
def test_bad_input_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        standardise(bad)


def test_bad_settings_are_named(rows):
    with pytest.raises(ValueError, match="1 <= pca <= 7"):
        standardise(rows, pca=8)
    with pytest.raises(ValueError, match="no variance"):
        standardise(np.ones((4, 2)), whiten=True)


def test_integers_and_halves_are_taken_as_floats():
    assert standardise(np.arange(6).reshape(3, 2)).dtype == np.float64
    assert standardise(np.arange(6, dtype=np.float16).reshape(3, 2)).dtype == np.float32


def test_unit_rows(rows):
    np.testing.assert_allclose(np.linalg.norm(unit_rows(rows), axis=1), 1, atol=1e-7)
