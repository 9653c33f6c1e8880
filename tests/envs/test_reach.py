"""The search for what steps can reach: against brute force in fractions, and its bounds."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from crlib.data.calculations import StepError
from crlib.data.mathematics import step_library
from crlib.data.problems import Problem, load_problems
from crlib.data.quantities import quantities
from crlib.data.schemas import execute
from crlib.data.word_problems import word_problems
from crlib.envs.reach import ceiling, search

SCHEMAS = [
    ("q1", "q2", "*"), ("q1", "r1", "+"), ("r2", "r1", "-"), ("q1", "q2", "/"), ("p2", "r1", "*"),
    ("q3", "q1", "-"), ("r1", "neg"), ("q1", "q2", "q3", "-", "/"), ("7", "r1", "*"),
]  # fmt: skip


def brute_force(schemas, numbers, depth):
    """Fewest steps to each value, over all sequences of schemas."""
    fewest = {}
    for length in range(1, depth + 1):
        for chain in itertools.product(schemas, repeat=length):
            results = []
            try:
                for schema in chain:
                    results.append(execute(schema, numbers, results))
            except StepError:
                continue
            fewest.setdefault(results[-1], length)
    return fewest


@pytest.mark.parametrize("text", ["6 and 4", "3 and 20% and 5", "1/3, 7, 7", "", "0 and 0 and 2"])
def test_the_search_finds_what_brute_force_finds(text):
    numbers = quantities(text)
    fewest = brute_force(SCHEMAS, numbers, 3)
    never = [Fraction(n, 11) for n in range(1, 30) if Fraction(n, 11) not in fewest]
    targets = [*fewest, *never]
    found = search(SCHEMAS, numbers, targets, depth=3, max_states=100_000)
    assert found.bounded_at == 0
    assert list(found.depths) == [fewest.get(target, 0) for target in targets]
    for target, chain in zip(targets, found.chains, strict=True):
        results = []
        for schema in chain:
            results.append(execute(schema, numbers, results))
        assert not chain or results[-1] == target


def test_a_bound_is_told_and_finds_a_part_of_what_is_there():
    numbers = quantities("6, 4, 9")
    fewest = brute_force(SCHEMAS, numbers, 3)
    whole = search(SCHEMAS, numbers, list(fewest), depth=3, max_states=10_000)
    tight = search(SCHEMAS, numbers, list(fewest), depth=3, max_states=2)
    assert (whole.bounded_at, tight.bounded_at) == (0, 1)
    pairs = list(zip(tight.depths, whole.depths, strict=True))
    assert all(found in (0, true) or found > true > 0 for found, true in pairs)
    assert sum(found > 0 for found, _ in pairs) < len(pairs)
    # one step more is compared with all, whatever is kept
    assert all(found == 1 for found, true in pairs if true == 1)


def test_close_is_not_equal():
    numbers = quantities("1 and 3 and 0.3333333333")
    schemas = [("q1", "q2", "/"), ("q3",)]
    third, near = Fraction(1, 3), Fraction("0.3333333333")
    found = search(schemas, numbers, [third, near, Fraction("0.33333333333")], depth=1)
    assert found.depths == (1, 1, 0)
    assert found.chains == ((schemas[0],), (schemas[1],), ())


def test_huge_numbers_and_divisions_by_zero_reach_nothing():
    numbers = quantities("999999999 and 0")
    schemas = [("q1", "q1", "*"), ("r1", "r1", "*"), ("q1", "q2", "/"), ("r1", "r1", "/")]
    found = search(schemas, numbers, [Fraction(999999999**2), Fraction(1)], depth=4)
    assert found.depths == (0, 0)  # 18 digits; and 1 is reached from no valid result


def solved(name, question, answer):
    return Problem(name, question, ("x",), answer)


def test_the_ceiling_counts_kinds_steps_and_wrong_answers():
    schemas = [("q1", "q2", "*"), ("q1", "r1", "+"), ("17", "q1", "+"), ("9",)]
    problems = [
        solved("a", "3 and 5", "15"), solved("b", "3 and 5", "18"), solved("c", "3, 5", "20"),
        solved("d", "3, 5", r"\sqrt{2}"), solved("e", "3, 5", "1/2"), solved("f", "3, 5", "9"),
    ]  # fmt: skip
    found = ceiling(schemas, problems, depth=2, n_wrong=400, constants="common")
    assert found.problems == 6
    kinds = {"whole number": 4, "other rational number": 1}
    assert found.kinds == kinds | {"an irrational, complex or infinite number": 1}
    assert (found.searched, found.reached, found.bounded) == (5, (1, 2), {})
    # of 15, 18, 20 and 9 one step reaches 15 and two reach 18; each of four problems draws among
    # the three that are not its own; the only fraction has no other
    assert found.wrong == pytest.approx((0 + 3 / 3, 2 / 3 + 4 / 3), abs=0.25)
    anything = ceiling(schemas, problems, depth=2, n_wrong=1, constants="any")
    assert anything.reached == (3, 4)
    with pytest.raises(ValueError, match="problems is empty"):
        ceiling(schemas, [])
    with pytest.raises(ValueError, match="depth = 0"):
        search(schemas, [], [], depth=0)


def test_generated_solutions_are_reached_in_no_more_than_their_steps():
    problems = [p for p in word_problems(80, distractors=0, seed=6).problems if len(p.steps) <= 3]
    library = step_library(problems)
    found = ceiling(library.schemas, problems, depth=3, max_states=200_000, n_wrong=2)
    assert found.reached[-1] == found.searched == len(problems)
    assert found.wrong[-1] < found.reached[-1]
    assert np.all(np.diff(found.reached) >= 0)
    again = ceiling(library.schemas, problems, depth=3, max_states=200_000, n_wrong=2)
    assert again == found


def test_real_answers_of_one_step_are_reached(real):
    problems = [p for p in load_problems("gsm8k").problems if len(p.steps) == 2][:40]
    library = step_library(problems)
    replayed = [p for p in problems if p.id in library.chains]
    found = ceiling(library.schemas, replayed, depth=2, constants="any", max_states=50_000)
    assert found.reached[-1] == len(replayed)
