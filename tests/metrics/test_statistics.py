"""Intervals against the textbook ones for means."""

import numpy as np
import pytest
from scipy import stats

from crlib import metrics
from crlib.metrics import Interval, log_relative_to


def test_jackknife_of_a_mean_is_the_standard_error():
    x = np.random.default_rng(0).normal(size=50)
    without = (x.sum() - x) / 49
    interval = metrics.jackknife_interval(x.mean(), without, level=0.9)
    half = stats.norm.ppf(0.95) * stats.sem(x)
    assert (interval.low, interval.high) == pytest.approx((x.mean() - half, x.mean() + half))
    assert (interval.estimate, interval.level, interval.n) == (x.mean(), 0.9, 50)


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_paired_bootstrap_of_a_difference_of_means(method):
    rng = np.random.default_rng(1)
    common = rng.normal(size=400) * 10  # pairing removes it
    a, b = common + rng.normal(size=400) + 0.5, common + rng.normal(size=400)
    interval = metrics.paired_bootstrap(a, b, rng=0, n_resamples=4000, method=method)
    half = stats.norm.ppf(0.975) * stats.sem(a - b)
    assert interval.estimate == pytest.approx(np.mean(a - b))
    # The ends are quantiles of 4,000 draws: their own error is about 4 % of the half-width.
    assert interval.low == pytest.approx(np.mean(a - b) - half, abs=0.15 * half)
    assert interval.high == pytest.approx(np.mean(a - b) + half, abs=0.15 * half)


def test_bootstrap_is_seeded_and_takes_columns():
    rng = np.random.default_rng(2)
    a, b = rng.gamma(2, size=(2, 60, 2))

    def gap_of_logs(x, y):
        return float(np.ptp(np.log(x.mean(axis=0))) - np.ptp(np.log(y.mean(axis=0))))

    first = metrics.paired_bootstrap(a, b, gap_of_logs, rng=3, n_resamples=200)
    again = metrics.paired_bootstrap(a, b, gap_of_logs, rng=3, n_resamples=200)
    other = metrics.paired_bootstrap(a, b, gap_of_logs, rng=4, n_resamples=200)
    assert first == again != other
    assert first.low < first.estimate < first.high


def test_log_mean_ratio():
    assert metrics.log_mean_ratio(np.array([1.0, 3.0]), np.array([1.0])) == pytest.approx(np.log(2))
    assert metrics.mean_difference(np.array([1.0, 3.0]), np.array([1.0])) == 1


@pytest.mark.parametrize("m", [None, 30, 150])
def test_subsample_interval_of_a_mean(m):
    x = np.random.default_rng(4).exponential(size=200)
    interval = metrics.subsample_interval((x,), np.mean, rng=0, m=m, n_resamples=3000)
    half = stats.norm.ppf(0.975) * stats.sem(x)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)
    assert interval.low < x.mean() < interval.high


def test_subsample_interval_agrees_with_the_jackknife_of_the_participation_ratio():
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(400, 20)), rng.normal(size=(400, 20)) * np.linspace(0.2, 2, 20)

    def difference(x, y):
        return np.log(metrics.participation_ratio(x) / metrics.participation_ratio(y))

    jackknife = metrics.log_pr_difference(X, Y)
    subsample = metrics.subsample_interval((X, Y), difference, rng=0, n_resamples=400)
    width = jackknife.high - jackknife.low
    # 400 draws know a width to about 5 %; duplicates in a bootstrap would shift the interval.
    assert subsample.high - subsample.low == pytest.approx(width, rel=0.2)
    assert subsample.low == pytest.approx(jackknife.low, abs=0.2 * width)


def test_interquartile_mean_of_a_hundred():
    assert metrics.iqm(np.arange(100)[::-1]) == pytest.approx(49.5)
    assert metrics.iqm([[0, 1], [2, 1000]]) == pytest.approx(1.5)
    assert metrics.iqm([7]) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.jackknife_interval(0, [1.0]), "at least 2"),
        (lambda: metrics.jackknife_interval(0, [1, 2], level=95), "level = 95"),
        (lambda: metrics.paired_bootstrap([1, 2], [1, 2, 3], rng=0), "2 and 3 rows"),
        (lambda: metrics.paired_bootstrap([1], [2], rng=0), "at least 2"),
        (lambda: metrics.paired_bootstrap(1, 2, rng=0), "not single numbers"),
        (lambda: metrics.paired_bootstrap([1, np.nan], [1, 2], rng=0), "a holds 1 NaN"),
        (lambda: metrics.subsample_interval(([1, 2, 3],), np.mean, rng=0, m=3), "m = 3"),
        (lambda: metrics.iqm([]), "x is empty"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_log_relative_to_is_zero_where_the_numbers_agree():
    found = log_relative_to(Interval(200.0, 100.0, 400.0, 0.95, 7), 200.0)
    assert (found.estimate, found.low, found.high) == pytest.approx((0, -np.log(2), np.log(2)))
    assert (found.level, found.n) == (0.95, 7)
    with pytest.raises(ValueError, match="positive"):
        log_relative_to(Interval(1.0, -1.0, 2.0, 0.95, 7), 200.0)
