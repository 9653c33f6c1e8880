"""What a library of steps can reach at all: a search, and how often it reaches a wrong target.

With enough sequences anything is hit by chance, so a ceiling means something only beside the
share of wrong answers that the same search reaches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crlib.data.answers import read_answer
from crlib.data.calculations import OPERATIONS, StepError
from crlib.data.problems import Problem
from crlib.data.quantities import MAX_DIGITS, Quantity, quantities
from crlib.data.schemas import Needs, Schema, execute, familiar, linked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOLERANCE = 1e-9  # of the search in floats; every hit is then checked in fractions
TRIES = 20  # hits of one schema that are checked


@dataclass(frozen=True)
class Reach:
    """What a search found.

    Attributes
    ----------
    depths : tuple of int
        Fewest steps found that end on each target; 0 where none were found.
    chains : tuple of tuples of Schema
        Such steps; they end on the target in exact fractions.
    bounded_at : int
        Number of steps of the chains of which not all were kept, 0 if all were: longer chains are
        searched from those kept only, so that a target may be missed there.
    """

    depths: tuple[int, ...]
    chains: tuple[tuple[Schema, ...], ...]
    bounded_at: int


@dataclass
class _Level:
    """Chains of one length: their results, and where each comes from."""

    results: Floats  # (n, number of steps)
    parent: Ints
    schema: Ints


def search(
    schemas: Sequence[Schema],
    numbers: Sequence[Quantity],
    targets: Sequence[Fraction],
    *,
    depth: int = 3,
    max_states: int = 20_000,
) -> Reach:
    """Look for steps that end on targets, breadth first.

    Chains with the same results in the same order are one state. All chains of one more step are
    compared with the targets; up to `max_states` of them are kept to go on from, the first in the
    order of the schemas, and of their parents within a schema.

    Parameters
    ----------
    schemas : sequence of Schema
        The most frequent first, as `StepLibrary.schemas`.
    numbers : sequence of Quantity
        Of the problem.
    targets : sequence of Fraction
    depth : int
        Steps at most.
    max_states : int
        States kept of each length.

    Returns
    -------
    Reach
        A hit is exact; a miss is exact where no bound was met and no cancellation of large
        numbers hides a hit from the search, which runs in floats.

    Raises
    ------
    ValueError
        If depth or max_states is below 1.
    """
    if depth < 1 or max_states < 1:
        raise ValueError(f"depth = {depth}, max_states = {max_states}: expected at least 1")
    needs = Needs(schemas)
    wanted = {place: float(target) for place, target in enumerate(targets)}
    found: dict[int, tuple[Schema, ...]] = {}
    levels = [_Level(np.empty((1, 0)), np.zeros(1, np.int64), np.zeros(1, np.int64))]
    bounded_at = 0
    for steps in range(1, depth + 1):
        pool = _Pool(max_states)
        for number in np.flatnonzero(needs.met(numbers, steps - 1)).tolist():
            values = _values(schemas[number], numbers, levels[-1].results)
            for place in [p for p in wanted if p not in found]:
                close = np.abs(values - wanted[place]) <= TOLERANCE * max(1, abs(wanted[place]))
                for state in np.flatnonzero(close)[:TRIES].tolist():
                    chain = (*_history(levels, schemas, state), schemas[number])
                    if _ends_on(chain, numbers, targets[place]):
                        found[place] = chain
                        break
            if steps < depth:
                pool.add(values, number)
        if len(found) == len(wanted) or steps == depth:
            break
        parent, schema, values, dropped = pool.states()
        if dropped and not bounded_at:
            bounded_at = steps
        if not parent.size:
            break
        results = np.column_stack([levels[-1].results[parent], values])
        levels.append(_Level(results, parent, schema))
    chains = tuple(found.get(place, ()) for place in range(len(targets)))
    return Reach(tuple(map(len, chains)), chains, bounded_at)


class _Pool:
    """Distinct pairs of a parent and a value, the first ones to come."""

    def __init__(self, most: int) -> None:
        self.most, self.dropped = most, False
        self.parts: list[tuple[Ints, Ints, Floats]] = []
        self.size = 0

    def add(self, values: Floats, schema: int) -> None:
        if self.dropped:
            return
        parent = np.flatnonzero(np.abs(values) < 10.0**MAX_DIGITS)  # false for NaN
        self.parts.append((parent, np.full(parent.size, schema), values[parent]))
        self.size += parent.size
        if self.size > 4 * self.most:
            self._merge()

    def _merge(self) -> None:
        parent, schema, values = (
            np.concatenate(column) for column in zip(*self.parts, strict=True)
        )
        _, first = np.unique(np.column_stack([parent, values]), axis=0, return_index=True)
        self.dropped = self.dropped or first.size > self.most
        kept = np.sort(first)[: self.most]
        self.parts = [(parent[kept], schema[kept], values[kept])]
        self.size = kept.size

    def states(self) -> tuple[Ints, Ints, Floats, bool]:
        if not self.parts:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), False
        self._merge()
        return (*self.parts[0], self.dropped)


def _values(schema: Schema, numbers: Sequence[Quantity], results: Floats) -> Floats:
    """A schema's value in floats after each of n chains; not finite where it has none."""
    stack: list[Floats] = []
    with np.errstate(all="ignore"):
        for token in schema:
            if token in OPERATIONS:
                right, left = stack.pop(), stack.pop()
                stack.append(_operate(token, left, right))
            elif token == "neg":
                stack.append(-stack.pop())
            elif token[0] == "r":
                stack.append(results[:, -int(token[1:])])
            else:
                value = float(execute((token,), numbers, ()))
                stack.append(np.full(len(results), value))
    return stack[0]


def _operate(token: str, left: Floats, right: Floats) -> Floats:
    if token == "+":
        return left + right
    if token == "-":
        return left - right
    return left * right if token == "*" else left / right


def _history(levels: Sequence[_Level], schemas: Sequence[Schema], state: int) -> tuple[Schema, ...]:
    chain: list[Schema] = []
    for level in reversed(levels[1:]):
        chain.append(schemas[level.schema[state]])
        state = int(level.parent[state])
    return tuple(reversed(chain))


def _ends_on(chain: Sequence[Schema], numbers: Sequence[Quantity], target: Fraction) -> bool:
    results: list[Fraction] = []
    try:
        for schema in chain:
            results.append(execute(schema, numbers, results))
    except StepError:
        return False
    return results[-1] == target


@dataclass(frozen=True)
class Ceiling:
    """The share of problems whose answer some steps of a library end on.

    Attributes
    ----------
    problems : int
    kinds : dict of str to int
        Problems by kind of answer; only numbers can be reached.
    searched : int
        Problems whose answer is a rational number.
    reached : tuple of int
        Of these, how many answers are reached in at most 1, 2, ... steps.
    wrong : tuple of float
        The same for a wrong answer: the mean over those drawn for each problem.
    bounded : dict of int to int
        Problems whose search met the bound, by the length of chains at which it did.
    """

    problems: int
    kinds: dict[str, int]
    searched: int
    reached: tuple[int, ...]
    wrong: tuple[float, ...]
    bounded: dict[int, int]


def ceiling(
    schemas: Sequence[Schema],
    problems: Sequence[Problem],
    *,
    depth: int = 3,
    max_states: int = 20_000,
    n_wrong: int = 3,
    constants: Literal["any", "common"] = "common",
    seed: int = 0,
) -> Ceiling:
    """Search the answers of many problems, and wrong answers in their place.

    A wrong answer is that of another problem, drawn uniformly among the answers of the same kind
    (whole or not) that differ from the right one.

    Parameters
    ----------
    schemas, depth, max_states
        As of `search`.
    problems : sequence of Problem
    n_wrong : int
        Wrong answers for each problem, drawn with replacement.
    constants : {"any", "common"}
        "common" leaves out schemas of constants alone and those with a constant that not every
        reader knows: with these, any number is reached from any problem.
    seed : int

    Returns
    -------
    Ceiling

    Raises
    ------
    ValueError
        If there is no problem.
    """
    if not problems:
        raise ValueError("problems is empty: pass at least one")
    usable = [s for s in schemas if constants == "any" or (linked(s) and familiar(s))]
    rng = np.random.default_rng(seed)
    answers = [read_answer(problem.answer) for problem in problems]
    pools: dict[str, list[Fraction]] = {}
    for answer in answers:
        if answer.value is not None:
            pools.setdefault(answer.kind, []).append(answer.value)
    right, wrong = np.zeros((2, depth + 1), np.int64)
    bounded = Counter[int]()
    searched = 0
    for problem, answer in zip(problems, answers, strict=True):
        if answer.value is None:
            continue
        searched += 1
        others = [value for value in pools[answer.kind] if value != answer.value]
        drawn = [others[i] for i in rng.integers(len(others), size=n_wrong)] if others else []
        found = search(
            usable, quantities(problem.question), [answer.value, *drawn],
            depth=depth, max_states=max_states,
        )  # fmt: skip
        right[found.depths[0]] += 1
        for steps in found.depths[1:]:
            wrong[steps] += 1
        bounded[found.bounded_at] += found.bounded_at > 0
    return Ceiling(
        len(problems), dict(Counter(answer.kind for answer in answers)), searched,
        tuple(right[1:].cumsum().tolist()),
        tuple((wrong[1:].cumsum() / max(1, n_wrong)).tolist()), dict(+bounded),
    )  # fmt: skip
