"""What the doctor says of the data sets: found below CRLIB_DATA, or what to get and where to."""

import pytest
from typer.testing import CliRunner

from crlib.cli import app
from crlib.data.sources import SOURCES, data_states


def states():
    return {name: (state, remedy) for name, state, remedy in data_states()}


def test_without_a_folder_every_set_of_files_says_what_to_do(monkeypatch):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    found = states()
    assert list(found) == ["python-api", *SOURCES]
    assert found.pop("python-api") == ("in the environment", "")
    for name, (state, remedy) in found.items():
        assert state.startswith("not found (")
        assert SOURCES[name].address in remedy
        assert f"put it into {SOURCES[name].expected[0]} of the folder that CRLIB_DATA" in remedy


def test_a_folder_that_is_none_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "nowhere"):
        monkeypatch.setenv("CRLIB_DATA", str(place))
        for name in SOURCES:
            assert states()[name][1].startswith(f"CRLIB_DATA = {place} is no folder")


def test_a_folder_that_holds_some_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "amazon_electronics").mkdir()
    found = states()
    assert {name for name, (state, _) in found.items() if state == "found"} == {
        "gsm8k", "amazon-electronics",
    }  # fmt: skip
    assert found["toollens"][0] == "not found (about 4.3 MB)"


@pytest.mark.parametrize("name", ["python-api", *SOURCES])
def test_the_doctor_lists_every_set(name, monkeypatch):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    done = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert name in done.stdout
