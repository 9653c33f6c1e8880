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


def check_support(support: Support, k: int) -> None:
    """Refuse an unknown support, or one of no action.

    Raises
    ------
    ValueError
    """
    if support not in ("exact", "top-k", "sampled"):
        raise ValueError(f"support = {support!r}: expected 'exact', 'top-k' or 'sampled'")
    if k < 1:
        raise ValueError(f"k = {k}: expected at least 1 action")


def keep_highest(logits: Tensor, k: int) -> Tensor:
    """Set all but the k highest scores of each row to minus infinity; stopping, the last, stays.

    Parameters
    ----------
    logits : Tensor, shape (B, K + 1)
    k : int
        At least 1; nothing changes where it is K or more.
    """
    n_actions = logits.shape[1] - 1
    if k >= n_actions:
        return logits
    kept = torch.zeros_like(logits, dtype=torch.bool)
    kept[:, n_actions] = True
    kept.scatter_(1, logits[:, :n_actions].topk(k, dim=1).indices, True)
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


def log_probability(logs: Tensor, actions: Tensor) -> Tensor:
    """Return log pi(a) of given actions, shape (B,), from the rows' log-softmax."""
    return logs.gather(1, actions[:, None])[:, 0]


def entropy(logs: Tensor) -> Tensor:
    """Return the entropy of each row's log-softmax in nats; no probability adds nothing."""
    return -(logs.exp() * logs.masked_fill(logs == -torch.inf, 0.0)).sum(dim=1)
