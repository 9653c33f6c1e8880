"""The Gaussian posterior of a linear reward, for many replications at once.

Covariances are kept as square roots, so that they stay positive however many rounds are played.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.floating]


class Posterior:
    """Posterior of theta in r = <theta, phi> + noise, one a replication.

    Prior N(0, tau2 I), noise N(0, sigma2). The square root of the covariance is updated by
    Potter's rule (Bierman, Factorization Methods for Discrete Sequential Estimation, 1977,
    section II.6); a block of observations by its block form (Andrews, AIAA Journal 6, 1968).

    Parameters
    ----------
    n_replications : int
        S.
    d : int
        Number of features.
    tau2, sigma2 : float
        Variances of prior and noise, above 0.
    dtype : numpy dtype
        Of the state. float32 takes half the time and, as the root's condition number is the
        square root of the covariance's, still follows ten thousand rounds (tests compare).

    Attributes
    ----------
    mean : ndarray, shape (S, d)
    root : ndarray, shape (S, d, d)
        The covariance is root @ root.T.
    tau2, sigma2 : ndarray, shape (S,)
    n : int
        Observations of each replication so far.

    Raises
    ------
    ValueError
        If a size or a variance is not positive.
    """

    def __init__(
        self,
        n_replications: int,
        d: int,
        *,
        tau2: float = 1.0,
        sigma2: float = 1.0,
        dtype: type[np.floating] = np.float64,
    ) -> None:
        for name, value in {"n_replications": n_replications, "d": d, "tau2": tau2,
                            "sigma2": sigma2}.items():  # fmt: skip
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value}: expected a number above 0")
        self.mean = np.zeros((n_replications, d), dtype)
        self.root = np.zeros((n_replications, d, d), dtype)
        self.root[:] = np.sqrt(tau2) * np.eye(d, dtype=dtype)
        self.tau2 = np.full(n_replications, float(tau2))
        self.sigma2 = np.full(n_replications, float(sigma2))
        self.n = 0
        self._sum_of_squares = np.zeros(n_replications)

    def update(self, phi: Floats, reward: Floats) -> None:
        """Take in one observation of each replication, or a block of B.

        Parameters
        ----------
        phi : ndarray, shape (S, d) or (S, B, d)
            Features of what was played.
        reward : ndarray, shape (S,) or (S, B)

        Raises
        ------
        ValueError
            If the shapes do not fit, or a value is not finite.
        FloatingPointError
            If the posterior has overflowed.
        """
        features = np.asarray(phi, self.mean.dtype)
        rewards = np.asarray(reward, self.mean.dtype)
        replications, d = self.mean.shape
        block = features.shape[1:-1] if features.ndim == 3 else ()
        if features.shape != (replications, *block, d) or rewards.shape != (replications, *block):
            raise ValueError(
                f"phi has shape {features.shape} and reward {rewards.shape}: expected "
                f"({replications}, {d}) and ({replications},), or a block ({replications}, B, {d}) "
                f"and ({replications}, B)"
            )
        if not (np.isfinite(rewards).all() and np.isfinite(features).all()):
            raise ValueError("phi or reward holds a value that is not finite")
        if block == (1,):
            features, rewards, block = features[:, 0], rewards[:, 0], ()
        # A product of matrices may compute beyond their edges, on whatever lies there, and drop
        # it; the processor's mark of an invalid number stays. What counts is looked at below.
        with np.errstate(invalid="ignore"):
            if block:
                self._update_block(features, rewards)
            else:
                self._update_one(features, rewards)
        if not np.isfinite(self.mean).all():
            raise FloatingPointError("the posterior's mean is no longer finite")
        self.n += block[0] if block else 1
        self._sum_of_squares += (rewards.reshape(replications, -1) ** 2).sum(axis=1)

    def _update_one(self, phi: Floats, reward: Floats) -> None:
        v = (phi[:, None, :] @ self.root)[:, 0]
        innovation = (np.einsum("sd,sd->s", v, v) + self.sigma2).astype(v.dtype)
        direction = (self.root @ v[:, :, None])[:, :, 0]
        error = reward - np.einsum("sd,sd->s", phi, self.mean)
        self.mean += direction * (error / innovation)[:, None]
        scale = (1 / (innovation + np.sqrt(self.sigma2 * innovation))).astype(v.dtype)
        # In place and without a (S, d, d) temporary: a third of numpy's time.
        torch.from_numpy(self.root).addcmul_(
            torch.from_numpy(direction * scale[:, None])[:, :, None],
            torch.from_numpy(v)[:, None, :],
            value=-1,
        )

    def _update_block(self, phi: Floats, reward: Floats) -> None:
        v = np.matmul(phi, self.root)  # (S, B, d)
        eye = np.eye(phi.shape[1])
        innovation = v @ v.transpose(0, 2, 1) + self.sigma2[:, None, None] * eye
        factor = np.linalg.cholesky(innovation)  # (S, B, B)
        direction = self.root @ v.transpose(0, 2, 1)  # (S, d, B)
        error = reward[:, :, None] - phi @ self.mean[:, :, None]
        gain = np.linalg.solve(innovation, error).astype(v.dtype)
        self.mean += (direction @ gain)[:, :, 0]
        # root - direction factor^-T (factor + sigma I)^-1 v, the small matrices first
        inner = np.linalg.inv(
            (factor + np.sqrt(self.sigma2)[:, None, None] * eye) @ factor.transpose(0, 2, 1)
        ).astype(v.dtype)
        inner = inner @ v
        torch.from_numpy(self.root).baddbmm_(
            torch.from_numpy(direction), torch.from_numpy(inner), alpha=-1
        )

    def sample(self, noise: Floats | np.random.Generator) -> Floats:
        """Turn standard normal draws into draws of theta.

        Parameters
        ----------
        noise : ndarray, shape (S, d) or (S, B, d), or Generator
            Independent N(0, 1); a generator makes one draw a replication.

        Returns
        -------
        ndarray of the same shape
        """
        drawn: Any = noise
        if isinstance(noise, np.random.Generator):
            drawn = noise.standard_normal(self.mean.shape)
        normal = np.asarray(drawn, self.root.dtype)
        if normal.ndim == 2:
            return self.mean + (self.root @ normal[:, :, None])[:, :, 0]
        return self.mean[:, None] + normal @ self.root.transpose(0, 2, 1)

    def eigen(self) -> tuple[Floats, Floats, Floats]:
        """Return the data's eigenvalues, eigenvectors and rotated sum of phi times reward.

        They follow from the covariance, whose eigenvectors are those of A = sum phi phi':
        s = 1 / (1/tau2 + a/sigma2).

        Returns
        -------
        a : ndarray, shape (S, d)
            Eigenvalues of A, at least 0.
        vectors : ndarray, shape (S, d, d)
            In columns.
        c : ndarray, shape (S, d)
            vectors.T @ sum phi r.
        """
        root = self.root.astype(np.float64)
        s, vectors = np.linalg.eigh(root @ root.transpose(0, 2, 1))
        s = np.maximum(s, np.finfo(s.dtype).tiny)
        a = np.maximum(self.sigma2[:, None] * (1 / s - 1 / self.tau2[:, None]), 0)
        rotated = (vectors.transpose(0, 2, 1) @ self.mean[:, :, None])[:, :, 0]
        return a, vectors, self.sigma2[:, None] * rotated / s

    def refit(self, *, fit_noise: bool = False) -> None:
        """Set tau2, and sigma2 if asked, to what the evidence prefers; keep the data.

        Empirical Bayes: see `evidence_maximum`. Does nothing before two observations.

        Parameters
        ----------
        fit_noise : bool
            Whether the variance of the noise is fitted as well.
        """
        if self.n < 2:
            return
        a, vectors, c = self.eigen()
        tau2, sigma2 = evidence_maximum(
            a, c, self._sum_of_squares, self.n, None if fit_noise else self.sigma2
        )
        self.tau2, self.sigma2 = tau2, sigma2
        s = 1 / (1 / tau2[:, None] + a / sigma2[:, None])
        # The symmetric root: any other depends on the eigenvectors' signs, which are arbitrary, and
        # the same draws would then be of another theta from one run to the next.
        self.root[:] = vectors * np.sqrt(s)[:, None, :] @ vectors.transpose(0, 2, 1)
        self.mean[:] = (vectors @ (s * c / sigma2[:, None])[:, :, None])[:, :, 0]


# Ratios tau2 / sigma2 among which the evidence chooses, a factor of 1.15 apart.
RATIOS = np.geomspace(1e-6, 1e6, 200)
# Noise is not fitted below this share of the rewards' mean square: noise-free data have no maximum.
LEAST_NOISE = 1e-6


def log_evidence(
    ratio: Floats, a: Floats, c: Floats, square: Floats, n: int, sigma2: Floats | None
) -> tuple[Floats, Floats]:
    """Return the log evidence of a prior and the noise that it goes with.

    log p(r) = -n/2 log(2 pi sigma2) - 1/2 sum log(1 + ratio a) - q / (2 sigma2), with
    q = r'r - sum ratio c^2 / (1 + ratio a); without `sigma2`, sigma2 = q / n, which maximises it
    (MacKay, Neural Computation 4, 1992; Tipping 2001).

    Parameters
    ----------
    ratio : ndarray, shape (m,) or (S, m)
        tau2 / sigma2.
    a, c : ndarray, shape (S, d)
        From `Posterior.eigen`.
    square : ndarray, shape (S,)
        Sum of squared rewards.
    n : int
    sigma2 : ndarray of shape (S,), or None

    Returns
    -------
    evidence, sigma2 : ndarray, shape (S, m)
    """
    grid = np.broadcast_to(np.atleast_2d(ratio), (a.shape[0], np.shape(ratio)[-1]))
    spread = 1 + grid[:, :, None] * a[:, None, :]
    q = square[:, None] - np.sum(grid[:, :, None] * c[:, None, :] ** 2 / spread, axis=2)
    if sigma2 is None:
        floor = LEAST_NOISE * np.maximum(square, 1e-300)[:, None] / n
        noise = np.maximum(q / n, floor)
    else:
        noise = np.broadcast_to(sigma2[:, None], q.shape)
    evidence = -n / 2 * np.log(2 * np.pi * noise) - np.log(spread).sum(axis=2) / 2 - q / noise / 2
    return evidence, noise


def evidence_maximum(
    a: Floats, c: Floats, square: Floats, n: int, sigma2: Floats | None
) -> tuple[Floats, Floats]:
    """Return tau2 and sigma2 of highest evidence: on a grid, then on one 100 times finer.

    Parameters
    ----------
    a, c, square, n, sigma2
        See `log_evidence`.

    Returns
    -------
    tau2, sigma2 : ndarray, shape (S,)
    """
    rows = np.arange(a.shape[0])
    # Blocks bound the (S, m, d) temporaries to some ten MiB.
    grid = np.broadcast_to(RATIOS, (a.shape[0], RATIOS.size))
    for _ in range(2):
        parts = [
            log_evidence(part, a, c, square, n, sigma2) for part in np.array_split(grid, 10, axis=1)
        ]
        evidence = np.concatenate([part[0] for part in parts], axis=1)
        noise = np.concatenate([part[1] for part in parts], axis=1)
        best = evidence.argmax(axis=1)
        centre = np.log(grid[rows, best])
        step = np.log(RATIOS[1] / RATIOS[0])
        finer = np.exp(centre[:, None] + np.linspace(-step, step, 200))
        chosen = grid[rows, best], noise[rows, best]
        grid = finer
    ratio, found = chosen
    return ratio * found, found.copy()
