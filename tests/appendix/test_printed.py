"""The printed book: contents with the right page numbers, every figure, no controls."""

import re
import subprocess
import sys
import unicodedata

import pytest
import yaml
from pypdf import PdfReader
from test_book import CLUTTER

from crlib.appendix import printed
from crlib.book import stage
from crlib.claims import read_results
from crlib.settings import BUILD, ROOT

ONE = """<script>window.MathJax = {}</script><article class="bd-article"><section><h1>B</h1>
<section><span id="document-book/a/b"></span><section><h2>Title &amp; co<a class="headerlink"
href="#">#</a></h2>
<figure class="crlib-plot" id="figure-a-b-rho"><div></div><script>1</script>
<figcaption class="c">what it shows</figcaption></figure></section></section></section>
</article>"""
PARTS = [{"caption": "Theory", "chapters": [{"file": "book/a/b"}, {"file": "book/not_run"}]}]


def test_the_single_page_becomes_a_document_with_contents():
    page = printed.one_page(
        ONE, parts=PARTS, pictures={"a-b-rho": "file:///x.svg"}, title="T <1>", facts=["Commit a"],
        static="s",
    )  # fmt: skip
    assert '<img src="file:///x.svg" alt="">' in page
    assert "what it shows" in page
    assert "<script>1</script>" not in page
    assert "T &lt;1&gt;" in page
    assert page.count('class="entry"') == 1
    assert 'href="#document-book/a/b"><span>Title &amp; co</span>' in page
    with pytest.raises(ValueError, match="no picture of a-b-rho"):
        printed.one_page(ONE, parts=PARTS, pictures={}, title="T", facts=[], static="s")
    with pytest.raises(ValueError, match="no article"):
        printed.one_page("<p>", parts=PARTS, pictures={}, title="T", facts=[], static="s")


def test_the_contents_number_each_chapter_or_say_which_they_cannot(chromium, tmp_path):
    (tmp_path / "x.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    )

    def printed_of(built: str) -> list[str]:
        page = printed.one_page(
            built, parts=PARTS, pictures={"a-b-rho": "x.svg"}, title="T", facts=[], static="s"
        )
        (tmp_path / "print.html").write_text(page)
        printed.print_pdf(tmp_path / "print.html", tmp_path / "a.pdf", browser=chromium, title="T")
        return [page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages]

    texts = printed_of(ONE)
    (start,) = [i for i, text in enumerate(texts) if "what it shows" in text]
    assert re.search(rf"Title & co\s*{start + 1}\b", texts[1])
    # A heading that is not printed.
    with pytest.raises(RuntimeError, match="chapters that are on no page: Title & co"):
        printed_of(ONE.replace("<h2>", "<style>main h2 { display: none }</style><h2>"))


@pytest.fixture(scope="module")
def appendix(smoke_book, chromium, tmp_path_factory):
    """What `make appendix` writes, of the smoke profile."""
    out = tmp_path_factory.mktemp("appendix")
    done = subprocess.run(
        [sys.executable, "-m", "crlib.appendix.make", "--profile", "smoke", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.browser
@pytest.mark.smoke
def test_the_book_is_printed_whole(smoke_book, appendix):
    assert {path.name for path in appendix.iterdir()} == {
        "appendix.pdf", "appendix.tex", "figures", "macros.tex", "references.bib",
    }  # fmt: skip
    pdf = PdfReader(appendix / "appendix.pdf")
    assert set(pdf.metadata) == {"/Title"}
    # Ligatures as letters.
    texts = [
        " ".join(unicodedata.normalize("NFKC", page.extract_text()).split()) for page in pdf.pages
    ]

    # The contents name every chapter that was run, with the page on which its heading stands.
    toc = yaml.safe_load((stage.source_folder("smoke") / "_toc.yml").read_text())
    chapters = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    listed = {}
    for path in chapters:
        html = (smoke_book / f"{path}.html").read_text()
        title = " ".join(re.sub(r"<.*?>", "", re.search(r"<h1>(.*?)<a ", html)[1]).split())
        listed[title] = re.search(re.escape(title) + r" (\d+)", texts[1])
    assert len(listed) == len(chapters)
    for title, match in listed.items():
        assert match, f"{title} has no page in the contents"
        assert title in texts[int(match[1]) - 1], f"{title} is not on page {match[1]}"

    whole = " ".join(texts)
    assert "Show code" not in whole
    assert "Data (CSV)" not in whole
    # Formulas are drawn, none is left as TeX.
    assert not re.search(r"\\frac|\\mathbb|\$\$", whole)


@pytest.mark.browser
@pytest.mark.smoke
def test_titles_of_still_figures_are_whole(smoke_book, browser, tmp_path):
    page = browser.new_page()
    found, seen = {}, 0
    for path in sorted((smoke_book / "results").rglob("*.svg")):
        page.goto(path.as_uri())
        found[path.stem] = page.evaluate(CLUTTER, "svg:root")
        seen += page.locator(".xtitle").count()
    assert seen > 10
    assert {name: faults for name, faults in found.items() if faults} == {}
    text = '<text class="{}" x="{}" y="20">a title</text>'
    drawn = text.format("xtitle", 20) + text.format("legendtext", 30) + text.format("ytitle", 280)
    (tmp_path / "bad.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="30">{drawn}</svg>'
    )
    page.goto((tmp_path / "bad.svg").as_uri())
    faults = page.evaluate(CLUTTER, "svg:root")
    assert faults == ["a title runs into a title", "cut: a title"], "the check sees nothing"
    page.close()


@pytest.mark.browser
@pytest.mark.smoke
@pytest.mark.usefixtures("appendix")
def test_nothing_leaves_the_paper(browser):
    """On the page that is printed nothing is wider than the text, and every figure is there."""
    built = stage.place("smoke") / "single" / "_build" / "singlehtml" / "book" / "print.html"
    page = browser.new_page(viewport={"width": 658, "height": 900})
    page.emulate_media(media="print")
    page.goto(built.as_uri())
    assert page.evaluate(printed.SETTLE) == []
    wide = page.evaluate(
        """() => { const main = document.querySelector("main").getBoundingClientRect();
        return [...document.querySelectorAll("main img, main table, main pre, main mjx-container")]
        .filter((e) => e.getBoundingClientRect().right > main.right + 2)
        .map((e) => e.tagName + " " + e.textContent.slice(0, 60)); }"""
    )
    # A page of A4 without its margins is 963 px high.
    tall = page.evaluate(
        """() => [...document.querySelectorAll("main figure")]
        .filter((e) => e.getBoundingClientRect().height > 963).map((e) => e.textContent)"""
    )
    drawn = page.locator("figure.crlib-plot img").count()
    page.close()
    assert wide == []
    assert tall == []
    results = read_results(BUILD / "results" / "smoke").values()
    assert drawn == sum(len(result.figures) for result in results) > 10
