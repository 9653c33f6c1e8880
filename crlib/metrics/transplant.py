"""Geometry or information: give the content of one embedding the spectrum of another.

The scores z_i of an embedding say which actions it can tell apart along which axes (information),
its eigenvalues how loud each axis is (geometry). The four combinations of two embeddings split
their difference in log-regret into an effect of either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.eigenbasis import Eigenbasis, eigenbasis
from crlib.metrics.statistics import Interval, paired_bootstrap
from crlib.metrics.validate import as_float


def spectrum_transplant(X: ArrayLike | Eigenbasis, spectrum: ArrayLike) -> NDArray[np.float64]:
    """Return the information of `X` with the given eigenvalues.

    The i-th score of `X` takes the i-th largest eigenvalue. Eigenvalues beyond the rank of `X` are
    dropped; axes of `X` beyond the length of the spectrum are lost, and with them information, so
    compare embeddings of one rank (PCA to one dimension beforehand).

    Parameters
    ----------
    X : array_like, shape (K, d), or Eigenbasis
    spectrum : array_like, shape (d',)
        Eigenvalues of another embedding, in any order and scale; :func:`crlib.metrics.spectrum`.

    Returns
    -------
    ndarray of float64, shape (K, d)
        Centred, of trace 1, in principal axes (zero columns beyond the rank). The own spectrum
        gives `X` back, centred, scaled and rotated: distances keep their proportions.

    Raises
    ------
    ValueError
        If an input is unfit, or the spectrum is negative or all zero.
    """
    values = as_float(spectrum, "spectrum").astype(np.float64)
    if values.ndim != 1 or values.min() < 0 or values.max() <= 0:
        raise ValueError(
            f"spectrum has shape {values.shape} and minimum {values.min():g}: pass a list of "
            "eigenvalues of at least 0, not all 0"
        )
    basis = eigenbasis(X)
    size = min(basis.rank, values.size)
    kept = np.sort(values)[::-1][:size]
    moved = np.zeros((basis.scores.shape[0], basis.eigenvalues.size))
    moved[:, :size] = basis.scores[:, :size] * np.sqrt(kept / kept.sum())
    return moved


@dataclass(frozen=True)
class TransplantEffects:
    """Effects of geometry and of information on log-regret, with paired intervals.

    Attributes
    ----------
    geometry : Interval
        The second geometry minus the first, averaged over the two informations.
    information : Interval
        The second information minus the first, averaged over the two geometries. The two effects
        add up to the difference of the embeddings as they are.
    interaction : Interval
        The effect of geometry with the second information minus that with the first.
    """

    geometry: Interval
    information: Interval
    interaction: Interval


def transplant_effects(
    log_regret: ArrayLike,
    *,
    rng: np.random.Generator | int,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> TransplantEffects:
    """Return the effects of a 2 x 2 spectrum transplant with bootstrap intervals over units.

    Parameters
    ----------
    log_regret : array_like, shape (2, 2, n)
        ``[information, geometry, unit]``; a unit is a reward function, user or query that all
        four cells have in common.
    rng : Generator or int
        Source of randomness, or its seed.
    n_resamples : int
    level : float

    Returns
    -------
    TransplantEffects
        Of means over units, as differences of natural logarithms.

    Raises
    ------
    ValueError
        If the shape is another, fewer than two units are given, or a value is not finite.
    """
    cells = as_float(log_regret, "log_regret").astype(np.float64)
    if cells.ndim != 3 or cells.shape[:2] != (2, 2):
        raise ValueError(
            f"log_regret has shape {cells.shape}: pass (2, 2, n) for information, geometry, unit"
        )
    generator = np.random.default_rng(rng)

    def interval(after: NDArray[np.float64], before: NDArray[np.float64]) -> Interval:
        return paired_bootstrap(after, before, rng=generator, n_resamples=n_resamples, level=level)

    return TransplantEffects(
        geometry=interval(cells[:, 1].mean(axis=0), cells[:, 0].mean(axis=0)),
        information=interval(cells[1].mean(axis=0), cells[0].mean(axis=0)),
        interaction=interval(cells[1, 1] - cells[1, 0], cells[0, 1] - cells[0, 0]),
    )
