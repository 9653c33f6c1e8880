"""Coverage of the sphere against closed forms and drawn points."""

import numpy as np
import pytest
from scipy import integrate, special

from crlib import metrics


@pytest.mark.parametrize("k", [1, 2, 10, 1000, 10**6])
def test_two_sphere_in_closed_form(k):
    # In three dimensions the share within r is r^2/4, so that E = sqrt(pi) G(k+1)/G(k+3/2).
    log_value = 0.5 * np.log(np.pi) + special.gammaln(k + 1) - special.gammaln(k + 1.5)
    assert metrics.sphere_coverage(k, 3) == pytest.approx(np.exp(log_value), rel=1e-9)


@pytest.mark.parametrize("k", [1, 5, 100])
def test_circle_by_quadrature(k):
    value = integrate.quad(lambda a: (1 - a / np.pi) ** k * np.cos(a / 2), 0, np.pi)[0]
    assert metrics.sphere_coverage(k, 2) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("d", [2, 3, 8, 64, 768, 4096])
def test_mean_distance_of_two_points(d):
    # r = 2 sqrt(B) with B ~ Beta(a, a), a = (d - 1)/2.
    a = (d - 1) / 2
    expected = 2 * np.exp(special.betaln(a + 0.5, a) - special.betaln(a, a))
    assert metrics.sphere_coverage(1, d) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("d", [3, 10, 100])
def test_drawn_points_agree(unit_rows, d):
    n, k = 400, 25
    draws = [metrics.coverage(unit_rows(n, d, seed=s), k) for s in range(30)]
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    # Rounding of the expected distance in the quadrature is far below the error of the draws.
    assert abs(np.mean(draws) - metrics.sphere_coverage(k, d, n_actions=n)) < 4 * error
    left_out = np.mean([metrics.coverage(unit_rows(n, d), k, leave_out=True)])
    assert left_out == pytest.approx(metrics.sphere_coverage(k, d), rel=0.02)


def test_asymptotic_form_is_good_in_few_dimensions_only():
    for d in (2, 3, 5, 8):
        exact = metrics.sphere_coverage(10**6, d)
        assert metrics.sphere_coverage_asymptotic(10**6, d) == pytest.approx(exact, rel=0.02)
    poor = metrics.sphere_coverage_asymptotic(1000, 768) / metrics.sphere_coverage(1000, 768)
    assert poor < 0.8


def test_curve_falls_and_takes_lists():
    curve = metrics.sphere_coverage([1, 10, 100], 50)
    assert np.all(np.diff(curve) < 0)
    assert curve[1] == metrics.sphere_coverage(10, 50)
    assert metrics.sphere_coverage(100, 50, n_actions=100) == 0


@pytest.mark.parametrize("d", [1, 2.5, "x", np.nan])
def test_impossible_dimensions(d):
    with pytest.raises(ValueError, match="d "):
        metrics.sphere_coverage(5, d)


def test_more_points_than_actions():
    with pytest.raises(ValueError, match="exceeds the 10 actions"):
        metrics.sphere_coverage(11, 4, n_actions=10)
