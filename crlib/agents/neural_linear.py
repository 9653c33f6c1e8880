"""Neural-linear Thompson sampling: trained features, a Bayesian linear head, a sublinear argmax.

The score of an action is <theta, g(context) * b(action)>: one joint draw of theta a round makes a
query g(context) * theta, and the action is the one of largest inner product with it. Features that
change make both the posterior and the index meaningless: the three carry one version number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.index import Index, Name, build
from crlib.agents.maximum import as_rows, best_of
from crlib.agents.posterior import Posterior
from crlib.agents.rounds import Actions, as_context, as_outcome, as_slate, doubles
from crlib.agents.towers import Towers, Training
from crlib.metrics.validate import check_positive

Array = NDArray[np.float64]


class StaleError(RuntimeError):
    """Raised when posterior and index belong to features of another version."""


@dataclass(frozen=True)
class Readout:
    """What is computed from one version of the features, and replaced as a whole.

    Attributes
    ----------
    version : int
        Of the features.
    posterior : Posterior
    indexes : tuple of Index
        One for all replications if the action rows are fixed, else one each.
    """

    version: int
    posterior: Posterior
    indexes: tuple[Index, ...]


class NeuralLinearTS:
    """Thompson sampling on the last layer of two towers that are retrained at doubling rounds.

    After Riquelme et al. 2018 (arXiv 1802.09127), with an action tower and a joint head.

    Parameters
    ----------
    rows : array_like, shape (K, d)
        Unit rows of the actions.
    n_replications : int
        S, independent copies, each with towers of its own.
    features : int, optional
        Train a linear map of the action rows to so many dimensions; the rows stay as they are
        by default, and one index serves all replications.
    hidden : int
        Hidden units of the context tower.
    first : int or None
        Round of the first training; then at 2, 4, 8... times as many. None never trains, which is
        linear Thompson sampling.
    tau2, sigma2 : float
        Variances of the prior and of the noise, above 0.
    decay : float
        Weight of |weights - start|^2 against the sum of squared errors, at least 0.
    steps, rate, batch : int, float, int
        Of Adam: steps a training, learning rate, rounds a step.
    index : {"auto", "exact", "scan", "ivf"}
    index_options : dict, optional
        As for :func:`crlib.agents.index.build`.
    seed : int

    Raises
    ------
    ValueError
        If an input is unfit.
    """

    def __init__(
        self,
        rows: ArrayLike,
        n_replications: int = 1,
        *,
        features: int | None = None,
        hidden: int = 64,
        first: int | None = 64,
        tau2: float = 1.0,
        sigma2: float = 1.0,
        decay: float = 1.0,
        steps: int = 200,
        rate: float = 0.01,
        batch: int = 1024,
        index: Name = "auto",
        index_options: dict[str, Any] | None = None,
        seed: int = 0,
    ):
        self.rows = as_rows(rows)
        counts = {"n_replications": n_replications, "steps": steps, "batch": batch}
        if first is not None:
            counts["first"] = first
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} = {count} must be at least 1")
        for name, value in (("tau2", tau2), ("sigma2", sigma2), ("rate", rate)):
            check_positive(value, name)
        if not (np.isfinite(decay) and decay >= 0):
            raise ValueError(f"decay = {decay} must be a finite number of at least 0")
        self.S, self.K, self.d = n_replications, *self.rows.shape
        self.tau2, self.sigma2, self._first = tau2, sigma2, first
        self._training = Training(sigma2 / tau2, decay, steps, rate, batch)
        self._index_name, self._index_options = index, index_options or {}
        self.rng = np.random.default_rng(seed)
        self.towers = Towers(self.S, self.d, hidden=hidden, features=features, rng=self.rng)
        self._contexts: list[Array] = []
        self._actions: list[Actions] = []
        self._rewards: list[Array] = []
        self._readout = Readout(0, self._prior(), self._build_indexes())

    @property
    def posterior(self) -> Posterior:
        """Posterior of the head on the present features.

        Raises
        ------
        StaleError
            If the towers were trained since it was computed.
        """
        return self._current().posterior

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Indexes of the present action features: one for all replications, or one each.

        Raises
        ------
        StaleError
            If the towers were trained since they were built.
        """
        return self._current().indexes

    def query(self, context: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return g(context) * theta for one draw of theta a replication, shape (S, features)."""
        z = self.towers.contexts(self._seen(context)[:, None])[:, 0]
        return (z * self.posterior.sample(self.rng)).astype(np.float32)

    def select(self, context: ArrayLike | None = None, slate: ArrayLike | None = None) -> Actions:
        """Return one action a replication.

        Parameters
        ----------
        context : array_like, shape (S, d), or None
            Without one the towers see ones, so that features start as the rows alone.
        slate : array_like of int, shape (S, m), or None
            The actions to choose from; all K without one.

        Returns
        -------
        ndarray of int64, shape (S,)

        Raises
        ------
        ValueError
            If context or slate are unfit.
        StaleError
            If the towers were trained without :meth:`rebuild`.
        """
        offered = as_slate(slate, self.S, self.K)
        q, indexes = self.query(context), self.indexes
        parts = [slice(None)] if len(indexes) == 1 else [slice(s, s + 1) for s in range(self.S)]
        found = [
            index.search(q[part])[0]
            if offered is None
            else best_of(index.rows, q[part], offered[part])[0]
            for index, part in zip(indexes, parts, strict=True)
        ]
        return np.concatenate(found)

    def update(self, context: ArrayLike | None, action: ArrayLike, reward: ArrayLike) -> None:
        """Learn from the rewards, shape (S,), of the actions played, shape (S,).

        At a scheduled round the towers are trained first, and all that rests on them is rebuilt.

        Raises
        ------
        ValueError
            If an input is unfit; nothing is learnt then.
        StaleError
            If the towers were trained without :meth:`rebuild`.
        """
        actions, rewards = as_outcome(action, reward, self.S, self.K)
        seen = self._seen(context)
        readout = self._current()
        self._contexts.append(seen)
        self._actions.append(actions)
        self._rewards.append(rewards)
        if self._first is not None and doubles(len(self._rewards), self._first):
            self.train()
            self.rebuild()
        else:
            phi = self._phi(seen[:, None], actions[:, None], readout.indexes)
            readout.posterior.update(phi[:, 0], rewards)

    def train(self) -> None:
        """Train the towers on the whole history; posterior and index are stale until `rebuild`."""
        contexts, actions, rewards = self._history()
        head = self.posterior.mean.astype(np.float64)
        self.towers.train(self.rows, contexts, actions, rewards, head, self._training, self.rng)

    def rebuild(self) -> None:
        """Compute index and posterior anew from the present features and the whole history."""
        indexes, posterior = self._build_indexes(), self._prior()
        if self._rewards:
            contexts, actions, rewards = self._history()
            phi = self._phi(contexts, actions, indexes)
            for t in range(rewards.shape[1]):
                posterior.update(phi[:, t], rewards[:, t])
        self._readout = Readout(self.towers.version, posterior, indexes)

    def _current(self) -> Readout:
        if self._readout.version != self.towers.version:
            raise StaleError(
                f"posterior and index are of version {self._readout.version}, the features of "
                f"version {self.towers.version}: call rebuild() after train()"
            )
        return self._readout

    def _prior(self) -> Posterior:
        return Posterior(self.S, self.towers.features, tau2=self.tau2, sigma2=self.sigma2)

    def _build_indexes(self) -> tuple[Index, ...]:
        if not self.towers.maps_actions and self.towers.version > 0:
            return self._readout.indexes  # fixed rows: the same index in every version
        return tuple(
            build(self.towers.actions(self.rows, s), self._index_name, **self._index_options)
            for s in range(self.S if self.towers.maps_actions else 1)
        )

    def _seen(self, context: ArrayLike | None) -> Array:
        array = as_context(context, self.S, self.d)
        return np.ones((self.S, self.d)) if array is None else array

    def _history(self) -> tuple[Array, Actions, Array]:
        if not self._rewards:
            raise RuntimeError("nothing was played yet: call update() before train()")
        return (
            np.stack(self._contexts, axis=1),
            np.stack(self._actions, axis=1),
            np.stack(self._rewards, axis=1),
        )

    def _phi(self, contexts: Array, actions: Actions, indexes: tuple[Index, ...]) -> Array:
        """Return g(context) * b(action) of shape (S, T, features)."""
        if len(indexes) == 1:
            played = indexes[0].rows[actions]
        else:
            played = np.stack([i.rows[a] for i, a in zip(indexes, actions, strict=True)])
        return self.towers.contexts(contexts) * played
