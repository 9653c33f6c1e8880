"""Linear Thompson sampling over a massive action space.

One joint draw of the parameters a round, so that the choice is a maximum inner product over the
actions' rows. All replications are rows of one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.explore import EXPLORE, Noise
from crlib.agents.index import Index, Name, build, found_share
from crlib.agents.maximum import as_rows
from crlib.agents.posterior import Floats, Posterior

Actions = NDArray[np.int64]
# Empirical Bayes fits the prior at these numbers of rounds and at each doubling after them.
FIRST_REFIT = 16
# Of so many searches with an approximate index, one is compared with the exact argmax.
AUDIT_EVERY = 500


class LinearTS:
    """Thompson sampling with a Gaussian posterior of a linear reward.

    The mean reward of action a in context x is <theta, x * a> (elementwise), without contexts
    <theta, a>. Agrawal & Goyal (2013); Russo & Van Roy (2014, arXiv 1403.5341).

    Parameters
    ----------
    features : array_like, shape (K, d)
        One row an action; centred and scaled to trace 1 by `crlib.envs.spectra.scaled`, a prior
        variance of 1 means the same for every embedding.
    replications : int or sequence of int
        S, or the numbers of the replications to run. Each has a random stream of its own, so that
        it plays alone as it plays among others.
    tau2, sigma2 : float
        Variances of prior and noise.
    prior : {"fixed", "eb"}
        "eb": tau2 is fitted to the evidence after 16 rounds and at every doubling.
    fit_noise : bool
        With "eb", whether sigma2 is fitted too.
    explore : {"thompson", "greedy", "vmf"}
        A draw of the posterior; its mean; or a von Mises-Fisher draw around the mean's direction
        (Bendada et al., arXiv 2507.00518).
    kappa : float
        Concentration of "vmf".
    subset : int, optional
        Choose among so many random actions a round: the cost of k-subset exploration. Where a
        slate is given it has no part.
    index : {"auto", "exact", "scan", "ivf"} or Index
        Which search over all K actions: see `crlib.agents.index.build`.
    dtype : numpy dtype
        Of the posterior; float32 halves its time.
    seed : int

    Attributes
    ----------
    audits : list of float
        With an approximate index: the score it found as a share of the exact one, at the first
        search and at every 500th after it (`crlib.agents.index.found_share`).

    Raises
    ------
    ValueError
        For an unknown option or features that are no finite matrix.
    """

    def __init__(
        self,
        features: ArrayLike,
        replications: int | Sequence[int] = 1,
        *,
        tau2: float = 1.0,
        sigma2: float = 1.0,
        prior: Literal["fixed", "eb"] = "fixed",
        fit_noise: bool = False,
        explore: Literal["thompson", "greedy", "vmf"] = "thompson",
        kappa: float = 10.0,
        subset: int | None = None,
        index: Name | Index = "auto",
        dtype: type[np.floating] = np.float64,
        seed: int = 0,
    ) -> None:
        if prior not in ("fixed", "eb"):
            raise ValueError(f"prior = {prior!r}: expected 'fixed' or 'eb'")
        if explore not in EXPLORE:
            raise ValueError(f"explore = {explore!r}: expected one of {', '.join(EXPLORE)}")
        self.features = as_rows(features, "features")
        self.noise = Noise(replications, seed)
        self.posterior = Posterior(
            self.noise.size, self.features.shape[1], tau2=tau2, sigma2=sigma2, dtype=dtype
        )
        self.prior, self.fit_noise, self.subset = prior, fit_noise, subset
        self._explore, self._kappa = EXPLORE[explore], kappa
        self._index: Name | Index = index
        self._next_refit = FIRST_REFIT
        self.audits: list[float] = []
        self._searches = 0
        if subset is not None and not 1 <= subset <= len(self.features):
            raise ValueError(f"subset = {subset}: expected 1 to K = {len(self.features)}")

    @property
    def index(self) -> Index:
        """The search over all actions, built when it is first needed."""
        if isinstance(self._index, str):
            self._index = build(self.features, self._index)
        return self._index

    def select(
        self,
        context: Floats | None = None,
        slate: Actions | None = None,
        *,
        rounds: int | None = None,
    ) -> Actions:
        """Choose an action for each replication, each with its own draw.

        Parameters
        ----------
        context : ndarray, shape (S, d) or (S, B, d), optional
        slate : ndarray of int, shape (m,) or (B, m), optional
            Numbers of the actions on offer, the same for all replications; all K without it.
        rounds : int, optional
            B: choose for a block of rounds from one posterior.

        Returns
        -------
        ndarray of int64, shape (S,), or (S, B) for a block
        """
        block = rounds or 1
        theta = self._explore(self.posterior, self.noise, block, self._kappa)  # (S, B, d)
        if context is not None:
            theta = theta * np.reshape(context, theta.shape)
        queries = theta.astype(np.float32)
        if slate is None and self.subset is not None:
            slate = self.noise.subsets(len(self.features), self.subset, block)
        if slate is None:
            actions = self._search(queries.reshape(-1, queries.shape[-1]))
            actions = actions.reshape(queries.shape[:2])
        else:
            actions = best_on_slates(self.features, queries, np.reshape(slate, (block, -1)))
        return actions if rounds else actions[:, 0]

    def _search(self, queries: NDArray[np.float32]) -> Actions:
        actions, _ = self.index.search(queries)
        if self.index.name != "exact":
            if self._searches % AUDIT_EVERY == 0:
                self.audits.append(found_share(self.features, queries[0], int(actions[0])))
            self._searches += 1
        return actions

    def update(self, context: Floats | None, action: Actions, reward: Floats) -> None:
        """Take in what was observed.

        Parameters
        ----------
        context : as in `select`
        action : ndarray of int, shape (S,) or (S, B)
        reward : ndarray, the same shape
        """
        phi = self.features[action]
        if context is not None:
            phi = phi * np.reshape(context, phi.shape)
        self.posterior.update(phi, reward)
        if self.prior == "eb" and self.posterior.n >= self._next_refit:
            self.posterior.refit(fit_noise=self.fit_noise)
            while self._next_refit <= self.posterior.n:
                self._next_refit *= 2


def best_on_slates(features: NDArray[np.float32], queries: Floats, slates: Actions) -> Actions:
    """Return the action of highest score among each round's slate.

    Parameters
    ----------
    features : ndarray, shape (K, d)
    queries : ndarray, shape (S, B, d)
    slates : ndarray of int, shape (B, m)

    Returns
    -------
    ndarray of int64, shape (S, B)
    """
    offered = features[slates]  # (B, m, d)
    scores = np.matmul(queries.transpose(1, 0, 2), offered.transpose(0, 2, 1))  # (B, S, m)
    best = scores.argmax(axis=2)
    return np.take_along_axis(slates, best, axis=1).T.astype(np.int64)
