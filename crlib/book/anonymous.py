"""A book for double-blind review: no author, address, repository, machine or path in it."""

import getpass
import re
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import yaml
from pypdf import PdfReader

from crlib import io, provenance
from crlib.settings import BUILD, ROOT

WITHHELD = "withheld"
TEXTS = {
    ".bib", ".css", ".csv", ".html", ".inv", ".ipynb", ".js", ".json", ".md", ".svg", ".tex",
    ".txt", ".xml", ".yml",
}  # fmt: skip
# Names that tell nothing, as accounts and machines are called on their own.
COMMON = {"root", "user", "users", "runner", "ubuntu", "debian", "admin", "localhost", "jovyan",
          "home", "vm", "node", "work", "build"}  # fmt: skip
# At least one letter: seven digits in a row are a number.
HASH = re.compile(r"(?<![0-9a-f.])(?=[0-9]*[a-f])[0-9a-f]{7,40}(?![0-9a-f])")
ADDRESS = re.compile(r"(?:[\w.]+@|https?://)?([\w.-]+\.\w+)[:/]([\w./-]+?)(?:\.git)?$")
PNG_WORDS = {b"tEXt", b"iTXt", b"zTXt", b"eXIf"}
CELL_KEYS = {"tags", "mystnb"}


def secrets() -> dict[str, str]:
    """What would tell who made this book, and where.

    Returns
    -------
    dict
        The text to its kind: names and addresses in the repository's history and settings, its
        remote, this machine's and this account's name, and the folders of this project.
    """
    found: dict[str, str] = {}
    people = provenance._git("log", "--format=%an%n%ae%n%cn%n%ce").splitlines()
    people += [provenance._git("config", key) for key in ("user.name", "user.email")]
    found |= {text.strip(): "author" for text in people}
    for line in provenance._git("remote", "-v").splitlines():
        address = line.split()[1]
        found[address] = "repository"
        if match := ADDRESS.search(address):
            found[match[2]] = "repository"
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    found[str(config.get("author") or "")] = "author"
    found[str(config["sphinx"]["config"].get("crlib_repository") or "")] = "repository"
    found[socket.gethostname()] = "machine"
    found[getpass.getuser()] = "account"
    for path in (ROOT, BUILD, Path.home(), Path(sys.prefix)):
        found[str(path)] = "path"
    return {
        text: kind for text, kind in sorted(found.items(), key=lambda item: -len(item[0]))
        if len(text) >= 3 and text.lower() not in COMMON and text != "/root"
    }  # fmt: skip


def commits() -> frozenset[str]:
    """Hashes of the repository's commits: a search would find them."""
    return frozenset(provenance._git("rev-list", "--all").split())


def _is_commit(word: str, known: frozenset[str]) -> bool:
    return any(commit.startswith(word) for commit in known)


def _pattern(text: str) -> re.Pattern[str]:
    """The text as a word of its own: an account "ann" is not in "planned"."""
    start = r"(?<![\w-])" if text[0].isalnum() else ""
    end = r"(?![\w-])" if text[-1].isalnum() else ""
    return re.compile(start + re.escape(text) + end)


def scrub(text: str, hidden: dict[str, str], known: frozenset[str]) -> str:
    """Text without what tells of people and places.

    Parameters
    ----------
    text : str
    hidden : dict
        As `secrets` finds it.
    known : frozenset of str
        Commits.
    """
    for secret in hidden:
        if secret in text:
            text = _pattern(secret).sub(WITHHELD, text)
    return HASH.sub(lambda m: WITHHELD if _is_commit(m[0], known) else m[0], text)


def scrub_notebook(text: str) -> str:
    """A notebook with no more metadata than a page needs."""
    notebook = nbformat.reads(text, as_version=4)
    kernel = notebook.metadata.get("kernelspec", {})
    notebook.metadata = {"kernelspec": dict(kernel)} if kernel else {}
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_KEYS:
            del cell.metadata[key]
    return str(nbformat.writes(notebook)) + "\n"


def scrub_config(text: str) -> str:
    """The book's settings without authors and repository."""
    config: dict[str, Any] = yaml.safe_load(text)
    config |= {"author": "Anonymous authors", "copyright": ""}
    config["sphinx"]["config"]["crlib_repository"] = ""
    return str(yaml.safe_dump(config, sort_keys=False))


def scrub_folder(source: Path, target: Path) -> None:
    """Copy a staged book, scrubbed; what has not changed keeps its time, for the builder.

    Parameters
    ----------
    source : Path
        As `crlib.book.stage.stage` left it.
    target : Path
        What no longer belongs there is removed.
    """
    hidden, known = secrets(), commits()
    wanted = set()
    for path in sorted(source.rglob("*")):
        if not path.is_file():
            continue
        place = target / path.relative_to(source)
        wanted.add(place)
        content = path.read_bytes()
        if path.suffix in TEXTS:
            text = scrub(content.decode("utf-8"), hidden, known)
            if path.suffix == ".ipynb":
                text = scrub_notebook(text)
            if path == source / "_config.yml":
                text = scrub_config(text)
            content = text.encode("utf-8")
        if not place.is_file() or place.read_bytes() != content:
            with io.atomic_path(place) as temporary:
                temporary.write_bytes(content)
    for place in target.rglob("*"):
        if place.is_file() and place not in wanted:
            place.unlink()


def leaks(folder: Path) -> list[str]:
    """Say what in a folder still tells who made it: texts, PDFs, notebooks, pictures' metadata.

    Parameters
    ----------
    folder : Path
        A built book, or an appendix.

    Returns
    -------
    list of str
        "file: kind", never the secret itself; empty when nothing was found.
    """
    hidden, known = secrets(), commits()
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        for text in _texts(path):
            kinds = {kind for secret, kind in hidden.items()
                     if secret in text and _pattern(secret).search(text)}  # fmt: skip
            if any(_is_commit(match, known) for match in HASH.findall(text)):
                kinds.add("commit")
            found += [f"{name}: {kind}" for kind in sorted(kinds)]
        found += [f"{name}: {fault}" for fault in _metadata(path)]
    return list(dict.fromkeys(found))


def _texts(path: Path) -> Iterator[str]:
    """What can be read in a file, its name included; of others the bytes as they are."""
    yield path.name
    if path.suffix == ".pdf":
        reader = PdfReader(path)
        yield " ".join(map(str, (reader.metadata or {}).values()))
        yield "\n".join(page.extract_text() for page in reader.pages)
        links = [link.get_object() for page in reader.pages for link in page.annotations or []]
        yield str(links)
    yield path.read_bytes().decode("utf-8" if path.suffix in TEXTS else "latin-1", "replace")


def _metadata(path: Path) -> Iterator[str]:
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        if extra := set(notebook.metadata) - {"kernelspec"}:
            yield f"notebook metadata {', '.join(sorted(extra))}"
        for extra in (set(cell.metadata) - CELL_KEYS for cell in notebook.cells):
            if extra:
                yield f"cell metadata {', '.join(sorted(extra))}"
    if path.suffix == ".pdf":
        told = set(PdfReader(path).metadata or {}) - {"/Title", "/Subject", "/Producer"}
        if told:
            yield f"PDF metadata {', '.join(sorted(told))}"
    if path.suffix == ".png":
        yield from (f"PNG metadata {chunk.decode()}" for chunk in _png_chunks(path) & PNG_WORDS)


def _png_chunks(path: Path) -> set[bytes]:
    """Names of a PNG file's chunks."""
    content, place, names = path.read_bytes(), 8, set()
    while place + 8 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        names.add(content[place + 4 : place + 8])
        place += length + 12
    return names
