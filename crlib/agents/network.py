"""The two-layer network of the neural bandits, its gradients in closed form, and its training.

f(x) = sqrt(m) v . relu(W x), of width m, as in Zhang et al. 2021 (arXiv 2010.00827). The paper
doubles the input and starts with block-diagonal weights, so that f = 0 at the start. Here the
second half of the hidden units repeats the first with opposite output weights: the same function
and the same tangent kernel at the start, with half as many weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass
class Network:
    """S networks of one shape, one a replication.

    Attributes
    ----------
    W : ndarray, shape (S, m, d)
        Weights of the hidden units.
    v : ndarray, shape (S, m)
        Weights of the output.
    """

    W: Array
    v: Array

    @property
    def width(self) -> int:
        """Number of hidden units, m."""
        return int(self.v.shape[1])

    def copy(self) -> Network:
        """Return a network of the same weights."""
        return Network(self.W.copy(), self.v.copy())

    def hidden(self, X: Array) -> Array:
        """Return relu(W x) of inputs X, shape (S, n, d); the result has shape (S, n, m)."""
        return np.maximum(products(X, self.W), 0)

    def output(self, hidden: Array) -> Array:
        """Return f of inputs whose hidden values are given; shape (S, n)."""
        return math.sqrt(self.width) * np.matmul(hidden, self.v[:, :, None])[:, :, 0]

    def __call__(self, X: Array) -> Array:
        """Return f of inputs X, shape (S, n, d); the result has shape (S, n)."""
        return self.output(self.hidden(X))

    def gradients(self, X: Array) -> Array:
        """Return the gradient of f(x) by all p = m (d + 1) weights, first W then v.

        Parameters
        ----------
        X : ndarray, shape (S, n, d)

        Returns
        -------
        ndarray, shape (S, n, p)
        """
        hidden = self.hidden(X)
        by_W = ((hidden > 0) * self.v[:, None])[:, :, :, None] * X[:, :, None, :]
        flat = np.concatenate([by_W.reshape(*X.shape[:2], -1), hidden], axis=2)
        return math.sqrt(self.width) * flat


def products(X: Array, W: Array) -> Array:
    """Return X W' of each replication, (S, n, d) with (S, m, d); the result is (S, n, m).

    Inputs that all replications share, a broadcast of stride 0, take one matrix product.
    """
    if X.strides[0] or len(X) == 1:
        return np.asarray(np.matmul(X, W.transpose(0, 2, 1)))
    S, m, d = W.shape
    shared: Array = X[0] @ W.reshape(S * m, d).T
    return shared.reshape(-1, S, m).transpose(1, 0, 2)


def new_network(S: int, m: int, d: int, rng: np.random.Generator) -> Network:
    """Return S networks that are zero everywhere.

    Half of W is drawn from N(0, 2/m), half of v from N(0, 2/m); the other halves are W again and
    -v, which makes |gradient|^2 about 2 m |x|^2 whatever the width.

    Parameters
    ----------
    S, m, d : int
        Replications, width (even), inputs.
    rng : numpy.random.Generator

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If the width is not an even number of at least 2.
    """
    if m < 2 or m % 2:
        raise ValueError(f"width = {m} must be an even number of at least 2")
    W = rng.normal(0.0, np.sqrt(2 / m), (S, m // 2, d))
    v = rng.normal(0.0, np.sqrt(2 / m), (S, m // 2))
    return Network(np.concatenate([W, W], axis=1), np.concatenate([v, -v], axis=1))


def loss_and_gradient(
    network: Network, start: Network, X: Array, rewards: Array, decay: float
) -> tuple[Array, Network]:
    """Return sum (f(x) - r)^2 / 2 + decay |weights - start|^2 / 2 and its gradient.

    Parameters
    ----------
    network, start : Network
    X : ndarray, shape (S, n, d)
    rewards : ndarray, shape (S, n)
    decay : float
        m lambda in the paper.

    Returns
    -------
    loss : ndarray, shape (S,)
    gradient : Network
        In the shape of the weights.
    """
    hidden = network.hidden(X)
    error = network.output(hidden) - rewards
    far_W, far_v = network.W - start.W, network.v - start.v
    loss = np.sum(error**2, 1) + decay * (np.sum(far_W**2, (1, 2)) + np.sum(far_v**2, 1))
    root = math.sqrt(network.width)
    by_v = root * np.matmul(error[:, None], hidden)[:, 0] + decay * far_v
    flow = error[:, :, None] * (hidden > 0)
    by_W = np.matmul(flow.transpose(0, 2, 1), X)
    by_W *= root * network.v[:, :, None]
    return loss / 2, Network(by_W + decay * far_W, by_v)


def train(
    network: Network, start: Network, X: Array, rewards: Array, *, decay: float, steps: int
) -> Network:
    """Return the network after gradient descent on the regularised squared error.

    Every replication has a step of its own. It begins at 1 / (decay + sum |gradient|^2), with the
    gradients' expected lengths at the start; it grows by a fifth after each step that lowers the
    loss, and halves instead of a step that would raise it.

    Parameters
    ----------
    network : Network
        Where the descent begins.
    start : Network
        What the penalty pulls towards.
    X : ndarray, shape (S, n, d)
    rewards : ndarray, shape (S, n)
    decay : float
    steps : int

    Returns
    -------
    Network
        Its loss is at most that of `network`.
    """
    here, (loss, slope) = network, loss_and_gradient(network, start, X, rewards, decay)
    # In the weights' own precision: a float64 step would make all that follows float64.
    step = (1 / (decay + 2 * network.width * np.sum(X**2, axis=(1, 2)))).astype(network.W.dtype)
    for _ in range(steps):
        there = Network(
            here.W - step[:, None, None] * slope.W,
            here.v - step[:, None] * slope.v,
        )
        new_loss, new_slope = loss_and_gradient(there, start, X, rewards, decay)
        # An overshoot can overflow to NaN, which is no fall either.
        fell = new_loss <= loss
        step *= np.where(fell, 1.2, 0.5)
        loss = np.where(fell, new_loss, loss)
        here, slope = _choose(fell, there, here), _choose(fell, new_slope, slope)
    return here


def _choose(which: NDArray[np.bool_], yes: Network, no: Network) -> Network:
    return Network(
        np.where(which[:, None, None], yes.W, no.W), np.where(which[:, None], yes.v, no.v)
    )
