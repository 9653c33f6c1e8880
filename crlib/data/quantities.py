"""The quantities of a problem's text, exact and in the order in which they are read."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

MAX_DIGITS = 15  # of a numerator or denominator: a float tells such numbers apart

SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
         "eighteen", "nineteen")  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
MULTIPLES: dict[str, int | Fraction] = {
    "dozen": 12, "twice": 2, "thrice": 3, "double": 2, "doubled": 2, "doubles": 2, "triple": 3,
    "tripled": 3, "triples": 3, "quadruple": 4, "half": Fraction(1, 2),
}  # fmt: skip
PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
         "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}  # fmt: skip
UNITS = {word: value for value, word in enumerate(SMALL)}
WORDS = UNITS | {word: 10 * value for value, word in enumerate(TENS, 2)}

# Possessive where a long run of digits would else be tried at every length.
_digits = r"(?:\d{1,3}(?:(?:,|\{,\}|,\\!)\d{3})++(?!\d)|\d++)(?:\.\d++)?|\.\d++"
_unit, _ten, _word = ("|".join(group) for group in (SMALL[1:10], TENS, [*SMALL, *TENS]))
_count = rf"(?:(?:{_ten})[ -](?:{_unit})|{_word})"
_scales = "|".join(SCALES)
_parts = "|".join(PARTS)
QUANTITY = re.compile(
    rf"""\\[dt]?frac\s*(?:\{{\s*(?P<above>\d+)\s*\}}\s*\{{\s*(?P<below>\d+)\s*\}}
                        |(?P<above1>\d)(?P<below1>\d))
    |(?P<sign>(?<![\w)\]}}.$])-)?(?P<number>{_digits})
      (?:\ (?P<top>\d++)/(?P<bottom>\d++)(?![.,]\d|/)|/(?P<under>\d++)(?![.,]\d|/)
        |(?P<ordinal>(?:st|nd|rd|th)\b)
        |\ (?P<million>{_scales})\b)?
    |\b(?P<share>{_count}|an?)[ -](?P<part>{_parts})s?\b
    |\b(?P<scaled>(?:{_count}|an?))[ -](?P<scale>{_scales})\b
    |\b(?P<word>{_count}|{"|".join(MULTIPLES)})\b""",
    re.VERBOSE | re.IGNORECASE,
)
PERCENT = re.compile(r"\$?\s*(?:\\?%|-?\s*per\s?cent\b)", re.IGNORECASE)
DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)", re.DOTALL)


@dataclass(frozen=True)
class Quantity:
    """A number of a text: its value, whether it is a percentage (80 for 80%), and its words."""

    value: Fraction
    percent: bool
    text: str


def quantities(text: str, left_out: Counter[str] | None = None) -> tuple[Quantity, ...]:
    """Read the quantities of a problem.

    These are numbers in digits (1,000; 2.5; 3/4; 2 1/2; LaTeX's fractions), in words up to
    ninety-nine and their hundreds, thousands and millions, fractions in words ("two thirds", "a
    quarter"), and "half", "twice", "double", "triple", "dozen". Not taken are "one" by itself,
    which is a pronoun as often as a number, ordinals, and the code of Asymptote drawings. A number
    that occurs twice is two quantities.

    Parameters
    ----------
    text : str
    left_out : Counter, optional
        Counts here what was met but not taken, by reason.

    Returns
    -------
    tuple of Quantity
        In order; empty for a text without any.
    """
    found: list[Quantity] = []
    missed = Counter[str]() if left_out is None else left_out
    plain, drawings = DRAWING.subn(" ", text)
    if drawings:
        missed["drawing"] += drawings
    for match in QUANTITY.finditer(plain):
        if max((len(run) for run in re.findall(r"\d+", match[0])), default=0) > MAX_DIGITS:
            missed["too many digits"] += 1
            continue
        try:
            value = _value({name: part for name, part in match.groupdict().items() if part})
        except ZeroDivisionError:
            missed["denominator of zero"] += 1
            continue
        if value is None:
            missed["ordinal or pronoun"] += 1
        elif too_long(value):
            missed["too many digits"] += 1
        else:
            percent = PERCENT.match(plain, match.end()) is not None
            found.append(Quantity(value, percent, match[0]))
    return tuple(found)


def too_long(value: Fraction) -> bool:
    """Whether a numerator or denominator has more than `MAX_DIGITS` digits."""
    return max(abs(value.numerator), value.denominator) >= 10**MAX_DIGITS


def _value(parts: dict[str, str]) -> Fraction | None:
    if "above" in parts:
        return Fraction(int(parts["above"]), int(parts["below"]))
    if "above1" in parts:
        return Fraction(int(parts["above1"]), int(parts["below1"]))
    if "number" in parts:
        return _from_digits(parts)
    if "part" in parts:
        return Fraction(_from_words(parts["share"]), PARTS[parts["part"].lower()])
    if "scale" in parts:
        return Fraction(_from_words(parts["scaled"]) * SCALES[parts["scale"].lower()])
    word = parts["word"].lower()
    if word == "one":
        return None
    return Fraction(MULTIPLES.get(word) or _from_words(word))


def _from_digits(parts: dict[str, str]) -> Fraction | None:
    if "ordinal" in parts:
        return None
    value = Fraction(re.sub(r"[^\d.]", "", parts["number"]))
    if "under" in parts:
        value /= int(parts["under"])
    elif "top" in parts:
        value += Fraction(int(parts["top"]), int(parts["bottom"]))
    elif "million" in parts:
        value *= SCALES[parts["million"].lower()]
    return -value if "sign" in parts else value


def _from_words(words: str) -> int:
    return sum(WORDS.get(word, 1) for word in re.split("[ -]", words.lower()))  # "a" counts one
