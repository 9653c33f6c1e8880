"""An actor-critic that builds a chain of actions for a query, among all K of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from crlib.agents import policy
from crlib.agents.advantages import generalised_advantages
from crlib.agents.reward_transformer import RewardTransformer, Shape, Size
from crlib.agents.rollouts import Actions, Chains, Rollout, State, live_states, roll_out
from crlib.agents.training_state import read_state, write_state


@dataclass(frozen=True)
class Settings:
    """How an actor-critic is trained.

    Attributes
    ----------
    gamma, lam : float
        Discount, and lambda of the generalised advantages.
    batch : int
        Episodes an update.
    updates : int
        For the schedule: the learning rate rises linearly over the first twentieth and falls
        linearly to zero at the end.
    rate : float
        Highest learning rate, of Adam.
    value_weight, entropy_weight : float
    clip : float
        Largest norm of a gradient.
    support : {"exact", "top-k", "sampled"}
        Of the policy. "exact": all K actions. "top-k": the k of the highest scores in each state,
        so that others are never explored, and what is learnt leaves them as they are. "sampled":
        one random k-subset an update, for the roll-outs and for their loss; the policy is then a
        mixture over subsets, and a rare good action is offered in k of K updates only. Both change
        the policy; neither estimates the exact softmax.
    k : int
        Actions in a restricted support, K at most are.
    seed : int
    """

    gamma: float = 1.0
    lam: float = 0.95
    batch: int = 64
    updates: int = 500
    rate: float = 1e-3
    value_weight: float = 0.5
    entropy_weight: float = 0.01
    clip: float = 1.0
    support: policy.Support = "exact"
    k: int = 1024
    seed: int = 0


class A2C:
    """Advantage actor-critic (Mnih et al. 2016, arXiv 1602.01783) over proto-actions.

    The policy is a softmax of the proto-action's inner products with all action embeddings, and
    of a score for stopping; the critic shares its transformer (`RewardTransformer`).

    Parameters
    ----------
    actions : array_like, shape (K, d)
        Embeddings; scaled here to a mean square of 1 a coordinate, so that a fresh policy is
        nearly uniform whatever their length.
    max_length : int
        Actions of a chain at most.
    size : {"small", "laptop", "paper"} or Shape
    settings : Settings, optional
    device : str
        As torch names it.

    Raises
    ------
    ValueError
        If the embeddings are no finite matrix or all zero, or for another support or k below 1.
    """

    def __init__(
        self,
        actions: ArrayLike,
        max_length: int,
        *,
        size: Size | Shape = "laptop",
        settings: Settings | None = None,
        device: str = "cpu",
    ) -> None:
        rows = np.asarray(actions, np.float32)
        if rows.ndim != 2 or not np.isfinite(rows).all() or not rows.any():
            raise ValueError(f"actions of shape {rows.shape}: expected a finite (K, d) matrix")
        self.settings = settings or Settings()
        policy.check_support(self.settings.support, self.settings.k)
        self.scale = float(1 / np.sqrt(np.mean(rows**2)))
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            self.network = RewardTransformer(rows.shape[1], max_length, size).to(self.device)
        # Scores of random proto-actions then have a spread of about one.
        self.actions = torch.from_numpy(rows * self.scale / math.sqrt(rows.shape[1]))
        self.actions = self.actions.to(self.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.settings.rate)
        self.rng = np.random.default_rng(self.settings.seed)
        self.update_number = 0

    def read(self, state: Any, offered: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return value and scores of B states.

        Parameters
        ----------
        state : State
        offered : Tensor of int, shape (k,), optional
            Actions that are scored; all K by default.

        Returns
        -------
        value : Tensor, shape (B,)
        logits : Tensor, shape (B, k + 1)
            Of the offered actions, then of stopping.
        """
        query = torch.from_numpy(np.asarray(state.query, np.float32) * self.scale).to(self.device)
        longest = int(np.max(state.length, initial=0))  # what lies beyond is padding for all
        chain = torch.from_numpy(np.maximum(state.chain[:, :longest], 0)).to(self.device)
        length = torch.from_numpy(np.asarray(state.length)).to(self.device)
        taken = self.actions[chain] * math.sqrt(self.actions.shape[1])
        value, proto, stop = self.network(query, taken, length)
        actions = self.actions if offered is None else self.actions[offered]
        return value, policy.scores(proto, stop, actions)

    def act(self, env: Chains, query_numbers: ArrayLike) -> tuple[Actions, dict[str, Any]]:
        """Play the most probable actions, without exploring.

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
            episodes = roll_out(
                env, query_numbers, lambda state: self.read(state)[1].argmax(dim=1).cpu().numpy()
            )
        return episodes.chain, episodes.info

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
            update, rollouts (episodes so far), success and return (means of the batch), loss,
            entropy.

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
            loss, spread = self.loss(episodes)
            self._step(loss)
            yield {
                "update": float(self.update_number),
                "rollouts": float(self.update_number * self.settings.batch),
                "success": float(np.mean(episodes.info["success"])),
                "return": float(episodes.rewards.sum(axis=1).mean()),
                "loss": float(loss.detach()), "entropy": spread,
            }  # fmt: skip

    def explore(self, env: Chains, query_numbers: ArrayLike) -> Rollout:
        """Play episodes with actions drawn from the policy."""
        with torch.no_grad():
            return roll_out(env, query_numbers, self._draw)

    def _draw(self, state: State) -> Actions:
        offered = self._offered()
        logits = self._supported(self.read(state, offered)[1])
        uniform = torch.from_numpy(self.rng.random(len(logits))).to(self.device)
        column = policy.sample(logits, uniform)
        action = column if offered is None else self._with_stop(offered)[column]
        return np.asarray(action.cpu().numpy())

    def loss(self, episodes: Rollout) -> tuple[Tensor, float]:
        """Return the loss of a batch of episodes, and the policy's mean entropy."""
        use, live = self.settings, self._tensor(episodes.live.T)
        offered = self._offered()
        value, logits = self.read(live_states(episodes), offered)
        values = torch.zeros(live.shape, dtype=value.dtype, device=self.device)
        values[live] = value.detach()
        advantages = generalised_advantages(
            episodes.rewards, values.T.cpu().numpy(), episodes.live, gamma=use.gamma, lam=use.lam
        )
        advantage = self._tensor(advantages.T).to(value)[live]
        logs = torch.log_softmax(self._supported(logits), dim=1)
        chosen = self.column(self._tensor(episodes.played.T)[live], offered)
        actor = -(policy.log_probability(logs, chosen) * advantage).mean()
        critic = ((value - advantage - value.detach()) ** 2).mean()
        entropy = policy.entropy(logs).mean()
        loss = actor + use.value_weight * critic - use.entropy_weight * entropy
        return loss, float(entropy.detach())

    def _offered(self) -> Tensor | None:
        """Actions of a sampled support in rising order, one subset an update; None for all."""
        use = self.settings
        if use.support != "sampled":
            return None
        generator = torch.Generator().manual_seed(use.seed * 1_000_003 + self.update_number)
        subset = torch.randperm(len(self.actions), generator=generator)[: use.k]
        return subset.sort().values.to(self.device)

    def _supported(self, logits: Tensor) -> Tensor:
        use = self.settings
        return logits if use.support != "top-k" else policy.keep_highest(logits, use.k)

    def _with_stop(self, offered: Tensor) -> Tensor:
        return torch.cat([offered, offered.new_tensor([len(self.actions)])])

    def column(self, action: Tensor, offered: Tensor | None) -> Tensor:
        """Return the columns of actions among the scores that `read` gives of the offered."""
        return action if offered is None else torch.searchsorted(self._with_stop(offered), action)

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

    def save(self, path: str | Path) -> None:
        """Write all that training needs to go on bit for bit, wholly or not at all."""
        write_state(
            Path(path), self.network, self.optimiser,
            {"settings": asdict(self.settings), "update": self.update_number,
             "rng": self.rng.bit_generator.state},
        )  # fmt: skip

    def restore(self, path: str | Path) -> None:
        """Go on from what `save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, or was written with other settings or another network.
        """
        found = read_state(Path(path), self.network, self.optimiser, asdict(self.settings))
        self.update_number = int(found["update"])
        self.rng.bit_generator.state = found["rng"]
