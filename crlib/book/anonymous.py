"""A book for double-blind review: no author, address, repository, machine or path in it."""

import getpass
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import yaml

from crlib import io, provenance
from crlib.settings import BUILD, ROOT

WITHHELD = "withheld"
TEXTS = {
    ".bib", ".css", ".csv", ".html", ".inv", ".ipynb", ".js", ".json", ".md", ".svg", ".tex",
    ".txt", ".xml", ".yml",
}  # fmt: skip
# Names that tell nothing, as accounts and machines are called on their own.
COMMON = {"root", "user", "users", "runner", "ubuntu", "debian", "admin", "localhost", "jovyan",
          "home", "vm", "node", "work", "build", "authors", "the authors", "anonymous",
          "anonymous authors", "maintainers"}  # fmt: skip
# At least one letter: seven digits in a row are a number.
HASH = re.compile(r"(?<![0-9a-f.])(?=[0-9]*[a-f])[0-9a-f]{7,40}(?![0-9a-f])")
COMMIT = re.compile(r'"commit": "([0-9a-f]{40})')
CELL_KEYS, OUTPUT_KEYS = {"tags", "mystnb"}, {"scrapbook"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def secrets() -> dict[str, str]:
    """What would tell who made this book, and where.

    Returns
    -------
    dict
        The text to its kind: names and addresses in the repository's history, in its settings and
        in CITATION.cff, its remotes and their owners, this machine's and this account's name, and
        the folders of this project.

    Raises
    ------
    RuntimeError
        When there is a repository and git does not answer: then nobody's name is known.
    """
    if (ROOT / ".git").exists() and provenance.commit() == "unknown":
        raise RuntimeError(
            f"git does not read the repository in {ROOT}, so the names to withhold are unknown: "
            "see what `git log` says there"
        )
    found: dict[str, str] = {}
    people = provenance._git("log", "--format=%an%n%ae%n%cn%n%ce").splitlines()
    people += [provenance._git("config", key) for key in ("user.name", "user.email")]
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    people.append(str(config.get("author") or ""))
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for person in [*cited["authors"], *cited.get("preferred-citation", {}).get("authors", [])]:
        people.append(f"{person.get('given-names', '')} {person.get('family-names', '')}")
        people += [str(person.get(key, "")) for key in ("email", "orcid")]
    names = [text.split() for text in people if len(text.split()) > 1]
    people += [f"{last}, {' '.join(first)}" for *first, last in names]
    found |= {text.strip(): "author" for text in people}
    remotes = [line.split()[1] for line in provenance._git("remote", "-v").splitlines()]
    if own := str(config["sphinx"]["config"].get("crlib_repository") or ""):
        remotes.append(f"https://github.com/{own}")
    found |= {text: "repository" for address in remotes for text in repository_words(address)}
    found[socket.gethostname()] = "machine"
    found[getpass.getuser()] = "account"
    for path in (ROOT, BUILD, Path.home(), Path(sys.prefix)):
        found[str(path)] = "path"
    return {
        text: kind for text, kind in sorted(found.items(), key=lambda item: -len(item[0]))
        if len(text) >= 3 and text.lower() not in COMMON and text != "/root"
    }  # fmt: skip


def repository_words(address: str) -> set[str]:
    """What of a remote's address a search would find: "ada/paper", the pages of its owner.

    Parameters
    ----------
    address : str
        As git prints it: "https://host/owner/name.git", "git@host:owner/name", a folder.
    """
    if "://" in address:
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path
    else:
        host, _, path = address.rpartition(":")
        host = host.split("@")[-1]
    path = path.strip("/").removesuffix(".git")
    if not host or "/" not in path:
        return {address}
    owner = path.split("/")[0]
    return {address, path, f"{host}/{owner}", f"{owner}.{host.split('.')[0]}.io"}


def commits(results: Path | None = None) -> frozenset[str]:
    """Hashes of commits, which a search would find.

    Parameters
    ----------
    results : Path, optional
        Folder of a book: the repository may have lost a commit that a result was computed with.
    """
    found = set(provenance._git("rev-list", "--all").split())
    for path in results.rglob("*.json") if results else ():
        found.update(COMMIT.findall(path.read_text(encoding="utf-8")))
    return frozenset(found)


def is_commit(word: str, known: frozenset[str]) -> bool:
    """Whether a word is the beginning of a known commit."""
    return any(commit.startswith(word) for commit in known)


def pattern_of(text: str, kind: str) -> re.Pattern[str]:
    """The text as words of their own: an account "ann" is not in "planned".

    Names may be broken over lines or entities, and people do not keep to capitals; a name of one
    word does, or "Max" would be in every maximum.
    """
    start = r"(?<![\w-])" if text[0].isalnum() else ""
    end = r"(?![\w-])" if text[-1].isalnum() else ""
    between = r"(?:\s|&nbsp;|&#160;|\\n|\",\s*\")+"  # the last two in a notebook's file
    words = between.join(map(re.escape, text.split()))
    loose = kind in ("author", "repository") and re.search(r"[\s@/.]", text)
    return re.compile(start + words + end, re.IGNORECASE if loose else 0)


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
    for secret, kind in hidden.items():
        text = pattern_of(secret, kind).sub(WITHHELD, text)
    return HASH.sub(lambda m: WITHHELD if is_commit(m[0], known) else m[0], text)


def notes(notebook: Any) -> Iterator[tuple[Any, set[str]]]:
    """Metadata of a notebook's cells and outputs, each with the keys that a page needs."""
    for cell in notebook.cells:
        yield cell.metadata, CELL_KEYS
        for output in cell.get("outputs", []):
            yield output.get("metadata", {}), OUTPUT_KEYS


def scrub_notebook(text: str) -> str:
    """A notebook with no more metadata than a page needs."""
    notebook = nbformat.reads(text, as_version=4)
    # An environment's name may be a person's.
    notebook.metadata = {"kernelspec": dict(KERNEL)}
    for metadata, kept in notes(notebook):
        for key in set(metadata) - kept:
            del metadata[key]
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
    hidden, known = secrets(), commits(source)
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
