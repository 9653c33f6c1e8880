"""`make appendix` puts all of its files in place, or none."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crlib.appendix import make


@pytest.fixture
def call(monkeypatch, tmp_path):
    """The command on a book whose PDF and LaTeX are stand-ins."""

    def text(name: str):
        def write(source: Path, results: dict, out: Path, *browser: str) -> int:
            (out / name).write_text("new")
            return 1

        return write

    monkeypatch.setattr(make.pictures, "browser", lambda: "/bin/true")
    monkeypatch.setattr(make, "staged", lambda profile, anonymous: tmp_path)
    monkeypatch.setattr(make, "write_pdf", text("appendix.pdf"))
    monkeypatch.setattr(make, "write_latex", text("appendix.tex"))
    app = typer.Typer()
    app.command()(make.make)
    return lambda *options: CliRunner().invoke(app, ["--out", str(tmp_path / "out"), *options])


def test_a_papers_own_files_stay_and_an_earlier_appendix_goes(tmp_path):
    made, out = tmp_path / "made", tmp_path / "paper"
    for path in ("made/figures/theory-a-x.pdf", "made/macros.tex", "paper/figures/theory-b-y.pdf",
                 "paper/figures/mine.pdf", "paper/main.tex", "paper/macros.tex"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    make.put_in_place(made, out)
    left = {p.relative_to(out).as_posix(): p.read_text() for p in out.rglob("*") if p.is_file()}
    assert left == {
        "figures/theory-a-x.pdf": "made/figures/theory-a-x.pdf", "macros.tex": "made/macros.tex",
        "figures/mine.pdf": "paper/figures/mine.pdf", "main.tex": "paper/main.tex",
    }  # fmt: skip


def test_all_is_put_in_place(call, tmp_path):
    done = call()
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"appendix.pdf", "appendix.tex"}


def test_what_fails_leaves_the_appendix_as_it_was(call, monkeypatch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "appendix.pdf").write_text("old")

    def fail(*arguments: object) -> int:
        raise RuntimeError("no picture of theory-a-x")

    monkeypatch.setattr(make, "write_latex", fail)
    done = call()
    assert done.exit_code == 1
    assert "no picture of theory-a-x" in done.stderr
    monkeypatch.undo()
    assert [p.read_text() for p in (tmp_path / "out").iterdir()] == ["old"]


def test_an_appendix_that_names_somebody_is_not_put_in_place(call, monkeypatch, tmp_path):
    monkeypatch.setattr(make, "leaks", lambda folder: ["appendix.tex: author"])
    done = call("--anonymous")
    assert done.exit_code == 1
    assert "not anonymous: appendix.tex: author" in done.stderr
    assert not (tmp_path / "out").exists()
