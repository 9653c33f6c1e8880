"""Neural bandits that score each action by a network: Neural Thompson Sampling and plain greedy.

The references for few actions, some thousands at most: every round passes all candidates through
the network. For more there is :mod:`crlib.agents.neural_linear`.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.agents.maximum import as_rows
from crlib.agents.network import Array, Network, new_network, products, train
from crlib.agents.rounds import Actions, arm_features, as_context, as_outcome, as_slate, doubles
from crlib.metrics.validate import check_positive

# Round of the first training when trainings come at doubling rounds.
FIRST_TRAINING = 16
# Bytes of explicit gradients at a time, for the full design matrix.
GRADIENT_BYTES = 64 << 20


class DiagonalDesign:
    """The diagonal of U = lambda I + sum g g' / m; no gradient is ever written out."""

    def __init__(self, network: Network, ridge: float):
        self.W = np.full_like(network.W, ridge)
        self.v = np.full_like(network.v, ridge)

    def variance(self, network: Network, X: Array, hidden: Array) -> Array:
        """Return g(x)' U^-1 g(x) / m of inputs X, shape (S, n, d); the result is (S, n)."""
        # Squares of a broadcast stay one: the product is then shared by all replications.
        squares = np.broadcast_to(X[0] ** 2, X.shape) if not X.strides[0] else X**2
        per_unit = products(squares, 1 / self.W)
        active = np.matmul(per_unit * (hidden > 0), network.v[:, :, None] ** 2)
        return np.asarray((active + np.matmul(hidden**2, 1 / self.v[:, :, None]))[:, :, 0])

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

    def variance(self, network: Network, X: Array, hidden: Array) -> Array:
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
        g = network.gradients(x[:, None])[:, 0] / math.sqrt(network.width)
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
    retrain : int or "doubling"
        Rounds between trainings, each on the whole history; "doubling" trains after 16, 32, 64...
        rounds, so that training costs no more than a few passes over all rounds.
    steps : int
        Steps of gradient descent a training.
    epsilon : float
        In [0, 1].
    dtype : numpy dtype
        Of the weights; float32 halves the time.
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
        retrain: int | Literal["doubling"] = 10,
        steps: int = 50,
        epsilon: float = 0.0,
        dtype: type[np.floating] = np.float64,
        seed: int = 0,
    ):
        self.rows = as_rows(rows)
        period = FIRST_TRAINING if retrain == "doubling" else retrain
        counts = {"n_replications": n_replications, "retrain": period, "steps": steps}
        for name, value in counts.items():
            if value < 1:
                raise ValueError(f"{name} = {value} must be at least 1")
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon = {epsilon} must lie in [0, 1]")
        check_positive(ridge, "ridge")
        self.S, self.K, self.d = n_replications, *self.rows.shape
        self.ridge, self.steps, self.epsilon = ridge, steps, epsilon
        self.period, self.doubling, self.dtype = period, retrain == "doubling", dtype
        self.rng = np.random.default_rng(seed)
        fresh = new_network(self.S, width, self.d, self.rng)
        self.network = Network(fresh.W.astype(dtype), fresh.v.astype(dtype))
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
        seen = as_context(context, self.S, self.d)
        X = self._inputs_of(seen, offered)
        best = self.scores(X).argmax(axis=1)
        if self.epsilon > 0:
            anything = self.rng.integers(X.shape[1], size=self.S)
            best = np.where(self.rng.random(self.S) < self.epsilon, anything, best)
        return best if offered is None else offered[np.arange(self.S), best]

    def update(self, context: ArrayLike | None, action: ArrayLike, reward: ArrayLike) -> None:
        """Learn from the rewards, shape (S,), of the actions played, shape (S,)."""
        actions, rewards = as_outcome(action, reward, self.S, self.K)
        seen = as_context(context, self.S, self.d)
        x = self._inputs_of(seen, actions[:, None])[:, 0]
        self._inputs.append(x)
        self._rewards.append(rewards.astype(self.dtype))
        if self._due(len(self._rewards)):
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

    def _inputs_of(self, context: NDArray[np.float64] | None, actions: Actions | None) -> Array:
        """Return what the network sees of candidates, shape (S, n, d); a broadcast if shared."""
        shared = actions is not None and self.S > 1 and not actions.strides[0]
        if shared and context is None:
            rows = self.rows[actions[0]].astype(self.dtype)  # type: ignore[index]
            return np.broadcast_to(rows, (self.S, *rows.shape))
        return arm_features(self.rows, self.S, context, actions).astype(self.dtype, copy=False)

    def _due(self, rounds: int) -> bool:
        return doubles(rounds, self.period) if self.doubling else rounds % self.period == 0


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
        retrain: int | Literal["doubling"] = 10,
        steps: int = 50,
        dtype: type[np.floating] = np.float64,
        seed: int = 0,
    ):
        super().__init__(
            rows,
            n_replications,
            width=width,
            ridge=ridge,
            retrain=retrain,
            steps=steps,
            dtype=dtype,
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
        hidden = self.network.hidden(X)
        variance = self.design.variance(self.network, X, hidden)
        deviation = self.nu * np.sqrt(self.ridge * variance)
        noise = self.rng.standard_normal(deviation.shape, dtype=deviation.dtype)
        return np.asarray(self.network.output(hidden) + deviation * noise)

    def _learn_design(self, x: Array) -> None:
        self.design.add(self.network, x)
