"""Steps without a policy: the nearest problem's, random valid ones, a critic's choice."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from crlib.agents.a2c import A2C, Settings
from crlib.agents.reasoning import lookahead, nearest_problem, play_steps, random_steps
from crlib.agents.reward_transformer import Shape
from crlib.data.mathematics import step_library
from crlib.data.problems import Problem
from crlib.data.word_problems import word_problems
from crlib.envs.mathematics import MathBatch


@pytest.fixture(scope="module")
def batch():
    problems = word_problems(60, seed=0).problems
    library = step_library(problems)
    rng = np.random.default_rng(0)
    steps, queries = rng.normal(size=(len(library), 5)), rng.normal(size=(60, 5))
    return MathBatch(library, problems, steps, queries, max_length=6)


def test_the_nearest_problem_is_that_of_the_largest_cosine():
    rng = np.random.default_rng(1)
    train, asked = rng.normal(size=(30, 4)), rng.normal(size=(20, 4))
    solutions = [tuple(rng.integers(99, size=1 + i % 4).tolist()) for i in range(30)]
    found = nearest_problem(asked, train, solutions)
    assert found.shape == (20, 4)
    for row, query in zip(found, asked, strict=True):
        cosines = [query @ t / np.linalg.norm(t) for t in train]
        expected = solutions[int(np.argmax(cosines))]
        assert row.tolist() == [*expected, *[-1] * (4 - len(expected))]
    with pytest.raises(ValueError, match="29 train_solutions for 30 train_vectors"):
        nearest_problem(asked, train, solutions[1:])


def test_a_problem_s_own_steps_solve_it(batch):
    numbers = np.arange(60)
    own = nearest_problem(batch.query_vectors, batch.query_vectors, batch.solutions)
    played = play_steps(batch, numbers, own)
    assert played.info["success"].all()
    lengths = np.array([len(chain) for chain in batch.solutions])
    np.testing.assert_allclose(played.rewards.sum(axis=1), 1 - batch.step_cost * lengths)
    # one step less is no solution, nor are those of the next problem
    cut = np.where(np.arange(own.shape[1]) < (lengths - 1)[:, None], own, -1)
    assert play_steps(batch, numbers, cut).info["success"].mean() < 0.1
    assert play_steps(batch, numbers, np.roll(own, 1, axis=0)).info["success"].mean() < 0.2
    with pytest.raises(ValueError, match="chains have shape"):
        play_steps(batch, numbers, own[:5])


def test_random_steps_are_valid_of_the_drawn_lengths_and_seeded(batch):
    numbers = np.arange(60)
    lengths = [len(chain) for chain in batch.solutions]
    one, two, other = (random_steps(batch, numbers, lengths, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.chain, two.chain)
    assert not np.array_equal(one.chain, other.chain)
    taken = (one.chain >= 0).sum(axis=1)
    np.testing.assert_array_equal(one.info["results"], taken)
    assert not one.info["invalid"].any()
    assert set(taken.tolist()) <= set(lengths)


def test_random_steps_stop_where_none_can_be_taken():
    asked = Problem("a", "no number", ("x",), "5")
    library = step_library([Problem("b", "8", ("x",), "4", calculations=(("8/2=4",),))])
    batch = MathBatch(library, [asked], np.ones((1, 2)), np.ones((1, 2)), max_length=3)
    assert random_steps(batch, [0], [2]).chain.tolist() == [[-1, -1, -1]]


def test_random_steps_are_uniform_among_those_that_execute():
    told = [("8*2=16",), ("8+2=10",), ("8-2=6",), ("8/2=4",)]
    steps = tuple(f"s{i}" for i in range(4))
    library = step_library([Problem("b", "8 and 2", steps, "4", calculations=tuple(told))])
    batch = MathBatch(
        library, [Problem("a", "5 and 0", ("x",), "0")], np.ones((4, 2)), np.ones((1, 2))
    )
    chains = random_steps(batch, np.zeros(3000, np.int64), [1], seed=0).chain[:, 0]
    counts = np.bincount(chains, minlength=4)
    assert counts[3] == 0  # a division by zero here
    np.testing.assert_allclose(counts[:3] / 3000, 1 / 3, atol=0.04)


class Oracle:
    """A critic that knows the solutions: value of a state by how much of it is done."""

    def __init__(self, batch):
        self.batch = batch

    def read(self, state):
        values = []
        for query, chain, length in zip(state.query, state.chain, state.length, strict=True):
            number = int(np.flatnonzero((self.batch.query_vectors == query).all(axis=1))[0])
            solution = self.batch.solutions[number]
            right = tuple(chain[:length].tolist()) == solution[:length]
            values.append(length / len(solution) if right else -1.0)
        scores = torch.zeros(len(values), self.batch.n_tools + 1)
        return torch.tensor(values), scores


def test_a_perfect_critic_solves_all_by_looking_one_step_ahead(batch):
    short = [i for i in range(60) if len(batch.solutions[i]) < batch.max_length]
    played = lookahead(Oracle(batch), batch, short, candidates=None)
    assert played.info["success"].all()
    for number, chain in zip(short, played.chain, strict=True):
        solution = batch.solutions[number]
        assert tuple(chain[: len(solution)].tolist()) == solution


def test_a_critic_that_expects_nothing_stops(batch):
    flat = SimpleNamespace(
        read=lambda s: (torch.zeros(len(s.length)), torch.zeros(len(s.length), batch.n_tools + 1))
    )
    assert (lookahead(flat, batch, np.arange(5)).chain == -1).all()
    with pytest.raises(ValueError, match="candidates = 0"):
        lookahead(flat, batch, [0], candidates=0)


def test_one_candidate_is_the_policy_s_best_step_that_fits(batch):
    agent = A2C(batch.tool_vectors, 6, size=Shape(8, 1, 2), settings=Settings(seed=0))
    grows = SimpleNamespace(
        read=lambda s: (torch.from_numpy(s.length).double(), agent.read(s)[1])
    )  # fmt: skip
    numbers = np.arange(20)
    played = lookahead(grows, batch, numbers, candidates=1)
    lengths = (played.chain >= 0).sum(axis=1)
    assert (lengths == batch.max_length - 1).all()
    state = batch.reset(numbers)
    for step in range(batch.max_length - 1):
        with torch.no_grad():
            scores = agent.read(state)[1][:, :-1].numpy()
        expected = np.where(batch.applicable(), scores, -np.inf).argmax(axis=1)
        np.testing.assert_array_equal(played.chain[:, step], expected)
        batch.step(expected)
