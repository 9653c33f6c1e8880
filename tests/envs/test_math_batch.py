"""Mathematics problems: every ending by hand, the batch against single episodes, an agent."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from crlib.agents.a2c import A2C, Settings
from crlib.agents.reward_transformer import Shape
from crlib.data.mathematics import step_library
from crlib.data.problems import Problem, load_problems
from crlib.data.word_problems import word_problems
from crlib.envs.math_env import MathEnv
from crlib.envs.mathematics import MathBatch

COST, INVALID = 0.125, 0.25
HALF, MORE, TRIPLE, ZERO, STOP = 0, 1, 2, 3, 4


def problem(name, question, answer, *calculations):
    words = tuple(f"{name}: {told}" for told in calculations)
    return Problem(name, question, words, answer, calculations=tuple((t,) for t in calculations))


FIRST = problem("first", "48 and 12", "36", "48/2=24", "24+12=36")
ASKED = (FIRST, problem("b", "30 and 11", "90"), problem("c", "None.", "5"))


@pytest.fixture
def library():
    triple = problem("t", "12 boxes", "36", "12*3=36")
    return step_library([FIRST, triple, problem("z", "36 and 12", "36", "36/(12-11)=36")])


def batch_of(library, problems=ASKED, width=4, **options):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(library) + len(problems), width)).astype(np.float32)
    use = {"max_length": 3, "step_cost": COST, "invalid_cost": INVALID} | options
    return MathBatch(
        library, problems, vectors[: len(library)], vectors[len(library) :], **use
    )  # fmt: skip


def test_the_library_of_these_tests(library):
    assert [" ".join(library.schemas[n]) for n in library.schema_of] == [
        "q1 2 /", "q2 r1 +", "3 q1 *", "q1 q2 11 - /"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "actions", "rewards", "success", "invalid"),
    [
        # an answer counts when the agent stops, or at the limit
        (0, [HALF, MORE, STOP], [-COST, -COST, 1], True, 0),
        (0, [TRIPLE, HALF, MORE], [-COST, -COST, 1 - COST], True, 0),
        (1, [TRIPLE, STOP], [-COST, 1], True, 0),
        # a right result that one does not stop at
        (1, [TRIPLE, HALF, STOP], [-COST, -COST, 0], False, 0),
        (0, [HALF, MORE, TRIPLE], [-COST] * 3, False, 0),
        # what is invalid costs more, leaves no result, and takes its place
        (0, [MORE, HALF, MORE], [-COST - INVALID, -COST, 1 - COST], True, 1),
        (1, [ZERO, TRIPLE, STOP], [-COST - INVALID, -COST, 1], True, 1),
        (1, [TRIPLE, ZERO, STOP], [-COST, -COST - INVALID, 1], True, 1),
        (2, [HALF, ZERO, MORE], [-COST - INVALID] * 3, False, 3),
        # the same step again is applied again
        (0, [HALF, MORE, MORE], [-COST] * 3, False, 0),
        # stopping without a result
        (0, [STOP], [0], False, 0),
        (2, [HALF, STOP], [-COST - INVALID, 0], False, 1),
        # what comes after the end is ignored
        (0, [STOP, HALF], [0, 0], False, 0),
        (1, [TRIPLE, STOP, -7], [-COST, 1, 0], True, 0),
    ],
)
def test_the_rewards_of_every_ending(library, number, actions, rewards, success, invalid):
    batch = batch_of(library)
    batch.reset([number])
    steps = [batch.step([action]) for action in actions]
    assert [reward[0] for reward, _, _ in steps] == rewards
    assert steps[-1][1].tolist() == [True]
    info = steps[-1][2]
    assert (info["success"][0], info["invalid"][0]) == (success, invalid)
    assert info["results"][0] == len(batch.results[0])


def test_the_state_holds_the_problem_and_the_chain(library):
    batch = batch_of(library)
    state = batch.reset([1, 0])
    before = state.chain
    batch.step([ZERO, HALF])
    batch.step([STOP, MORE])
    assert before.tolist() == [[-1] * 3] * 2  # what a rollout has kept stays
    assert state is batch.state
    np.testing.assert_array_equal(state.query, batch.query_vectors[[1, 0]])
    assert state.chain.tolist() == [[ZERO, -1, -1], [HALF, MORE, -1]]
    assert state.valid.tolist() == [[False] * 3, [True, True, False]]
    assert state.length.tolist() == [1, 2]
    assert state.done.tolist() == [True, False]
    assert batch.results == [[], [24, 36]]


def test_no_answer_reaches_what_an_agent_sees(library):
    same = [Problem(p.id, p.question, p.steps, "77", calculations=p.calculations) for p in ASKED]
    seen = []
    for problems in (ASKED, same):
        batch = batch_of(library, problems)
        state = batch.reset([0, 1, 2])
        for actions in ([HALF] * 3, [MORE] * 3):
            batch.step(actions)
            seen.append([batch.applicable(), *(getattr(state, n).copy() for n in vars(state))])
    for one, other in zip(seen[:2], seen[2:], strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_partial_credit_is_for_the_reference_s_results_in_their_order(library):
    batch = batch_of(library, partial=0.5)
    batch.reset([0])
    rewards = [batch.step([action])[0][0] for action in (TRIPLE, HALF, MORE)]
    assert rewards == [-COST, 0.5 - COST, 0.5 - COST + 1]
    batch.reset([0])
    assert [batch.step([a])[0][0] for a in (HALF, HALF)] == [0.5 - COST, -COST]  # only once


def test_solutions_replay_and_are_empty_where_there_is_none(library):
    batch = batch_of(library)
    assert batch.solutions == [(HALF, MORE), (), ()]
    assert batch_of(library, max_length=1).solutions == [(), (), ()]
    assert batch.targets == [36, 90, 5]
    words = batch_of(library, [problem("w", "48 and 12", r"\sqrt{2}", "48/2=24")])
    assert words.targets == [None]
    words.reset([0])
    words.step([HALF])
    assert words.step([STOP])[2]["success"].tolist() == [False]


def test_whoever_takes_the_reference_s_steps_succeeds_with_the_known_return():
    problems = word_problems(150, seed=2).problems
    library = step_library(problems)
    batch = batch_of(library, problems, max_length=6, step_cost=0.1)
    batch.reset(np.arange(150))
    total = np.zeros(150)
    for place in range(6):
        column = [(*chain, *[batch.stop] * 6)[place] for chain in batch.solutions]
        reward, done, info = batch.step(column)
        total += reward
    assert done.all()
    assert info["success"].all()
    sizes = np.array([len(chain) for chain in batch.solutions])
    np.testing.assert_allclose(total, 1 - 0.1 * sizes)
    for found, asked in zip(batch.results, problems, strict=True):
        assert found[-1] == Fraction(asked.answer)


def test_applicable_steps_are_those_that_execute_but_for_their_arithmetic():
    problems = word_problems(30, seed=4).problems
    library = step_library(problems)
    batch = batch_of(library, problems, max_length=6)
    batch.reset(np.arange(30))
    batch.step([chain[0] for chain in batch.solutions])
    fitting = batch.applicable()
    assert fitting.shape == (30, len(library))
    for row in range(30):
        for step in range(0, len(library), 3):
            if batch.executes(row, step):
                assert fitting[row, step]
            elif fitting[row, step]:
                assert "/" in batch.schema(step)  # division by zero is not foreseen
    assert 0.01 < fitting.mean() < 0.99


def test_the_batch_plays_as_single_environments_do():
    problems = word_problems(25, seed=5).problems
    library = step_library(problems)
    batch = batch_of(library, problems, max_length=4)
    rng = np.random.default_rng(1)
    actions = rng.integers(len(library) + 1, size=(4, 25))
    for row, chain in enumerate(batch.solutions):  # so that some succeed, and some stop early
        if row % 2:
            actions[: len(chain), row] = chain[:4]
            actions[len(chain) :, row] = batch.stop
    state = batch.reset(np.arange(25))
    steps = [(*batch.step(row), state.chain, state.valid) for row in actions]
    assert 0 < steps[-1][2]["success"].sum() < 25
    env = MathEnv(batch_of(library, problems, max_length=4))
    for number in range(25):
        env.reset(options={"query": number})
        over = False
        for place, (reward, done, info, chain, valid) in enumerate(steps):
            if over:
                assert reward[number] == 0
                continue
            seen, alone, over, truncated, told = env.step(actions[place, number])
            assert (reward[number], done[number], truncated) == (alone, over, False)
            assert told == {name: values[number] for name, values in info.items()}
            np.testing.assert_array_equal(seen["chain"], chain[number])
            np.testing.assert_array_equal(seen["valid"], valid[number])


def test_gymnasium_s_own_checks_pass(library):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Embeddings are bounded by nothing, which the checker finds worth a word.
        warnings.filterwarnings("ignore", message=".*value is -?infinity")
        check_env(MathEnv(batch_of(library)), skip_render_check=True)


def test_the_environment_shows_results_and_the_same_seed_asks_the_same(library):
    env = MathEnv(batch_of(library))
    env.reset(options={"query": 0})
    env.step(np.int64(ZERO))
    seen, *_ = env.step(np.int64(HALF))
    assert seen["results"].tolist() == [48, 24, 0]
    assert seen["valid"].tolist() == [1, 1, 0]
    first, again = (MathEnv(batch_of(library), seed=3) for _ in range(2))
    asked = [[one.reset()[1]["query"] for _ in range(20)] for one in (first, again)]
    assert asked[0] == asked[1]
    assert set(asked[0]) == {0, 1, 2}
    one, other = (batch_of(library, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.draw(20), other.draw(20))
    assert set(one.draw(40, among=[0, 2]).tolist()) == {0, 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step_vectors": np.ones((3, 4))}, "3 step_vectors for 4 steps"),
        ({"query_vectors": np.ones((2, 4))}, "2 query_vectors for 3 problems"),
        ({"query_vectors": np.full((3, 4), np.nan)}, "query_vectors holds 12 NaN"),
        ({"query_vectors": np.ones((3, 2))}, "embed both with one model"),
        ({"max_length": 0}, "max_length = 0"),
        ({"step_cost": -0.1}, "step_cost = -0.1"),
        ({"invalid_cost": np.inf}, "invalid_cost = inf"),
        ({"partial": np.nan}, "partial = nan"),
    ],
)
def test_input_that_does_not_fit_is_named(library, change, message):
    good = {
        "library": library, "problems": ASKED, "step_vectors": np.ones((4, 4)),
        "query_vectors": np.ones((3, 4)),
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        MathBatch(**{**good, **change})


def test_actions_that_do_not_fit_are_named(library):
    batch = batch_of(library)
    with pytest.raises(ValueError, match="call reset first"):
        batch.step([0])
    with pytest.raises(ValueError, match="query_numbers must lie in"):
        batch.reset([3])
    batch.reset([0, 1])
    with pytest.raises(ValueError, match="expected 2 whole numbers"):
        batch.step([0.0, 1.0])
    for bad in (-1, STOP + 1):
        with pytest.raises(ValueError, match=r"0 to K = 4 \(stop\)"):
            batch.step([0, bad])
    assert batch.state.length.tolist() == [0, 0]  # a refused step has done nothing
    assert batch.results == [[], []]


def test_an_agent_of_chains_learns_it_unchanged():
    """Four kinds of problem, each solved by another step of a library of eight."""
    words = {"double": "*2", "halve": "/2", "raise": "+7", "lower": "-3"}
    problems, solved = [], []
    for number in range(40):
        for place, (word, sign) in enumerate(words.items()):
            result = eval(f"{10 + 2 * number}{sign}")
            told = f"{10 + 2 * number}{sign}={result:g}"
            one = problem(f"{word} {number}", f"{word} {10 + 2 * number}", f"{result:g}", told)
            problems.append(one)
            solved.append(place)
    library = step_library([p for p in problems if p.id.endswith((" 0", " 1"))])
    assert len(library) == 8
    kinds = np.eye(4, dtype=np.float32)
    step_kind = [list(words).index(text.split()[0]) for text in library.texts]
    batch = MathBatch(library, problems, kinds[step_kind], kinds[solved], max_length=2)
    held_out = np.arange(len(problems) // 2, len(problems))
    settings = Settings(updates=200, batch=64, rate=1e-2, entropy_weight=0.02, seed=0)
    agent = A2C(batch.tool_vectors, 2, size=Shape(16, 1, 2), settings=settings)
    before = agent.act(batch, held_out)[1]["success"].mean()
    for _ in agent.train(batch, np.arange(len(problems) // 2)):
        pass
    after = agent.act(batch, held_out)[1]["success"].mean()
    assert before < 0.5
    assert after > 0.9


def test_gsm8k_s_steps_play_on_math_500(real):
    train = load_problems("gsm8k").problems[:300]
    asked = load_problems("math500", split="test").problems[:60]
    library = step_library(train)
    batch = batch_of(library, asked, max_length=2)
    rng = np.random.default_rng(0)
    batch.reset(np.arange(60))
    for _ in range(2):
        info = batch.step(rng.integers(len(library), size=60))[2]
    assert (info["invalid"] + info["results"] == 2).all()
    assert info["invalid"].sum() > 0
    assert info["results"].sum() > 0
