"""Scores of chains against plain loops over sets, and their intervals."""

import itertools

import numpy as np
import pytest

from crlib.envs.chains import play_chains, score_chains, score_intervals
from crlib.envs.tools import ToolBatch


def random_case(seed, n=200, n_tools=8, length=5):
    rng = np.random.default_rng(seed)
    solutions = [
        tuple(rng.choice(n_tools, rng.integers(1, 5), replace=False).tolist()) for _ in range(n)
    ]
    chains = rng.integers(n_tools, size=(n, length))  # with repeats
    return solutions, np.where(
        np.arange(length) < rng.integers(length + 1, size=(n, 1)), chains, -1
    )


def test_scores_are_those_of_sets_and_pairs():
    solutions, chains = random_case(0)
    found = score_chains(chains, solutions)
    for i, (solution, row) in enumerate(zip(solutions, chains.tolist(), strict=True)):
        called = [tool for tool in row if tool >= 0]
        assert found["success"][i] == (set(solution) <= set(called))
        assert found["exact"][i] == (sorted(solution) == sorted(called))
        assert found["coverage"][i] == len(set(solution) & set(called)) / len(solution)
        assert found["calls"][i] == len(called)
        pairs = list(itertools.combinations(solution, 2))
        right = [a in called and b in called and called.index(a) < called.index(b)
                 for a, b in pairs]  # fmt: skip
        np.testing.assert_equal(found["order"][i], np.mean(right) if pairs else np.nan)
    assert 0 < found["success"].mean() < 1
    assert 0 < found["exact"].mean() < found["success"].mean()


def test_chains_are_played_up_to_success_and_paid_for():
    solutions, chains = random_case(1)
    batch = ToolBatch(np.eye(8), np.ones((200, 8)), solutions, 4, 0.3)
    numbers = np.random.default_rng(2).permutation(200)[:150]
    found = play_chains(batch, numbers, chains[numbers])
    for i, number in enumerate(numbers):
        missing, calls = set(solutions[number]), 0
        for tool in chains[number, :4]:
            if tool < 0 or not missing:
                break
            missing -= {tool}
            calls += 1
        covered = len(solutions[number]) - len(missing)
        assert found["success"][i] == (not missing)
        assert found["calls"][i] == calls
        assert found["return"][i] == pytest.approx(covered - 0.3 * calls)
    with pytest.raises(ValueError, match=r"expected \(2, n\)"):
        play_chains(batch, [0, 1], chains[:3])


def test_queries_of_one_solution_are_resampled_together():
    # 40 needs, each asked in 25 ways that share their outcome: 40 observations, not 1,000.
    rng = np.random.default_rng(3)
    outcome = rng.random(40) < 0.5
    solutions = [(i, 50 + i)[:: 1 - 2 * (j % 2)] for i in range(40) for j in range(25)]
    scores = {"success": np.repeat(outcome, 25).astype(float)}
    found = score_intervals(scores, solutions, {"all": np.arange(1000)}, rng=0)["all"]["success"]
    assert found.n == 40
    assert found.estimate == pytest.approx(outcome.mean())
    half = 1.96 * np.sqrt(outcome.var() / 40)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.15)


def test_intervals_are_of_each_split_and_leave_out_what_is_not_defined():
    solutions, chains = random_case(4)
    solutions[:20] = [(i,) for i in range(8)] * 2 + [(i,) for i in range(4)]
    scores = score_chains(chains, solutions)
    splits = {"singles": np.arange(20), "others": np.arange(20, 200)}
    found = score_intervals(scores, solutions, splits, rng=0, n_resamples=50)
    assert "order" not in found["singles"]
    assert set(found["others"]) == set(scores)
    for split, numbers in splits.items():
        for name, interval in found[split].items():
            assert interval.estimate == pytest.approx(np.nanmean(scores[name][numbers]))
            assert interval.low <= interval.estimate <= interval.high
    assert found == score_intervals(scores, solutions, splits, rng=0, n_resamples=50)


def test_input_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="a row for each of 2 solutions"):
        score_chains([[0, 1]], [(0,), (1,)])
    with pytest.raises(ValueError, match="float64"):
        score_chains([[0.0, 1.0]], [(0,)])
    with pytest.raises(ValueError, match="solution 0 must be a non-empty list"):
        score_chains([[0, 1]], [()])
    with pytest.raises(ValueError, match="solutions is empty"):
        score_chains(np.empty((0, 2), int), [])
    with pytest.raises(ValueError, match="score 'success' has shape"):
        score_intervals({"success": np.ones(3)}, [(0,)], {"all": [0]}, rng=0)
