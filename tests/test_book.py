"""The built book in a browser that has no network: nothing missing, nothing fetched, all drawn."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route

from crlib.claims import claim_verdict, load_claims, read_results
from crlib.settings import BUILD

pytestmark = [pytest.mark.browser, pytest.mark.smoke]

LEDGER_PAGES = ("book/intro.html", "book/claims.html")

# Scrolls through the page, so that every figure comes near the screen, and waits for each.
DRAW_ALL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 500) {
    window.scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 60));
  }
  const waiting = () => [...document.querySelectorAll("figure.crlib-plot")]
    .some((figure) => !["drawn", "failed"].includes(figure.dataset.state));
  for (let i = 0; i < 200 && waiting(); i += 1) await new Promise((done) => setTimeout(done, 100));
  if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
}"""


# Titles that are cut, or that run into the labels around them.
CLUTTER = """(selector) => [...document.querySelectorAll(selector)].flatMap((area) => {
  const inner = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1
    && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const all = (names) => [...area.querySelectorAll(names)]
    .map((text) => ({ said: text.textContent, box: text.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0);
  const titles = all("text.xtitle, text.x2title, text.ytitle, text.gtitle");
  const others = all(".xtick text, .x2tick text, .ytick text, .y2tick text, .legendtext, " +
    ".slider-label");
  const whole = area.getBoundingClientRect();
  return titles.flatMap((title) => [
    ...(inner(title.box, whole) ? [] : [`cut: ${title.said}`]),
    ...[...others, ...titles].filter((other) => other !== title && meet(title.box, other.box))
      .map((other) => `${title.said} runs into ${other.said}`),
  ]);
})"""


class Reader:
    """A page without network, and a list of all that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", self._requested)
        page.route(re.compile(r"^(https?|wss?):"), self._refuse)

    def _console(self, message) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        self.faults.append(f"not loaded: {request.url}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"fetched: {request.url}")

    @staticmethod
    def _refuse(route: Route) -> None:
        route.abort()

    def open(self, path: Path, fragment: str = "") -> Page:
        self.page.goto(path.as_uri() + fragment, wait_until="load")
        self.page.evaluate(DRAW_ALL)
        return self.page


@pytest.fixture
def reader(browser, request):
    """A reader on a screen of 1400 px, or of the width that the test asks for."""
    width = getattr(request, "param", 1400)
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_offline(True)
    yield Reader(context.new_page())
    context.close()


def pages(book: Path) -> list[Path]:
    """Every page but the start page, which only leads on to the front page."""
    found = sorted(path for path in book.rglob("*.html") if "_static" not in path.parts)
    found.remove(book / "index.html")
    assert len(found) >= 5, f"only {len(found)} pages in {book}"
    return found


def count(page: Page, selector: str) -> int:
    return page.locator(selector).count()


@pytest.mark.parametrize("reader", [1400, 400], indirect=True)
def test_every_page_is_whole_without_a_network(smoke_book, reader):
    faults = {}
    for path in pages(smoke_book):
        reader.faults.clear()
        page = reader.open(path)
        found = [*reader.faults, *figure_faults(page), *math_faults(page), *image_faults(page)]
        width, shown = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if width > shown:
            found.append(f"{width} px wide on a screen of {shown} px")
        if found:
            faults[path.relative_to(smoke_book).as_posix()] = found
    assert faults == {}


def figure_faults(page: Page) -> list[str]:
    """Figures that plotly has not drawn, whose titles collide, or that have no description."""
    faults = page.evaluate(CLUTTER, ".crlib-plot-area")
    for figure in page.locator("figure.crlib-plot").all():
        name = figure.get_attribute("id")
        if figure.locator(".crlib-plot-area svg.main-svg").count() == 0:
            faults.append(f"{name}: not drawn")
        if figure.locator(".trace, .heatmaplayer image, .bars .point").count() == 0:
            faults.append(f"{name}: drawn without data")
        label = figure.locator('[role="group"]').get_attribute("aria-label") or ""
        if len(label) < 20 or figure.locator("figcaption").inner_text().strip() == "":
            faults.append(f"{name}: no description")
        if not (figure.locator("a.crlib-plot-data").get_attribute("href") or "").startswith(
            "blob:"
        ):
            faults.append(f"{name}: no data to download")
    return faults


def math_faults(page: Page) -> list[str]:
    """Formulas left as TeX source."""
    faults = []
    spans, drawn = count(page, "span.math, div.math"), count(page, "mjx-container")
    if drawn < spans:
        faults.append(f"{spans} formulas, {drawn} of them rendered")
    if count(page, "mjx-merror, [data-mjx-error]"):
        faults.append("a formula with an error")
    text = page.evaluate(
        """() => { const copy = document.querySelector("main").cloneNode(true);
        copy.querySelectorAll("pre, code, script, mjx-container").forEach((e) => e.remove());
        return copy.textContent; }"""
    )
    faults += [f"TeX as text: {found}" for found in re.findall(r"\$\$|\\[(\[]|\\frac", text)]
    return faults


def image_faults(page: Page) -> list[str]:
    """Images that did not load or have no alt text."""
    return page.evaluate(
        """() => [...document.images].flatMap((image) => [
        ...(image.complete && image.naturalWidth > 0 ? [] : [`image not loaded: ${image.src}`]),
        ...(image.hasAttribute("alt") ? [] : [`image without alt: ${image.src}`])])"""
    )


def test_no_page_names_a_remote_file_to_load(smoke_book):
    loads = re.compile(
        r"""<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^"']+"""
    )
    found = {
        path.name: loads.findall(path.read_text(encoding="utf-8")) for path in pages(smoke_book)
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_banners_and_tables_show_the_ledgers_verdicts(smoke_book, reader):
    results = read_results(BUILD / "results" / "smoke")
    evidence = [item for result in results.values() for item in result.claims]
    verdicts = {claim.id: claim_verdict(claim, evidence) for claim in load_claims()}
    tested = {claim.id: claim.notebook for claim in load_claims() if claim.notebook in results}
    assert tested, "no claim was tested"
    for identity, notebook in tested.items():
        page = reader.open(smoke_book / "book" / f"{notebook}.html")
        banner = page.locator(f'.claim-banner[data-claim="{identity}"]')
        assert banner.locator("p .verdict").inner_text() == verdicts[identity]
    page = reader.open(smoke_book / "book" / "claims.html")
    shown = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".claim-banner")].map(
        (e) => [e.dataset.claim, e.querySelector("p .verdict").textContent]))"""
    )
    assert shown == verdicts
    page = reader.open(smoke_book / "book" / "intro.html")
    shown = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".verdict-table tbody tr")].map(
        (e) => [e.querySelector("strong").textContent, e.querySelector(".verdict").textContent]))"""
    )
    assert shown == verdicts


def test_verdicts_can_be_read(smoke_book, reader):
    """WCAG AA: text on its label's ground has a contrast of at least 4.5."""
    page = reader.open(smoke_book / "book" / "claims.html")
    colours = page.evaluate(
        """() => ["supported", "not-supported", "mixed", "inconclusive", "not-run"].map((name) => {
        const label = document.createElement("span");
        label.className = `verdict verdict-${name}`;
        document.querySelector("article").append(label);
        const style = getComputedStyle(label);
        return [name, style.color, style.backgroundColor]; })"""
    )
    for name, text, ground in colours:
        assert contrast(text, ground) >= 4.5, f"{name}: {text} on {ground}"


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two CSS colours, as WCAG 2 defines it."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_search_finds_pages_without_a_server(smoke_book, reader):
    page = reader.open(smoke_book / "search.html", "?q=embeddings")
    page.locator("#search-results ul.search li a").first.wait_for(timeout=10_000)
    assert count(page, "#search-results ul.search li a") >= 2
    assert reader.faults == []


def test_a_slider_changes_what_is_shown(smoke_book, reader):
    sliders = 0
    for path in pages(smoke_book):
        if '"sliders":' not in path.read_text(encoding="utf-8"):
            continue
        page = reader.open(path)
        for figure in page.locator("figure.crlib-plot:has(.slider-rail-rect)").all():
            sliders += 1
            first, last = (shown_after_click(figure, share) for share in (0.01, 0.99))
            assert first != last, figure.get_attribute("id")
    assert sliders, "no figure of the book has a slider"


def shown_after_click(figure: Locator, share: float) -> list:
    """Which traces are visible after a click at a share of the slider's width."""
    figure.locator(".slider-container").scroll_into_view_if_needed()
    rail = figure.locator(".slider-rail-rect").bounding_box()
    assert rail is not None
    figure.page.mouse.click(rail["x"] + share * rail["width"], rail["y"] + rail["height"] / 2)
    figure.page.wait_for_timeout(300)
    return figure.evaluate("(e) => e.querySelector('.crlib-plot-area').data.map((t) => t.visible)")


def test_the_start_page_leads_to_the_front_page(smoke_book, reader):
    page = reader.page
    page.goto((smoke_book / "index.html").as_uri(), wait_until="commit")
    page.wait_for_url("**/book/intro.html", timeout=10_000)
    assert "Contrastive RL" in page.locator("article h1").inner_text()
    assert "smoke" in page.locator(".bd-footer-content").inner_text()
