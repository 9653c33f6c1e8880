"""The recipes of CONTRIBUTING.md, followed to the letter on a copy of the project."""

import json
import re
from pathlib import Path

import pytest

from crlib.settings import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SCREEN = 60  # lines


def recipe(title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)[1]


def follow(copy: Path, title: str) -> list[str]:
    """Do what a recipe says: write its files, apply its changes; give its commands."""
    text = recipe(title)
    assert len(text.splitlines()) <= SCREEN
    commands = []
    for language, file, body in BLOCK.findall(text):
        if file:
            (copy / file).write_text(body)
        elif language == "diff":
            change(copy, body)
        else:
            commands.append(body)
    return commands


def change(copy: Path, diff: str) -> None:
    """Apply a change: each hunk's old lines must stand in the file once."""
    for name, hunks in re.findall(r"^\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", diff, re.DOTALL | re.M):
        path = copy / name
        text = path.read_text()
        for hunk in filter(None, hunks.split("@@\n")):
            lines = hunk.splitlines()
            old = "\n".join(line[1:] for line in lines if line[:1] == " ")
            new = "\n".join(line[1:] for line in lines)
            assert text.count(old) == 1, f"{name} has not one place like:\n{old}"
            text = text.replace(old, new)
        path.write_text(text)


def test_a_model_is_added(copy, call_in):
    _, doctor = follow(copy, "Add a model")
    assert "e5-small" in call_in(copy, doctor)
    found = call_in(
        copy,
        "python -c 'from crlib.extractors import pairs_for, spec_of; "
        'print(pairs_for("e5-small")[0].models, spec_of("e5-small").repo)\'',
    )
    assert found.strip() == "('bert-base', 'e5-small') intfloat/e5-small-v2"


def test_a_data_set_is_added(copy, call_in, tmp_path):
    assert follow(copy, "Add a data set") == []
    rows = [{"id": "1", "text": "Bread, baked slowly", "cuisine": "any"}, {"id": "2"}]
    (tmp_path / "recipes.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = call_in(
        copy,
        f'CRLIB_DATA={tmp_path} python -c \'from crlib.data import load; a = load("recipes"); '
        'print(a.ids, a.groups, a.source["left_out"], a.source["licence"])\'',
    )
    assert found.split("\n")[0] == ("('1',) ('any',) {'text is missing, empty or no text': 1} CC0")
    assert "recipes" in call_in(copy, f"CRLIB_DATA={tmp_path} crlib doctor")
    call_in(copy, "mypy crlib/data/recipes.py && ruff check crlib/data")


@pytest.mark.smoke
def test_a_claim_is_added(copy, call_in):
    commands = follow(copy, "Add a claim")
    shown = "".join(call_in(copy, block) for block in commands)
    (line,) = [line for line in shown.splitlines() if "X1.cosine" in line]
    assert "BERT / SimCSE" in line
    assert re.search(r"not supported|supported|inconclusive", line)
    form = "tests/test_notebooks.py -k mean_cosine -q -p no:cacheprovider"
    call_in(copy, f"python -m pytest {form}")
