"""`make appendix`: the printed book, and what the paper can take in as LaTeX."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import yaml

from crlib import io
from crlib.appendix import latex, macros, printed
from crlib.book import pictures, stage
from crlib.book.leaks import leaks
from crlib.claims import Result, read_results
from crlib.settings import BUILD

TITLE = "Contrastive RL for Massive Action Spaces: executable appendix"
CHAPTERS = ("theory", "beyond", "usecases")


def staged(profile: str, *, anonymous: bool = False) -> Path:
    """Folder of a book's pages, as `make book` left it.

    Raises
    ------
    RuntimeError
        When it was not made before.
    """
    source = stage.source_folder(profile, anonymous=anonymous)
    if not (source / "book.json").is_file():
        how = f"make book PROFILE={profile}" + (" ANONYMOUS=1" if anonymous else "")
        raise RuntimeError(f"the book of {profile} is not made yet: {how}")
    return source


def single_page(source: Path) -> Path:
    """Build a staged book as one HTML page.

    Raises
    ------
    RuntimeError
        When the builder fails.
    """
    work = source.parent / "single"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source),
         "--path-output", str(work), "--builder", "custom", "--custom-builder", "singlehtml"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    page = work / "_build" / "singlehtml" / "book" / "intro.html"
    if done.returncode != 0 or not page.is_file():
        raise RuntimeError(f"the book could not be built as one page:\n{done.stdout[-2000:]}")
    return page


def write_latex(source: Path, results: dict[str, Result], out: Path) -> int:
    """Write appendix.tex, macros.tex, references.bib and figures/*.pdf; count the macros.

    Raises
    ------
    RuntimeError
        When a figure was not drawn.
    """
    toc = yaml.safe_load((source / "_toc.yml").read_text(encoding="utf-8"))
    names = [
        chapter["file"].removeprefix("book/")
        for part in toc["parts"]
        for chapter in part["chapters"]
    ]
    chapters = [
        latex.read_chapter(name, source / "book" / f"{name}.ipynb")
        for name in names if name in results and name.split("/")[0] in CHAPTERS
    ]  # fmt: skip
    alts = {}
    (out / "figures").mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        folder = source / "results" / chapter.notebook / "figures"
        for name in chapter.figures:
            alts[chapter.notebook, name] = io.read_json(folder / f"{name}.provenance.json")["alt"]
            stem = f"{chapter.notebook.replace('/', '-')}-{name}"
            if not (folder / f"{name}.pdf").is_file():
                raise RuntimeError(f"no picture of {stem}: install Chromium, run make book")
            shutil.copy2(folder / f"{name}.pdf", out / "figures" / f"{stem}.pdf")
    formats = set().union(*(latex.formats_of(chapter) for chapter in chapters))
    found = macros.values(results, formats)
    book = io.read_json(source / "book.json")
    commit = book["commit"] + (" with changes" if book["dirty"] else "")
    text = macros.macros_tex(found, profile=book["profile"], commit=commit, date=book["date"])
    io.write_text(out / "macros.tex", text)
    io.write_text(out / "appendix.tex", latex.appendix_tex(chapters, results, alts))
    shutil.copy2(source / "book" / "references.bib", out / "references.bib")
    return len(found)


def write_pdf(source: Path, results: dict[str, Result], out: Path, browser: str) -> int:
    """Write appendix.pdf; count its pages."""
    built = single_page(source)
    book = io.read_json(source / "book.json")
    commit = book["commit"][:12] + (" with changes" if book["dirty"] else "")
    toc = yaml.safe_load((source / "_toc.yml").read_text(encoding="utf-8"))
    addresses = {
        f"{notebook.replace('/', '-')}-{name}":
            (source / "results" / notebook / "figures" / f"{name}.svg").as_uri()
        for notebook, result in results.items() for name in result.figures
        if (source / "results" / notebook / "figures" / f"{name}.svg").is_file()
    }  # fmt: skip
    html = printed.one_page(
        built.read_text(encoding="utf-8"), parts=toc["parts"], pictures=addresses, title=TITLE,
        facts=[f"Profile {book['profile']}, {len(results)} notebooks", f"Commit {commit}",
               str(book["date"]), latex.STILL],
        static="../_static",
    )  # fmt: skip
    document = built.with_name("print.html")
    io.write_text(document, html)
    return printed.print_pdf(document, out / "appendix.pdf", browser=browser, title=TITLE)


def put_in_place(made: Path, out: Path) -> None:
    """Move what was made, file by file, into a folder that may hold a paper's own files too."""
    wanted = set()
    for path in sorted(path for path in made.rglob("*") if path.is_file()):
        target = out / path.relative_to(made)
        wanted.add(target)
        with io.atomic_path(target) as temporary:
            shutil.copyfile(path, temporary)
    for chapter in CHAPTERS:
        for path in (out / "figures").glob(f"{chapter}-*.pdf"):
            if path not in wanted:  # of an earlier appendix
                path.unlink()


def make(
    profile: Annotated[str, typer.Option(help="Whose book.")] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; build/appendix by default.")
    ] = None,
    anonymous: Annotated[bool, typer.Option(help="For double-blind review.")] = False,
) -> None:
    """Write appendix.pdf, and appendix.tex with macros and figures, from a book that is made."""
    browser = pictures.browser()
    if browser is None:
        print("make appendix: no Chromium on this machine; install the package chromium, then run "
              "make book again for the figures", file=sys.stderr)  # fmt: skip
        raise typer.Exit(2)
    out = out or BUILD / ("appendix-anonymous" if anonymous else "appendix")
    try:
        source = staged(profile, anonymous=anonymous)
        results = read_results(source / "results")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder)
            pages = write_pdf(source, results, made, browser)
            count = write_latex(source, results, made)
            if anonymous and (found := leaks(made)):
                raise RuntimeError(f"the appendix is not anonymous: {'; '.join(found[:5])}")
            put_in_place(made, out)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"make appendix: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{out / 'appendix.pdf'}: {pages} pages")
    print(f"{out / 'appendix.tex'}: {count} macros in macros.tex, figures in figures/")
    print("In the paper: \\input{macros} in the preamble, \\input{appendix} after \\appendix")


if __name__ == "__main__":
    typer.run(make)
