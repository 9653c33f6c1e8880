"""ToolBench's tree of tools: its APIs, what does not fit, and instructions joined to it."""

import json
from pathlib import Path

import pytest

from crlib.data import load

RECIPES = {
    "tool_name": "Recipes & more", "standardized_name": "recipes_more",
    "api_list": [
        {"name": "Search", "description": "Find a\nrecipe.", "required_parameters": [],
         "optional_parameters": []},
        {"name": "Random", "description": None},
    ],
}  # fmt: skip
FLIGHTS = {"tool_name": "Flights", "api_list": [{"name": "Status", "description": "Where it is."}]}


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def tree(folder: Path) -> Path:
    write(folder / "Food" / "recipes_more.json", RECIPES)
    write(folder / "Travel_Transport" / "flights.json", FLIGHTS)
    return folder


def instruction(*relevant: tuple[str, str]) -> dict:
    names = [("Food", "recipes more", "Search"), ("Travel/Transport", "Flights", "Status"),
             ("Travel/Transport", "Flights", "Gone")]  # fmt: skip
    described = [
        {"category_name": c, "tool_name": t, "api_name": a, "api_description": "Told otherwise."}
        for c, t, a in names
    ]
    return {"query": "Dinner?", "api_list": described, "relevant APIs": list(map(list, relevant))}


@pytest.mark.parametrize("below", ["", "tools", "toolenv/tools"])
def test_a_tree_gives_its_apis_by_category_and_file(tmp_path, below):
    tree(tmp_path / below)
    found = load("toolbench", path=tmp_path)
    assert found.ids == (
        "Food/Recipes & more/Search",
        "Food/Recipes & more/Random",
        "Travel_Transport/Flights/Status",
    )
    assert found.texts[:2] == ("Recipes & more: Search: Find a recipe.", "Recipes & more: Random:")
    assert found.groups == ("Food", "Food", "Travel_Transport")
    assert found.feedback.queries == ()
    assert found.source["tree"] == {"files": 2, "left_out": {}, "first_bad": {}}


@pytest.mark.parametrize("given", ["", "instruction"])
def test_instructions_are_joined_to_the_tree_whatever_their_spelling(tmp_path, given):
    tree(tmp_path / "toolenv" / "tools")
    rows = [
        instruction(("recipes more", "Search"), ("Flights", "Status")),
        instruction(("Flights", "Gone")) | {"query": "Where?"},
    ]
    write(tmp_path / "instruction" / "G2_query.json", rows)
    found = load("toolbench", path=tmp_path / given)
    assert found.ids[3:] == ("Travel/Transport/Flights/Gone",)
    assert found.source["only_in_instructions"] == 1
    assert found.texts[0] == "Recipes & more: Search: Find a recipe."  # the tree's own words
    assert [q.solution for q in found.feedback.queries] == [(0, 2), (3,)]


def test_malformed_tools_are_counted_by_reason_and_left_out(tmp_path):
    tree(tmp_path)
    for name, value in {
        "a": "{", "b": "[1]", "c": {"tool_name": "No list"}, "d": {"api_list": []},
        "e": FLIGHTS | {"api_list": [3, {"description": "x"}, {"name": " "},
                                     {"name": "A", "description": ["x"]}]},
    }.items():  # fmt: skip
        write(tmp_path / "Weather" / f"{name}.json", value)
    (tmp_path / "Weather" / "f.json").write_bytes(b"\xff\xfe{}")
    write(tmp_path / "Weather" / "g.json", "[" * 100_000)
    write(tmp_path / "Food" / "twice.json", RECIPES)
    found = load("toolbench", path=tmp_path)
    assert len(found) == 3
    told = found.source["tree"]
    assert told["files"] == 10
    assert told["left_out"] == {
        "file is no JSON": 3, "file is no JSON object": 1, "file has no api_list": 1,
        "tool_name is missing, empty or no text": 1, "API is no JSON object": 1,
        "API has no name": 2, "API's description is no text": 1, "API repeats an earlier one": 2,
    }  # fmt: skip
    assert told["first_bad"]["file is no JSON"] == "Weather/a.json"


def test_a_tree_without_a_tool_is_refused_with_the_reasons(tmp_path):
    write(tmp_path / "tools" / "Food" / "a.json", "{")
    with pytest.raises(ValueError, match=r"none of 1 files holds a tool: file is no JSON \(1\)"):
        load("toolbench", path=tmp_path)


def test_a_limit_is_stated(tmp_path):
    tree(tmp_path / "toolenv" / "tools")
    rows = [instruction(("Flights", "Status"))]
    write(tmp_path / "instruction" / "G1_query.json", rows)
    found = load("toolbench", path=tmp_path, limit=1, seed=3)
    assert found.ids == ("Travel_Transport/Flights/Status",)
    assert found.source["rule"] == "APIs that most queries need, ties by a hash of seed 3 and id"


def test_real_instructions_join_a_tree_of_their_own_apis(real, tmp_path):
    # The upstream tree is written anew from half of the instructions' tools; joined, the set must
    # hold the same APIs and queries as the instructions alone.
    folder = Path(real) / "toolbench" / "test_instruction" / "stabletoolbench"
    alone = load("toolbench", path=folder)
    tools: dict[tuple[str, str], list[str]] = {}
    for name, text in zip(alone.ids, alone.texts, strict=True):
        category, _, rest = name.partition("/")
        tool = text.split(": ")[0]
        tools.setdefault((category, tool), []).append(rest)
    for number, ((category, tool), rests) in enumerate(tools.items()):
        listed = [{"name": rest[len(tool) + 1 :], "description": "x"} for rest in rests
                  if rest.startswith(f"{tool}/")]  # fmt: skip
        if number % 2 == 0 and listed:
            value = {"tool_name": tool, "api_list": listed}
            write(tmp_path / "toolenv" / "tools" / category / f"{number}.json", value)
    (tmp_path / "instruction").symlink_to(folder)
    joined = load("toolbench", path=tmp_path)
    assert set(joined.ids) == set(alone.ids)
    assert 0 < joined.source["only_in_instructions"] < len(alone)
    assert [q.text for q in joined.feedback.queries] == [q.text for q in alone.feedback.queries]
    for one, other in zip(joined.feedback.queries, alone.feedback.queries, strict=True):
        assert [joined.ids[i] for i in one.solution] == [alone.ids[i] for i in other.solution]
