"""The forward pass: token numbers to unit rows, in batches of about as many tokens each."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from crlib.extractors.load import Encoder
from crlib.extractors.standardise import unit_rows
from crlib.extractors.twins.architecture import hidden_states
from crlib.extractors.twins.batches import pad
from crlib.extractors.twins.objectives import mean_pool


def encode_tokens(
    encoder: Encoder, tokens: Sequence[NDArray[np.int64]], batch_tokens: int
) -> NDArray[np.float32]:
    """Embed tokenised texts, in the order given; sort them by length beforehand.

    Returns
    -------
    (n, d) float32 array
        Unit rows: the mean over all real tokens of the last hidden states, normalised.
    """
    pooled = []
    with torch.inference_mode():
        for start, stop in batch_bounds([len(row) for row in tokens], batch_tokens):
            ids, mask = pad(tokens[start:stop], encoder.padding)
            pooled.append(mean_pool(hidden_states(encoder.module, ids, mask), mask).numpy())
    return unit_rows(np.concatenate(pooled))


def batch_bounds(lengths: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Cut a sequence into runs whose padded size (number x longest) stays within `budget`.

    Yields
    ------
    start, stop : int
        A run holds at least one text, also when that text alone is over the budget.
    """
    start, longest = 0, 0
    for position, length in enumerate(lengths):
        grown = max(longest, length)
        if position > start and (position - start + 1) * grown > budget:
            yield start, position
            start, grown = position, length
        longest = grown
    if start < len(lengths):
        yield start, len(lengths)
