"""Reference answers as exact numbers, where they are numbers at all."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from crlib.data.calculations import StepError, number
from crlib.data.quantities import too_long

MAX_LENGTH = 200  # signs; a longer answer is not given to a parser
SECONDS = 5
MAX_POWER = 1000
# Towers, long exponents and factorials of long numbers would be worked out as they are read.
HUGE = re.compile(r"\^\s*\{[^{}]*\^|\^\s*\{?\s*\d{4,}|\d{4,}\s*!|!\s*!")
OTHER_BASE = re.compile(r"\d\s*_\s*\{?\s*\d")


@dataclass(frozen=True)
class Answer:
    """A reference answer: its value, none where it is no rational number, and its kind."""

    value: Fraction | None
    kind: str


def read_answer(text: str) -> Answer:
    """Read a reference answer, with math-verify where it is more than digits.

    Parameters
    ----------
    text : str
        Plain (GSM8K) or in LaTeX (MATH-500).

    Returns
    -------
    Answer
        kind is "whole number", "other rational number", or what else it is: such an answer has no
        value, and no chain of arithmetic steps gives it.
    """
    try:
        return _rational(number(text))
    except StepError:
        pass
    if OTHER_BASE.search(text):
        return Answer(None, "a numeral of another base")
    if len(text) > MAX_LENGTH or HUGE.search(text):
        return Answer(None, "too large to work out")
    parsed = _parse(text)
    return Answer(None, "not readable") if parsed is None else _classify(parsed)


def _rational(value: Fraction) -> Answer:
    if too_long(value):
        return Answer(None, "too large to work out")
    return Answer(value, "whole number" if value.denominator == 1 else "other rational number")


def _parse(text: str) -> Any:
    from math_verify import LatexExtractionConfig, parse  # seconds to import with its grammar

    # The limit is an alarm signal, which only the main thread may set.
    main = threading.current_thread() is threading.main_thread()
    found = parse(
        f"${text.strip().strip('$')}$", extraction_config=[LatexExtractionConfig()],
        parsing_timeout=SECONDS if main else None,
    )  # fmt: skip
    return found[0] if found and not isinstance(found[0], str) else None


def _classify(parsed: Any) -> Answer:
    import sympy

    if isinstance(parsed, (sympy.Rational, sympy.Float)):
        exact = sympy.nsimplify(parsed, rational=True)
        return _rational(Fraction(int(exact.p), int(exact.q)))
    if isinstance(parsed, sympy.Symbol):
        return Answer(None, "a word or letter")
    if isinstance(parsed, sympy.logic.boolalg.Boolean):
        return Answer(None, "an equation or inequality")
    if not isinstance(parsed, sympy.Expr) or isinstance(parsed, sympy.MatrixBase):
        return Answer(None, "several values, an interval or a matrix")
    if {str(letter) for letter in parsed.free_symbols} - {"i"}:
        return Answer(None, "an expression with letters")
    if _plain(parsed) and (exact := sympy.nsimplify(parsed.doit(), rational=True)).is_Rational:
        return _rational(Fraction(int(exact.p), int(exact.q)))
    return Answer(None, "an irrational, complex or infinite number")


def _plain(parsed: Any) -> bool:
    """Whether it is numbers, + - * / and small powers alone, which take no time to work out."""
    import sympy

    return all(
        isinstance(part, (sympy.Number, sympy.Add, sympy.Mul, sympy.UnevaluatedExpr))
        or (isinstance(part, sympy.Pow) and part.exp.is_Number and abs(part.exp) <= MAX_POWER)
        for part in sympy.preorder_traversal(parsed)
    )
