"""An anonymous book names nobody: what is planted is found, and what is scrubbed is gone."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import nbformat
import pytest
from pypdf import PdfWriter

from crlib.book import anonymous, stage
from crlib.settings import ROOT

HIDDEN = {"Ada Example": "author", "ada@example.org": "author", "ada/secret-paper": "repository",
          "lab-7": "machine", "/home/ada/paper": "path", "ada": "account"}  # fmt: skip
COMMIT = "0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d4e5f0a1b"


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(anonymous, "secrets", lambda: dict(HIDDEN))
    monkeypatch.setattr(anonymous, "commits", lambda: frozenset({COMMIT}))


@pytest.mark.parametrize("secret", [*HIDDEN, COMMIT, COMMIT[:12], COMMIT[:7]])
def test_what_is_planted_is_found_and_scrubbed(known, tmp_path, secret):
    (tmp_path / "a.html").write_text(f"<p>by {secret}.</p>")
    assert anonymous.leaks(tmp_path)
    text = anonymous.scrub(f"by {secret}.", HIDDEN, frozenset({COMMIT}))
    assert text == "by withheld."


def test_words_that_only_hold_a_name_stay(known):
    text = "adamant, Canada, lab-70, 1234567, abcdef1, ada-like and 0.0123456"
    assert anonymous.scrub(text, HIDDEN, frozenset({COMMIT})) == text


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [(b"IHDR", b"\0" * 13), *chunks, (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_leaks_are_found_in_metadata_of_every_kind(known, tmp_path):
    assert anonymous.leaks(tmp_path) == []
    (tmp_path / "clean.png").write_bytes(png((b"IDAT", b"x")))
    (tmp_path / "told.png").write_bytes(png((b"tEXt", b"Author\0somebody")))
    for name, record in (("clean.pdf", {"/Title": "a"}), ("told.pdf", {"/Author": "somebody"}),
                         ("named.pdf", {"/Title": "by Ada Example"})):  # fmt: skip
        writer = PdfWriter()
        writer.add_blank_page(10, 10)
        writer.metadata = record
        writer.write(tmp_path / name)
    cell = nbformat.v4.new_code_cell("1", metadata={"execution": {"at": "noon"}})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"papermill": {"input": "x"}})
    nbformat.write(notebook, tmp_path / "told.ipynb")
    (tmp_path / "lab-7.txt").write_text("the name of the file")
    assert anonymous.leaks(tmp_path) == [
        "lab-7.txt: machine", "named.pdf: author", "told.ipynb: notebook metadata papermill",
        "told.ipynb: cell metadata execution", "told.pdf: PDF metadata /Author",
        "told.png: PNG metadata tEXt",
    ]  # fmt: skip


def test_a_notebook_and_the_settings_lose_what_a_page_does_not_need():
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["hide-input"], "when": "noon"})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"kernelspec": kernel, "authors": ["Ada"], "papermill": {}}
    )
    found = nbformat.reads(anonymous.scrub_notebook(nbformat.writes(notebook)), 4)
    assert found.metadata == {"kernelspec": kernel}
    assert found.cells[0].metadata == {"tags": ["hide-input"]}
    config = anonymous.scrub_config(
        "title: T\nauthor: Ada\ncopyright: Ada\nsphinx: {config: {crlib_repository: a/b}}\n"
    )
    assert "Ada" not in config
    assert "a/b" not in config
    assert "Anonymous authors" in config


def test_what_this_repository_would_tell_is_known():
    found = anonymous.secrets()
    people = subprocess.run(
        ["git", "log", "-1", "--format=%ae"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip
    assert found[people] == "author"
    assert found[str(ROOT)] == "path"
    assert not {"root", "vm", ""} & set(found)


@pytest.mark.browser
@pytest.mark.smoke
def test_the_anonymous_book_and_appendix_tell_nothing(smoke_book, make_book, chromium, tmp_path):
    named = anonymous.leaks(smoke_book)
    assert any(line.endswith(": commit") for line in named), "the scan sees nothing"
    done = make_book("--profile", "smoke", "--anonymous")
    assert done.returncode == 0, done.stdout + done.stderr
    book = stage.html_folder("smoke", anonymous=True)
    assert anonymous.leaks(book) == []
    names = {path.relative_to(book).as_posix() for path in book.rglob("*.*")}
    assert {"book/theory/coverage.ipynb", "results/theory/coverage/figures/coverage.pdf"} <= names
    assert "withheld" in (book / "book/theory/coverage.html").read_text()
    record = json.loads((book / "results/theory/coverage/result.json").read_text())
    assert record["provenance"]["commit"] == "withheld"
    done = subprocess.run(
        [sys.executable, "-m", "crlib.appendix.make", "--profile", "smoke", "--anonymous",
         "--out", str(tmp_path / "appendix")],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "appendix" / "appendix.pdf").is_file()
    assert anonymous.leaks(tmp_path / "appendix") == []
    assert Path(stage.html_folder("smoke")).is_dir(), "the named book stays"
