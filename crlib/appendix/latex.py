r"""appendix.tex: the chapters' claims, theory, verdicts and figures, to be \input into a paper."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pypandoc

from crlib.appendix.macros import escaped, name_of, slug
from crlib.claims import Claim, Result, load_claims

GLUE = re.compile(r"\{glue:text\}`([A-Za-z0-9_]+)(?::([^`]+))?`")
BANNER = re.compile(r"```\{glue\} \w+\n```\n?")
THEOREM = re.compile(
    r"```\{prf:(\w+)\}[ \t]*([^\n]*)\n((?::\w+:[^\n]*\n)*)\n?(.*?)\n```", re.DOTALL
)
REFERENCE = re.compile(r"\{prf:ref\}`([\w-]+)`")
CITATION = re.compile(r"\{cite:([pt])\}`([^`]+)`")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)")
VERBATIM = re.compile(r"\\begin\{verbatim\}\n(.*?)\n\\end\{verbatim\}", re.DOTALL)
DISPLAY = re.compile(r"\\\[(.*?)\\\]", re.DOTALL)
FIGURE = re.compile(r'<figure class="crlib-plot" id="figure-([a-z0-9_-]+)">')
# The parameters and the provenance are the book's; of the evidence the paper takes the figures.
LEFT_OUT = {"Parameters", "Evidence", "Provenance"}
STILL = (
    "Where the text speaks of a slider, the figure shows one of its positions, named above it; "
    "the book has them all."
)
MARKDOWN = "markdown+tex_math_dollars+raw_tex+raw_attribute-auto_identifiers"
THEOREMS = ("proposition", "definition", "lemma", "theorem", "corollary")

HEAD = r"""% The executable appendix, to be \input. Made by `make appendix`; edit nothing here.
% The preamble needs: \usepackage{amsmath,amssymb,amsthm,graphicx,booktabs,hyperref} \input{macros}
% Figures are read from the folder \crlibfigures (figures), citations from references.bib.
\providecommand\tightlist{\setlength{\itemsep}{0pt}\setlength{\parskip}{0pt}}
% natbib tells a citation in brackets from one in the sentence; without it both are numbers.
\providecommand\citep[1]{\cite{#1}}\providecommand\citet[1]{\cite{#1}}
\ifdefined\crlibbox\else\newsavebox\crlibbox\fi
\providecommand\crlibdisplay[2]{\sbox\crlibbox{$\displaystyle #1$}%
  \ifdim\wd\crlibbox>\columnwidth\sbox\crlibbox{$\displaystyle #2$}\fi
  \[\ifdim\wd\crlibbox>\columnwidth\resizebox{\columnwidth}{!}{\usebox\crlibbox}%
  \else\usebox\crlibbox\fi\]}
"""


@dataclass
class Chapter:
    """A page of the book, taken apart.

    Attributes
    ----------
    notebook : str
    title : str
    sections : list of (heading, Markdown)
        Prose only.
    figures : list of str
        Names, in the order of the page.
    """

    notebook: str
    title: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)


def read_chapter(notebook: str, path: Path) -> Chapter:
    """Take an executed notebook apart.

    Parameters
    ----------
    notebook : str
        As "theory/coverage".
    path : Path
        The executed notebook.

    Raises
    ------
    ValueError
        When it does not begin with a heading.
    """
    chapter = Chapter(notebook)
    prefix = notebook.replace("/", "-") + "-"
    prose: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            prose.append(cell.source)
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            chapter.figures += [name.removeprefix(prefix) for name in FIGURE.findall(html)]
    parts = re.split(r"^##? +(.+)$", "\n\n".join(prose), flags=re.MULTILINE)
    if len(parts) < 3 or parts[0].strip():
        raise ValueError(f"{path.name}: expected a heading at its beginning")
    chapter.title = parts[1].strip()
    chapter.sections = [
        (head.strip(), text) for head, text in zip(parts[3::2], parts[4::2], strict=True)
    ]
    return chapter


def formats_of(chapter: Chapter) -> set[tuple[str, str, str]]:
    """Which numbers a chapter's prose shows in which format: (notebook, number, format)."""
    kept = [text for head, text in chapter.sections if head not in LEFT_OUT]
    return {
        (chapter.notebook, name, spec)
        for text in kept for name, spec in GLUE.findall(text) if spec
    }  # fmt: skip


def to_latex(text: str, notebook: str) -> str:
    """Turn a chapter's Markdown into LaTeX; numbers become macros, so that they stay current.

    Parameters
    ----------
    text : str
        MyST Markdown with the directives that the chapters use.
    notebook : str
        Whose numbers are meant.

    Raises
    ------
    ValueError
        When a directive or role is left that has no form here.
    """
    text = BANNER.sub("", text)
    text = GLUE.sub(lambda m: rf"\crlib{{{name_of(notebook, m[1], m[2] or '')}}}", text)
    text = THEOREM.sub(_theorem, text)
    text = REFERENCE.sub(r"Proposition\\ \\ref{\1}", text)
    text = CITATION.sub(lambda m: rf"\cite{m[1]}{{{m[2]}}}", text)
    text = LINK.sub(r"\1", text)
    left = re.search(r"\{[a-z]+(?::[a-z]+)?\}`|^```\{(?!=)", text, re.MULTILINE)
    if left:
        raise ValueError(f"{notebook}: {left[0]!r} has no LaTeX form; add one to crlib.appendix")
    found = str(
        pypandoc.convert_text(text, "latex", MARKDOWN, ["--syntax-highlighting=none"])
    ).strip()
    return VERBATIM.sub(_verbatim, DISPLAY.sub(_display, found))


def _verbatim(match: re.Match[str]) -> str:
    """Commands in lines that fit a column, broken as a shell reads them."""
    broken = "\n".join(
        " \\\n".join(textwrap.wrap(line, 44, subsequent_indent="  ", break_on_hyphens=False))
        for line in match[1].splitlines()
    )
    return f"\\begin{{verbatim}}\n{broken}\n\\end{{verbatim}}"


def _display(match: re.Match[str]) -> str:
    """A formula that is broken at its wide spaces, then shrunk, where a column is too narrow."""
    whole = match[1].strip()
    parts = whole.split(r"\qquad") if r"\begin" not in whole else [whole]
    broken = r"\begin{gathered}" + r"\\ ".join(part.strip() for part in parts) + r"\end{gathered}"
    return f"\\crlibdisplay{{{whole}}}{{{broken}}}"


def _theorem(match: re.Match[str]) -> str:
    kind, title, options, body = match.groups()
    label = re.search(r":label:\s*(\S+)", options)
    start = rf"\begin{{{kind}}}" + (f"[{escaped(title)}]" if title else "")
    start += rf"\label{{{label[1]}}}" if label else ""
    return f"\n```{{=latex}}\n{start}\n```\n\n{body}\n\n```{{=latex}}\n\\end{{{kind}}}\n```\n"


def verdict_table(claim: Claim, result: Result) -> str:
    """A claim's parts, intervals and verdicts as a table of macros."""
    rows = []
    for part in claim.parts:
        rule = escaped(f"{part.statistic}; {part.rule}")
        rows.append(
            rf"\multicolumn{{3}}{{p{{0.95\columnwidth}}}}{{\textbf{{{part.id}}} "
            rf"{escaped(part.statement)} \emph{{Rule: {rule}.}} \crlib{{{part.id}}}}}\\"
        )
        for item in (found for found in result.claims if found.id == part.id):
            base = f"{part.id}/{slug(item.group)}"
            rows.append(
                rf"\raggedright {escaped(item.group)} & \raggedright \crlib{{{base}/estimate}} "
                rf"[\crlib{{{base}/low}}, \crlib{{{base}/high}}] & \crlib{{{base}/verdict}}\\"
            )
    body = "\n".join(rows)
    return (
        "\\begin{table}[htb]\\centering\\footnotesize\n"
        f"\\caption{{{claim.id}: {escaped(claim.title)}. Verdict: \\crlib{{{claim.id}}}.}}\n"
        "\\setlength{\\tabcolsep}{3pt}\n"
        "\\begin{tabular}{@{}p{0.29\\columnwidth}p{0.44\\columnwidth}p{0.22\\columnwidth}@{}}\n"
        f"\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def figure_tex(notebook: str, name: str, alt: str) -> str:
    """A figure with its alt text as caption."""
    file = f"{notebook.replace('/', '-')}-{name}.pdf"
    return (
        "\\begin{figure}[htb]\\centering\n"
        "\\includegraphics[width=\\columnwidth,height=0.75\\textheight,keepaspectratio]"
        f"{{\\crlibfigures/{file}}}\n"
        f"\\caption{{{escaped(alt)}}}\\label{{fig:{notebook}/{name}}}\n\\end{{figure}}\n"
    )


def summary_table(claims: Sequence[Claim]) -> str:
    """All claims with their verdicts, as a table over both columns."""
    rows = [
        rf"{claim.id} & {escaped(claim.title)} & {escaped(claim.paper)} & \crlib{{{claim.id}}} & "
        rf"\crlib{{{claim.id}/intervals}}\\"
        for claim in claims
    ]
    body = "\n".join(rows)
    return (
        "\\begin{table*}[htb]\\centering\\small\n\\caption{Every claim and its verdict.}\n"
        "\\begin{tabular}{@{}lp{0.24\\textwidth}p{0.3\\textwidth}lp{0.18\\textwidth}@{}}\n"
        "\\toprule\nClaim & & The paper leads one to expect & Verdict & Intervals\\\\\n\\midrule\n"
        f"{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table*}}\n"
    )


def appendix_tex(
    chapters: Sequence[Chapter],
    results: Mapping[str, Result],
    alts: Mapping[tuple[str, str], str],
) -> str:
    """The whole file.

    Parameters
    ----------
    chapters : sequence of Chapter
        In the order of the book.
    results : mapping of notebook name to Result
    alts : mapping of (notebook, figure) to str
        Alt texts of the figures that there are as PDF.

    Returns
    -------
    str
        LaTeX without preamble or document environment.
    """
    kinds = "".join(
        f"\\ifcsname {kind}\\endcsname\\else\\newtheorem{{{kind}}}{{{kind.title()}}}\\fi\n"
        for kind in THEOREMS
    )
    claims = load_claims()
    blocks = [HEAD + kinds, f"\\noindent {STILL}\n", summary_table(claims)]
    for chapter in chapters:
        notebook = chapter.notebook
        blocks.append(f"\\section{{{escaped(chapter.title)}}}\\label{{sec:{notebook}}}\n")
        for head, text in chapter.sections:
            if head == "Evidence":
                blocks += [
                    figure_tex(notebook, name, alts[notebook, name])
                    for name in chapter.figures if (notebook, name) in alts
                ]  # fmt: skip
            if head in LEFT_OUT:
                continue
            blocks.append(f"\\subsection*{{{escaped(head)}}}\n")
            if head == "Verdict":
                blocks += [
                    verdict_table(claim, results[notebook])
                    for claim in claims if claim.notebook == notebook
                ]  # fmt: skip
            blocks.append(to_latex(text, notebook) + "\n")
    return "\n".join(blocks)
