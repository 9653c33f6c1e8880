"""What learners of chains share: actions, roll-outs, training with Adam, checkpoints."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from crlib import training_state
from crlib.agents.rollouts import Actions, Chains, Rollout, roll_out
from crlib.envs.chain_batch import ChainState
from crlib.training_state import read_tensors, write_tensors


class ChainLearner(ABC):
    """A network that is trained on episodes which it plays itself.

    A subclass calls `_begin` with its network, and says how to act and what the loss is.

    Parameters
    ----------
    actions : array_like, shape (K, d)
        Embeddings; scaled here to a mean square of 1 a coordinate.
    settings : dataclass
        With batch, updates, rate, clip and seed, as `crlib.agents.a2c.Settings` explains them.
    device : str
        As torch names it.

    Raises
    ------
    ValueError
        If the embeddings are no finite matrix or all zero.
    """

    settings: Any
    network: Any
    optimiser: torch.optim.Adam

    def __init__(self, actions: ArrayLike, settings: Any, device: str) -> None:
        rows: NDArray[np.float32] = np.asarray(actions, np.float32)
        if rows.ndim != 2 or not np.isfinite(rows).all() or not rows.any():
            raise ValueError(f"actions of shape {rows.shape}: expected a finite (K, d) matrix")
        self.settings = settings
        self.n_actions, self.d = rows.shape
        self.scale = float(1 / np.sqrt(np.mean(rows**2)))
        self.device = torch.device(device)
        self.rows = torch.from_numpy(rows * self.scale).to(self.device)
        self.rng = np.random.default_rng(settings.seed)
        self.update_number = 0

    def _begin(self, network: nn.Module) -> None:
        self.network = network.to(self.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.settings.rate)

    @abstractmethod
    def _best(self, state: ChainState) -> Tensor:
        """The action that is thought best in each state."""

    @abstractmethod
    def _draw(self, state: ChainState) -> tuple[Tensor, Any]:
        """An action to learn from in each state, and what the loss needs of it."""

    @abstractmethod
    def loss(self, episodes: Rollout) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of episodes as `explore` gave them, and what else there is to tell."""

    def inputs(self, state: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, embedded chain and length of states, as the network reads them."""
        query = torch.from_numpy(np.asarray(state.query) * self.scale).to(self.rows)
        chain = self._tensor(np.maximum(state.chain, 0))
        return query, self.rows[chain], self._tensor(state.length)

    def act(self, env: Chains, query_numbers: ArrayLike) -> tuple[Actions, dict[str, Any]]:
        """Play the actions that are thought best, without exploring.

        Parameters
        ----------
        env : Chains
        query_numbers : array_like of int, shape (B,)

        Returns
        -------
        chain : ndarray of int64, shape (B, L)
            Actions called, -1 behind the last.
        info : dict of ndarray, shape (B,)
            The environment's, at the end.
        """
        with torch.no_grad():
            episodes = self._play(env, query_numbers, self._best)
        return episodes.chain, episodes.info

    def explore(self, env: Chains, query_numbers: ArrayLike) -> Rollout:
        """Play episodes to learn from; what was read on the way is kept for `loss`.

        The weights stay as they are until the step that follows, so a second reading would give
        the same numbers.
        """
        read = []

        def draw(state: ChainState) -> Tensor:
            drawn, kept = self._draw(state)
            read.append(kept)
            return drawn

        episodes = self._play(env, query_numbers, draw)
        episodes.read = read
        return episodes

    def _play(
        self, env: Chains, query_numbers: ArrayLike, choose: Callable[[ChainState], Tensor]
    ) -> Rollout:
        def actions(state: ChainState) -> Actions:
            # Finished episodes are not read: whatever they play is ignored.
            played = np.full(len(state.done), self.n_actions)
            played[~state.done] = choose(state.rows(~state.done)).cpu().numpy()
            return played

        return roll_out(env, query_numbers, actions)

    def train(
        self, env: Chains, query_numbers: ArrayLike, updates: int | None = None
    ) -> Iterator[dict[str, float]]:
        """Train on random queries; yields after each update what it saw.

        Parameters
        ----------
        env : Chains
        query_numbers : array_like of int
            Queries to draw from, with replacement.
        updates : int, optional
            How many; to the end of the schedule by default.

        Yields
        ------
        dict of str to float
            update, rollouts (episodes so far), success and return (means of the batch), loss, and
            what `loss` tells.

        Raises
        ------
        FloatingPointError
            If a loss is not finite; the weights are those before that update.
        """
        numbers = np.asarray(query_numbers)
        left = self.settings.updates - self.update_number
        for _ in range(left if updates is None else min(updates, left)):
            batch = self.rng.choice(numbers, size=self.settings.batch)
            episodes = self.explore(env, batch)
            loss, told = self.loss(episodes)
            self._step(loss)
            yield {
                "update": float(self.update_number),
                "rollouts": float(self.update_number * self.settings.batch),
                "success": float(np.mean(episodes.info["success"])),
                "return": float(episodes.rewards.sum(axis=1).mean()),
                "loss": float(loss.detach()), **told,
            }  # fmt: skip

    def _tensor(self, values: Any) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _step(self, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"update {self.update_number + 1}: the loss is {float(loss.detach())}; lower rate "
                f"(now {self.settings.rate}) or clip (now {self.settings.clip})"
            )
        self.update_number += 1
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * self.rate_factor(self.update_number)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()

    def rate_factor(self, update: int) -> float:
        """Return the learning rate of an update as a share of the highest."""
        total = self.settings.updates
        warm = max(1, total // 20)
        return min(update / warm, max(0.0, (total - update + 1) / max(1, total - warm)))

    def _parameters(self) -> dict[str, nn.Parameter]:
        """All of them: a target network is none that is trained, and must be kept too."""
        return dict(self.network.named_parameters())

    def save(self, path: str | Path) -> None:
        """Write all that training needs to go on bit for bit, wholly or not at all."""
        rest = {
            "settings": asdict(self.settings), "update": self.update_number,
            "rng": self.rng.bit_generator.state,
        }  # fmt: skip
        tensors = training_state.pack(self._parameters(), self.optimiser)
        write_tensors(Path(path), tensors, {"rest": json.dumps(rest)})

    def restore(self, path: str | Path) -> None:
        """Go on from what `save` wrote.

        Raises
        ------
        ValueError
            If the file is missing or damaged, or from other settings or another network.
        """
        try:
            tensors, metadata = read_tensors(Path(path))
            rest: dict[str, Any] = json.loads(metadata["rest"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is no checkpoint that can be read: {error}") from error
        if rest.get("settings") != asdict(self.settings):
            raise ValueError(
                f"{path} was written with settings {rest.get('settings')}, these are "
                f"{asdict(self.settings)}"
            )
        if not training_state.fits(tensors, self._parameters()):
            raise ValueError(f"{path} was written for another network than this one")
        training_state.unpack_weights(tensors, self._parameters())
        training_state.unpack_moments(tensors, self._parameters(), self.optimiser)
        self.update_number = int(rest["update"])
        self.rng.bit_generator.state = rest["rng"]
