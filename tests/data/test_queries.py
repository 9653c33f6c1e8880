"""Which candidates become queries, and that no query tells its answer's name."""

import itertools

import pandas as pd
import pytest

from crlib.data.queries import (
    GENERIC,
    HOLE,
    build_queries,
    doctest_candidates,
    function_candidates,
    name_words,
    normalised,
    redact,
)

IDS = ["a.load_table", "a.Frame", "b.plot", "b.mean_value", "c.ToText", "c.save", "c.close"]
MODULES = [name.split(".")[0] for name in IDS]
SUMMARIES = ["Load a table.", "A frame.", "Plot it.", "Mean value.", "To text.", "Save.", "Close."]


def build(*candidates):
    return build_queries(list(candidates), IDS, MODULES, SUMMARIES)


def candidate(text, solution, origin="function", source="z.f"):
    return (text, solution, origin, source, "z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Use load_table to read it", f"Use {HOLE} to read it"),
        ("Use LOAD TABLE to read it", f"Use {HOLE} to read it"),
        ("Use load-tables to read it", f"Use {HOLE} to read it"),
        ("Write ToText or to_text or to text", f"Write {HOLE} or {HOLE} or {HOLE}"),
        ("The plots, plotting and replot", f"The {HOLE}, plotting and replot"),
        ("Nothing of it stands here", "Nothing of it stands here"),
    ],
)
def test_names_of_the_answers_are_taken_out(text, expected):
    assert redact(text, ["a.load_table", "c.ToText", "b.plot"]) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [("to_date", ["to", "date"]), ("toDate", ["to", "Date"]), ("HTTPServer", ["HTTP", "Server"])],
)
def test_identifiers_split_into_words(name, words):
    assert name_words(name) == words


def test_each_rule_keeps_and_drops_what_it_says():
    good = "Turn the given thing into another thing"
    queries, counts = build(
        candidate(f"{good} first", [0, 2]),
        candidate(f"{good} second", [0]),  # one call
        candidate(f"{good} third", [0, 1, 2, 3, 4, 5]),  # six calls
        candidate(f"{good} fourth", [2, 3]),  # one module
        candidate("Too short a query", [0, 2]),
        candidate("load table plot load table it so", [0, 2]),  # nothing is left of it
        candidate(f"{good}, FIRST!", [4, 2], source="z.g"),  # same words again
        candidate(f"{good} fifth", [0, 2, 3, 4, 5]),
    )
    assert [(q.text, q.solution) for q in queries] == [
        (f"{good} fifth", (0, 2, 3, 4, 5)),
        (f"{good} first", (0, 2)),
    ]
    assert counts["not 2 to 5 specific calls"] == 2
    assert counts["all calls in one module"] == 1
    assert counts["too short or too long once the names are out"] == 2
    assert counts["same words as another query"] == 1
    assert counts["candidates"] == 8
    assert counts["kept"] == 2


def test_tools_that_more_functions_use_than_the_limit_are_left_out_of_solutions():
    # Action 5 is called by GENERIC + 1 candidates, action 4 by exactly GENERIC.
    words = ["".join(pair) for pair in itertools.product("abcdefghijklmn", repeat=2)]
    rest = [
        candidate(f"Some words that stand for number {words[i]}", [0, 5, 4] if i else [0, 5])
        for i in range(GENERIC)
    ]
    queries, counts = build(candidate("The one that is looked at here", [1, 2, 5]), *rest)
    by_text = {query.text: query.solution for query in queries}
    assert by_text["The one that is looked at here"] == (1, 2)
    assert counts["generic tools"] == 1
    assert all(5 not in query.solution for query in queries)


def test_a_query_that_repeats_a_summary_is_marked_seen():
    summaries = ["Do a thing with many words, and well.", *SUMMARIES[1:]]
    found, _ = build_queries(
        [
            candidate("do a thing with MANY words and well", [0, 2]),
            candidate("do another thing with many words", [0, 2]),
        ],
        IDS, MODULES, summaries,
    )  # fmt: skip
    assert {query.text.split()[1]: query.seen for query in found} == {"a": True, "another": False}


def test_doctest_candidates_take_the_prose_and_leave_the_documented_function_out():
    blocks = [
        {"prose": "Read it and then draw it:", "code": "import b\nf = Frame()\nf.show()\n"},
        {"prose": "", "code": "b.plot(1)\n"},
        {"prose": "Draw the own one too:", "code": "from a import Frame\nFrame()\nb.plot(2)\n"},
        {"prose": "Broken code is passed over", "code": "b.plot(\n"},
    ]
    frame = pd.DataFrame({"id": ["a.Frame"], "package": ["a"], "examples": [blocks]})
    index = {"a.Frame": 1, "b.plot": 2}
    found = list(doctest_candidates(frame, index))
    assert [(c[0], c[2], c[3]) for c in found if len(c[1])] == [
        ("Draw the own one too:", "doctest", "a.Frame")
    ]
    assert [c[1] for c in found if len(c[1])] == [[2]]


def test_function_candidates_leave_the_function_itself_out():
    files = {
        "pkg.mod": {
            "functions": [
                {"name": "a.Frame", "summary": "Frame it.", "calls": ["b.plot", "a.Frame", "x.y",
                                                                      "b.plot"]},
            ]
        },
    }  # fmt: skip
    index = {"a.Frame": 1, "b.plot": 2}
    assert list(function_candidates(files, index)) == [
        ("Frame it.", [2], "function", "a.Frame", "pkg")
    ]


def test_normalised_texts_are_equal_when_their_words_are():
    assert normalised("Sum  the `values`!") == normalised("sum the VALUES")
    assert normalised("sum the value") != normalised("sum the values")
