"""Usage, related pairs and subsets against matrices written by hand; the whole set as it is."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from crlib import data, io
from crlib.data import feedback as feedback_module
from crlib.data.actions import ActionSet, Feedback, Query, subset
from crlib.data.feedback import name_index, related_pairs, source_files, usage
from crlib.data.python_api import most_used

IDS = ["pkg.A", "pkg.A.run", "pkg.b", "pkg.sub.c", "other.b"]


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "id": IDS,
            "defined": ["pkg._a.A", "pkg._a.A.run", "pkg._b.b", "pkg.f.<locals>.c", ""],
            "aliases": [["pkg.sub.A"], [], [], [], ["other.x.b"]],
            "see_also": [["run", "b"], ["b", "A"], ["nowhere", "b"], ["pkg.A.run", "b"], []],
        }
    )


def test_every_name_of_an_action_leads_to_it(frame):
    assert name_index(frame) == {
        "pkg.A": 0, "pkg.sub.A": 0, "pkg._a.A": 0, "pkg.A.run": 1, "pkg._a.A.run": 1, "pkg.b": 2,
        "pkg._b.b": 2, "pkg.sub.c": 3, "other.b": 4, "other.x.b": 4,
    }  # fmt: skip


def test_related_pairs_resolve_from_the_innermost_scope_and_are_unique(frame):
    # A -> b; A.run -> b, A (both directions of A, A.run are one pair); b -> itself is none;
    # sub.c -> A.run and pkg.b (there is no pkg.sub.b).
    found = related_pairs(frame, name_index(frame))
    assert set(map(tuple, found)) >= {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}
    assert (found[:, 0] < found[:, 1]).all()
    assert len({tuple(pair) for pair in found}) == len(found)
    assert 4 not in found


def test_usage_counts_a_call_once_and_keeps_files_with_enough_actions():
    index = {name: i for i, name in enumerate(IDS)} | {"pkg.alias_of_b": 2}
    files = {
        "u.many": {"calls": [*IDS, "pkg.alias_of_b", "unknown.f"]},
        "u.few": {"calls": IDS[:4]},
    }
    matrix, names = usage(files, index, len(IDS))
    assert names == ["u.many"]
    np.testing.assert_array_equal(matrix.toarray(), np.ones((1, 5)))


def test_source_files_of_a_module_a_package_and_none():
    modules = {module for _, module in source_files(["textwrap", "json"])}
    assert modules >= {"textwrap", "json.__init__", "json.decoder"}
    assert source_files(["no_such_package"]) == []


def actions() -> ActionSet:
    users = sparse.csr_array(np.array([[1, 1, 1, 0], [1, 0, 0, 1], [1, 1, 0, 0]], dtype=np.int8))
    queries = (
        Query("first", (2, 0), "doctest", "s.f", "s", False),
        Query("second", (0, 3), "function", "s.g", "s", True),
    )
    related = np.array([[0, 2], [1, 3], [2, 3]])
    return ActionSet(
        "hand", ("p.a", "p.b", "q.c", "q.d"), ("ta", "tb", "tc", "td"), ("p", "p", "q", "q"),
        Feedback(queries, users, ("u1", "u2", "u3"), ("p", "q", "q"), related), {},
    )  # fmt: skip


def test_a_subset_renumbers_everything_and_drops_what_is_not_whole():
    small = subset(actions(), [3, 2, 0], min_items=2)
    assert small.ids == ("q.d", "q.c", "p.a")
    assert small.texts == ("td", "tc", "ta")
    assert small.groups == ("q", "q", "p")
    assert [(q.text, q.solution, q.seen) for q in small.feedback.queries] == [
        ("first", (1, 2), False),
        ("second", (2, 0), True),
    ]
    # u3 keeps one of its two actions and leaves.
    assert small.feedback.user_ids == ("u1", "u2")
    assert small.feedback.user_groups == ("p", "q")
    np.testing.assert_array_equal(small.feedback.users.toarray(), [[0, 1, 1], [1, 0, 1]])
    np.testing.assert_array_equal(small.feedback.related, [[0, 1], [1, 2]])
    only = subset(actions(), [0, 1, 3])
    assert [q.text for q in only.feedback.queries] == ["second"]


@pytest.mark.parametrize("chosen", [[0, 0], [4], [-1]])
def test_wrong_subsets_are_refused(chosen):
    with pytest.raises(ValueError, match="expected distinct indices from 0 to 3"):
        subset(actions(), chosen)


def test_the_most_used_come_first_and_ties_by_hash(monkeypatch):
    # Files: 3, 2, 1, 1.
    assert most_used(actions(), 2, 0) == [0, 1]
    for seed in range(5):
        first = min((2, 3), key=lambda i: io.sha256_text(f"{seed}:{actions().ids[i]}"))
        assert most_used(actions(), 3, seed) == sorted([0, 1, first])
    monkeypatch.setattr("crlib.data.python_api.PER_PACKAGE", 1)
    # One of each package first, then the others in the same order.
    assert most_used(actions(), 2, 0)[0] == 0
    assert most_used(actions(), 2, 0)[1] in (2, 3)
    assert most_used(actions(), 3, 0)[:2] == [0, 1]
    assert most_used(actions(), 4, 0) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "amazon-typo"}, "there are: python-api"),
        ({"name": "python-api", "limit": 0}, "expected at least 1"),
        ({"name": "python-api", "path": "x"}, "takes no path"),
        ({"name": "python-api", "packages": ["no_such"]}, "no_such"),
    ],
)
def test_bad_requests_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        data.load(**options)


def test_a_few_packages_load_twice_the_same_and_lose_no_contract(tmp_path, monkeypatch):
    monkeypatch.setattr("crlib.data.harvest.BUILD", tmp_path)
    packages = ("json", "statistics", "textwrap", "difflib")
    first = data.load("python-api", packages=packages)
    monkeypatch.setattr(feedback_module, "build", lambda *_: pytest.fail("scanned again"))
    second = data.load("python-api", packages=packages)
    assert (first.ids, first.texts, first.groups) == (second.ids, second.texts, second.groups)
    assert first.feedback.queries == second.feedback.queries
    assert set(first.groups) == set(packages)
    small = data.load("python-api", packages=packages, limit=20, seed=3)
    assert len(small.ids) == 20
    assert set(small.ids) <= set(first.ids)


@pytest.fixture(scope="module")
def whole() -> ActionSet:
    """The full action set: from the cache, else harvested (about a minute and a half)."""
    return data.load("python-api")


def test_the_whole_set_is_massive_distinct_and_holds_no_address(whole):
    assert len(set(whole.ids)) == len(whole.ids) >= 20_000
    assert len(set(whole.texts)) == len(whole.texts)
    assert max(map(len, whole.texts)) <= 300
    pattern = re.compile(r" at 0x[0-9a-f]{6,}")
    assert [text for text in whole.texts if pattern.search(text)] == []
    assert sum(1 for group in set(whole.groups)) >= 50


def test_shapes_of_the_whole_feedback_fit(whole):
    users, related = whole.feedback.users, whole.feedback.related
    k = len(whole.ids)
    assert users.shape == (len(whole.feedback.user_ids), k)
    assert users.shape[0] == len(whole.feedback.user_groups)
    assert np.asarray(users.sum(axis=1)).min() >= 5
    assert set(np.unique(users.data)) == {1}
    assert (related[:, 0] < related[:, 1]).all()
    assert related.max() < k
    assert len(np.unique(related, axis=0)) == len(related)


def words_of(identifier: str) -> list[str]:
    """Words of an identifier, split at capitals, digits and underscores."""
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"([A-Z]+)", r" \1", identifier).lower())


def test_no_query_tells_the_name_of_an_answer(whole):
    # Written independently of the redaction: neither the last part of the name as a word, nor
    # its words one after the other. "MultiIndex" is a word of its own and does not tell "Index".
    leaks = []
    for query in whole.feedback.queries:
        as_written = re.findall(r"\w+", query.text.lower())
        spaced = f" {' '.join(re.findall(r'[a-z]+|[0-9]+', query.text.lower()))} "
        for action in query.solution:
            last = whole.ids[action].rsplit(".", 1)[-1]
            words = words_of(last)
            told = len(words) > 1 and f" {' '.join(words)} " in spaced
            if told or last.lower() in as_written:
                leaks.append((last, query.text))
    assert leaks == []


def test_solutions_are_chains_over_modules_without_the_queried_function(whole):
    modules = dict(zip(*(data.catalogue()[c] for c in ("id", "module")), strict=True))
    own = []
    for query in whole.feedback.queries:
        assert 2 <= len(set(query.solution)) == len(query.solution) <= 5
        assert len({modules[whole.ids[i]] for i in query.solution}) >= 2
        assert query.origin in ("doctest", "function")
        if query.source in {whole.ids[i] for i in query.solution}:
            own.append(query.source)
    assert own == []


def test_seen_queries_are_those_that_repeat_a_summary(whole):
    def norm(text: str) -> str:
        return "".join(c if c.isalnum() and c.isascii() else " " for c in text.lower())

    known = {" ".join(norm(text).split()) for text in data.catalogue()["summary"]}
    for query in whole.feedback.queries:
        if " ".join(norm(query.text).split()) in known:
            assert query.seen, query
