"""The LaTeX of the appendix: numbers stay macros, nothing is lost, a paper compiles with it."""

import os
import re
import shutil
import subprocess

import nbformat
import pytest
from typer.testing import CliRunner

from crlib.appendix import latex, make
from crlib.claims import claim_verdict, load_claims, read_results
from crlib.settings import BUILD

PAGE = r"""# A title with 5%

## Claim

Over {glue:text}`n_pairs` pairs the share is {glue:text}`share:.0%` {cite:p}`wang2020`, see
[the ledger](../claims) and [a site](https://example.org/a_b).

## Verdict

```{glue} verdict
```

It is {glue:text}`lowest:.2f`.

## Theory

```{prf:proposition} What is so
:label: so

If $x_1 < 2$ then

$$
x = 1, \qquad y = 2 .
$$
```

By {prf:ref}`so` it holds.

## Parameters

left out
"""


@pytest.fixture
def chapter(tmp_path):
    cell = nbformat.v4.new_code_cell("1")
    html = '<figure class="crlib-plot" id="figure-theory-coverage-rho">x</figure>'
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(PAGE), cell])
    nbformat.write(notebook, tmp_path / "page.ipynb")
    return latex.read_chapter("theory/coverage", tmp_path / "page.ipynb")


def test_a_chapter_is_taken_apart(chapter):
    assert chapter.title == "A title with 5%"
    assert [head for head, _ in chapter.sections] == ["Claim", "Verdict", "Theory", "Parameters"]
    assert chapter.figures == ["rho"]
    assert latex.formats_of(chapter) == {
        ("theory/coverage", "share", ".0%"), ("theory/coverage", "lowest", ".2f"),
    }  # fmt: skip


def test_prose_becomes_latex_and_its_numbers_macros(chapter):
    claim, verdict, theory = (
        latex.to_latex(text, "theory/coverage") for _, text in chapter.sections[:3]
    )
    assert r"\crlib{theory/coverage/n_pairs} pairs" in claim
    assert r"\crlib{theory/coverage/share:.0percent}" in claim
    assert r"\citep{wang2020}" in claim
    assert "the ledger and" in " ".join(claim.split())
    assert r"\href{https://example.org/a_b}" in claim
    assert "glue" not in verdict
    assert r"\begin{proposition}[What is so]\label{so}" in theory
    assert r"Proposition~\ref{so}" in theory
    assert r"\crlibdisplay{x = 1, \qquad y = 2 .}{\begin{gathered}x = 1,\\ y = 2 ." in theory
    with pytest.raises(ValueError, match=r"'\{eq\}`' has no LaTeX form"):
        latex.to_latex("see {eq}`a`", "theory/coverage")


def test_long_commands_are_broken_as_a_shell_reads_them():
    found = latex.to_latex("```bash\n" + "crlib rank " + "--option value " * 8 + "\n```", "a/b")
    body = re.search(r"verbatim}\n(.*)\n\\end", found, re.DOTALL)[1]
    assert max(map(len, body.splitlines())) <= 48
    assert body.replace("\\\n", "").split() == ["crlib", "rank", *["--option", "value"] * 8]


# Citations by number, and those of a conference with narrow columns: by author and year.
CLASSES = {
    "plain": r"\documentclass[twocolumn]{article}\newcommand\style{plain}",
    "narrow": r"""\documentclass[10pt,twocolumn]{article}\newcommand\style{plainnat}
\usepackage{times}\usepackage[round]{natbib}\usepackage[letterpaper,textwidth=6.75in,
textheight=9in]{geometry}\setlength{\columnsep}{0.25in}""",
}
PAPER = r"""
\usepackage[utf8]{inputenc}
NEEDED
\begin{document}
C3 is \crlib{C3}. BODY
\appendix
\input{appendix}
\bibliographystyle{\style}\bibliography{references}
\end{document}
"""


def latex_or_skip() -> None:
    if not all(shutil.which(name) for name in ("pdflatex", "bibtex")):
        message = "no LaTeX on this machine; install texlive to run this test"
        if os.environ.get("CRLIB_REQUIRE_LATEX") == "1":
            pytest.fail(message)
        pytest.skip(message)


def compiled(folder, kind, body="") -> str:
    """Compile the paper as its authors would; give what LaTeX says at the last time."""
    needed = re.search("^% The preamble needs: (.+)$", latex.HEAD, re.MULTILINE)[1]
    text = CLASSES[kind] + PAPER.replace("NEEDED", needed).replace("BODY", body)
    (folder / "paper.tex").write_text(text)
    for command in ("pdflatex", "bibtex", "pdflatex", "pdflatex"):
        options = ["-interaction=nonstopmode"] if command == "pdflatex" else []
        done = subprocess.run(
            [command, *options, "paper"], cwd=folder, capture_output=True, timeout=300, check=False
        )
    return done.stdout.decode("utf-8", "replace").replace("\n", "")


@pytest.mark.browser
@pytest.mark.smoke
@pytest.mark.parametrize("kind", CLASSES)
def test_a_paper_takes_the_appendix_in(smoke_book, chromium, tmp_path, kind):
    latex_or_skip()
    results = read_results(BUILD / "results" / "smoke")
    count = make.write_latex(make.staged("smoke"), results, tmp_path)
    assert count > 200
    said = compiled(tmp_path, kind)
    faults = re.findall(r"! .{80}|(?:Reference|Citation) `.{60}|File `[^']*' not found", said)
    assert faults == []
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide", said)]
    assert [points for points in wide if points > 10] == [], "text that leaves its column"
    text = subprocess.run(
        ["pdftotext", "-layout", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, text=True,
        check=True,
    ).stdout if shutil.which("pdftotext") else ""  # fmt: skip
    evidence = [item for result in results.values() for item in result.claims]
    verdict = next(claim_verdict(c, evidence) for c in load_claims() if c.id == "C3")
    words = " ".join(text.split())
    assert not text or f"C3 is {verdict}." in words
    # "the bias was studied by (Chun et al., 2025)" would be no sentence.
    assert not text or kind == "plain" or "Chun et al. (2025)" in words
    figures = sum(len(result.figures) for name, result in results.items()
                  if name.split("/")[0] in make.CHAPTERS)  # fmt: skip
    assert len(list((tmp_path / "figures").glob("*.pdf"))) == figures
    # A name that does not exist must not print as nothing.
    assert 'Error: no number or verdict is named "C99"' in compiled(tmp_path, kind, r"\crlib{C99}")


def test_without_a_browser_or_a_book_it_says_what_to_do(monkeypatch, tmp_path):
    import typer

    app = typer.Typer()
    app.command()(make.make)
    monkeypatch.setattr(make.pictures, "browser", lambda: None)
    done = CliRunner().invoke(app, ["--out", str(tmp_path / "a")])
    assert done.exit_code == 2
    assert "install the package chromium" in done.stderr
    monkeypatch.setattr(make.pictures, "browser", lambda: "/bin/true")
    done = CliRunner().invoke(app, ["--profile", "nothing", "--out", str(tmp_path / "a")])
    assert done.exit_code == 1
    assert "the book of nothing is not made yet: make book PROFILE=nothing" in done.stderr
