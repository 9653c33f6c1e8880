"""The network of the actor-critic: a transformer over the query and the actions taken so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Size = Literal["small", "laptop", "paper"]


@dataclass(frozen=True)
class Shape:
    """Width, number of layers and of heads; a layer has about 12 width^2 parameters."""

    width: int
    layers: int
    heads: int


SHAPES: dict[str, Shape] = {
    "small": Shape(64, 1, 2),
    "laptop": Shape(208, 2, 4),
    "paper": Shape(768, 5, 12),
}


class StateTransformer(nn.Module):
    """A state as one vector: a transformer over the query and the actions taken.

    Tokens are the query and the L actions taken so far, as their embeddings under a linear map of
    their own, plus a position. The query's last state is read.

    Parameters
    ----------
    d : int
        Dimensions of queries and actions.
    max_length : int
        L, actions of a chain at most.
    size : {"small", "laptop", "paper"} or Shape
        About 75,000 parameters, 1M, or 36M: five layers of 12 d^2 at d = 768 are 35.4M of them.

    Raises
    ------
    ValueError
        For an unknown size or a number below 1.
    """

    def __init__(self, d: int, max_length: int, size: Size | Shape = "laptop") -> None:
        super().__init__()
        if isinstance(size, str) and size not in SHAPES:
            raise ValueError(f"size = {size!r}: expected one of {', '.join(SHAPES)}, or a Shape")
        if d < 1 or max_length < 1:
            raise ValueError(f"d = {d}, max_length = {max_length}: expected numbers of at least 1")
        shape = SHAPES[size] if isinstance(size, str) else size
        self.max_length = max_length
        self.query_map, self.action_map = nn.Linear(d, shape.width), nn.Linear(d, shape.width)
        self.position = nn.Parameter(0.02 * torch.randn(max_length + 1, shape.width))
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.heads, 4 * shape.width, dropout=0.0, activation="gelu",
            batch_first=True, norm_first=True,
        )  # fmt: skip
        self.encoder = nn.TransformerEncoder(
            layer, shape.layers, norm=nn.LayerNorm(shape.width), enable_nested_tensor=False
        )
        self.width = shape.width

    @property
    def n_parameters(self) -> int:
        """How many numbers are trained."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def encode(self, query: Tensor, chain: Tensor, length: Tensor) -> Tensor:
        """Read a batch of states.

        Parameters
        ----------
        query : Tensor, shape (B, d)
        chain : Tensor, shape (B, L, d)
            Embeddings of the actions taken; what lies beyond `length` is not looked at.
        length : Tensor of int, shape (B,)

        Returns
        -------
        Tensor, shape (B, width)
        """
        chain = chain[:, : int(length.max())]  # places that are empty in all states are not read
        tokens = torch.cat([self.query_map(query)[:, None], self.action_map(chain)], dim=1)
        tokens = tokens + self.position[: tokens.shape[1]]
        places = torch.arange(tokens.shape[1], device=tokens.device)
        padding = places[None] > length[:, None]  # place 0 is the query
        encoded: Tensor = self.encoder(tokens, src_key_padding_mask=padding)[:, 0]
        return encoded


class RewardTransformer(StateTransformer):
    """Value of a state, and the proto-action that its actions are compared with.

    One head on the `StateTransformer` gives the value, one the proto-action in the space of the
    action embeddings, one the score of stopping.

    Parameters
    ----------
    d, max_length, size
        As of `StateTransformer`.
    plain : int, optional
        K: in place of the proto-action the scores of K actions, one output each.
    """

    def __init__(
        self, d: int, max_length: int, size: Size | Shape = "laptop", plain: int | None = None
    ) -> None:
        super().__init__(d, max_length, size)
        self.value, self.proto = nn.Linear(self.width, 1), nn.Linear(self.width, plain or d)
        self.stop = nn.Linear(self.width, 1)
        # Scores of unit actions start with a spread of about one.
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, query: Tensor, chain: Tensor, length: Tensor) -> tuple[Tensor, ...]:
        """Read a batch of states, as `encode` takes them.

        Returns
        -------
        value : Tensor, shape (B,)
        proto : Tensor, shape (B, d)
            Or (B, K), the scores of a plain head.
        stop : Tensor, shape (B,)
            Score of stopping.
        """
        state = self.encode(query, chain, length)
        proto = self.proto(state) * self.log_scale.exp()
        return self.value(state)[:, 0], proto, self.stop(state)[:, 0]
