"""Every page can be read with a screen reader and by weak eyes: axe's rules, WCAG 2.2 A and AA."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_book import DRAW_ALL

from crlib.book import sphinx_ext

pytestmark = [pytest.mark.browser, pytest.mark.smoke]

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # The theme's logo stands outside of its landmarks; it is a link to the front page, as the
    # first entry of the navigation is.
    "rules": {"region": {"enabled": False}},
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}

# Beyond axe: one main heading, figures described at some length, tables with header cells.
OWN_RULES = """() => {
  const faults = [], all = (selector) => [...document.querySelectorAll(selector)];
  // The title for print is a second one, which a screen does not show.
  const headings = all("main h1").filter((heading) => heading.checkVisibility()).length;
  if (headings !== 1) faults.push(`${headings} main headings`);
  for (const figure of all("figure.crlib-plot")) {
    const label = figure.querySelector("[aria-label]")?.getAttribute("aria-label") ?? "";
    if (label.trim().length < 20) faults.push(`${figure.id}: not described`);
  }
  for (const table of all("main table")) {
    if (!table.querySelector("th")) faults.push(`no header: ${table.textContent.slice(0, 60)}`);
  }
  return faults;
}"""


def pages(book: Path) -> list[Path]:
    found = [path for path in book.rglob("*.html") if "_static" not in path.parts]
    return sorted(path for path in found if path.parent != book or path.name != "index.html")


def faults(browser, path: Path) -> list[str]:
    """What is wrong on a page with all its figures drawn; its colours in the dark too."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate(DRAW_ALL)
    found = [*page.evaluate(OWN_RULES), *broken(page, RULES)]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(400)  # colours fade into each other
    found += [f"dark: {fault}" for fault in broken(page, COLOURS)]
    page.close()
    return found


def broken(page, rules: dict) -> list[str]:
    found = Axe().run(page, options=rules).response["violations"]
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


def test_every_page_is_accessible(smoke_book, browser):
    found = {path.name: faults(browser, path) for path in pages(smoke_book)}
    assert len(found) > 20
    assert {name: list_ for name, list_ in found.items() if list_} == {}


def test_the_check_sees_faults(browser, tmp_path):
    """Grey text on grey, an image without words, a level left out, a table without heads."""
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body><main><h1>a</h1>'
        '<h3>b</h3><p style="color:#999;background:#aaa">faint</p><img src="x.png">'
        '<figure class="crlib-plot" id="bare" data-state="drawn"></figure>'
        "<h1>again</h1><table><tr><td>1</td></tr></table></main></body>"
    )
    found = {line.partition(":")[0] for line in faults(browser, page)}
    assert {"color-contrast", "image-alt", "heading-order"} <= found
    assert {"2 main headings", "bare", "no header", "dark"} <= found


def test_empty_heads_and_entries_are_mended():
    html = '<th></th><th class="head text-left"><p></p></th><th>a</th><div role="doc-biblioentry">'
    assert sphinx_ext.accessible(html) == '<td></td><td></td><th>a</th><div role="listitem">'
