"""Tasks from action sets: disjoint splits, filters that count, and the real files of ToolLens."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from crlib.agents.retrieval import random_chain, retrieve
from crlib.data import ActionSet, Feedback, Query, load
from crlib.envs.chains import play_chains, score_chains, score_intervals
from crlib.envs.tool_tasks import tool_tasks
from crlib.envs.tools import ToolBatch


def action_set(solutions, groups, texts=None, **query):
    """An action set of one query for each solution, with words of its own."""
    values = {"origin": "function", "source": "G1/x", "group": "", "seen": False} | query
    queries = tuple(
        Query(text=texts[i] if texts else f"need number {i}", solution=solution, **values)
        for i, solution in enumerate(solutions)
    )
    return ActionSet(
        "made", tuple(map(str, range(len(groups)))), tuple(f"tool {i}" for i in range(len(groups))),
        tuple(groups), Feedback(queries=queries), {},
    )  # fmt: skip


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    groups = [f"g{i % 12}" for i in range(60)]
    sizes = rng.integers(1, 4, size=400)
    weights = 1 / np.arange(1, 61)
    solutions = [
        tuple(rng.choice(60, size, replace=False, p=weights / weights.sum()).tolist())
        for size in sizes
    ]
    return action_set(solutions, groups)


def check(tasks, actions):
    """What every split must satisfy, by plain sets."""
    splits = {name: set(numbers.tolist()) for name, numbers in tasks.splits.items()}
    assert set.union(*splits.values()) == set(range(len(tasks.texts)))
    assert sum(map(len, splits.values())) == len(tasks.texts)
    assert len({text.lower() for text in tasks.texts}) == len(tasks.texts)
    tools = {name: {t for i in numbers for t in tasks.solutions[i]}
             for name, numbers in splits.items()}  # fmt: skip
    known = {actions.groups[tool] for tool in tools["train"]}
    assert known.isdisjoint(tasks.held_out)
    assert tools["unseen_queries"] <= tools["train"]
    for i in splits["unseen_tools"]:
        assert {actions.groups[tool] for tool in tasks.solutions[i]} & set(tasks.held_out)
    for name, numbers in splits.items():
        assert tasks.counts[name] == len(numbers)
    assert tasks.counts["kept"] == len(tasks.texts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("options", [{}, {"chains": True}, {"new_solutions": True}])
def test_splits_are_disjoint_by_query_and_by_group(many, seed, options):
    tasks = tool_tasks(many, seed=seed, **options)
    check(tasks, many)
    assert len(tasks.unseen_tools) <= 0.2 * len(tasks.texts)
    assert len(tasks.unseen_queries) <= 0.2 * len(tasks.texts)
    learnt = {frozenset(tasks.solutions[i]) for i in tasks.train}
    known = sum(frozenset(tasks.solutions[i]) in learnt for i in tasks.unseen_queries)
    assert tasks.counts["unseen queries whose set of tools is in train"] == known
    assert (known == 0) == ("new_solutions" in options)
    if "chains" in options:
        assert all(len({many.groups[t] for t in s}) >= 2 for s in tasks.solutions)


def test_the_seed_decides_the_splits(many):
    one, other, third = (tool_tasks(many, seed=seed) for seed in (1, 1, 2))
    assert one.held_out == other.held_out
    for name in one.splits:
        np.testing.assert_array_equal(one.splits[name], other.splits[name])
    assert one.held_out != third.held_out


def test_filters_leave_out_and_count():
    rest = [(i % 4, 4 + i % 4) for i in range(30)]
    solutions = [(0, 1), (0, 4), (1, 5), (0, 1, 2, 4), *rest]
    texts = ["one group", "Tool: 3!", "flagged", "many tools", *(f"need {i}" for i in range(29))]
    made = action_set(solutions, list("aabbccdd"), [*texts, "NEED 28."])
    queries = list(made.feedback.queries)
    queries[2] = replace(queries[2], seen=True)
    made = replace(made, feedback=Feedback(queries=tuple(queries)))
    tasks = tool_tasks(made, chains=True, max_tools=3)
    check(tasks, made)
    assert set(tasks.texts) == set(texts[4:])
    assert tasks.counts["queries"] == 34
    left = {name: tasks.counts[name] for name in (
        "words of an action's text", "too many tools", "all tools of one group",
        "same words as another query")}  # fmt: skip
    assert list(left.values()) == [2, 1, 1, 1]
    kept = tool_tasks(made, seen=True)
    assert {"Tool: 3!", "flagged", "one group", "many tools"} <= set(kept.texts)
    assert "words of an action's text" not in kept.counts


def test_a_part_is_chosen_by_its_source():
    solutions = [(i % 3, 3 + i % 3) for i in range(40)]
    made = action_set(solutions, list("abcabc"))
    queries = tuple(
        replace(query, source=f"G{1 + 2 * (i % 2)}_query/{i}")
        for i, query in enumerate(made.feedback.queries)
    )
    made = replace(made, feedback=Feedback(queries=queries))
    tasks = tool_tasks(made, part="G3")
    assert tasks.texts == tuple(query.text for query in queries[1::2])
    assert tasks.counts["of another part"] == 20


def test_groups_above_their_share_leave_one_with_all_that_hangs_on_it():
    # a and b always go together, as do c and d; 12 queries of 30 is more than a fifth.
    made = action_set([(0, 1)] * 12 + [(2, 3)] * 18, list("abcd"))
    tasks = tool_tasks(made)
    check(tasks, made)
    assert tasks.held_out == ("a", "b")
    assert tasks.unseen_tools.tolist() == list(range(12))
    assert len(tasks.unseen_queries) == 6


def test_what_cannot_be_split_is_said():
    made = action_set([(0, 1)] * 20, list("ab"))
    with pytest.raises(ValueError, match="none can be put into train"):
        tool_tasks(made)
    with pytest.raises(ValueError, match="none can be put into unseen_queries"):
        tool_tasks(action_set([(i,) for i in range(20)], list("ab" * 10)))
    with pytest.raises(ValueError, match="no query passes the filters"):
        tool_tasks(made, max_tools=1)
    for shares in ((0, 0.2), (0.2, 0), (0.5, 0.5), (np.nan, 0.2)):
        with pytest.raises(ValueError, match="expected shares above 0"):
            tool_tasks(made, unseen_queries=shares[0], unseen_tools=shares[1])


def words(texts):
    """TF-IDF of words: an embedding that no model and no ground truth has a part in."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(stop_words="english").fit(texts)


def test_toollens_as_it_is(real):
    actions = load("toollens")
    tasks = tool_tasks(actions, chains=True)
    check(tasks, actions)
    needed = Counter(len({actions.groups[t] for t in q.solution}) for q in actions.feedback.queries)
    assert tasks.counts["all tools of one group"] == needed[1]
    assert tasks.counts["kept"] == sum(needed.values()) - needed[1]
    for numbers in tasks.splits.values():
        assert len(numbers) > 1000

    asked = np.concatenate([numbers[:400] for numbers in tasks.splits.values()])
    model = words(actions.texts)
    tools = model.transform(actions.texts).toarray()
    queries = model.transform([tasks.texts[i] for i in asked]).toarray()
    told = queries.any(axis=1)
    asked, queries = asked[told], queries[told]
    solutions = [tasks.solutions[i] for i in asked]
    lengths = np.array([len(solution) for solution in solutions])
    batch = ToolBatch(tools, queries, solutions, int(lengths.max()), 0.1)
    numbers = np.arange(len(asked))
    nearest = play_chains(batch, numbers, retrieve(queries, tools, lengths))
    chance = score_chains(random_chain(len(asked), len(tools), lengths), solutions)
    # A random chain of n of K tools finds each with probability n / K.
    expected = lengths / len(tools)
    error = np.sqrt((expected * (1 - expected) / lengths).sum()) / len(asked)
    assert abs(chance["coverage"].mean() - expected.mean()) < 4 * error
    found = score_intervals(
        nearest, solutions, {"all": numbers}, rng=0, n_resamples=200
    )["all"]  # fmt: skip
    assert found["coverage"].low > 10 * expected.mean()
    np.testing.assert_array_equal(nearest["success"], nearest["exact"])  # n calls for n tools


def test_toolbench_s_own_chains_are_those_across_categories(real):
    actions = load("toolbench")
    across, own = tool_tasks(actions, chains=True), tool_tasks(actions, part="G3")
    check(across, actions)
    assert across.texts == own.texts
    assert len(own.texts) == 48
    check(tool_tasks(actions), actions)
