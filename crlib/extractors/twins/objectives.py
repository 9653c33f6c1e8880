"""The objectives: masked, causal and masked next-token prediction; InfoNCE."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

IGNORED = -100  # torch's cross_entropy skips this label
SHARE = 0.15  # predicted share of tokens (Devlin et al. 2019, section 3.1)


def mask_tokens(
    rows: Sequence[NDArray[np.int64]],
    keys: Sequence[Sequence[int]],
    *,
    mask_id: int,
    special: int,
    vocabulary: int,
    share: float = SHARE,
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Hide tokens by BERT's rule: of the chosen, 80% [MASK], 10% a random token, 10% kept.

    Parameters
    ----------
    rows : sequence of (l,) int arrays
        Token numbers; the first and the last ([CLS] and [SEP]) are never chosen.
    keys : sequence of int sequences
        One seed a row. A key that stays the same from pass to pass gives BERT's static masks, one
        that holds the pass number gives RoBERTa's dynamic ones (Liu et al. 2019, section 4.1).
    mask_id, special, vocabulary : int
        Number of [MASK]; random replacements are drawn from [special, vocabulary).
    share : float
        Chance of each inner token to be chosen; at least one is chosen where there is any.

    Returns
    -------
    inputs, labels : lists of (l,) int arrays
        Labels hold the original token where it is to be predicted, `IGNORED` elsewhere.
    """
    inputs, labels = [], []
    for row, key in zip(rows, keys, strict=True):
        rng = np.random.default_rng(list(key))
        inner = max(len(row) - 2, 0)
        draws = rng.random((2, inner))
        chosen = draws[0] < share
        if inner and not chosen.any():
            chosen[np.argmin(draws[0])] = True
        replacements = np.where(
            draws[1] < 0.8, mask_id, rng.integers(special, vocabulary, size=inner)
        )
        original = row[1 : 1 + inner]
        hidden, label = row.copy(), np.full(len(row), IGNORED, dtype=np.int64)
        hidden[1 : 1 + inner] = np.where(chosen & (draws[1] < 0.9), replacements, original)
        label[1 : 1 + inner] = np.where(chosen, original, IGNORED)
        inputs.append(hidden)
        labels.append(label)
    return inputs, labels


def choose_next(
    rows: Sequence[NDArray[np.int64]], keys: Sequence[Sequence[int]], *, share: float = SHARE
) -> list[NDArray[np.int64]]:
    """Choose the tokens whose prediction from the past enters a causal step.

    A causal model can predict every token of a step. A random share of them (one key, one draw)
    gives an unbiased estimate of that loss with as many predictions, and so about as much
    computation, as a masked step has.

    Returns
    -------
    list of (l,) int arrays
        The token where it is to be predicted, `IGNORED` elsewhere; the first one never is.
    """
    labels = []
    for row, key in zip(rows, keys, strict=True):
        draws = np.random.default_rng(list(key)).random(len(row) - 1)
        chosen = draws < share
        if len(draws) and not chosen.any():
            chosen[np.argmin(draws)] = True
        labels.append(np.concatenate([[IGNORED], np.where(chosen, row[1:], IGNORED)]))
    return labels


def prediction_loss(
    hidden: Tensor, labels: Tensor, head: torch.nn.Module, *, shift: bool = False
) -> Tensor:
    """Mean cross-entropy at the labelled positions.

    Parameters
    ----------
    hidden : (b, l, d) tensor
        Last hidden states.
    labels : (b, l) int tensor
        Token to be predicted, or `IGNORED`.
    head : module
        (n, d) -> (n, vocabulary) logits; called on the labelled positions only.
    shift : bool
        Predict the token at i from the state at i - 1: next-token prediction, and masked
        next-token prediction (BehnamGhader et al. 2024, section 2.1).
    """
    if shift:
        hidden, labels = hidden[:, :-1], labels[:, 1:]
    wanted = labels != IGNORED
    return functional.cross_entropy(head(hidden[wanted]), labels[wanted])


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real tokens, [CLS] and [SEP] included: (b, l, d), (b, l) -> (b, d)."""
    weight = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weight).sum(1) / weight.sum(1)


def info_nce(a: Tensor, b: Tensor, *, temperature: float, both_ways: bool = False) -> Tensor:
    """InfoNCE with the other rows of the batch as negatives (van den Oord et al. 2018, eq. 4).

    Parameters
    ----------
    a, b : (n, d) tensors
        Row i of `a` and row i of `b` are a positive pair; rows need not be of unit norm.
    temperature : float
        Divides the cosines; 0.05 in SimCSE (Gao et al. 2021, section 3).
    both_ways : bool
        Average with the loss of finding `a` from `b`.
    """
    cosines = functional.normalize(a, dim=1) @ functional.normalize(b, dim=1).T / temperature
    target = torch.arange(len(cosines), device=cosines.device)
    loss = functional.cross_entropy(cosines, target)
    if both_ways:
        loss = (loss + functional.cross_entropy(cosines.T, target)) / 2
    return loss
