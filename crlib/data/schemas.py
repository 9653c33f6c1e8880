"""Schemas: calculations whose operands are roles in whatever problem they are applied to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from crlib.data.calculations import OPERATIONS, StepError, calculate, infix
from crlib.data.quantities import Quantity

Schema = tuple[str, ...]
COMMON = frozenset(
    [Fraction(n) for n in (*range(13), 24, 30, 31, 52, 60, 100, 365, 1000)]
    + [Fraction(1, 100), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)]
)  # constants that every reader knows: small counts, units of time, per cent, simple shares
WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def execute(schema: Schema, numbers: Sequence[Quantity], results: Sequence[Fraction]) -> Fraction:
    """Apply a step's schema to a problem.

    Parameters
    ----------
    schema : tuple of str
        A calculation in postfix order. Its operands are q1, q2, ... (the problem's first, second,
        ... quantity at its face value), p1, p2, ... (the same as a share: 80% is 4/5; it must be
        a percentage), r1, r2, ... (the last result, the one before it, ...), and constants.
    numbers : sequence of Quantity
        Of the problem, from `crlib.data.quantities.quantities`.
    results : sequence of Fraction
        Of the steps so far, in order.

    Raises
    ------
    StepError
        If the problem lacks what an operand names, or the calculation cannot be done.
    """
    return calculate(schema, lambda operand: operand_value(operand, numbers, results))


def operand_value(
    operand: str, numbers: Sequence[Quantity], results: Sequence[Fraction]
) -> Fraction:
    """Return what an operand of a schema stands for in a problem, see `execute`."""
    kind = operand[0]
    if kind not in "qpr":
        return Fraction(operand)
    place = int(operand[1:])
    if kind == "r":
        if place > len(results):
            raise StepError("no such earlier result")
        return results[-place]
    if place > len(numbers):
        raise StepError("no such quantity in the problem")
    quantity = numbers[place - 1]
    if kind == "q":
        return quantity.value
    if not quantity.percent:
        raise StepError("the quantity is no percentage")
    return quantity.value / 100


def describe(schema: Schema) -> str:
    """Say a schema in words, for an embedding: what stands in its sentence are other numbers."""
    names = {"q": "number {}", "p": "percentage number {}", "r": "result {} back"}
    said = []
    for part in infix(schema).replace("(", "( ").replace(")", " )").split():
        kind = part.lstrip("-")[0] if part not in WORDS else ""
        word = names[kind].format(part.lstrip("-")[1:]) if kind in names else WORDS.get(part, part)
        said.append(f"minus {word}" if kind in names and part[0] == "-" else word)
    return " ".join(said).replace("( ", "(").replace(" )", ")").replace("result 1 back", "result")


def linked(schema: Schema) -> bool:
    """Whether a schema uses a quantity of the problem or an earlier result at all."""
    return any(operand[0] in "qpr" for operand in schema)


def familiar(schema: Schema) -> bool:
    """Whether all its constants are of those that every reader knows (`COMMON`)."""
    return all(
        token[0] in "qpr" or token in (*OPERATIONS, "neg") or Fraction(token) in COMMON
        for token in schema
    )


def ordered(program: Schema) -> Schema:
    """Put the sides of sums and products into one order: q2 * q1 is q1 * q2."""
    stack: list[Schema] = []
    for token in program:
        if token in OPERATIONS:
            right, left = stack.pop(), stack.pop()
            if token in "+*" and right < left:
                left, right = right, left
            stack.append((*left, *right, token))
        else:
            stack.append((*stack.pop(), token) if token == "neg" else (token,))
    (whole,) = stack
    return whole


class Needs:
    """What schemas take for granted, so that thousands are checked at once."""

    def __init__(self, schemas: Sequence[Schema]) -> None:
        places = {kind: [_places(schema, kind) for schema in schemas] for kind in "qpr"}
        self.numbers = np.array(
            [max(q + p, default=0) for q, p in zip(places["q"], places["p"], strict=True)]
        )
        self.results = np.array([max(r, default=0) for r in places["r"]])
        self.percentages = np.zeros((len(schemas), max(1, self.numbers.max(initial=0))), np.bool_)
        for row, shares in enumerate(places["p"]):
            self.percentages[row, [place - 1 for place in shares]] = True

    def met(self, numbers: Sequence[Quantity], n_results: int) -> NDArray[np.bool_]:
        """Which schemas find their quantities, percentages and results."""
        plain = np.ones(self.percentages.shape[1], np.bool_)
        shares = [not quantity.percent for quantity in numbers][: plain.size]
        plain[: len(shares)] = shares
        enough = (self.numbers <= len(numbers)) & (self.results <= n_results)
        return enough & ~(self.percentages & plain).any(axis=1)


def _places(schema: Schema, kind: str) -> list[int]:
    return [int(operand[1:]) for operand in schema if operand[0] == kind]
