"""An anonymous book names nobody: what is planted is found, and what is scrubbed is gone."""

import base64
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import nbformat
import pytest
from pypdf import PdfWriter

from crlib import io
from crlib.book import anonymous, stage
from crlib.book import leaks as scanner
from crlib.book.leaks import leaks
from crlib.settings import ROOT

HIDDEN = {"Ada Example": "author", "ada@example.org": "author", "ada/secret-paper": "repository",
          "lab-7": "machine", "/home/ada/paper": "path", "ada": "account"}  # fmt: skip
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>"""
COMMIT = "0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d4e5f0a1b"


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(scanner, "secrets", lambda: dict(HIDDEN))
    monkeypatch.setattr(scanner, "commits", lambda source: frozenset({COMMIT}))


@pytest.mark.parametrize("secret", [*HIDDEN, COMMIT, COMMIT[:12], COMMIT[:7]])
def test_what_is_planted_is_found_and_scrubbed(known, tmp_path, secret):
    (tmp_path / "a.html").write_text(f"<p>by {secret}.</p>")
    assert leaks(tmp_path)
    text = anonymous.scrub(f"by {secret}.", HIDDEN, frozenset({COMMIT}))
    assert text == "by withheld."


def test_words_that_only_hold_a_name_stay(known):
    text = "adamant, Canada, lab-70, 1234567, abcdef1, ada-like and 0.0123456"
    assert anonymous.scrub(text, HIDDEN, frozenset({COMMIT})) == text


@pytest.mark.parametrize(
    ("secret", "kind", "text"),
    [
        ("Ada Lovelace", "author", "by ada lovelace."),
        ("Ada Lovelace", "author", "by Ada\nLovelace."),
        ("Ada Lovelace", "author", "by Ada&nbsp;LOVELACE."),
        ("ada@uni.edu", "author", "ADA@Uni.edu"),
        ("ada/paper", "repository", "github.com/Ada/Paper"),
    ],
)
def test_a_name_is_found_however_it_is_written(secret, kind, text):
    assert anonymous.pattern_of(secret, kind).search(text)
    assert "withheld" in anonymous.scrub(text, {secret: kind}, frozenset())


def test_a_name_of_one_word_keeps_to_its_capitals():
    """Not every maximum is Max."""
    assert anonymous.scrub("Max: max pooling", {"Max": "author"}, frozenset()) == (
        "withheld: max pooling"
    )


@pytest.mark.parametrize(
    "address",
    ["https://github.com/ada/paper.git", "https://me:pw@github.com/ada/paper/",
     "git@github.com:ada/paper.git", "ssh://git@github.com:22/ada/paper.git/"],
)  # fmt: skip
def test_what_a_remote_tells(address):
    assert anonymous.repository_words(address) == {
        address, "ada/paper", "github.com/ada", "ada.github.io",
    }  # fmt: skip


def test_a_remote_that_is_a_folder_is_only_that():
    assert anonymous.repository_words("/srv/paper") == {"/srv/paper"}


@pytest.mark.parametrize("text", ["mailto:bob@uni.edu", "file:///srv/x.py", "in /Users/bob/x",
                                  "in /home/bob"])  # fmt: skip
def test_anybody_is_found(known, tmp_path, text):
    """Of a run on another machine, under another account."""
    (tmp_path / "a.html").write_text(f"<p>{text}</p>")
    assert leaks(tmp_path)


def test_a_commit_that_the_repository_lost_is_found_in_the_results(monkeypatch, tmp_path):
    monkeypatch.setattr(scanner, "secrets", dict)
    source, book = tmp_path / "source", tmp_path / "html"
    for folder in (source, book):
        folder.mkdir()
    io.write_json(source / "result.json", {"provenance": {"commit": COMMIT}})
    (book / "a.html").write_text(f"<code>{COMMIT[:12]}</code>")
    assert leaks(book) == []
    assert leaks(book, source) == ["a.html: commit"]
    monkeypatch.setattr(anonymous, "secrets", dict)
    anonymous.scrub_folder(source, tmp_path / "scrubbed")
    assert io.read_json(tmp_path / "scrubbed" / "result.json")["provenance"]["commit"] == "withheld"


def test_without_git_names_are_unknown_and_nothing_is_called_anonymous(monkeypatch):
    monkeypatch.setattr(anonymous.provenance, "_git", lambda *arguments: "")
    with pytest.raises(RuntimeError, match="git does not read the repository"):
        anonymous.secrets()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [(b"IHDR", b"\0" * 13), *chunks, (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_leaks_are_found_in_metadata_of_every_kind(known, tmp_path):
    assert leaks(tmp_path) == []
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
    (tmp_path / "lab-7").mkdir()
    (tmp_path / "lab-7" / "a.txt").write_text("the name of the folder")
    assert leaks(tmp_path) == [
        "lab-7/a.txt: machine", "named.pdf: author", "told.ipynb: notebook metadata papermill",
        "told.ipynb: cell metadata execution", "told.pdf: PDF metadata /Author",
        "told.png: PNG metadata tEXt",
    ]  # fmt: skip


def test_leaks_are_found_in_what_is_packed(known, tmp_path):
    lines = b"# Sphinx inventory version 2\n# Project: x\n# Version: 1\n# zlib\n"
    (tmp_path / "objects.inv").write_bytes(lines + zlib.compress(b"ada label -1 x.html -"))
    (tmp_path / "clean.inv").write_bytes(lines + zlib.compress(b"label -1 x.html -"))
    picture = base64.b64encode(png((b"tEXt", b"Author\0somebody"))).decode()
    (tmp_path / "page.html").write_text(f'<img src="data:image/png;base64,{picture}">')
    (tmp_path / "figure.svg").write_text("<svg><metadata>somebody</metadata></svg>")
    kernel = {**anonymous.KERNEL, "display_name": "Python (somebody's)"}
    output = nbformat.v4.new_output(
        "display_data", {"image/png": picture}, metadata={"where": "there"}
    )
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "a.ipynb")
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.metadata = {"/Title": "a"}
    writer.xmp_metadata = XMP
    writer.write(tmp_path / "xmp.pdf")
    assert leaks(tmp_path) == [
        "a.ipynb: notebook metadata kernelspec", "a.ipynb: cell metadata where",
        "a.ipynb: PNG metadata tEXt", "figure.svg: SVG metadata", "objects.inv: account",
        "page.html: PNG metadata tEXt", "xmp.pdf: PDF metadata /Metadata",
    ]  # fmt: skip


def test_a_notebook_and_the_settings_lose_what_a_page_does_not_need():
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["hide-input"], "when": "noon"})
    kernel = {"name": "ada", "display_name": "Python (ada)", "language": "python"}
    output = nbformat.v4.new_output(
        "display_data", {"text/plain": "1"}, metadata={"scrapbook": {"name": "k"}, "when": "noon"}
    )
    cell.outputs.append(output)
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"kernelspec": kernel, "authors": ["Ada"], "papermill": {}}
    )
    found = nbformat.reads(anonymous.scrub_notebook(nbformat.writes(notebook)), 4)
    assert found.metadata == {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    }
    assert found.cells[0].metadata == {"tags": ["hide-input"]}
    assert found.cells[0].outputs[0].metadata == {"scrapbook": {"name": "k"}}
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
    named = leaks(smoke_book)
    assert any(line.endswith(": commit") for line in named), "the scan sees nothing"
    done = make_book("--profile", "smoke", "--anonymous")
    assert done.returncode == 0, done.stdout + done.stderr
    book = stage.html_folder("smoke", anonymous=True)
    assert leaks(book) == []
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
    assert leaks(tmp_path / "appendix") == []
    assert Path(stage.html_folder("smoke")).is_dir(), "the named book stays"
