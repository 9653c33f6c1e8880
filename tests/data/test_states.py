"""What the doctor says of the data sets: found below CRLIB_DATA, or what to set."""

import pytest
from typer.testing import CliRunner

from crlib.cli import app
from crlib.data.problems import load_problems
from crlib.data.sentence_pairs import load_sts
from crlib.data.states import data_states
from crlib.data.toolbench import load_tools

NAMES = ["python-api", "toolbench", "toollens", "gsm8k", "math500", "sts-b"]
LOADERS = {
    "toolbench": lambda: load_tools("toolbench"),
    "toollens": lambda: load_tools("toollens"),
    "gsm8k": lambda: load_problems("gsm8k", split="test"),
    "math500": lambda: load_problems("math500", split="test"),
    "sts-b": lambda: load_sts(split="dev"),
}


def states():
    return {name: (state, remedy) for name, state, remedy in data_states()}


def test_without_a_folder_every_set_of_files_says_what_to_set(monkeypatch):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    found = states()
    assert list(found) == NAMES
    assert found.pop("python-api") == ("ready, harvested from the installed packages", "")
    for state, remedy in found.values():
        assert state == "not found"
        assert "set CRLIB_DATA to a folder with " in remedy


def test_a_folder_that_is_none_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "nowhere"):
        monkeypatch.setenv("CRLIB_DATA", str(place))
        for name in NAMES[1:]:
            state, remedy = states()[name]
            assert state == "not found"
            assert remedy.startswith(f"CRLIB_DATA = {place} is no folder")


def test_a_folder_that_holds_some_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    for path in ("gsm8k/test.jsonl", "stsb/sts-dev.csv.gz", "math500/test.jsonl"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("")
    (tmp_path / "toolbench" / "instruction").mkdir(parents=True)
    found = states()
    assert found["gsm8k"] == ("ready, gsm8k/test.jsonl", "without train")
    assert found["sts-b"] == ("ready, stsb/sts-dev.csv.gz", "without train, test")
    assert found["math500"] == ("ready, math500/test.jsonl", "")
    assert found["toolbench"] == ("ready, toolbench/instruction", "")
    assert found["toollens"][0] == "not found"
    (tmp_path / "gsm8k" / "train.jsonl.gz").write_text("")
    assert states()["gsm8k"] == ("ready, gsm8k/train.jsonl.gz, gsm8k/test.jsonl", "")


@pytest.mark.parametrize("name", LOADERS)
def test_what_is_ready_can_be_loaded(name, real):
    assert states()[name][0].startswith("ready, ")
    LOADERS[name]()


def test_the_doctor_has_a_row_for_each(monkeypatch, tmp_path):
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    for name in NAMES:
        assert name in done.output
    assert "holds none of stsb/sts-test.csv" in done.output
