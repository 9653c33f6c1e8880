"""ToolBench and ToolLens: the real files against their own rows, and what does not fit."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from crlib.data import load
from crlib.data.toolbench import load_tools

TOOLS = [("Food", "Recipes", "Search", "Find a recipe."), ("Food", "Recipes", "Random", ""),
         ("Travel", "Flights", "Status", "Where a flight is.")]  # fmt: skip


def described(tool) -> dict:
    names = ("category_name", "tool_name", "api_name", "api_description")
    return dict(zip(names, tool, strict=True))


def instruction(**changes) -> dict:
    return {
        "query": "Dinner on the plane?", "query_id": 1,
        "api_list": [described(tool) for tool in TOOLS],
        "relevant APIs": [["Recipes", "Search"], ["Flights", "Status"]],
    } | changes  # fmt: skip


def instructions(folder: Path, *rows) -> Path:
    (folder / "G3_query.json").write_text(json.dumps(list(rows)))
    return folder


def beir(folder: Path) -> Path:
    rows = [
        {"_id": str(7 + i), "text": f"category_name:{c}, tool_name:{t}, api_name:{a}, "
         f"api_description:{d}, required_params: [], optional_params: []"}
        for i, (c, t, a, d) in enumerate(TOOLS)
    ]  # fmt: skip
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "Dinner on the plane?"}))
    (folder / "qrels").mkdir()
    lines = ["query-id\tcorpus-id\tscore", "q\t7\t1", "q\t9\t1", "unknown\t7\t1"]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines))
    return folder


def retrieval(folder: Path) -> Path:
    with open(folder / "corpus.tsv", "w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["docid", "document_content"])
        writer.writerows([7 + i, json.dumps(described(tool))] for i, tool in enumerate(TOOLS))
    (folder / "test.query.txt").write_text("q\tDinner on the plane?\n")
    (folder / "qrels.test.tsv").write_text("q\t0\t7\t1\nq\t0\t9\t1\n")
    return folder


@pytest.mark.parametrize("lay_out", [lambda f: instructions(f, instruction()), beir, retrieval])
def test_the_three_layouts_give_the_same_actions_and_query(tmp_path, lay_out):
    found = load_tools("toolbench", path=lay_out(tmp_path))
    assert found.ids == ("Food/Recipes/Search", "Food/Recipes/Random", "Travel/Flights/Status")
    assert found.texts[0] == "Recipes: Search: Find a recipe."
    assert found.groups == ("Food", "Food", "Travel")
    (query,) = found.feedback.queries
    assert (query.text, query.solution, query.group) == ("Dinner on the plane?", (0, 2), "Food")


def test_instructions_that_do_not_fit_are_counted(tmp_path):
    rows = [
        instruction(), instruction(query_id=2), instruction(query=["In", "pieces"]),
        instruction(query=""), instruction(**{"relevant APIs": []}), "no row", {"query": "x"},
        instruction(**{"relevant APIs": [["Recipes", "Absent"]]}),
        instruction(**{"relevant APIs": [["Recipes"]]}),
        instruction(api_list=[described(TOOLS[0]) | {"api_name": 3}]),
    ]  # fmt: skip
    found = load_tools("toolbench", path=instructions(tmp_path, *rows))
    assert [query.text for query in found.feedback.queries] == ["Dinner on the plane?", "In pieces"]
    assert found.source["left_out"] == {
        "G3_query.json: query is missing, empty or no text": 1,
        "G3_query.json: no relevant APIs": 1,
        "G3_query.json: no instruction with an api_list": 2,
        "G3_query.json: api_name is missing, empty or no text": 1,
    }
    assert found.source["queries_left_out"] == {
        "query repeats an earlier one": 1,
        "query needs an API that is not described": 2,
    }


def test_a_limit_keeps_what_queries_need_most(tmp_path):
    rows = [instruction(), instruction(query="b", **{"relevant APIs": [["Flights", "Status"]]})]
    found = load("toolbench", path=instructions(tmp_path, *rows), limit=1)
    assert found.ids == ("Travel/Flights/Status",)
    assert [query.text for query in found.feedback.queries] == ["b"]


def test_wrong_places_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"holds neither corpus\.jsonl"):
        load_tools("toolbench", path=tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        load_tools("toollens", path=tmp_path / "none")
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    with pytest.raises(ValueError, match="set CRLIB_DATA"):
        load_tools("toollens")
    (tmp_path / "G1.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        load_tools("toolbench", path=tmp_path)
    (tmp_path / "G1.json").write_text("{}")
    with pytest.raises(ValueError, match="expected a JSON array"):
        load_tools("toolbench", path=tmp_path)
    with pytest.raises(ValueError, match="no set of tools"):
        load_tools("hammers")
    with pytest.raises(ValueError, match="takes no packages"):
        load("toollens", packages=["json"])


def test_toollens_as_it_is_agrees_with_its_judgements(real):
    found = load("toollens")
    judged: dict[str, set[str]] = {}
    for split in ("train", "test"):
        file = Path(real) / "toollens" / "qrels" / f"{split}.tsv"
        for line in file.read_text().splitlines()[1:]:
            query, document, _ = line.split("\t")
            judged.setdefault(query, set()).add(document)
    assert len(found) == 448
    assert len(found.feedback.queries) == len(judged)
    for query in found.feedback.queries[::500]:
        assert len(query.solution) == len(judged[query.source.rpartition("/")[2]])


def test_toolbench_as_it_is_agrees_with_its_instruction_files(real):
    folder = Path(real) / "toolbench" / "test_instruction" / "stabletoolbench"
    rows = [row for file in folder.glob("*.json") for row in json.loads(file.read_text())]
    named = {
        tuple(api[f"{key}_name"].strip() for key in ("category", "tool", "api"))
        for row in rows
        for api in row["api_list"]
    }
    found = load("toolbench")
    assert len(found) == len(named)
    left_out = sum(found.source["queries_left_out"].values())
    assert len(found.feedback.queries) == len(rows) - left_out
    assert left_out < 0.02 * len(rows)
    assert np.mean([len(query.solution) > 1 for query in found.feedback.queries]) > 0.5


@pytest.mark.parametrize(
    ("part", "apis", "queries"),
    [
        ("retrieval_derived/G1", 1066, 319),
        ("retrieval_derived/G2", 910, 279),
        ("retrieval_derived/G3", 343, 142),
        ("colt_ToolBenchG3", 1230, 0),
    ],
)
def test_other_layouts_as_they_are(real, part, apis, queries):
    found = load("toolbench", path=Path(real) / "toolbench" / part)
    assert (len(found), len(found.feedback.queries)) == (apis, queries)
    assert all(text.strip() for text in found.texts)
