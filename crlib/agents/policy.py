"""A softmax over all K actions and "stop", from a proto-action; its samples and probabilities."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

Support = Literal["exact", "top-k", "sampled"]


def table(actions: Tensor) -> Tensor:
    """Return the actions with "stop" as one more, in a dimension of its own: (K + 1, d + 1).

    One product then gives all scores; to append stopping to them would copy them all.

    Parameters
    ----------
    actions : Tensor, shape (K, d)
    """
    n_actions, d = actions.shape
    rows = actions.new_zeros(n_actions + 1, d + 1)
    rows[:n_actions, :d] = actions
    rows[n_actions, d] = 1.0
    return rows


def scores(proto: Tensor, stop: Tensor, rows: Tensor) -> Tensor:
    """Return the scores of the rows of a `table`, shape (B, K + 1).

    Parameters
    ----------
    proto : Tensor, shape (B, d)
    stop : Tensor, shape (B,)
    rows : Tensor, shape (K + 1, d + 1)
        Or some of them: only what is asked for is computed.
    """
    return torch.cat([proto, stop[:, None]], dim=1) @ rows.T


def sampled_support(n_actions: int, k: int, generator: torch.Generator | None = None) -> Tensor:
    """Return the numbers of a random k-subset of the actions, and of stopping as the last.

    Raises
    ------
    ValueError
        For k out of 1 to K.
    """
    _check_k(k, n_actions)
    subset = torch.randperm(n_actions, generator=generator)[:k]
    return torch.cat([subset, torch.tensor([n_actions])])


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
    _check_k(k, n_actions)
    kept = torch.zeros_like(logits, dtype=torch.bool)
    kept[:, n_actions] = True
    if support == "top-k":
        kept.scatter_(1, logits[:, :n_actions].topk(k, dim=1).indices, True)
    else:
        kept[:, sampled_support(n_actions, k, generator).to(logits.device)] = True
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
    return _drawn(torch.softmax(logits, dim=1), uniform)


def _drawn(shares: Tensor, uniform: Tensor) -> Tensor:
    reach = shares.cumsum(dim=1, dtype=torch.float64)
    # Scaled by the last sum, which rounding leaves just below or above one.
    drawn = torch.searchsorted(reach, (uniform.double() * reach[:, -1])[:, None], right=True)[:, 0]
    return drawn.clamp_(max=shares.shape[1] - 1)


def log_probability(logits: Tensor, actions: Tensor) -> Tensor:
    """Return log pi(a) of given actions, shape (B,)."""
    return torch.log_softmax(logits, dim=1).gather(1, actions[:, None])[:, 0]


def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each row in nats; what has no probability adds nothing."""
    logs = torch.log_softmax(logits, dim=1)
    return -(logs.exp() * logs.masked_fill(logs == -torch.inf, 0.0)).sum(dim=1)


def draw(
    proto: Tensor, stop: Tensor, rows: Tensor, uniform: Tensor, top: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw an action of each row, with its log probability and the policy's entropy.

    They are those of `scores`, `sample`, `log_probability` and `entropy`, and so are their
    gradients in `proto` and `stop`; nothing of the size of the scores is kept for them, as they
    are means of the rows: d log pi(a) = row_a - sum_j p_j row_j and
    d H = -sum_j p_j (log p_j + H) row_j.

    Parameters
    ----------
    proto, stop, rows
        As of `scores`; the rows take no gradient.
    uniform : Tensor, shape (B,)
        In [0, 1).
    top : int, optional
        Restrict the support to so many of the highest scores and the last row, stopping.

    Returns
    -------
    actions : Tensor of int64, shape (B,)
        Numbers of rows.
    log : Tensor, shape (B,)
    entropy : Tensor, shape (B,)
    """
    extended = torch.cat([proto, stop[:, None]], dim=1)
    found: tuple[Tensor, Tensor, Tensor] = _Draw.apply(extended, rows, uniform, top)
    return found


def log_of(proto: Tensor, stop: Tensor, rows: Tensor, actions: Tensor) -> Tensor:
    """Return log pi(a) of given actions, shape (B,); as `draw`, it keeps none of the scores."""
    found: Tensor = _LogOf.apply(torch.cat([proto, stop[:, None]], dim=1), rows, actions)
    return found


class _LogOf(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, proto: Tensor, rows: Tensor, actions: Tensor) -> Tensor:
        logs = torch.log_softmax(proto @ rows.T, dim=1)
        log = logs.gather(1, actions[:, None])[:, 0]
        ctx.save_for_backward(rows[actions] - logs.exp_() @ rows)
        return log

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (of_log,) = ctx.saved_tensors
        return gradients[0][:, None] * of_log, None, None


class _Draw(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, proto: Tensor, rows: Tensor, uniform: Tensor, top: int | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        logits = proto @ rows.T
        if top is not None:
            logits = restrict(logits, "top-k", top)
        logs = torch.log_softmax(logits, dim=1)
        if top is not None:  # minus infinity times a probability of zero would be no number
            logs.clamp_(min=torch.finfo(logs.dtype).min)
        shares = logs.exp()
        drawn = _drawn(shares, uniform)
        log = logs.gather(1, drawn[:, None])[:, 0]
        weighted = logs.mul_(shares)
        entropy = -weighted.sum(dim=1)
        mean = shares @ rows
        ctx.save_for_backward(
            rows[drawn] - mean, torch.addmm(entropy[:, None] * mean, weighted, rows)
        )
        ctx.mark_non_differentiable(drawn)
        return drawn, log, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        of_log, of_entropy = ctx.saved_tensors
        _, by_log, by_entropy = gradients
        return by_log[:, None] * of_log - by_entropy[:, None] * of_entropy, None, None, None


def _check_k(k: int, n_actions: int) -> None:
    if not 1 <= k <= n_actions:
        raise ValueError(f"k = {k}: expected 1 to K = {n_actions}")
