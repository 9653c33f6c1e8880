"""Neural bandits that score each action by a network: Neural Thompson Sampling and plain greedy.

The references for few actions, some thousands at most: every round passes all candidates through
the network. For more there is :mod:`crlib.agents.neural_linear`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from crlib.agents.arms import Actions, arm_features, as_context, as_outcome, as_slate
from crlib.agents.maximum import as_rows
from crlib.agents.network import Array, Network, new_network, train
from crlib.metrics.validate import check_positive

# Bytes of explicit gradients at a time, for the full design matrix.
GRADIENT_BYTES = 64 << 20


class DiagonalDesign:
    """The diagonal of U = lambda I + sum g g' / m; no gradient is ever written out."""

    def __init__(self, network: Network, ridge: float):
        self.W = np.full(network.W.shape, ridge)
        self.v = np.full(network.v.shape, ridge)

    def variance(self, network: Network, X: Array) -> Array:
        """Return g(x)' U^-1 g(x) / m of inputs X, shape (S, n, d); the result is (S, n)."""
        hidden = network.hidden(X)
        per_unit = np.matmul(X**2, (1 / self.W).transpose(0, 2, 1))
        per_unit *= (hidden > 0) * network.v[:, None] ** 2
        return np.asarray(np.sum(per_unit + hidden**2 / self.v[:, None], axis=2))

    def add(self, network: Network, x: Array) -> None:
        """Add g g' / m of one input a replication, shape (S, d)."""
        hidden = network.hidden(x[:, None])[:, 0]
        self.W += ((hidden > 0) * network.v**2)[:, :, None] * x[:, None] ** 2
        self.v += hidden**2


class FullDesign:
    """The inverse of U = lambda I + sum g g' / m, updated by Sherman and Morrison's formula."""

    def __init__(self, network: Network, ridge: float):
        S, m, d = network.W.shape
        self.inverse = np.repeat(np.eye(m * (d + 1))[None] / ridge, S, axis=0)

    def variance(self, network: Network, X: Array) -> Array:
        """Return g(x)' U^-1 g(x) / m of inputs X, shape (S, n, d); the result is (S, n)."""
        S, n, _ = X.shape
        height = max(1, GRADIENT_BYTES // (8 * S * self.inverse.shape[1]))
        values = np.empty((S, n))
        for start in range(0, n, height):
            g = network.gradients(X[:, start : start + height])
            values[:, start : start + height] = np.sum(np.matmul(g, self.inverse) * g, axis=2)
        # U^-1 is positive definite: below zero is rounding.
        return np.maximum(values, 0.0) / network.width

    def add(self, network: Network, x: Array) -> None:
        """Add g g' / m of one input a replication, shape (S, d)."""
        g = network.gradients(x[:, None])[:, 0] / np.sqrt(network.width)
        u = np.matmul(self.inverse, g[:, :, None])[:, :, 0]
        gain = u / (1 + np.sum(g * u, axis=1))[:, None]
        self.inverse -= gain[:, :, None] * u[:, None, :]


class NeuralGreedy:
    """Plays the action that its network scores highest, or with probability epsilon any.

    Parameters
    ----------
    rows : array_like, shape (K, d)
        Unit rows of the actions. The network sees context * row, or the row without a context.
    n_replications : int
        S, independent copies.
    width : int
        Hidden units, m; even.
    ridge : float
        lambda > 0 of the penalty m lambda |weights - start|^2 / 2.
    retrain : int
        Rounds between trainings, each on the whole history.
    steps : int
        Steps of gradient descent a training.
    epsilon : float
        In [0, 1].
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
        width: int = 32,
        ridge: float = 1.0,
        retrain: int = 10,
        steps: int = 50,
        epsilon: float = 0.0,
        seed: int = 0,
    ):
        self.rows = as_rows(rows)
        for name, value in (
            ("n_replications", n_replications),
            ("retrain", retrain),
            ("steps", steps),
        ):
            if value < 1:
                raise ValueError(f"{name} = {value} must be at least 1")
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon = {epsilon} must lie in [0, 1]")
        check_positive(ridge, "ridge")
        self.S, self.K, self.d = n_replications, *self.rows.shape
        self.ridge, self.retrain, self.steps, self.epsilon = ridge, retrain, steps, epsilon
        self.rng = np.random.default_rng(seed)
        self.network = new_network(self.S, width, self.d, self.rng)
        self._start = self.network.copy()
        self._inputs: list[Array] = []
        self._rewards: list[Array] = []

    def scores(self, X: Array) -> Array:
        """Return what the choice maximises, of inputs X, shape (S, n, d)."""
        return self.network(X)

    def select(self, context: ArrayLike | None = None, slate: ArrayLike | None = None) -> Actions:
        """Return one action a replication.

        Parameters
        ----------
        context : array_like, shape (S, d), or None
        slate : array_like of int, shape (S, m), or None
            The actions to choose from; all K without one.

        Returns
        -------
        ndarray of int64, shape (S,)
        """
        offered = as_slate(slate, self.S, self.K)
        X = arm_features(self.rows, self.S, as_context(context, self.S, self.d), offered)
        best = self.scores(X).argmax(axis=1)
        if self.epsilon > 0:
            anything = self.rng.integers(X.shape[1], size=self.S)
            best = np.where(self.rng.random(self.S) < self.epsilon, anything, best)
        return best if offered is None else offered[np.arange(self.S), best]

    def update(self, context: ArrayLike | None, action: ArrayLike, reward: ArrayLike) -> None:
        """Learn from the rewards, shape (S,), of the actions played, shape (S,)."""
        actions, rewards = as_outcome(action, reward, self.S, self.K)
        seen = as_context(context, self.S, self.d)
        x = arm_features(self.rows, self.S, seen, actions[:, None])[:, 0]
        self._inputs.append(x)
        self._rewards.append(rewards)
        if len(self._rewards) % self.retrain == 0:
            self.network = train(
                self.network,
                self._start,
                np.stack(self._inputs, axis=1),
                np.stack(self._rewards, axis=1),
                decay=self.ridge * self.network.width,
                steps=self.steps,
            )
        self._learn_design(x)

    def _learn_design(self, x: Array) -> None:
        """Nothing to do: a greedy choice asks for no variance."""


class NeuralTS(NeuralGreedy):
    """Neural Thompson Sampling (Zhang et al. 2021, arXiv 2010.00827, algorithm 1).

    Each candidate's reward is drawn on its own from N(f(x), nu^2 lambda g(x)' U^-1 g(x) / m),
    g the gradient of f by all weights and U = lambda I + sum g g' / m over what was played.
    Two changes: training goes on from the last weights instead of the first ones, every `retrain`
    rounds instead of each, and U may be kept as its diagonal, as the authors do in experiments.

    Parameters
    ----------
    rows, n_replications, **options
        As for :class:`NeuralGreedy`.
    nu : float
        Scale of exploration, above 0.
    design : {"diagonal", "full"}
        How U is kept; "full" costs (m (d + 1))^2 numbers a replication.
    """

    def __init__(
        self,
        rows: ArrayLike,
        n_replications: int = 1,
        *,
        nu: float = 1.0,
        design: Literal["diagonal", "full"] = "diagonal",
        width: int = 32,
        ridge: float = 1.0,
        retrain: int = 10,
        steps: int = 50,
        seed: int = 0,
    ):
        super().__init__(
            rows,
            n_replications,
            width=width,
            ridge=ridge,
            retrain=retrain,
            steps=steps,
            seed=seed,
        )
        check_positive(nu, "nu")
        if design not in ("diagonal", "full"):
            raise ValueError(f"design {design!r} is unknown: pass 'diagonal' or 'full'")
        self.nu = nu
        kind = DiagonalDesign if design == "diagonal" else FullDesign
        self.design: DiagonalDesign | FullDesign = kind(self.network, ridge)

    def scores(self, X: Array) -> Array:
        """Return a draw of the reward of each input X, shape (S, n, d)."""
        deviation = self.nu * np.sqrt(self.ridge * self.design.variance(self.network, X))
        return self.rng.normal(self.network(X), deviation)

    def _learn_design(self, x: Array) -> None:
        self.design.add(self.network, x)
