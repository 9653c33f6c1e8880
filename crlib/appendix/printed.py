"""The book as one printed PDF: a contents page with page numbers, still figures, no controls."""

import re
from collections.abc import Mapping, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader, PdfWriter

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
FIGURE = re.compile(
    r'<figure class="crlib-plot" id="figure-([a-z0-9_-]+)">.*?'
    r'(<figcaption.*?</figcaption>).*?</figure>', re.DOTALL
)  # fmt: skip
ARTICLE = re.compile(r'<article class="bd-article">(.*?)</article>', re.DOTALL)
MATHJAX = re.compile(r"<script>window\.MathJax = .*?</script>", re.DOTALL)
DOCUMENT = re.compile(r'<span id="document-(book/[\w/]+)"></span>')
FOOT = (
    '<div style="width:100%;font:8px sans-serif;color:#555;text-align:center">'
    '<span class="pageNumber"></span></div>'
)
# Waits for the formulas; shrinks what is wider than the paper; says what could not be loaded.
SETTLE = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  // Columns of words are set flush left, their heads too. Counted from the right: on the left a
  // cell may span several rows.
  for (const table of document.querySelectorAll("table.dataframe")) {
    const rows = [...table.rows].map((row) => [...row.cells].reverse());
    for (let column = 0; rows.some((row) => row.length > column); column++) {
      const cells = rows.map((row) => row[column]).filter(Boolean);
      if (cells.some((cell) => cell.tagName === "TD" && /[a-z]{3}/i.test(cell.textContent)))
        cells.forEach((cell) => cell.classList.add("words"));
    }
  }
  const width = document.querySelector("main").clientWidth;
  for (const e of document.querySelectorAll("table, pre, mjx-container[display='true'], img")) {
    const wide = Math.max(e.scrollWidth, e.getBoundingClientRect().width);
    if (wide > width + 1) e.style.zoom = String(Math.max(0.4, width / wide));
  }
  return [...document.images].filter((i) => !(i.complete && i.naturalWidth)).map((i) => i.alt);
}"""

# Fills the contents; says what stands nowhere.
NUMBER_PAGES = """(starts) => {
  const entries = [...document.querySelectorAll("nav.contents .page")];
  for (const e of entries) e.textContent = starts[e.dataset.title.replace(/\\s+/g, "")] ?? "";
  return entries.filter((e) => !e.textContent).map((e) => e.dataset.title);
}"""


def one_page(
    built: str, *, parts: Sequence[Mapping[str, Any]], pictures: Mapping[str, str], title: str,
    facts: Sequence[str], static: str,
) -> str:  # fmt: skip
    """Make the document that is printed from the book built as a single page.

    Parameters
    ----------
    built : str
        HTML of the builder "singlehtml".
    parts : sequence of mapping
        Parts of _toc.yml: caption, and chapters with their files.
    pictures : mapping of str to str
        Figure's id (without "figure-") to the address of its SVG.
    title : str
    facts : sequence of str
        Lines for the title page.
    static : str
        Address of the folder of styles and scripts.

    Returns
    -------
    str
        HTML with a title page, a contents page whose page numbers are still empty, the chapters.

    Raises
    ------
    ValueError
        When the page has no article, or a figure has no picture.
    """
    article = ARTICLE.search(built)
    if article is None:
        raise ValueError("the book built as a single page has no article; is its theme another?")
    missing = [name for name, _ in FIGURE.findall(article[1]) if name not in pictures]
    if missing:
        raise ValueError(f"no picture of {', '.join(missing)}: install Chromium, run make book")

    def still(match: re.Match[str]) -> str:
        # The description is printed under the figure: an alt text would be read twice.
        image = f'<img src="{escape(pictures[match[1]])}" alt="">'
        return f'<figure class="crlib-plot">{image}{match[2]}</figure>'

    body = FIGURE.sub(still, article[1])
    # On paper a link to a file of the book leads nowhere, and would name a folder of this machine.
    body = re.sub(r' href="(?!#|https?:)[^"]*"', "", body)
    body = DOCUMENT.sub(r'<span class="document" id="document-\1"></span>', body)
    mathjax = MATHJAX.search(built)
    styles = "".join(
        f'<link rel="stylesheet" href="{static}/{name}">'
        for name in ("pygments.css", "proof.css", "book.css")
    )
    css = (Path(__file__).parent / "print.css").read_text(encoding="utf-8")
    lines = "".join(f"<p>{escape(fact)}</p>" for fact in facts)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"{styles}<style>{css}</style>{mathjax[0] if mathjax else ''}"
        f'<script src="{static}/mathjax/tex-chtml.js"></script></head><body>'
        f'<div class="title-page"><h1>{escape(title)}</h1>{lines}</div>'
        f"{_contents(body, parts)}<main>{body}</main></body></html>"
    )


def chapter_titles(body: str) -> dict[str, str]:
    """Title of each page of the book, by file: the first heading after its mark."""
    found = {}
    for match in re.finditer(
        r'id="document-(book/[\w/]+)"></span>.*?<h2>(.*?)<a ', body, re.DOTALL
    ):
        found[match[1]] = re.sub(r"<[^>]+>", "", match[2])
    return found


def _contents(body: str, parts: Sequence[Mapping[str, Any]]) -> str:
    titles = chapter_titles(body)
    rows = []
    for part in parts:
        rows.append(f'<p class="part">{escape(part["caption"])}</p>')
        rows += [
            f'<a class="entry" href="#document-{chapter["file"]}"><span>{titles[chapter["file"]]}'
            f'</span><span class="page" data-title="{escape(unescape(titles[chapter["file"]]))}">'
            "</span></a>"
            for chapter in part["chapters"] if chapter["file"] in titles
        ]  # fmt: skip
    return f'<nav class="contents"><h2>Contents</h2>{"".join(rows)}</nav>'


def print_pdf(document: Path, target: Path, *, browser: str, title: str) -> int:
    """Print a document twice: the first time to learn on which page each chapter begins.

    Parameters
    ----------
    document : Path
        As `one_page` wrote it.
    target : Path
    browser : str
        Chromium's executable.
    title : str
        For the PDF's record, which names neither machine nor time.

    Returns
    -------
    int
        Number of pages.

    Raises
    ------
    RuntimeError
        When an image is missing, a chapter is not found, or the pages moved between the prints.
    """
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        try:
            page = running.new_context(viewport={"width": 658, "height": 900}).new_page()
            page.emulate_media(media="print")
            page.goto(document.as_uri(), wait_until="load")
            if lost := page.evaluate(SETTLE):
                raise RuntimeError(f"images that could not be read: {', '.join(map(str, lost))}")
            draft = target.with_suffix(".draft.pdf")
            starts = _print(page, draft)
            if lost := page.evaluate(NUMBER_PAGES, starts):
                raise RuntimeError(f"chapters that are on no page: {', '.join(lost)}")
            if _print(page, draft) != starts:
                raise RuntimeError("the contents' page numbers moved the pages")
        finally:
            running.close()
    writer = PdfWriter(clone_from=draft)
    writer.metadata = {"/Title": title}
    writer.write(target)
    draft.unlink()
    return len(writer.pages)


def _print(page: Page, target: Path) -> dict[str, int]:
    """Print, and say on which page each heading stands, by its text without spaces."""
    page.pdf(
        path=target, prefer_css_page_size=True, print_background=True, display_header_footer=True,
        header_template="<span></span>", footer_template=FOOT, outline=True, tagged=True,
    )  # fmt: skip
    reader = PdfReader(target)
    starts: dict[str, int] = {}

    def walk(items: Any) -> None:
        for item in items:
            if isinstance(item, list):
                walk(item)
            else:
                number = reader.get_destination_page_number(item)
                if number is not None:
                    # A heading of two lines has a break in it.
                    starts.setdefault("".join(str(item.title).split()), number + 1)

    walk(reader.outline)
    return starts
