"""Lay the book's sources beside the executed notebooks, build them, put the result in place."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from crlib import io, provenance
from crlib.book.anonymous import scrub_folder
from crlib.book.leaks import leaks
from crlib.claims import read_results
from crlib.schemas import SCHEMAS
from crlib.settings import BUILD, ROOT

COLOUR_CODES = re.compile(r"\x1b\[[0-9;]*m")
SUFFIXES = {".md", ".bib", ".yml", ".png", ".svg"}


def place(profile: str, *, anonymous: bool = False) -> Path:
    """Folder of a profile's book, or of its book for double-blind review."""
    return BUILD / profile / "anonymous" if anonymous else BUILD / profile


def source_folder(profile: str, *, anonymous: bool = False) -> Path:
    """Where a profile's book is put together."""
    return place(profile, anonymous=anonymous) / "source"


def html_folder(profile: str, *, anonymous: bool = False) -> Path:
    """Where a profile's finished book lies."""
    return place(profile, anonymous=anonymous) / "html"


def page_sources() -> list[Path]:
    """The book's own pages and settings: what is staged beside the notebooks."""
    pages = [path for path in (ROOT / "book").rglob("*") if path.suffix in SUFFIXES]
    return sorted([ROOT / "_config.yml", ROOT / "_toc.yml", *pages])


def own_sources() -> list[Path]:
    """What the look of every page depends on: this package's code, scripts and styles."""
    here = Path(__file__).parent
    return sorted([*here.glob("*.py"), *(here / "assets").iterdir()])


def copy_if_changed(source: Path, target: Path) -> bool:
    """Copy a file unless the target holds the same bytes; say whether it was copied.

    Sphinx reads again what has a new time stamp, so an unchanged page keeps its own.
    """
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return False
    with io.atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return True


def chosen_chapters(toc: dict[str, Any], notebooks: Iterable[str]) -> dict[str, Any]:
    """Leave out of the table of contents the notebooks that this profile does not run.

    Parameters
    ----------
    toc : dict
        Content of _toc.yml: root, and parts with their chapters.
    notebooks : iterable of str
        Names of the notebooks run, as "theory/coverage".

    Returns
    -------
    dict
        A table of contents of the same form; a part without chapters is left out.
    """
    absent = {f"book/{name}" for name in set(SCHEMAS) - set(notebooks)}
    parts = []
    for part in toc["parts"]:
        chapters = [chapter for chapter in part["chapters"] if chapter["file"] not in absent]
        if chapters:
            parts.append({**part, "chapters": chapters})
    return {**toc, "parts": parts}


def stage(profile: str, notebooks: list[str]) -> Path:
    """Bring a profile's source folder up to date, and remove what no longer belongs there.

    Returns
    -------
    Path
        The folder, holding _config.yml, _toc.yml, book.json and book/.
    """
    folder = source_folder(profile)
    wanted = {folder / "book" / f"{name}.ipynb" for name in notebooks}
    for path in page_sources():
        target = folder / path.relative_to(ROOT)
        wanted.add(target)
        copy_if_changed(path, target)
    for path in (folder / "book").rglob("*"):
        generated = "_generated" in path.parts
        if path.suffix in {".ipynb", *SUFFIXES} and path not in wanted and not generated:
            path.unlink()
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    io.write_text(folder / "_toc.yml", yaml.safe_dump(chosen_chapters(toc, notebooks)))
    _stage_results(profile, notebooks, folder / "results")
    record = {"profile": profile, "commit": provenance.commit(), "dirty": provenance.is_dirty(),
              "date": _commit_date(), "made_of": _made_of(profile, notebooks)}  # fmt: skip
    io.write_json(folder / "book.json", record)
    return folder


def _made_of(profile: str, notebooks: list[str]) -> dict[str, Any]:
    """The runs that a book shows, for the foot of those pages that have no run of their own."""
    found = read_results(BUILD / "results" / profile)
    results = [found[name] for name in notebooks if name in found]
    seeds = sorted({str(result.parameters.get("seed", "none")) for result in results})
    return provenance.together([result.provenance for result in results]) | {"seeds": seeds}


def _stage_results(profile: str, notebooks: list[str], folder: Path) -> None:
    """Bring what the pages offer to its place: each run's result, its figures' data and files."""
    wanted = set()
    for name in notebooks:
        source = BUILD / "results" / profile / name
        for path in [source / "result.json", *(source / "figures").glob("*.*")]:
            drawing = path.suffix == ".json" and path.stem.count(".") == 0 and path.parent != source
            if path.is_file() and not drawing:  # a drawing stands in the page itself
                target = folder / path.relative_to(source.parents[name.count("/")])
                wanted.add(target)
                copy_if_changed(path, target)
    for path in folder.rglob("*.*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def _commit_date() -> str:
    """Date of the newest commit (the same build gives the same footer), else today's."""
    found = provenance._git("log", "-1", "--format=%cs")
    return found or datetime.now(UTC).strftime("%Y-%m-%d")


def build(profile: str, notebooks: list[str], *, anonymous: bool = False) -> int:
    """Build the static book of a profile; warnings are errors.

    The pages are built in a folder of their own and moved to `html_folder` at the end, so that
    an interrupted build leaves the last whole book readable.

    Parameters
    ----------
    profile : str
    notebooks : list of str
    anonymous : bool
        For double-blind review: in a place of its own, see `crlib.book.anonymous`.

    Returns
    -------
    int
        Number of HTML pages.

    Raises
    ------
    RuntimeError
        When the builder reports an error or a warning; it names the first of them. When an
        anonymous book still tells who made it.
    """
    folder, work = stage(profile, notebooks), place(profile, anonymous=anonymous) / "sphinx"
    if anonymous:
        named, folder = folder, source_folder(profile, anonymous=True)
        scrub_folder(named, folder)
    done = subprocess.run(
        # The command beside this interpreter, whether or not the environment is activated.
        [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder),
         "--path-output", str(work), "-W", "--keep-going", "-n"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    output = COLOUR_CODES.sub("", done.stdout)
    print(output)
    faults = [line for line in output.splitlines() if "WARNING" in line or "ERROR" in line]
    if done.returncode != 0:
        # What the builder has read it does not read again: the next build would pass over the
        # warnings of this one.
        shutil.rmtree(work, ignore_errors=True)
        raise RuntimeError(faults[0] if faults else "the builder failed; see the log above")
    built = work / "_build" / "html"
    _drop_orphans(built, folder)
    shutil.rmtree(built / "results", ignore_errors=True)
    if (folder / "results").is_dir():
        shutil.copytree(folder / "results", built / "results")
    if anonymous and (found := leaks(built, named)):
        raise RuntimeError(f"the book is not anonymous: {'; '.join(found[:5])}")
    return _publish(built, html_folder(profile, anonymous=anonymous))


def _drop_orphans(built: Path, sources: Path) -> None:
    """Remove pages of an earlier build whose source is gone; Sphinx leaves them."""
    for page in [*built.glob("*.html"), *(built / "book").rglob("*.html")]:
        stem = sources / page.relative_to(built).with_suffix("")
        has_source = any(stem.with_suffix(suffix).is_file() for suffix in (".md", ".ipynb"))
        if not has_source and page.name not in ("index.html", "search.html"):
            page.unlink()


def _publish(built: Path, target: Path) -> int:
    """Replace a folder by a copy of another: the old one stays until the new one is whole."""
    new, old = target.with_name("html.new"), target.with_name("html.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(built, new, ignore=shutil.ignore_patterns("_sources", ".buildinfo"))
    # Sphinx leaves unchanged pages as they were; this one's time says when the book was built.
    (new / "index.html").touch()
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return len(list(target.rglob("*.html")))
