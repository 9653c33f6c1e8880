"""A generator of word problems with worked solutions, whose formulas sympy proves."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy

from crlib.data.calculations import calculate, postfix
from crlib.data.problems import Problem, ProblemSet, noted
from crlib.data.quantities import SMALL
from crlib.data.word_families import DISTRACTORS, FAMILIES, NAMES, THINGS, Stage

NAME = re.compile(r"[a-z]\d?")
MAX_RESULT = 10**6
Values = dict[str, Fraction]


def word_problems(
    n: int,
    *,
    families: Sequence[str] | None = None,
    distractors: int = 2,
    seed: int = 0,
) -> ProblemSet:
    """Make word problems of two to six steps.

    Facts stand in random order, so that the place of a quantity tells nothing of its role; some
    problems hold sentences with numbers that nothing needs; some numbers are written in words. A
    family's formulas are proved once (`proved`), and each problem's results are computed in
    fractions from them.

    Parameters
    ----------
    n : int
        How many, at least 1.
    families : sequence of str, optional
        Of `crlib.data.word_families.FAMILIES`; all by default, drawn uniformly.
    distractors : int
        Sentences with needless numbers, at most, 0 to 6.
    seed : int

    Returns
    -------
    ProblemSet
        Named "generated"; a problem's subject is its family. No question occurs twice.

    Raises
    ------
    ValueError
        For an unknown family, or n or distractors out of range.
    """
    chosen = sorted(FAMILIES) if families is None else list(families)
    unknown = sorted(set(chosen) - set(FAMILIES))
    if unknown or not chosen:
        raise ValueError(f"unknown families {unknown}: choose among {sorted(FAMILIES)}")
    if n < 1 or not 0 <= distractors <= len(DISTRACTORS):
        raise ValueError(f"n = {n}, distractors = {distractors}: expected at least 1, and 0 to 6")
    for family in chosen:
        proved(family)
    rng = np.random.default_rng(seed)
    problems: dict[str, Problem] = {}
    drawn = 0
    while len(problems) < n:
        drawn += 1
        if drawn > 200 * n:
            raise ValueError(f"only {len(problems)} of {n} distinct problems could be drawn")
        family = chosen[int(rng.integers(len(chosen)))]
        problem = _problem(family, len(problems), distractors, rng)
        if problem is not None:
            problems.setdefault(problem.question, problem)
    source = {"kept": n, "drawn": drawn, "families": chosen, "distractors": distractors,
              "seed": seed}  # fmt: skip
    return noted(ProblemSet("generated", tuple(problems.values()), source))


@lru_cache
def proved(family: str) -> int:
    """Prove a family's formulas: solve what must hold, and compare for all values at once.

    Parameters
    ----------
    family : str

    Returns
    -------
    int
        How many formulas were proved.

    Raises
    ------
    ValueError
        If sympy's solution of the equations differs from a formula.
    """
    stages = FAMILIES[family]
    known: dict[str, sympy.Expr] = {}
    results = sympy.symbols([f"x{i}" for i in range(1, len(stages) + 1)])
    for stage, result in zip(stages, results, strict=True):
        known[str(result)] = _symbolic(stage.formula, known)
    equations = []
    for stage in stages:
        left, right = stage.holds.split("=")
        equations.append(sympy.Eq(_symbolic(left, {}), _symbolic(right, {})))
    solutions = sympy.solve(equations, results, dict=True)
    if len(solutions) != 1:
        raise ValueError(f"{family}: what holds has {len(solutions)} solutions, expected one")
    for result in results:
        if sympy.simplify(solutions[0][result] - known[str(result)]) != 0:
            raise ValueError(f"{family}: the formula of {result} is not what solves the equations")
    return len(stages)


def _symbolic(text: str, known: dict[str, sympy.Expr]) -> sympy.Expr:
    operations = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    stack: list[sympy.Expr] = []
    for token in postfix(_parts(text)):
        if token in operations:
            right, left = stack.pop(), stack.pop()
            stack.append(operations[token](left, right))
        elif token.isdigit():
            stack.append(sympy.Integer(token))
        else:
            stack.append(known.get(token, sympy.Symbol(token)))
    return stack[0]


def _parts(formula: str) -> list[str]:
    return re.findall(r"[a-z]\d?|\d+|[-+*/()]", formula)


def _problem(
    family: str, number: int, distractors: int, rng: np.random.Generator
) -> Problem | None:
    ends = [i for i, stage in enumerate(FAMILIES[family], 1) if stage.asks and i > 1]
    stages = FAMILIES[family][: ends[int(rng.integers(len(ends)))]]
    values = _draw(stages, rng)
    if values is None:
        return None
    (first, second), (one, other) = (
        rng.choice(words, 2, replace=False).tolist() for words in (NAMES, THINGS)
    )
    words = {"N": first, "M": second, "A": one, "B": other}
    told = [_wording(fact, rng) for stage in stages for fact in stage.facts]
    told = [_filled(fact, words, values, rng) for fact in told]
    for place in rng.permutation(len(DISTRACTORS))[: rng.integers(distractors + 1)]:
        needless = {"z": Fraction(int(rng.integers(2, 100)))}
        told.append(_filled(DISTRACTORS[place], words, needless, rng))
    told = [told[i] for i in rng.permutation(len(told))]
    question = " ".join([*told, _wording(stages[-1].asks, rng).format(**words)])
    steps, calculations = [], []
    for place, stage in enumerate(stages, 1):
        result = _digits(values[f"x{place}"])
        numbers = [_digits(values[x]) if x in values else x for x in _parts(stage.formula)]
        said = _wording(stage.says, rng)
        steps.append(said.format(**words, calc=" ".join(numbers), x=result))
        calculations.append((f"{''.join(numbers)}={result}",))
    return Problem(
        f"generated/{number}", question, tuple(steps), _digits(values[f"x{len(stages)}"]), family,
        calculations=tuple(calculations),
    )  # fmt: skip


def _draw(stages: Sequence[Stage], rng: np.random.Generator) -> Values | None:
    """Values of quantities and results; none where one would be no short positive decimal."""
    values: Values = {}
    for place, stage in enumerate(stages, 1):
        for name, (low, high) in stage.draws.items():
            fitting = np.arange(low, high + 1)
            if name in stage.divides:
                whole = values[stage.divides[name]]
                if whole.denominator > 1:
                    return None
                fitting = fitting[whole.numerator % fitting == 0]
                if not fitting.size:
                    return None
            values[name] = Fraction(int(rng.choice(fitting)))
        result = calculate(postfix(_parts(stage.formula)), lambda x: _known(x, values))
        if result <= 0 or result > MAX_RESULT or 100 % result.denominator:
            return None
        values[f"x{place}"] = result
    return values


def _known(name: str, values: Values) -> Fraction:
    return values[name] if name in values else Fraction(name)


def _wording(text: str, rng: np.random.Generator) -> str:
    wordings = text.split(" | ")
    return wordings[int(rng.integers(len(wordings)))]


def _filled(text: str, words: dict[str, str], values: Values, rng: np.random.Generator) -> str:
    written = {name: _digits(value) for name, value in values.items()}
    for name in NAME.findall(" ".join(re.findall(r"(?<!\$)\{(\w+)\}(?!%| percent)", text))):
        value = values[name]
        if value.denominator == 1 and 2 <= value < len(SMALL) and rng.random() < 0.25:
            written[name] = SMALL[int(value)]
    filled = text.format(**words, **written)
    return filled[0].upper() + filled[1:]


def _digits(value: Fraction) -> str:
    """A number as one writes it: 12 or 2.25."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.2f}".rstrip("0")
