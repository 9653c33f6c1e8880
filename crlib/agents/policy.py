"""A softmax over all K actions and "stop", from a proto-action; its samples and probabilities."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Support = Literal["exact", "top-k", "sampled"]


def scores(proto: Tensor, stop: Tensor, actions: Tensor) -> Tensor:
    """Return the scores of all actions and of stopping, shape (B, K + 1).

    Parameters
    ----------
    proto : Tensor, shape (B, d)
    stop : Tensor, shape (B,)
    actions : Tensor, shape (K, d)
    """
    return torch.cat([proto @ actions.T, stop[:, None]], dim=1)


def restrict(
    logits: Tensor, support: Support, k: int, generator: torch.Generator | None = None
) -> Tensor:
    """Set scores outside of the support to minus infinity; stopping is always in it.

    "exact" keeps all. "top-k" keeps the k highest of each row: actions below them can never be
    chosen, so that the policy cannot explore them and its gradient leaves them as they are.
    "sampled" keeps one random k-subset for the whole batch: the policy is then a mixture over
    subsets, its probabilities are those *given* the subset, and a rare good action is offered in
    k of K steps only. Both change the policy; neither is an estimate of the exact softmax.

    Parameters
    ----------
    logits : Tensor, shape (B, K + 1)
    support : {"exact", "top-k", "sampled"}
    k : int
        1 to K.
    generator : torch.Generator, optional
        Draws the subset.

    Raises
    ------
    ValueError
        For an unknown support or k out of range.
    """
    n_actions = logits.shape[1] - 1
    if support not in ("exact", "top-k", "sampled"):
        raise ValueError(f"support = {support!r}: expected 'exact', 'top-k' or 'sampled'")
    if support == "exact":
        return logits
    if not 1 <= k <= n_actions:
        raise ValueError(f"k = {k}: expected 1 to K = {n_actions}")
    kept = torch.zeros_like(logits, dtype=torch.bool)
    kept[:, n_actions] = True
    if support == "top-k":
        kept.scatter_(1, logits[:, :n_actions].topk(k, dim=1).indices, True)
    else:
        subset = torch.randperm(n_actions, generator=generator)[:k].to(logits.device)
        kept[:, subset] = True
    return logits.masked_fill(~kept, -torch.inf)


def sample(logits: Tensor, uniform: Tensor) -> Tensor:
    """Draw an action of each row by the inverse of its cumulative distribution.

    One uniform number a row instead of one a score, and no bias: the sums run in float64, where
    16,000 terms cannot lose the last of them.

    Parameters
    ----------
    logits : Tensor, shape (B, n)
    uniform : Tensor, shape (B,)
        In [0, 1).

    Returns
    -------
    Tensor of int64, shape (B,)
    """
    reach = torch.softmax(logits.double(), dim=1).cumsum(dim=1)
    # Scaled by the last sum, which rounding leaves just below or above one.
    drawn = torch.searchsorted(reach, (uniform.double() * reach[:, -1])[:, None], right=True)[:, 0]
    return drawn.clamp_(max=logits.shape[1] - 1)


def log_probability(logits: Tensor, actions: Tensor) -> Tensor:
    """Return log pi(a) of given actions, shape (B,)."""
    return torch.log_softmax(logits, dim=1).gather(1, actions[:, None])[:, 0]


def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each row in nats; what has no probability adds nothing."""
    logs = torch.log_softmax(logits, dim=1)
    return -(logs.exp() * logs.masked_fill(logs == -torch.inf, 0.0)).sum(dim=1)
