"""Every link of the built book leads to a file and a place that are there."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from crlib.settings import ROOT

pytestmark = pytest.mark.smoke

ADDRESS = re.compile(r"https://[\w.-]+\.[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?")
# Names that the specification keeps for examples.
EXAMPLES = ("http://127.0.0.1", "http://localhost")


class Page(HTMLParser):
    """What a page links to, and the places that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.places |= {values[key] for key in ("id", "name") if values.get(key)}
        for key in ("href", "src"):
            if values.get(key):
                self.links.append(values[key])


def test_every_link_of_the_book_resolves(smoke_book):
    paths = [path for path in smoke_book.rglob("*.html") if "_static" not in path.parts]
    read = {path.resolve(): Page(path) for path in paths}
    broken, count = [], 0
    for path, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("data", "blob", "javascript", "mailto"):
                continue
            count += 1
            where = f"{path.relative_to(smoke_book.resolve())}: {link}"
            if parts.scheme or link.startswith("//"):
                if not ADDRESS.fullmatch(link) and not link.startswith(EXAMPLES):
                    broken.append(where)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append(where)
            elif target in read and unquote(parts.fragment) not in read[target].places:
                broken.append(f"{where}: no such place")
    assert count > 1000
    assert broken == []


def test_figures_are_offered_as_files(smoke_book):
    """Under each figure stand links to its PDF, PNG, SVG and provenance."""
    page = (smoke_book / "book/theory/coverage.html").read_text(encoding="utf-8")
    for ending in (".pdf", ".png", ".svg", ".provenance.json"):
        assert f"results/theory/coverage/figures/coverage{ending}" in page
    assert "results/theory/coverage/result.json" in page
    assert (smoke_book / "results/theory/coverage/figures/coverage.csv").is_file()


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.md")), ids=lambda path: path.name)
def test_addresses_in_pages_are_well_formed(path):
    for address in re.findall(r"\bhttps?:[^\s)>`\"]+", path.read_text(encoding="utf-8")):
        assert ADDRESS.fullmatch(address) or address.startswith(EXAMPLES), address
