"""Calculations such as 2*(3+4)/5, read by a parser of their own and done in exact fractions."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from crlib.data.quantities import MAX_DIGITS, too_long

MAX_TOKENS = 64  # of a calculation
TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([-+*/()]))", re.ASCII)
LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3}
WRITTEN = re.compile(r"([-+*/x()$%,.\d\s]{3,80})=\s*\$?(-?[\d,]{0,20}\.?\d{1,15})", re.ASCII)
NUMBER = re.compile(r"-?(\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?|\.\d+)(/\d+)?", re.ASCII)
SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv
}  # fmt: skip


class StepError(ValueError):
    """A calculation that cannot be read or done; its text is the reason, fit to be counted."""


def tokens(text: str) -> list[str]:
    """Split a calculation into numbers, operators and brackets.

    Raises
    ------
    StepError
        If there is anything else in it, it is empty or too long.
    """
    if not text.strip():
        raise StepError("empty calculation")
    found, place, text = list[str](), 0, text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise StepError("a sign that is no number, + - * / or bracket")
        if match[1] and len(match[1]) > MAX_DIGITS:
            raise StepError("too many digits")
        found.append(match[1] or match[2])
        place = match.end()
    if len(found) > MAX_TOKENS:
        raise StepError("calculation too long")
    return found


def postfix(found: Sequence[str]) -> tuple[str, ...]:
    """Order tokens so that operators follow what they work on (the shunting-yard algorithm).

    Parameters
    ----------
    found : sequence of str
        Operators, brackets, and anything else as an operand.

    Returns
    -------
    tuple of str
        A minus with nothing before it becomes "neg".

    Raises
    ------
    StepError
        If operands, operators and brackets do not fit together.
    """
    done: list[str] = []
    held: list[str] = []
    operand_next = True
    for token in found:
        if token == "(":
            if not operand_next:
                raise StepError("operators and numbers do not fit together")
            held.append(token)
        elif token == ")":
            while held and held[-1] != "(":
                done.append(held.pop())
            if not held or operand_next:
                raise StepError("brackets do not fit together")
            held.pop()
        elif token in OPERATIONS:
            if operand_next and token == "+":
                continue  # a sign that says nothing
            if operand_next and token != "-":
                raise StepError("operators and numbers do not fit together")
            name = "neg" if operand_next else token
            while not operand_next and held and held[-1] != "(" and LEVEL[held[-1]] >= LEVEL[name]:
                done.append(held.pop())
            held.append(name)
            operand_next = True
        else:
            if not operand_next:
                raise StepError("operators and numbers do not fit together")
            done.append(token)
            operand_next = False
    if operand_next:
        raise StepError("operators and numbers do not fit together")
    while held:
        if held[-1] == "(":
            raise StepError("brackets do not fit together")
        done.append(held.pop())
    return tuple(done)


def calculate(program: Sequence[str], value_of: Callable[[str], Fraction]) -> Fraction:
    """Do a calculation in postfix order.

    Parameters
    ----------
    program : sequence of str
        From `postfix`.
    value_of : callable
        Value of an operand.

    Raises
    ------
    StepError
        For a division by zero, or a result, also on the way, of more than 15 digits.
    """
    stack: list[Fraction] = []
    for token in program:
        if token in OPERATIONS:
            right, left = stack.pop(), stack.pop()
            if token == "/" and not right:
                raise StepError("division by zero")
            value = OPERATIONS[token](left, right)
        else:
            value = -stack.pop() if token == "neg" else value_of(token)
        if too_long(value):
            raise StepError("too many digits")
        stack.append(value)
    (value,) = stack
    return value


def infix(program: Sequence[str]) -> str:
    """Write a postfix program as one reads it, with brackets only where they are needed."""
    stack: list[tuple[str, int]] = []
    for token in program:
        if token == "neg":
            text, level = stack.pop()
            stack.append((f"-({text})" if level < 4 else f"-{text}", 1))
        elif token in OPERATIONS:
            (right, below), (left, above) = stack.pop(), stack.pop()
            level = LEVEL[token]
            left = f"({left})" if above < level else left
            right = f"({right})" if below <= level else right
            stack.append((f"{left} {token} {right}", level))
        else:
            stack.append((token, 4))
    ((text, _),) = stack
    return text


def number(text: str) -> Fraction:
    """Return the value of a plain number such as -1,234.5 or 3/4.

    Raises
    ------
    StepError
        If it is none, or has more than 15 digits.
    """
    plain = text.strip()
    if not NUMBER.fullmatch(plain) or len(plain) > 2 * MAX_DIGITS:
        raise StepError("result is no number")
    plain = plain.replace(",", "")
    above, _, below = plain.partition("/")
    if below and not int(below):
        raise StepError("division by zero")
    value = Fraction(above) / int(below or 1)
    if too_long(value):
        raise StepError("too many digits")
    return value


def written(text: str) -> str | None:
    """Find the one calculation that a sentence writes out, such as "costs 4 x $5 = $20".

    Parameters
    ----------
    text : str

    Returns
    -------
    str or None
        As 4*5=20; none where there is no calculation, more than one, or it does not hold.
    """
    found = []
    for left, right in WRITTEN.findall(text.translate(SIGNS)):
        plain = re.sub(r"[$,\s]", "", left.replace("x", "*")).strip("*+/.")
        result = right.replace(",", "")
        # 100% - 40% = 60% is meant at face value, 15% * 1000 = 150 as a share.
        readings = (plain.replace("%", ""), re.sub(r"([\d.]+)%", r"(\1/100)", plain))
        found += [f"{one}={result}" for one in dict.fromkeys(readings) if _holds(one, result)][:1]
    return found[0] if len(found) == 1 else None


def _holds(left: str, right: str) -> bool:
    try:
        program = postfix(tokens(left))
        return len(program) > 1 and calculate(program, Fraction) == number(right)
    except StepError:
        return False  # words around it, which the pattern took for a part
