"""The Wolpertinger agent: a proto-action, its nearest actions, and a critic that picks of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from crlib.agents.learner import ChainLearner
from crlib.agents.reward_transformer import Shape, Size, StateTransformer
from crlib.agents.rollouts import Rollout
from crlib.envs.chain_batch import ChainState


@dataclass(frozen=True)
class WolpertingerSettings:
    """How a Wolpertinger agent is trained.

    Attributes
    ----------
    gamma, batch, updates, rate, clip, seed
        As of `crlib.agents.a2c.Settings`.
    k : int
        Nearest actions among which the critic picks; stopping is always one more. With k = K the
        agent is greedy in Q, and the proto-action without effect.
    noise : float
        Standard deviation of what is added to each coordinate of the proto-action to explore;
        the embeddings' own mean square is 1.
    epsilon : float
        Share of steps at which a random one of the nearest is played, to explore: without it an
        agent that expects less than nothing of all calls stops at once for ever.
    tau : float
        Share of the target network that is replaced in an update.
    """

    gamma: float = 1.0
    batch: int = 64
    updates: int = 500
    rate: float = 1e-3
    clip: float = 1.0
    k: int = 32
    noise: float = 0.5
    epsilon: float = 0.2
    tau: float = 0.05
    seed: int = 0


class ProtoCritic(nn.Module):
    """Proto-action f(s) and critic Q(s, a) on one `StateTransformer`.

    Q is a perceptron of one hidden layer over the encoded state beside the action's embedding.
    Stopping has the embedding 0.
    """

    def __init__(self, d: int, max_length: int, size: Size | Shape) -> None:
        super().__init__()
        self.state = StateTransformer(d, max_length, size)
        width = self.state.width
        self.direction = nn.Linear(width, d)
        self.of_state, self.of_action = nn.Linear(width, width), nn.Linear(d, width, bias=False)
        self.q = nn.Linear(width, 1)

    def proto(self, state: Tensor) -> Tensor:
        """Return proto-actions of encoded states, of mean square 1 as the embeddings' is.

        Without a length of its own it cannot run off to where the critic has seen no action.
        """
        direction: Tensor = self.direction(state)
        return nn.functional.rms_norm(direction, direction.shape[1:])

    def value(self, state: Tensor, actions: Tensor) -> Tensor:
        """Return Q of encoded states (B, width) and of m actions each (B, m, d): (B, m)."""
        hidden = self.of_state(state)[:, None] + self.of_action(actions)
        found: Tensor = self.q(torch.relu(hidden))[:, :, 0]
        return found


class Wolpertinger(ChainLearner):
    """Wolpertinger policy (Dulac-Arnold et al. 2015, arXiv 1512.07679) for chains.

    The proto-action's k nearest actions by Euclidean distance, found exactly, go to the critic,
    and the one of largest Q is played. As in the paper the critic learns toward r + gamma
    Q'(s', pi'(s')), with the target network's whole policy pi' at s'; the actor follows the
    deterministic policy gradient of Q at the proto-action itself, as if it were played.

    Unlike the paper's: actor and critic share the transformer, which both gradients train; the
    proto-action is kept at the embeddings' mean length; an update learns from the episodes that
    were just played, so that agents here see as many of them as each other, where the paper
    replays old ones; noise is Gaussian and without memory, and some steps play a random candidate;
    stopping is always a candidate, whatever the proto-action.

    Parameters
    ----------
    actions, max_length, size, device
        As of `crlib.agents.a2c.A2C`.
    settings : WolpertingerSettings, optional

    Raises
    ------
    ValueError
        If the embeddings are no finite matrix or all zero, or k is out of 1 to K.
    """

    settings: WolpertingerSettings

    def __init__(
        self,
        actions: ArrayLike,
        max_length: int,
        *,
        size: Size | Shape = "laptop",
        settings: WolpertingerSettings | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(actions, settings or WolpertingerSettings(), device)
        if not 1 <= self.settings.k <= self.n_actions:
            raise ValueError(f"k = {self.settings.k}: expected 1 to K = {self.n_actions}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            online = ProtoCritic(self.d, max_length, size)
        target = copy.deepcopy(online).requires_grad_(False)
        self._begin(nn.ModuleDict({"online": online, "target": target}))
        self.index = faiss.IndexFlatL2(self.d)
        self.index.add(self.rows.cpu().numpy())
        # Stopping, action K, is the origin.
        self.table = torch.cat([self.rows, self.rows.new_zeros(1, self.d)])

    def nearest(self, proto: Tensor) -> Tensor:
        """Return the k actions nearest to each proto-action, and stopping: (B, k + 1)."""
        points = np.ascontiguousarray(proto.detach().cpu().numpy(), np.float32)
        found = np.full((len(points), self.settings.k + 1), self.n_actions)
        found[:, :-1] = self.index.search(points, self.settings.k)[1]
        return self._tensor(found)

    def _pick(self, network: Any, encoded: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """The candidate of largest Q of each state, and this Q."""
        best, place = network.value(encoded, self.table[candidates]).max(dim=1)
        return candidates.gather(1, place[:, None])[:, 0], best

    def _best(self, state: ChainState) -> Tensor:
        online = self.network["online"]
        encoded = online.state.encode(*self.inputs(state))
        return self._pick(online, encoded, self.nearest(online.proto(encoded)))[0]

    def _draw(self, state: ChainState) -> tuple[Tensor, tuple[Tensor, ...]]:
        online, target = self.network["online"], self.network["target"]
        encoded = online.state.encode(*self.inputs(state))
        proto = online.proto(encoded)
        noise = torch.from_numpy(self.rng.standard_normal(proto.shape)).to(proto)
        with torch.no_grad():
            candidates = self.nearest(proto + self.settings.noise * noise)
            action = self._perhaps_random(candidates, self._pick(online, encoded, candidates)[0])
            following = target.state.encode(*self.inputs(state))
            _, target_value = self._pick(target, following, self.nearest(target.proto(following)))
        played = online.value(encoded, self.table[action][:, None])[:, 0]
        return action, (played, target_value, self._climb(online, encoded, proto))

    def _perhaps_random(self, candidates: Tensor, best: Tensor) -> Tensor:
        places = self._tensor(self.rng.integers(self.settings.k, size=len(best)))
        random = candidates.gather(1, places[:, None])[:, 0]
        explores = self._tensor(self.rng.random(len(best)) < self.settings.epsilon)
        return torch.where(explores, random, best)

    @staticmethod
    def _climb(network: Any, encoded: Tensor, proto: Tensor) -> Tensor:
        """A term whose gradient in the actor is that of Q(s, f(s)) through its action alone."""
        point = proto.detach().requires_grad_()
        with torch.enable_grad():
            value = network.value(encoded.detach(), point[:, None]).sum()
            (slope,) = torch.autograd.grad(value, point)
        return (proto * slope).sum(dim=1)

    def loss(self, episodes: Rollout) -> tuple[Tensor, dict[str, float]]:
        """Return squared error of the critic less what the actor climbs, and the mean Q."""
        live = episodes.live.T
        q, target, climb = (torch.cat(part) for part in zip(*episodes.read, strict=True))
        after = np.zeros(live.shape)
        after[live] = target.cpu().numpy()
        # V'(s') of the step before; 0 behind the last step, where `after` holds none either.
        after = np.concatenate([after[1:], np.zeros((1, live.shape[1]))])
        wanted = self._tensor((episodes.rewards.T + self.settings.gamma * after)[live]).to(q)
        loss = ((q - wanted) ** 2).mean() - climb.mean()
        return loss, {"q": float(q.detach().mean())}

    def _step(self, loss: Tensor) -> None:
        super()._step(loss)
        with torch.no_grad():
            pairs = zip(*(self.network[n].parameters() for n in ("target", "online")), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, self.settings.tau)
