"""Named mathematics tasks, small ones, and the scores of executed chains."""

from fractions import Fraction

import numpy as np
import pytest

from crlib.envs.math_arms import (
    math_batch,
    mean_step_scores,
    named_tasks,
    score_steps,
    small_maths,
)


@pytest.fixture(scope="module")
def tasks():
    return named_tasks("generated", n_problems=80, held_out=1, seed=3)


@pytest.fixture(scope="module")
def features(tasks):
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((len(tasks.library), 8)).astype(np.float32),
        rng.standard_normal((len(tasks.problems), 8)).astype(np.float32),
    )


def padded(chains):
    rows = np.full((len(chains), 6), -1)
    for row, chain in zip(rows, chains, strict=True):
        row[: len(chain)] = chain
    return rows


def test_reference_chains_solve_and_half_of_one_makes_progress(tasks, features):
    env = math_batch(features, tasks, 6)
    numbers = tasks.train[:20]
    whole = score_steps(env, numbers, padded([env.solutions[i] for i in numbers]))
    assert whole["solved"].tolist() == [1.0] * 20
    assert whole["progress"].tolist() == [1.0] * 20
    assert whole["invalid"].tolist() == [0.0] * 20
    begun = score_steps(env, numbers, padded([env.solutions[i][:1] for i in numbers]))
    # By hand: results that are equal count as often as they occur.
    for i, found in zip(numbers, begun["progress"], strict=True):
        first, results = env.milestones[i][0], list(env.milestones[i])
        assert isinstance(first, Fraction)
        assert found == pytest.approx(1 / len(results))
    assert begun["steps"].tolist() == [1.0] * 20
    nothing = score_steps(env, numbers, padded([()] * 20))
    assert nothing["solved"].sum() == nothing["progress"].sum() == 0


def test_runs_are_averaged_by_problem(tasks, features):
    env = math_batch(features, tasks, 6)
    numbers = tasks.train[:5]
    right, wrong = padded([env.solutions[i] for i in numbers]), padded([()] * 5)
    found = mean_step_scores(env, numbers, [right, wrong, wrong, right])
    assert found["solved"].tolist() == [0.5] * 5


def test_small_tasks_hold_the_steps_of_their_own_solutions(tasks, features):
    env = small_maths(features, tasks, 4, 6, seed=1)
    described = tasks.library.described()
    assert env.n_queries == 4
    for text, row in zip(env.library.described(), env.tool_vectors, strict=True):
        np.testing.assert_array_equal(row, features[0][described.index(text)])
    found = score_steps(env, np.arange(4), padded(env.solutions))
    assert found["solved"].tolist() == [1.0] * 4
    assert env.partial == 0.5


def test_unknown_data_sets_are_refused():
    with pytest.raises(ValueError, match="expected 'generated' or 'gsm8k'"):
        named_tasks("math")


def test_gsm8k_is_learnt_and_math_500_is_tested(real, monkeypatch):
    monkeypatch.setenv("CRLIB_DATA", real)
    tasks = named_tasks("gsm8k", n_problems=300)
    assert len(tasks.train) + tasks.counts["left out of train: not replayed, or too long"] == 300
    assert len(tasks.unseen_problems) == 400
    assert {tasks.problems[i].subject for i in tasks.unseen_problems} >= {"Algebra", "Geometry"}
    assert not tasks.unseen_families.size
