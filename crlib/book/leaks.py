"""What in a built book or appendix still tells who made it."""

import base64
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from pypdf import PdfReader

from crlib.book.anonymous import (
    HASH,
    KERNEL,
    TEXTS,
    commits,
    is_commit,
    notes,
    pattern_of,
    secrets,
)

# What tells of somebody, whoever it is.
SUSPECT = {
    "address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE),
    "path": re.compile(r"\bfile:///?\w|(?<![\w.])/(?:home|Users)/\w"),
}
PICTURE = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/=]+")
PNG_WORDS = {b"tEXt", b"iTXt", b"zTXt", b"eXIf"}


def leaks(folder: Path, source: Path | None = None) -> list[str]:
    """Say what in a folder still tells who made it: texts, PDFs, notebooks, pictures' metadata.

    Parameters
    ----------
    folder : Path
        A built book, or an appendix.
    source : Path, optional
        The book with names that it was made from, for the commits in its results.

    Returns
    -------
    list of str
        "file: kind", never the secret itself; empty when nothing was found.
    """
    known = commits(source)
    patterns = [(kind, pattern_of(secret, kind)) for secret, kind in secrets().items()]
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        for text, own in [(name, True), *_texts(path)]:
            looked_for = [*patterns, *SUSPECT.items()] if own else patterns
            kinds = {kind for kind, pattern in looked_for if pattern.search(text)}
            if any(is_commit(match, known) for match in HASH.findall(text)):
                kinds.add("commit")
            found += [f"{name}: {kind}" for kind in sorted(kinds)]
        found += [f"{name}: {fault}" for fault in _metadata(path)]
    return list(dict.fromkeys(found))


def _texts(path: Path) -> Iterator[tuple[str, bool]]:
    """What can be read in a file, its bytes in the end; and whether a page of ours says it."""
    content = path.read_bytes()
    if path.suffix == ".pdf":
        reader = PdfReader(path)
        yield " ".join(map(str, (reader.metadata or {}).values())), True
        yield "\n".join(page.extract_text() for page in reader.pages), True
        links = [link.get_object() for page in reader.pages for link in page.annotations or []]
        yield str(links), True
    if path.suffix == ".inv":  # four lines, then what they list, packed
        *head, packed = content.split(b"\n", 4)
        content = b"\n".join([*head, zlib.decompress(packed)])
    text = content.decode("utf-8" if path.suffix in TEXTS else "latin-1", "replace")
    yield text, path.suffix in TEXTS - {".js", ".css"}  # scripts of others name their own authors


def _metadata(path: Path) -> Iterator[str]:
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        if extra := set(notebook.metadata) - {"kernelspec"}:
            yield f"notebook metadata {', '.join(sorted(extra))}"
        if notebook.metadata.get("kernelspec", KERNEL) != KERNEL:
            yield "notebook metadata kernelspec"
        for metadata, kept in notes(notebook):
            if extra := set(metadata) - kept:
                yield f"cell metadata {', '.join(sorted(extra))}"
    if path.suffix == ".pdf":
        reader = PdfReader(path)
        told = set(reader.metadata or {}) - {"/Title", "/Subject", "/Producer"}
        told |= {"/Metadata"} & set(reader.root_object)
        if told:
            yield f"PDF metadata {', '.join(sorted(told))}"
    if path.suffix == ".svg" and "<metadata" in path.read_text(encoding="utf-8"):
        yield "SVG metadata"
    for chunk in sorted(_png_chunks(_pngs(path)) & PNG_WORDS):
        yield f"PNG metadata {chunk.decode()}"


def _pngs(path: Path) -> Iterator[bytes]:
    """The PNG pictures that a file is, or has in it."""
    if path.suffix == ".png":
        yield path.read_bytes()
    elif path.suffix in {".html", ".ipynb", ".svg", ".json"}:
        for text in PICTURE.findall(path.read_text(encoding="utf-8").replace("\\n", "")):
            yield base64.b64decode(text[: len(text) // 4 * 4])


def _png_chunks(pictures: Iterable[bytes]) -> set[bytes]:
    """Names of the chunks of PNG pictures."""
    return {name for content in pictures for name in _chunks(content)}


def _chunks(content: bytes) -> set[bytes]:
    place, names = 8, set()
    while place + 8 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        names.add(content[place + 4 : place + 8])
        place += length + 12
    return names
