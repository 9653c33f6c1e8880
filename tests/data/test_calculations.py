"""Calculations against sympy and Python's own arithmetic; input of every wrong kind."""

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

from crlib.data.calculations import StepError, calculate, infix, number, postfix, tokens, written


def value(text):
    return calculate(postfix(tokens(text)), Fraction)


def drawn(rng, depth):
    """A random calculation, with brackets, signs and decimals."""
    if depth == 0 or rng.random() < 0.2:
        return str(rng.choice(["7", "12", "0.5", ".25", "3.", "100"]))
    left, right = drawn(rng, depth - 1), drawn(rng, depth - 1)
    text = f"{left}{rng.choice(['+', '-', '*', '/', ' * ', '+-'])}{right}"
    return f"({text})" if rng.random() < 0.5 else text


def test_random_calculations_agree_with_sympy():
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(300):
        text = drawn(rng, 3)
        exact = re.sub(r"\d*\.\d*|\d+", lambda m: f"Rational('{float(m[0])}')", text)
        expected = sympy.sympify(exact)
        if not expected.is_finite:
            with pytest.raises(StepError, match="division by zero"):
                value(text)
            continue
        if max(abs(expected.p), expected.q) >= 10**15:
            continue
        found = value(text)
        assert sympy.Rational(found.numerator, found.denominator) == expected, text
        # what is written out again means the same
        assert value(infix(postfix(tokens(text)))) == found
        compared += 1
    assert compared > 200


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2-3-4", -5), ("16/4/2", 2), ("2-(3-4)", 3), ("16/(4/2)", 8), ("-2*-3", 6), ("--2", 2),
        ("-(2+3)", -5), ("+5", 5), ("2*+3", 6), ("1/3", Fraction(1, 3)),
        (".1+.2", Fraction(3, 10)), ("5.", 5), (" 2 + 3 ", 5),
    ],
)  # fmt: skip
def test_order_and_signs(text, result):
    assert value(text) == result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty calculation"),
        ("  ", "empty calculation"),
        ("2**3", "do not fit together"),
        ("6//2", "do not fit together"),
        ("2 3", "do not fit together"),
        ("2+", "do not fit together"),
        ("*2", "do not fit together"),
        ("2(3)", "do not fit together"),
        ("(2", "brackets"),
        ("2)", "brackets"),
        ("()", "brackets"),
        ("1/0", "division by zero"),
        ("1/(2-2)", "division by zero"),
        ("9" * 16, "too many digits"),
        ("99999999*99999999", "too many digits"),
        ("1/99999999/99999999", "too many digits"),
        ("2^3", "a sign that is no number"),
        ("x+1", "a sign that is no number"),
        ("__import__('os')", "a sign that is no number"),
        ("1" + "+1" * 100, "calculation too long"),
        ("(" * 10000 + "1" + ")" * 10000, "calculation too long"),
    ],
)
def test_what_cannot_be_read_or_done_is_named(text, reason):
    with pytest.raises(StepError, match=reason):
        value(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [("5", 5), ("-5.5", Fraction(-11, 2)), ("1,234", 1234), ("3/4", Fraction(3, 4)), (".5", 0.5)],
)
def test_plain_numbers(text, result):
    assert number(text) == result


@pytest.mark.parametrize("text", ["", "x", "1,2", "-2,1", "1e5", "nan", "5%", "1/0", "9" * 99, "٣"])
def test_what_is_no_plain_number(text):
    with pytest.raises(StepError):
        number(text)


@pytest.mark.parametrize(
    ("text", "calculation"),
    [
        ("The ice cream is 10 × $4 = $40.", "10*4=40"),
        ("Caleb spent $40 − $4 = $36 more", "40-4=36"),
        ("It is 100% - 40% = 60% of them", "100-40=60"),
        ("Food is 15% * $1000=$150", "(15/100)*1000=150"),
        ("so (12 + 4) x 2 = 32 in May", "(12+4)*2=32"),
        ("It has 1,200 + 34 = 1,234 pages", "1200+34=1234"),
        ("2 + 2 = 5", None),
        ("1+1=2 and 2+2=4", None),
        ("x = 5", None),
        ("5 = 5", None),
        ("no number", None),
        ("", None),
    ],
)
def test_the_calculation_that_a_sentence_writes_out(text, calculation):
    assert written(text) == calculation


@pytest.mark.timeout(60)
def test_a_long_hostile_sentence_does_not_hang():
    for part in ("1+", "1 ", "(", "$", "=", "1=", ","):
        assert written(part * 20_000 + "=") is None
