"""A run's record: commit and changes, the data that were read, no name of a person or machine."""

import getpass
import hashlib
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from crlib import figures, io, provenance
from crlib.claims import Run
from crlib.data import ActionSet, Feedback
from crlib.data.word_problems import word_problems
from crlib.extractors import encode
from crlib.settings import ROOT, check


@pytest.fixture(autouse=True)
def own_record():
    provenance.forget_inputs()
    yield
    provenance.forget_inputs()


def test_changes_count_where_results_depend_on_them(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert (provenance.commit(), provenance.is_dirty()) == ("unknown", None)
    (tmp_path / "crlib").mkdir()
    (tmp_path / "crlib" / "a.py").write_text("1")
    (tmp_path / "README.md").write_text("1")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "m")
    assert len(provenance.commit()) == 40
    assert not provenance.is_dirty()
    (tmp_path / "README.md").write_text("2")
    assert not provenance.is_dirty()
    (tmp_path / "crlib" / "b.py").write_text("1")
    assert provenance.is_dirty(), "a module that is in no commit"
    (tmp_path / "crlib" / "b.py").unlink()
    (tmp_path / "crlib" / "a.py").write_text("2")
    assert provenance.is_dirty()


def test_inputs_are_kept_by_name_and_content():
    provenance.note_input("a", [b"x", b"y"])
    provenance.note_input("a", [b"xy"])
    provenance.note_input("a", [b"z"])
    found = provenance.collect()["inputs"]
    digests = [hashlib.sha256(content).hexdigest() for content in (b"xy", b"z")]
    assert found == {"a": digests[0], "a (2)": digests[1]}


def test_what_is_read_is_noted(tmp_path):
    X = encode(["one", "two"], "gaussian")
    np.save(tmp_path / "mine.npy", X)
    encode(["one", "two"], str(tmp_path / "mine.npy"))
    word_problems(3, seed=1)
    found = provenance.collect()["inputs"]
    assert sorted(name.split(",")[0] for name in found) == [
        "generated", "vectors of gaussian", "vectors of mine.npy",
    ]  # fmt: skip
    digests = {name.split(",")[0]: digest for name, digest in found.items()}
    assert digests["vectors of gaussian"] == hashlib.sha256(X.tobytes()).hexdigest()
    assert str(tmp_path) not in str(found)


@pytest.mark.parametrize("part", ["ids", "texts", "groups"])
def test_the_hash_of_actions_sees_every_part(part):
    values = {"ids": ("a", "b"), "texts": ("t", "u"), "groups": ("g", "h")}

    def content(**changed):
        actions = ActionSet("n", **(values | changed), feedback=Feedback())
        return b"".join(actions.content())

    assert content() == content()
    assert content(**{part: ("x", "y")}) != content()


def test_a_record_names_no_person_and_no_machine():
    text = repr(provenance.collect(0.0))
    for name in (socket.gethostname(), str(Path.home()), str(ROOT)):
        assert len(name) < 4 or name not in text, name
    assert getpass.getuser() in ("root",) or getpass.getuser() not in text


def test_a_record_tells_the_hardware(monkeypatch):
    machine = provenance.collect()["machine"]
    assert machine["cores"] == psutil.cpu_count()
    assert machine["memory_gb"] * 1e9 == pytest.approx(psutil.virtual_memory().total, abs=5e8)
    # A page that uses no torch does not load it for this.
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert provenance.accelerators() == "none"
    cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 2, get_device_name="card {}".format
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert provenance.accelerators() == "card 0 and card 1"


def test_machines_in_words_and_records_of_old():
    old = {"processor": "P", "cores": 4, "system": "S"}
    new = old | {"memory_gb": 16, "accelerators": "none"}
    card = new | {"accelerators": "a card"}
    assert provenance.machine_words(old) == "P, 4 cores, S"
    assert provenance.machine_words(new, card) == (
        "P, 4 cores, 16 GB, S; P, 4 cores, 16 GB, a card, S"
    )


def test_a_run_tells_its_figures_where_they_come_from_and_drops_older_ones(tmp_path):
    import pandas as pd
    import plotly.graph_objects as go

    run = Run("theory/coverage", check("theory/coverage", {"out_dir": str(tmp_path)}))
    folder = tmp_path / "figures"
    folder.mkdir()
    for name in ("old.csv", "old.provenance.json", "old.pdf"):
        (folder / name).write_text("x")
    data = pd.DataFrame({"y": [1]})
    figures.show(go.Figure(go.Scatter(y=[1])), "new", "alt", data=data, run=run)
    with pytest.raises(ValueError, match="figure new: this run has one of that name"):
        figures.show(go.Figure(go.Scatter(y=[1])), "new", "alt", data=data, run=run)
    run.finish()
    result = io.read_json(tmp_path / "result.json")
    assert result["figures"] == ["new"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "new.csv", "new.json", "new.provenance.json",
    ]  # fmt: skip
    record = io.read_json(folder / "new.provenance.json")
    assert record["provenance"] == result["provenance"]
    assert record["data_sha256"] == io.sha256_file(folder / "new.csv")
