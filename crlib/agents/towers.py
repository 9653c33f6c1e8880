"""The two towers of the neural-linear agent: what a context and an action become before the head.

Context tower: g(c) = P c + V relu(W c + b). Action tower: the rows as they are (P = I), or a
trained linear map of them, scaled to length one. V = 0 at the start: towers with fixed rows begin
as the identity, so that an agent begins as linear Thompson sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crlib.agents.maximum import Rows
from crlib.agents.rounds import Actions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """How towers are trained.

    Attributes
    ----------
    ridge : float
        Weight of |head|^2 against the sum of squared errors.
    decay : float
        Weight of |weights - start|^2 against the sum of squared errors.
    steps : int
    rate : float
        Adam's learning rate; it falls linearly to zero.
    batch : int
        Rounds a step, the same ones for all replications.
    """

    ridge: float
    decay: float
    steps: int
    rate: float
    batch: int


class Towers:
    """S pairs of towers of one shape, one pair a replication.

    Attributes
    ----------
    version : int
        Number of trainings so far. Whatever was computed from the features of another version is
        stale.
    features : int
        Width of both towers' outputs.
    maps_actions : bool
        Whether the action tower is trained.
    """

    def __init__(
        self,
        S: int,
        d: int,
        *,
        hidden: int,
        features: int | None,
        rng: np.random.Generator,
    ):
        if hidden < 1:
            raise ValueError(f"hidden = {hidden} must be at least 1")
        if features is not None and not 1 <= features <= d:
            raise ValueError(f"features = {features} must lie in [1, {d}], the rows' dimensions")
        self.version = 0
        self.maps_actions = features is not None
        self.features = d if features is None else features
        self._weights = {
            "W": torch.from_numpy(rng.normal(0, np.sqrt(2 / d), (S, hidden, d))),
            "b": torch.from_numpy(rng.normal(0, 1, (S, hidden))),
            "V": torch.zeros((S, self.features, hidden), dtype=torch.float64),
            "P": torch.eye(d, dtype=torch.float64).repeat(S, 1, 1),
        }
        if self.maps_actions:
            # Random orthonormal rows, the same for contexts and actions: angles roughly stay.
            bases, _ = np.linalg.qr(rng.normal(size=(S, d, self.features)))
            self._weights["P"] = torch.from_numpy(bases.transpose(0, 2, 1).copy())
            self._weights["A"] = self._weights["P"].clone()
        self._start = dict(self._weights)

    def contexts(self, context: Array) -> Array:
        """Return g(c) of contexts, shape (S, T, d); the result is (S, T, features)."""
        return _contexts(self._weights, torch.from_numpy(context)).numpy()

    def actions(self, rows: Rows, s: int) -> Rows:
        """Return the unit rows of all actions for replication s, shape (K, features)."""
        if not self.maps_actions:
            return rows
        mapped: Rows = rows @ self._weights["A"][s].numpy().T.astype(np.float32)
        lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
        # A row that the map sends to zero has no direction: it keeps an arbitrary, fixed one.
        mapped[lengths[:, 0] == 0] = np.eye(1, self.features, dtype=np.float32)
        mapped /= np.where(lengths > 0, lengths, 1)
        return mapped

    def train(
        self,
        rows: Rows,
        context: Array,
        actions: Actions,
        rewards: Array,
        head: Array,
        training: Training,
        rng: np.random.Generator,
    ) -> None:
        """Fit towers and a linear head to the history by Adam on the squared error.

        The head is dropped afterwards: a posterior over it is what the agent keeps.

        Parameters
        ----------
        rows : ndarray of float32, shape (K, d)
        context : ndarray, shape (S, T, d)
        actions : ndarray of int64, shape (S, T)
        rewards : ndarray, shape (S, T)
        head : ndarray, shape (S, features)
            Where the head begins.
        training : Training
        rng : numpy.random.Generator
            Draws the batches.
        """
        total = rewards.shape[1]
        played = rows[actions].astype(np.float64)
        history = [torch.from_numpy(a) for a in (context, played, rewards)]
        weights = {key: value.clone().requires_grad_() for key, value in self._weights.items()}
        theta = torch.from_numpy(head.copy()).requires_grad_()
        optimiser = torch.optim.Adam([*weights.values(), theta], lr=training.rate)
        for step in range(training.steps):
            seen = history
            if total > training.batch:
                part = torch.from_numpy(rng.choice(total, training.batch, replace=False))
                seen = [a[:, part] for a in history]
            c, a, r = seen
            value = loss(weights, self._start, theta, c, a, r, training, total)
            optimiser.param_groups[0]["lr"] = training.rate * (1 - step / training.steps)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
        self._weights = {key: value.detach() for key, value in weights.items()}
        self.version += 1


def loss(
    weights: dict[str, Tensor],
    start: dict[str, Tensor],
    head: Tensor,
    context: Tensor,
    rows: Tensor,
    rewards: Tensor,
    training: Training,
    total: int,
) -> Tensor:
    """Return sum (r - <head, g(c) * b(a)>)^2 + ridge |head|^2 + decay |weights - start|^2.

    Parameters
    ----------
    weights, start : dict of Tensor
    head : Tensor, shape (S, features)
    context : Tensor, shape (S, T, d)
    rows : Tensor, shape (S, T, d)
        Of the actions played.
    rewards : Tensor, shape (S, T)
    training : Training
    total : int
        Rounds of the history; the T given ones stand for all of them in the first sum.

    Returns
    -------
    Tensor
        Summed over replications, which share no weight.
    """
    phi = _contexts(weights, context) * _actions(weights, rows)
    errors = rewards - torch.einsum("std,sd->st", phi, head)
    squares = (errors**2).sum() * (total / rewards.shape[1])
    far = torch.stack([((weights[key] - start[key]) ** 2).sum() for key in weights]).sum()
    return squares + training.ridge * (head**2).sum() + training.decay * far


def _contexts(weights: dict[str, Tensor], context: Tensor) -> Tensor:
    hidden = torch.relu(context @ weights["W"].mT + weights["b"][:, None])
    return context @ weights["P"].mT + hidden @ weights["V"].mT


def _actions(weights: dict[str, Tensor], rows: Tensor) -> Tensor:
    if "A" not in weights:
        return rows
    return torch.nn.functional.normalize(rows @ weights["A"].mT, dim=-1)
