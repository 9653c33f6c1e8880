"""What labels say of an embedding, and how sure that is: scores on subsamples of the labels.

Every score is computed on all labels and again on subsamples: four fifths of the labelled actions,
without replacement, the same ones for every embedding and task, everything refitted. The spread of
a score over subsamples of m of n, times sqrt(m / (n - m)) = 2, is that of a score of n labels over
samples of labels (Politis & Romano, Annals of Statistics, 1994). An ordinary bootstrap repeats
labels, and a left-out label whose copy stays is not left out; a bootstrap of left-out errors
without refitting takes the fits for given, and is too sure (a test shows it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crlib.metrics.eigenbasis import Labels, eigenbasis
from crlib.metrics.energy import energy_shares
from crlib.metrics.predicted import cumulative_shortfall
from crlib.metrics.reward import reward_coverage_profile
from crlib.metrics.ridge import loo_r2
from crlib.metrics.statistics import Interval
from crlib.metrics.validate import FloatArray

Table = NDArray[np.float64]
KEPT = 0.8
LEVEL = 0.95


@dataclass(frozen=True)
class Score:
    """A score of one embedding.

    Attributes
    ----------
    estimate : ndarray of float64, shape (m,)
        For each task, from all of its labels.
    draws : ndarray of float64, shape (B, m)
        The estimate, as other samples of as many labels could have given it.
    n : int
        Labelled actions.
    """

    estimate: Table
    draws: Table
    n: int

    def mean(self) -> Interval:
        """Interval of the mean over tasks; the tasks are taken for given."""
        return interval(float(self.estimate.mean()), self.draws.mean(axis=1), self.n)

    def of_task(self, task: int) -> Interval:
        """Interval of one task."""
        return interval(float(self.estimate[task]), self.draws[:, task], self.n)


def interval(estimate: float, draws: Table, n: int) -> Interval:
    """Percentile interval of draws around an estimate."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(estimate, float(low), float(high), LEVEL, n)


def subsamples(
    values: Table, n_resamples: int, rng: np.random.Generator | Sequence[int] | int
) -> NDArray[np.bool_]:
    """Draw which of the labelled actions are kept.

    Parameters
    ----------
    values : ndarray of float64, shape (K, m)
        NaN where an action has no label.
    n_resamples : int
    rng : Generator, int or sequence of int

    Returns
    -------
    ndarray of bool, shape (n_resamples, K)
        A draw in which some task is constant is drawn again.
    """
    generator = np.random.default_rng(rng)
    labelled = np.flatnonzero(~np.isnan(values).all(axis=1))
    size = int(np.ceil(KEPT * labelled.size))
    kept = np.zeros((n_resamples, len(values)), dtype=bool)
    for row in kept:
        varies = False
        while not varies:
            row[:] = False
            row[generator.choice(labelled, size, replace=False)] = True
            varies = bool((np.nanmax(values[row], axis=0) > np.nanmin(values[row], axis=0)).all())
    return kept


def r2_score(X: FloatArray, values: Table, kept: NDArray[np.bool_]) -> Iterator[Table]:
    """Yield leave-one-out R^2 of each task, shape (m,), on all labels and on each subsample.

    An iterator, because this is what takes time.

    Parameters
    ----------
    X : ndarray, shape (K, d)
    values : ndarray of float64, shape (K, m)
    kept : ndarray of bool, shape (B, K)
    """
    there = ~np.isnan(values)
    labelled = np.flatnonzero(there.any(axis=1))
    rows_of = X
    if X.shape[1] > labelled.size:
        # n rows span n dimensions at most: coordinates with the same inner products, for less work.
        short = np.asarray(np.linalg.qr(X[labelled].T.astype(np.float64), mode="r")).T
        rows_of = np.zeros((len(X), short.shape[1]))
        rows_of[labelled] = short
    patterns, of_task = np.unique(there, axis=1, return_inverse=True)
    groups = [np.flatnonzero(of_task.ravel() == number) for number in range(patterns.shape[1])]
    for row in (np.ones(len(values), dtype=bool), *kept):
        found = np.empty(values.shape[1])
        for tasks in groups:  # tasks that label the same actions share a decomposition
            rows = np.flatnonzero(there[:, tasks[0]] & row)
            found[tasks] = loo_r2(rows_of[rows], values[np.ix_(rows, tasks)])
        yield found


def regret_score(X: FloatArray, values: Table, kept: NDArray[np.bool_], horizon: int) -> Score:
    """Predicted regret over `horizon` rounds, as a share of what choosing at random loses.

    Parameters
    ----------
    X : ndarray, shape (K, d)
    values : ndarray of float64, shape (K, m)
    kept : ndarray of bool, shape (B, K)
    horizon : int

    Returns
    -------
    Score
        0: as an oracle; 1: as at random.
    """
    basis, there = eigenbasis(X), ~np.isnan(values)
    cells = []
    for row in (np.ones(len(values), dtype=bool), *kept):
        for task, column in enumerate(values.T):
            rows = np.flatnonzero(there[:, task] & row)
            labels = Labels(rows, column[rows, None], 0.0)
            cells.append(energy_shares(basis, labels, unbiased_total=True)[0])
    lost = cumulative_shortfall(basis, np.hstack(cells), np.array([horizon]))[0] / horizon
    found = lost.reshape(len(kept) + 1, -1)
    return spread_out(found[0], found[1:], values)


def coverage_score(X: FloatArray, values: Table, kept: NDArray[np.bool_]) -> Score:
    """Reward coverage: the gap of rewards to the nearest other labelled action, over a random gap.

    The neighbours are those among all labels, in the subsamples too.

    Parameters
    ----------
    X : ndarray, shape (K, d)
    values : ndarray of float64, shape (K, m)
    kept : ndarray of bool, shape (B, K)

    Returns
    -------
    Score
        0: the nearest tells all; 1: it tells as little as any other.
    """
    found = np.empty((len(kept) + 1, values.shape[1]))
    for task, column in enumerate(values.T):
        rows = np.flatnonzero(~np.isnan(column))
        gaps = reward_coverage_profile(X[rows], column[rows], rows.size - 1, leave_out=True)
        chosen = np.vstack([np.ones(rows.size), kept[:, rows]])
        found[:, task] = chosen @ gaps[0, :, 0] / chosen.sum(axis=1)
    return spread_out(found[0], found[1:], values)


def spread_out(estimate: Table, draws: Table, values: Table) -> Score:
    """Turn scores on subsamples into what other samples of all n labels could have given.

    The spread is scaled around the subsamples' own mean: fewer labels give a lower score, which
    is no matter of chance.
    """
    n = int((~np.isnan(values)).any(axis=1).sum())
    size = int(np.ceil(KEPT * n))
    scale = np.sqrt(size / (n - size))
    return Score(estimate, estimate + scale * (draws - draws.mean(axis=0)), n)
