"""Every metric refuses bad input in one clear sentence, and documents what it converts."""

import numpy as np
import pytest

from crlib import metrics

FUNCTIONS = {
    "spectrum": metrics.spectrum,
    "participation_ratio": metrics.participation_ratio,
    "participation_ratio_interval": metrics.participation_ratio_interval,
    "participation_without_top": metrics.participation_without_top,
    "pca_participation": lambda X: metrics.pca_participation(X, 1),
    "log_pr_difference": lambda X: metrics.log_pr_difference(X, np.asarray(X)[:, ::-1]),
    "mean_cosine": metrics.mean_cosine,
    "alignment": lambda X: metrics.alignment(X, X),
    "uniformity": metrics.uniformity,
    "uniformity_sampled": lambda X: metrics.uniformity_sampled(X, rng=0, n_pairs=50),
    "uniformity_bounds": metrics.uniformity_bounds,
    "coverage": lambda X: metrics.coverage(X, 2),
    "nearest_distance": lambda X: metrics.nearest_distance(X, [0, 1]),
    "reward_coverage": lambda X: metrics.reward_coverage(X, np.arange(np.shape(X)[0]), 2),
    "eigenbasis": lambda X: metrics.eigenbasis(X).eigenvalues,
    "cumulative_power": lambda X: metrics.cumulative_power(X, np.arange(np.shape(X)[0])),
    "rkhs_norm": lambda X: metrics.rkhs_norm(X, np.arange(np.shape(X)[0])).squared_norm,
    "loo_r2": lambda X: metrics.loo_r2(X, np.arange(np.shape(X)[0])),
    "predicted_regret": lambda X: metrics.predicted_regret(X, np.arange(np.shape(X)[0]), 99, 5),
    "spectrum_transplant": lambda X: metrics.spectrum_transplant(X, [2, 1]),
}
BAD = {
    "NaN": (lambda X: np.where(X[3, 1] == X, np.nan, X), "NaN or infinite"),
    "infinite": (lambda X: np.where(X[3, 1] == X, np.inf, X), "NaN or infinite"),
    "both infinities": (lambda X: np.where(X > 0, np.inf, -np.inf), "NaN or infinite"),
    "no rows": (lambda X: X[:0], "empty"),
    "no columns": (lambda X: X[:, :0], "empty"),
    "three axes": (lambda X: X[None], "pass a matrix"),
    "complex": (lambda X: X.astype(complex), "real numbers"),
    "text": (lambda X: X.astype(str), "real numbers"),
    "objects": (lambda X: X.astype(object), "real numbers"),
}
ONE_ROW_IS_FINE = {"alignment", "nearest_distance"}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("bad", BAD)
def test_bad_matrices_are_refused(name, bad, unit_rows):
    spoil, message = BAD[bad]
    spoiled = spoil(unit_rows(12, 4))
    with pytest.raises(ValueError, match=message):
        FUNCTIONS[name](spoiled)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - ONE_ROW_IS_FINE))
def test_one_row_is_refused(name, unit_rows):
    with pytest.raises(ValueError, match="has 1 row"):
        FUNCTIONS[name](unit_rows(1, 4))


@pytest.mark.parametrize("bad", [[[1.0, 2.0], [3.0]], 5.0, [1.0, 2.0, 3.0]])
def test_ragged_rows_numbers_and_vectors_are_refused(bad):
    with pytest.raises(ValueError, match=r"X is ragged|pass a matrix"):
        metrics.spectrum(bad)


def value_of(result):
    """Return the numbers in a result: an array, a float, or a record's first field."""
    return getattr(result, "estimate", getattr(result, "value", result))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision_is_read_as_single(name, unit_rows):
    half = unit_rows(40, 16).astype(np.float16)
    expected = FUNCTIONS[name](half.astype(np.float32))
    assert value_of(FUNCTIONS[name](half)) == pytest.approx(value_of(expected), abs=0)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [int, np.int8, bool, np.longdouble])
def test_integers_booleans_and_long_floats_are_read_as_double(name, dtype):
    whole = np.repeat(np.eye(4), [2, 3, 4, 3], axis=0).astype(dtype)
    expected = FUNCTIONS[name](whole.astype(np.float64))
    assert value_of(FUNCTIONS[name](whole)) == pytest.approx(value_of(expected), abs=0)


def test_lists_are_read_and_inputs_are_left_alone(unit_rows):
    X = unit_rows(30, 5)
    kept = X.copy()
    for function in FUNCTIONS.values():
        assert value_of(function(X.tolist())) == pytest.approx(value_of(function(X)))
    assert np.array_equal(X, kept)


def test_large_finite_values_are_not_taken_for_infinite():
    X = np.full((5, 3), 2e38, np.float32)
    X[0] = 0
    assert metrics.nearest_distance(X / 1e20, [0]).shape == (5,)
    with pytest.raises(ValueError, match="no variance"):
        metrics.spectrum(np.zeros((5, 3), np.float32))


def test_public_names_are_documented():
    for name in metrics.__all__:
        assert getattr(metrics, name).__doc__
