"""Learning curves: roll-outs to a threshold with censored runs, and the area."""

import numpy as np
import pytest

from crlib.metrics.rollouts import RolloutsToThreshold, area, rollouts_to_threshold


def test_the_first_window_that_meets_the_threshold_counts():
    curves = [[0, 0, 0.4, 0.6, 1.0, 0], [0, 0, 0, 0, 0, 0.9], [0.5, 0.5, 0, 0, 0, 0]]
    found = rollouts_to_threshold(curves, threshold=0.5, batch=32, window=2)
    assert found.rollouts.tolist() == [4 * 32, 6 * 32, 2 * 32]
    assert found.censored.tolist() == [False, True, False]


def test_brute_force_agrees_on_random_curves():
    curves = np.random.default_rng(0).random((40, 30))
    found = rollouts_to_threshold(curves, threshold=0.62, batch=5, window=7)
    for row, rollouts, censored in zip(curves, found.rollouts, found.censored, strict=True):
        ends = [t for t in range(7, 31) if row[t - 7 : t].mean() >= 0.62]
        assert censored == (not ends)
        assert rollouts == 5 * (ends[0] if ends else 30)


def test_the_median_counts_censored_runs_as_still_going():
    # By hand: at 10, 20, 30 one run each of 6, 5, 3 at risk: S = 5/6, 2/3, 4/9.
    rollouts, censored = [10, 20, 25, 30, 40, 40], [0, 0, 1, 0, 1, 1]
    found = RolloutsToThreshold(np.array(rollouts, float), np.array(censored, bool))
    assert found.median == 30
    never = RolloutsToThreshold(np.full(4, 40.0), np.array([False, True, True, True]))
    assert never.median == np.inf
    complete = RolloutsToThreshold(np.array([1.0, 2, 3, 9, 11]), np.zeros(5, bool))
    assert complete.median == 3


def test_the_area_is_the_mean_over_all_roll_outs():
    np.testing.assert_allclose(area([[0, 1, 1, 1], [0.5, 0.5, 0, 0]]), [0.75, 0.25])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"threshold": 0}, "threshold = 0"), ({"threshold": 1.1}, "threshold = 1.1"),
     ({"threshold": 0.5, "window": 7}, "window = 7: expected 1 to 6")],
)  # fmt: skip
def test_what_cannot_be_met_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        rollouts_to_threshold(np.zeros((2, 6)), batch=1, **options)
