"""Staging: what is unchanged keeps its time, what is gone goes, the old book stays until then."""

import hashlib

import pytest
import yaml
from bs4 import BeautifulSoup

from crlib import provenance
from crlib.book import sphinx_ext, stage
from crlib.schemas import SCHEMAS
from crlib.settings import ROOT


def table_of_contents():
    return yaml.safe_load((ROOT / "_toc.yml").read_text())


def listed(toc):
    return [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]


def test_the_contents_list_every_notebook_and_page_once():
    files = [*listed(table_of_contents()), table_of_contents()["root"]]
    pages = [f"book/{path.stem}" for path in (ROOT / "book").glob("*.md")]
    assert sorted(files) == sorted([*pages, *(f"book/{name}" for name in SCHEMAS)])


def test_a_profile_without_a_notebook_has_no_such_chapter():
    toc = stage.chosen_chapters(table_of_contents(), ["theory/coverage"])
    assert [name for name in listed(toc) if "theory/" in name] == ["book/theory/coverage"]
    assert all(part["chapters"] for part in toc["parts"])
    assert stage.chosen_chapters(table_of_contents(), SCHEMAS) == table_of_contents()


def test_an_unchanged_file_keeps_its_time(tmp_path):
    source, target = tmp_path / "a", tmp_path / "sub" / "b"
    source.write_text("one")
    assert stage.copy_if_changed(source, target)
    time = target.stat().st_mtime_ns
    assert not stage.copy_if_changed(source, target)
    assert target.stat().st_mtime_ns == time
    source.write_text("two")
    assert stage.copy_if_changed(source, target)
    assert target.read_text() == "two"


def test_staging_removes_what_is_no_longer_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "BUILD", tmp_path)
    folder = stage.source_folder("smoke") / "book"
    for name in ("theory/old.ipynb", "old.md", "_generated/verdicts.md", "theory/coverage.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    stage.stage("smoke", ["theory/coverage"])
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"_generated/verdicts.md", "theory/coverage.ipynb", "intro.md"} <= left
    assert left.isdisjoint({"theory/old.ipynb", "old.md"})


def test_a_book_is_replaced_as_a_whole(tmp_path):
    built, target = tmp_path / "built", tmp_path / "html"
    for folder, text in ((target, "old"), (built, "new")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    (target / "gone.html").write_text("old")
    assert stage._publish(built, target) == 1
    assert [path.name for path in target.iterdir()] == ["index.html"]
    assert (target / "index.html").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "html"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("_static/plots.js", True),
        ("https://cdn.example.org/x.js", False),
        ("//cdn.example.org/x.js", False),
        ("_static/sphinx-thebe.js", False),
    ],
)
def test_scripts_from_elsewhere_are_dropped(name, kept):
    assert bool(sphinx_ext.drop_remote([name])) is kept


def test_the_footer_escapes_what_it_shows():
    record = {"profile": "<b>", "commit": "a" * 40, "dirty": True, "date": "2026-01-01",
              "made_of": provenance.together([])}  # fmt: skip
    assert sphinx_ext.footer(record) == (
        "<p>Profile <strong>&lt;b&gt;</strong>, commit <code>aaaaaaaaaaaa</code> with changes, "
        "2026-01-01.</p>"
    )


def test_the_footer_tells_of_the_runs():
    machine = {"processor": "<cpu>", "cores": 2, "system": "Linux"}
    runs = [
        {"commit": commit * 40, "dirty": commit == "b", "date": date, "seconds": 10.4,
         "machine": machine, "versions": {"numpy": version}, "inputs": {"texts": "1", **more}}
        for commit, date, version, more in (
            ("b", "2026-01-02", "2.1", {}), ("a", "2026-01-01", "2.0", {"vectors": "2"}),
        )
    ]  # fmt: skip
    made_of = provenance.together(runs) | {"seeds": ["0", "3"]}
    assert (made_of["inputs"]["count"], made_of["changed"]) == (2, 1)
    digest = hashlib.sha256(b"texts 1\nvectors 2").hexdigest()
    assert made_of["inputs"]["sha256"] == digest
    record = {"profile": "p", "commit": "a", "date": "2026-01-02", "made_of": made_of}
    shown = BeautifulSoup(sphinx_ext.footer(record), "html.parser")
    cells = {row.th.text: row.td.text for row in shown.find_all("tr")}
    assert cells["runs"] == "2 notebooks in 21 s of computing, 2026-01-01 to 2026-01-02"
    assert cells["commits"] == f"{'a' * 12}, {'b' * 12}; sources changed in 1 runs"
    assert cells["versions"] == "numpy 2.0 and 2.1"
    assert cells["machines"] == "<cpu>, 2 cores, Linux"
    assert cells["inputs"].endswith(digest[:16])


def test_the_assets_are_complete(tmp_path):
    sphinx_ext.collect_assets(tmp_path / "assets")
    files = {path.relative_to(tmp_path / "assets").as_posix() for path in tmp_path.rglob("*.*")}
    assert {"plots.js", "book.css", "plotly.min.js", "mathjax/tex-chtml.js"} <= files
    assert any(name.endswith(".woff") for name in files)


def test_a_build_that_failed_fails_again(tmp_path, monkeypatch):
    """Sphinx warns of a page when it reads it, and reads no unchanged page twice."""
    monkeypatch.setattr(stage, "BUILD", tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    (source / "_config.yml").write_text("title: A\nexecute:\n  execute_notebooks: 'off'\n")
    (source / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    (source / "page.md").write_text("# A page\n\n[nowhere](no-such-page.md)\n")
    monkeypatch.setattr(stage, "stage", lambda profile, notebooks: source)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no-such-page"):
            stage.build("any", [])


def test_launch_links_need_a_repository():
    assert sphinx_ext.launch_links("book/theory/coverage", "", "main") == ""
    links = sphinx_ext.launch_links("book/theory/coverage", "someone/paper", "main")
    assert (
        "mybinder.org/v2/gh/someone/paper/main?labpath=notebooks%2Ftheory%2Fcoverage.ipynb" in links
    )
    assert "github/someone/paper/blob/main/notebooks/theory/coverage.ipynb" in links
    assert "<script" not in sphinx_ext.launch_links("book/x", "<script>/a", "main")
