"""Quantities of texts: every way of writing, what is not taken, and texts that are hostile."""

from collections import Counter
from fractions import Fraction

import pytest

from crlib.data.quantities import MAX_DIGITS, quantities


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("no number at all", []),
        ("He has 12 apples, 1,234,567 pears and 0.5 or .25 pies", [12, 1234567, "1/2", "1/4"]),
        ("12,34", [12, 34]),
        ("$1.50, $20.", ["3/2", 20]),
        ("3/4 of 2 1/2 cups", ["3/4", "5/2"]),
        (r"\frac{3}{4}, \dfrac12, 1{,}000, 12,\!000", ["3/4", "1/2", 1000, 12000]),
        ("f(-2) + 7, x = -3, 10-20 people, 5 - 3", [-2, 7, -3, 10, 20, 5, 3]),
        ("twenty-five, ninety nine, seventeen, zero", [25, 99, 17, 0]),
        ("two hundred, 5 million, a thousand, three dozen", [200, 5000000, 1000, 3, 12]),
        ("half of it, a quarter, two thirds, three-fifths", ["1/2", "1/4", "2/3", "3/5"]),
        ("twice as many, Double the price, triple", [2, 2, 3]),
        ("one of the 3rd graders, the second and the 21st, someone, often", []),
        ("5 apples and 5 pears", [5, 5]),
        ("12oz of 3-inch", [12, 3]),
        ("[asy] draw((0,1)--(2,3)); [/asy] 4 [asy] 5", [4]),
    ],
)
def test_values_in_the_order_of_the_text(text, values):
    assert [quantity.value for quantity in quantities(text)] == [Fraction(v) for v in values]


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("80% of 50", [True, False]),
        (r"80\% of 50", [True, False]),
        ("eighty percent, 5 per cent and a 7-percent tax", [True, True, True]),
        ("80 percentage points", [False]),
    ],
)
def test_percentages_are_told_apart_and_keep_their_face_value(text, percent):
    found = quantities(text)
    assert [quantity.percent for quantity in found] == percent
    assert found[0].value == 80 or found[0].text == "eighty"


def test_what_is_not_taken_is_counted_by_reason():
    left_out = Counter()
    long, longest = "1" * (MAX_DIGITS + 1), "9" * MAX_DIGITS
    text = f"{long}, {longest}, 1/0, one, the 3rd, [asy] 1 [/asy], 5"
    assert [q.value for q in quantities(text, left_out)] == [int(longest), 5]
    assert left_out == {
        "too many digits": 1, "denominator of zero": 1, "ordinal or pronoun": 2, "drawing": 1
    }  # fmt: skip


@pytest.mark.parametrize("part", ["1", "1,", "1 ", "1/", "-", "\\frac{", "[asy]", "a ", "1."])
@pytest.mark.timeout(60)
def test_a_long_hostile_text_neither_hangs_nor_fails(part):
    n = 20_000
    assert len(quantities(part * n + "/")) <= n
