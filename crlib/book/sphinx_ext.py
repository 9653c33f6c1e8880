"""Sphinx extension: every script, font and formula of the book comes from disk.

Vendored files come from pip packages at build time. They are copied to a folder outside
`_static` (Jupyter Book loads each script that lies there on every page).
"""

import re
import shutil
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import plotly
from sphinx.application import Sphinx

from crlib import io, provenance
from crlib.book.offers import offer, with_capsules
from crlib.book.stage import own_sources

ASSETS = Path(__file__).parent / "assets"
# Of MathJax: TeX input, CommonHTML output, the TeX extensions it loads on demand, its fonts.
MATHJAX_PARTS = ("tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2")


def mathjax_folder() -> Path:
    """Folder of MathJax 3 in the pip package sphinx-mathjax-offline.

    Raises
    ------
    RuntimeError
        When the package is not installed.
    """
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package sphinx-mathjax-offline is missing: run `make env`")
    return Path(spec.origin).parent / "static" / "mathjax"


def collect_assets(folder: Path) -> None:
    """Fill a folder with MathJax, plotly.js and the project's own script and style.

    Parameters
    ----------
    folder : Path
        Removed first when it exists, so that no old file stays.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ASSETS, folder)
    shutil.copy2(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder)
    source = mathjax_folder()
    for part in MATHJAX_PARTS:
        target = folder / "mathjax" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target)
        else:
            shutil.copy2(source / part, target)


def is_remote(address: object) -> bool:
    """Whether an address leads away from the book's folder."""
    return str(address).startswith(("http:", "https:", "//"))


def drop_remote(items: list[Any]) -> list[Any]:
    """Scripts or style sheets without those from elsewhere and without thebe's.

    thebe starts code on a server; this book's pages are computed before they are read.
    """
    kept = []
    for item in items:
        name = str(getattr(item, "filename", item) or "")
        body = str(getattr(item, "attributes", {}).get("body", ""))
        if not is_remote(name) and "thebe" not in name.lower() and "thebe" not in body.lower():
            kept.append(item)
    return kept


def footer(record: dict[str, Any]) -> str:
    """The foot of every page: profile and commit of the book, and of what runs it was made."""
    html = (
        f"<p>Profile <strong>{escape(record['profile'])}</strong>, "
        f"commit <code>{escape(record['commit'][:12])}</code>"
        f"{' with changes' if record.get('dirty') else ''}, "
        f"{escape(record['date'])}.</p>"
    )
    made_of = record["made_of"]
    if not made_of["runs"]:
        return html
    changed = f"; sources changed in {made_of['changed']} runs" if made_of["changed"] else ""
    rows = {
        "runs": f"{made_of['runs']} notebooks in {made_of['seconds']:.0f} s of computing, "
        f"{made_of['first']} to {made_of['last']}",
        "commits": ", ".join(commit[:12] for commit in made_of["commits"]) + changed,
        "seeds": ", ".join(made_of["seeds"]),
        "inputs": f"{made_of['inputs']['count']} by their hashes; SHA-256 of all: "
        f"{made_of['inputs']['sha256'][:16]}",
        "versions": ", ".join(
            f"{name} {' and '.join(numbers)}" for name, numbers in made_of["versions"].items()
        ),
        "machines": provenance.machine_words(*made_of["machines"]),
        "parameters": "of each run at the foot of its page, and in results/ of the book",
    }
    cells = "".join(
        f'<tr><th scope="row">{name}</th><td>{escape(text)}</td></tr>'
        for name, text in rows.items()
    )
    return (
        f"{html}<details><summary>What this book was made from</summary>"
        f'<div class="table-scroll"><table class="provenance">{cells}</table></div></details>'
    )


def launch_links(page: str, repository: str, branch: str) -> str:
    """Links that open a page's notebook on Binder and on Colab; nothing without a repository.

    Parameters
    ----------
    page : str
        As Sphinx names it: book/theory/coverage.
    repository : str
        "owner/name" on GitHub, or "".
    branch : str
    """
    if not repository:
        return ""
    path = f"notebooks/{page.removeprefix('book/')}.ipynb"
    where = quote(f"{repository}/{branch}")
    binder = f"https://mybinder.org/v2/gh/{where}?labpath={quote(path, safe='')}"
    colab = (
        f"https://colab.research.google.com/github/{quote(repository)}/blob/{quote(branch)}/{path}"
    )
    return (
        f'; run it on <a href="{escape(binder)}">Binder</a> or <a href="{escape(colab)}">Colab</a>'
    )


# What a screen reader stumbles over in the HTML of docutils, of sphinx and of pandas.
ACCESSIBLE = (
    ('role="doc-biblioentry"', 'role="listitem"'),
    ("<th></th>", "<td></td>"),
    (re.compile(r'<th class="head[^"]*"><p></p></th>'), "<td></td>"),
)


def accessible(body: str) -> str:
    """A page's HTML with list entries that are entries, and no empty heads of tables."""
    for old, new in ACCESSIBLE:
        body = body.replace(old, new) if isinstance(old, str) else old.sub(new, body)
    return body


def _offer(app: Sphinx, page: str, context: dict[str, Any]) -> None:
    """Put a page's executed notebook beside it; offer it, its result and its figures' files."""
    source = Path(app.srcdir) / f"{page}.ipynb"
    if not source.is_file() or "body" not in context:
        return
    target = Path(app.outdir) / f"{page}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    notebook = page.removeprefix("book/")
    folder = Path(app.srcdir) / "results" / notebook
    up = "../" * page.count("/") + f"results/{notebook}"
    context["body"] = with_capsules(context["body"], notebook, folder / "figures", f"{up}/figures")
    launch = launch_links(page, app.config.crlib_repository, app.config.crlib_branch)
    context["body"] += offer(target.name, launch, folder / "result.json", up)


def _configure(app: Sphinx, config: Any) -> None:
    # Beside the output folder: a change in it must not look like a changed page.
    folder = Path(app.outdir).parent / "assets"
    collect_assets(folder)
    config.html_static_path.append(str(folder))
    config.mathjax_path = "mathjax/tex-chtml.js"
    record = Path(app.srcdir) / "book.json"
    if record.is_file():
        config.html_theme_options["extra_footer"] = footer(io.read_json(record))


def _clean_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    for key in ("script_files", "css_files"):
        if key in context:
            context[key] = drop_remote(list(context[key]))
    if "body" in context:
        context["body"] = accessible(context["body"])
    _offer(app, page, context)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    # "owner/name" on GitHub: one setting for all pages, and no button without it.
    app.add_config_value("crlib_repository", "", "html", str)
    app.add_config_value("crlib_branch", "main", "html", str)
    app.connect("config-inited", _configure, priority=900)
    app.connect("html-page-context", _clean_page, priority=1000)
    app.add_css_file("book.css")
    app.add_js_file("plots.js", defer="defer")
    # Sphinx writes only changed pages; with this, a change of the machinery changes them all.
    own = io.sha256_text("".join(io.sha256_file(path) for path in own_sources()))
    return {"version": "1", "env_version": int(own[:7], 16), "parallel_read_safe": True,
            "parallel_write_safe": True}  # fmt: skip
