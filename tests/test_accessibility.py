"""Every page can be read with a screen reader and by weak eyes: axe's rules, WCAG 2.1 A and AA."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from crlib.book import sphinx_ext

pytestmark = [pytest.mark.browser, pytest.mark.smoke]

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    },
    # The theme's logo stands outside of its landmarks; it is a link to the front page, as the
    # first entry of the navigation is.
    "rules": {"region": {"enabled": False}},
}


def pages(book: Path) -> list[Path]:
    found = [path for path in book.rglob("*.html") if "_static" not in path.parts]
    return sorted(path for path in found if path.parent != book or path.name != "index.html")


def faults(browser, path: Path, theme: str = "light") -> list[str]:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.wait_for_timeout(400)  # colours fade into each other
    found = Axe().run(page, options=RULES).response["violations"]
    page.close()
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(smoke_book, browser, theme):
    found = {path.name: faults(browser, path, theme) for path in pages(smoke_book)}
    assert len(found) > 20
    assert {name: list_ for name, list_ in found.items() if list_} == {}


def test_the_check_sees_faults(browser, tmp_path):
    """A page with a grey text on grey, an image without words, a level left out."""
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body><main><h1>a</h1>'
        '<h3>b</h3><p style="color:#999;background:#aaa">faint</p><img src="x.png"></main></body>'
    )
    found = {line.partition(":")[0] for line in faults(browser, page)}
    assert {"color-contrast", "image-alt", "heading-order"} <= found


def test_empty_heads_and_entries_are_mended():
    html = '<th></th><th class="head text-left"><p></p></th><th>a</th><div role="doc-biblioentry">'
    assert sphinx_ext.accessible(html) == '<td></td><td></td><th>a</th><div role="listitem">'
