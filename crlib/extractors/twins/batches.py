"""Batches filled to a budget of tokens, a function of (seed, pass, position) and of nothing else.

So a training that was interrupted finds its next batch without a saved random state.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

POOL = (
    16  # budgets' worth of texts that are sorted by length together: little padding, still random
)


def batches_of_pass(
    costs: NDArray[np.int64], budget: int, *, seed: Sequence[int]
) -> list[NDArray[np.int64]]:
    """Split one pass over all texts into batches of at most `budget` tokens.

    Parameters
    ----------
    costs : (n,) int array
        Tokens that each text costs in a step (a text that is encoded twice costs double).
    budget : int
        Tokens a step; a single text above it makes a batch of its own.
    seed : sequence of int
        Seeds the order.

    Returns
    -------
    list of int arrays
        Positions of the texts; together every position once, batches in random order.
    """
    rng = np.random.default_rng(list(seed))
    order = rng.permutation(len(costs))
    pool_of = np.cumsum(costs[order]) // (POOL * budget)
    batches: list[NDArray[np.int64]] = []
    for pool in range(int(pool_of[-1]) + 1):
        members = order[pool_of == pool]
        members = members[np.argsort(costs[members], kind="stable")]
        batches.extend(_fill(members, costs, budget))
    return [batches[i] for i in rng.permutation(len(batches))]


def _fill(
    members: NDArray[np.int64], costs: NDArray[np.int64], budget: int
) -> Iterator[NDArray[np.int64]]:
    start, used = 0, 0
    for position, member in enumerate(members):
        if used + costs[member] > budget and position > start:
            yield members[start:position]
            start, used = position, 0
        used += int(costs[member])
    if start < len(members):
        yield members[start:]


def stream(
    costs: NDArray[np.int64], budget: int, *, seed: Sequence[int], first: int = 0
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield (pass, batch) for ever, beginning with batch number `first` of the endless stream."""
    number, current = 0, 0
    while True:
        batches = batches_of_pass(costs, budget, seed=[*seed, current])
        for batch in batches:
            if number >= first:
                yield current, batch
            number += 1
        current += 1


def pad(rows: Sequence[NDArray[np.int64]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack rows of different lengths.

    Returns
    -------
    ids, mask : (b, longest) int64 tensors
        Token numbers filled up with `padding`; 1 at real tokens, 0 at padding.
    """
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), padding, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)
