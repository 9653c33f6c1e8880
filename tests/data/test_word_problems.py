"""Generated problems: proved formulas, replayed solutions, variety, seeds, wrong input."""

import re
from fractions import Fraction

import numpy as np
import pytest

from crlib.data import word_problems as module
from crlib.data.mathematics import replay, step_library
from crlib.data.quantities import quantities
from crlib.data.word_families import FAMILIES, Stage
from crlib.data.word_problems import proved, word_problems


def test_every_family_is_proved_and_there_are_at_least_six():
    assert len(FAMILIES) >= 6
    assert {family: proved(family) for family in FAMILIES} == {
        family: len(stages) for family, stages in FAMILIES.items()
    }


def test_a_wrong_formula_is_found_by_the_proof(monkeypatch):
    wrong = (Stage("n*p", "x1/p = n", ""), Stage("x1+m", "x2+m = x1", ""))
    open_ended = (Stage("n*p", "x1-x1 = n", ""),)
    monkeypatch.setitem(FAMILIES, "wrong", wrong)
    monkeypatch.setitem(FAMILIES, "open", open_ended)
    with pytest.raises(ValueError, match="wrong: the formula of x2"):
        proved("wrong")
    with pytest.raises(ValueError, match="open: what holds has 0 solutions"):
        word_problems(1, families=["open"])


def test_every_solution_replays_to_its_answer():
    problems = word_problems(600, seed=3).problems
    for problem in problems:
        done = replay(problem, strict=True)
        assert done.reason == "", problem
        assert done.results[-1] == Fraction(problem.answer)
        assert 2 <= len(problem.steps) <= 6
        for text, (told,) in zip(problem.steps, problem.calculations, strict=True):
            left, right = told.split("=")
            assert left.replace(" ", "") in text.replace(" ", "")
            assert right in text
            # eval of the module's own arithmetic, in floats, as a second opinion
            assert eval(left) == pytest.approx(float(right))
    assert {len(problem.steps) for problem in problems} == {2, 3, 4, 5, 6}
    assert {problem.subject for problem in problems} == set(FAMILIES)


def test_texts_hold_what_the_solution_needs_and_distractors_besides():
    plain, noisy = (word_problems(300, distractors=n, seed=1).problems for n in (0, 2))
    spare = []
    for problems in (plain, noisy):
        counts = []
        for problem in problems:
            used = {t for _, schema in replay(problem).steps for t in schema if t[0] in "qp"}
            counts.append(len(quantities(problem.question)) - len(used))
        spare.append(np.mean(counts))
    assert spare[1] > spare[0] + 0.5
    assert not any("{" in p.question + "".join(p.steps) for p in (*plain, *noisy))
    # the order of the facts differs, so that a place tells nothing
    first = {replay(p).steps[0][1] for p in plain if p.subject == "travel"}
    assert len(first) >= 5


def test_the_library_of_a_few_thousand_has_tens_of_thousands_of_sentences():
    library = step_library(word_problems(4000, seed=0).problems)
    assert len(set(library.texts)) >= 10_000
    assert len(library.schemas) >= 100
    assert library.reasons == {}


def test_the_same_seed_makes_the_same_problems():
    one, two, other = (word_problems(50, seed=seed) for seed in (5, 5, 6))
    assert one == two
    assert one.problems != other.problems
    assert len({problem.question for problem in one.problems}) == 50
    assert {p.subject for p in word_problems(30, families=["tank", "ages"]).problems} == {
        "tank", "ages"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n = 0"),
        ({"n": 5, "distractors": 7}, "distractors = 7"),
        ({"n": 5, "families": ["cooking"]}, r"unknown families \['cooking'\]"),
        ({"n": 5, "families": []}, "unknown families"),
    ],
)
def test_what_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        word_problems(**options)


def test_a_family_with_too_few_problems_ends_with_a_clear_error(monkeypatch):
    stages = (
        Stage("a+b", "x1-a = b", "{calc} = {x}", ("{a}", "{b}"), {"a": (2, 2), "b": (3, 3)}),
        Stage("x1+1", "x2-1 = x1", "{calc} = {x}", asks="how many?"),
    )
    monkeypatch.setitem(FAMILIES, "single", stages)
    with pytest.raises(ValueError, match=re.escape("of 50 distinct problems could be drawn")):
        word_problems(50, families=["single"], distractors=0)
    assert module.proved("single") == 2
