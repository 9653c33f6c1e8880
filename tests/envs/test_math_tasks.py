"""Splits of problems: disjoint, nothing of a test problem in the library, wrong input."""

import numpy as np
import pytest

from crlib.data.mathematics import step_library
from crlib.data.problems import Problem, load_problems
from crlib.data.word_problems import word_problems
from crlib.envs.math_tasks import math_tasks

PROBLEMS = word_problems(400, seed=0).problems


def test_splits_are_disjoint_and_the_library_is_of_no_problem_that_is_tested():
    tasks = math_tasks(PROBLEMS, held_out=2, unseen_problems=0.25, seed=1)
    parts = [tasks.train, tasks.unseen_problems, tasks.unseen_families, tasks.library_only]
    whole = np.concatenate(parts)
    assert np.unique(whole).size == whole.size == len(PROBLEMS)  # all of these replay
    of = [{tasks.problems[i].subject for i in part} for part in parts]
    assert set(tasks.held_out) == of[2] == of[3]
    assert len(tasks.held_out) == 2
    assert not of[2] & (of[0] | of[1])
    assert len(tasks.unseen_problems) == int(0.25 * (whole.size - len(parts[2]) - len(parts[3])))
    giving = {tasks.problems[i].id for i in np.r_[tasks.train, tasks.library_only]}
    assert set(tasks.library.chains) == giving
    expected = step_library([p for p in PROBLEMS if p.id in giving])
    assert (tasks.library.texts, tasks.library.schemas) == (expected.texts, expected.schemas)
    assert tasks.counts["train"] == tasks.train.size
    share = tasks.counts["unseen problems: the library has the reference's schemas"]
    assert 0.8 * tasks.unseen_problems.size < share <= tasks.unseen_problems.size
    assert set(tasks.splits) == {"train", "unseen_problems", "unseen_families"}


def test_the_same_seed_splits_the_same():
    one, two, other = (math_tasks(PROBLEMS, held_out=1, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.train, two.train)
    assert one.held_out == two.held_out
    assert not np.array_equal(one.train, other.train)


def test_long_and_broken_solutions_are_not_learnt_from_but_tested():
    broken = Problem("broken", "3 and 4", ("x",), "8", "tank", calculations=(("3+4=8",),))
    tasks = math_tasks([*PROBLEMS, broken], unseen_problems=0.5, max_length=3)
    lengths = [len(tasks.library.chains[tasks.problems[i].id]) for i in tasks.train]
    assert max(lengths) == 3
    assert max(len(tasks.problems[i].steps) for i in tasks.unseen_problems) == 6
    assert len(PROBLEMS) not in tasks.train
    left = tasks.counts["left out of train: not replayed, or too long"]
    assert tasks.train.size + left + tasks.unseen_problems.size == len(PROBLEMS) + 1


def test_problems_of_a_test_set_are_unseen_and_none_of_train():
    fresh = word_problems(30, seed=9).problems
    fresh = [Problem(f"t{i}", p.question, p.steps, p.answer) for i, p in enumerate(fresh)]
    tasks = math_tasks(PROBLEMS, test=[*fresh, PROBLEMS[5]], unseen_problems=0)
    assert [tasks.problems[i].id for i in tasks.unseen_problems] == [f"t{i}" for i in range(30)]
    assert tasks.counts["test problems left out: also among the others"] == 1
    assert tasks.held_out == ()
    assert "unseen_families" not in tasks.splits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unseen_problems": 1.0}, "unseen_problems = 1.0"),
        ({"unseen_problems": -0.1}, "unseen_problems = -0.1"),
        ({"max_length": 0}, "max_length = 0"),
        ({"max_length": 1}, "0 problems to learn from"),
        ({"held_out": 10}, "held_out = 10: expected less than the 10 families"),
        ({"unseen_problems": 0.0}, "and 0 to test"),
    ],
)
def test_input_that_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        math_tasks(PROBLEMS, **options)


def test_gsm8k_with_its_own_test_set_and_math_500(real):
    train = load_problems("gsm8k").problems
    test = load_problems("gsm8k", split="test").problems
    tasks = math_tasks(train, test=test, unseen_problems=0)
    assert tasks.unseen_problems.size == len(test)
    assert len(tasks.library) >= 20_000
    assert tasks.train.size > 0.9 * len(train)
