"""Roll-outs until a learner is good enough, where some never are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from crlib.metrics.validate import as_float, as_matrix


@dataclass(frozen=True)
class RolloutsToThreshold:
    """Roll-outs that runs took, some of them censored.

    Attributes
    ----------
    rollouts : ndarray of float64, shape (n,)
        Until the threshold was met, or all that were played.
    censored : ndarray of bool, shape (n,)
        Whether the threshold was not met in them.
    """

    rollouts: NDArray[np.float64]
    censored: NDArray[np.bool_]

    @property
    def median(self) -> float:
        """Median by Kaplan and Meier (1958); infinite where fewer than half of the runs met it."""
        sample = stats.CensoredData.right_censored(self.rollouts, self.censored)
        survival = stats.ecdf(sample).sf
        reached = survival.quantiles[survival.probabilities <= 0.5]
        return float(reached[0]) if reached.size else float("inf")


def rollouts_to_threshold(
    curves: ArrayLike, *, threshold: float, batch: int, window: int = 10
) -> RolloutsToThreshold:
    """Return how many roll-outs each run took until its success met a threshold.

    Parameters
    ----------
    curves : array_like, shape (n, updates)
        Success of each update's roll-outs.
    threshold : float
        Of the mean over the last `window` updates, 0 to 1.
    batch : int
        Roll-outs of an update.
    window : int
        Updates, at most those played.

    Returns
    -------
    RolloutsToThreshold

    Raises
    ------
    ValueError
        If the threshold is not in (0, 1], or a run is shorter than the window.
    """
    values = as_matrix(curves, "curves", min_rows=1)
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold = {threshold}: expected a share above 0, at most 1")
    if not 1 <= window <= values.shape[1]:
        raise ValueError(f"window = {window}: expected 1 to {values.shape[1]} updates")
    means = np.lib.stride_tricks.sliding_window_view(values, window, axis=1).mean(axis=2)
    met = means >= threshold - 1e-12
    censored = ~met.any(axis=1)
    updates = np.where(censored, values.shape[1], met.argmax(axis=1) + window)
    return RolloutsToThreshold(updates * float(batch), censored)


def area(curves: ArrayLike) -> NDArray[np.float64]:
    """Return the area of learning curves over the share of roll-outs, the mean of each row."""
    return np.asarray(as_float(curves, "curves").mean(axis=-1), np.float64)
