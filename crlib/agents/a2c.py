"""An actor-critic that builds a chain of actions for a query, among all K of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from crlib.agents import policy
from crlib.agents.advantages import generalised_advantages
from crlib.agents.learner import ChainLearner
from crlib.agents.reward_transformer import RewardTransformer, Shape, Size
from crlib.agents.rollouts import Rollout
from crlib.envs.chain_batch import ChainState

Head = Literal["proto", "plain"]


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
        Of the policy: see `crlib.agents.policy.restrict`.
    k : int
        Actions in a restricted support.
    head : {"proto", "plain"}
        "plain" is an ablation: a linear head with one output an action takes the place of the
        proto-action and of the embeddings that it is compared with; what was called so far is
        still read as embeddings.
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
    head: Head = "proto"
    seed: int = 0


class A2C(ChainLearner):
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
    size : {"laptop", "paper"} or Shape
    settings : Settings, optional
    device : str
        As torch names it.

    Raises
    ------
    ValueError
        If the embeddings are no finite matrix or all zero, or the head is unknown.
    """

    settings: Settings
    network: RewardTransformer

    def __init__(
        self,
        actions: ArrayLike,
        max_length: int,
        *,
        size: Size | Shape = "laptop",
        settings: Settings | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(actions, settings or Settings(), device)
        head = self.settings.head
        if head not in ("proto", "plain"):
            raise ValueError(f"head = {head!r}: expected 'proto' or 'plain'")
        plain = self.n_actions if head == "plain" else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            self._begin(RewardTransformer(self.d, max_length, size, plain))
        # Scores of random proto-actions then have a spread of about one.
        self.table = policy.table(self.rows / math.sqrt(self.d))

    def read(self, state: Any, numbers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return value and scores of B states.

        Parameters
        ----------
        state : ChainState
        numbers : Tensor of int, shape (k,), optional
            Actions that are scored, K for stopping; by default all and then stopping.

        Returns
        -------
        value : Tensor, shape (B,)
        logits : Tensor, shape (B, k)
        """
        value, proto, stop = self.network(*self.inputs(state))
        if self.settings.head == "plain":
            logits = torch.cat([proto, stop[:, None]], dim=1)
            return value, logits if numbers is None else logits[:, numbers]
        rows = self.table if numbers is None else self.table[numbers]
        return value, policy.scores(proto, stop, rows)

    def _best(self, state: ChainState) -> Tensor:
        return self.read(state)[1].argmax(dim=1)

    def _draw(self, state: ChainState) -> tuple[Tensor, tuple[Tensor, ...]]:
        use = self.settings
        k = min(use.k, self.n_actions)
        uniform = self._tensor(self.rng.random(len(state.done)))
        if use.head == "plain":
            value, logits = self.read(state)
            logits = policy.restrict(logits, use.support, k, self._generator())
            drawn = policy.sample(logits.detach(), uniform)
            log, entropy = policy.log_probability(logits, drawn), policy.entropy(logits)
            return drawn, (value, log, entropy)
        value, proto, stop = self.network(*self.inputs(state))
        if use.support == "sampled":
            numbers = policy.sampled_support(self.n_actions, k, self._generator())
            numbers = numbers.to(self.device)
            drawn, log, entropy = policy.draw(proto, stop, self.table[numbers], uniform)
            return numbers[drawn], (value, log, entropy)
        top = k if use.support == "top-k" else None
        drawn, log, entropy = policy.draw(proto, stop, self.table, uniform, top)
        return drawn, (value, log, entropy)

    def _generator(self) -> torch.Generator:
        """Of a sampled support: one an update."""
        return torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.update_number)

    def log_probability(
        self, state: ChainState, actions: Tensor, numbers: Tensor | None = None
    ) -> Tensor:
        """Return log pi(a) of an action in each state.

        Parameters
        ----------
        state : ChainState
        actions : Tensor of int64, shape (B,)
        numbers : Tensor of int64, shape (k,), optional
            The actions, in rising order and with those asked for, that the policy is restricted
            to; all by default.

        Returns
        -------
        Tensor, shape (B,)
        """
        place = actions if numbers is None else torch.searchsorted(numbers, actions)
        if self.settings.head == "plain":
            return policy.log_probability(self.read(state, numbers)[1], place)
        _, proto, stop = self.network(*self.inputs(state))
        rows = self.table if numbers is None else self.table[numbers]
        return policy.log_of(proto, stop, rows, place)

    def loss(self, episodes: Rollout) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of episodes as `explore` gave them, and the policy's mean entropy."""
        use, live = self.settings, episodes.live.T
        values, log, entropies = (torch.cat(part) for part in zip(*episodes.read, strict=True))
        seen = np.zeros(live.shape)
        seen[live] = values.detach().cpu().numpy()
        advantages = generalised_advantages(
            episodes.rewards, seen.T, episodes.live, gamma=use.gamma, lam=use.lam
        )
        advantage = self._tensor(advantages.T[live]).to(values)
        actor = -(log * advantage).mean()
        # The target is advantage + value, and only the value is trained toward it.
        critic = ((values - (advantage + values).detach()) ** 2).mean()
        entropy = entropies.mean()
        loss = actor + use.value_weight * critic - use.entropy_weight * entropy
        return loss, {"entropy": float(entropy.detach())}
