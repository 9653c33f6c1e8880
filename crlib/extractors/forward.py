"""The forward pass: token numbers to unit rows, in batches of texts of one length.

Padding would change the order in which sums are rounded, and with it a row's last digits: then a
text's vector would depend on what it was encoded beside, and an agent that is trained on it for
thousands of steps in its second digit. Without padding, rows are the same to the bit in any company
(measured, on one processor; nothing promises it of others).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crlib.extractors.load import Encoder
from crlib.extractors.standardise import unit_rows
from crlib.extractors.twins.architecture import hidden_states, layer_states
from crlib.extractors.twins.batches import pad
from crlib.extractors.twins.objectives import mean_pool


def encode_tokens(
    encoder: Encoder, tokens: Sequence[NDArray[np.int64]], batch_tokens: int
) -> NDArray[np.float32]:
    """Embed tokenised texts, in the order given; sort them by length beforehand.

    Returns
    -------
    (n, d) float32 array
        Unit rows: the encoder's pooling over all real tokens of its layer's states, normalised.
    """
    pooled = []
    device = next(encoder.module.parameters()).device
    with torch.inference_mode():
        for start, stop in batch_bounds([len(row) for row in tokens], batch_tokens):
            ids, mask = (part.to(device) for part in pad(tokens[start:stop], encoder.padding))
            pooled.append(pool(_states(encoder, ids, mask), mask, encoder.pooling).cpu().numpy())
    return unit_rows(np.concatenate(pooled))


def _states(encoder: Encoder, ids: Tensor, mask: Tensor) -> Tensor:
    if encoder.pooling == "first-last":
        every = layer_states(encoder.module, ids, mask)
        return (every[1] + every[-1]) / 2
    if encoder.layer != -1:
        return layer_states(encoder.module, ids, mask)[encoder.layer]
    return hidden_states(encoder.module, ids, mask)


def pool(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Make a row of each text's token states.

    Parameters
    ----------
    states : (b, l, d) tensor
    mask : (b, l) tensor
        1 at real tokens, which come first, 0 at padding.
    pooling : {"mean", "first-last", "cls", "lasttoken", "max"}
        "first-last" differs from "mean" in the states that it is given.

    Returns
    -------
    (b, d) tensor
    """
    if pooling == "cls":
        return states[:, 0]
    if pooling == "lasttoken":
        return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
    if pooling == "max":
        return states.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)
    return mean_pool(states, mask)


def batch_bounds(lengths: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Cut a sequence into runs of one length whose size (number x length) stays within `budget`.

    Yields
    ------
    start, stop : int
        A run holds at least one text, also when that text alone is over the budget.
    """
    start = 0
    for position, length in enumerate(lengths):
        full = (position - start + 1) * length > budget
        if position > start and (full or length != lengths[start]):
            yield start, position
            start = position
    if start < len(lengths):
        yield start, len(lengths)
