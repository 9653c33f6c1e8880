"""What a page offers to take along: its notebook, its result, and each figure as files."""

import re
from html import escape
from pathlib import Path
from urllib.parse import quote

from crlib import io
from crlib.provenance import machine_words

# Label and ending of a figure's files; its data as CSV stand in the page itself.
FILES = {".pdf": "PDF", ".png": "PNG", ".svg": "SVG", ".provenance.json": "Provenance (JSON)"}
FIGURE = re.compile(r'(<figure class="crlib-plot" id="figure-([a-z0-9_-]+)">.*?)(</figure>)', re.S)


def with_capsules(body: str, notebook: str, folder: Path, address: str) -> str:
    """Offer under each figure the files that there are of it.

    Parameters
    ----------
    body : str
        HTML of a page, with figures as `crlib.figures.show` writes them.
    notebook : str
        As "theory/coverage".
    folder : Path
        Where the files lie now.
    address : str
        Where they will lie, seen from the page.

    Returns
    -------
    str
        The same HTML with links before each figure's end.
    """
    prefix = notebook.replace("/", "-") + "-"

    def offered(match: re.Match[str]) -> str:
        name = match[2].removeprefix(prefix)
        links = [
            f'<a href="{escape(quote(f"{address}/{name}{ending}"))}" '
            f'download="{escape(prefix + name + ending)}">{label}</a>'
            for ending, label in FILES.items()
            if (folder / f"{name}{ending}").is_file()
        ]
        files = f'<span class="crlib-plot-files">{" ".join(links)}</span>' if links else ""
        return match[1] + files + match[3]

    return FIGURE.sub(offered, body)


def offer(name: str, launch: str, result: Path, address: str) -> str:
    """The foot of a chapter: what can be taken along, and what this page was computed with.

    Parameters
    ----------
    name : str
        File name of the page's notebook, beside the page.
    launch : str
        More links, as HTML.
    result : Path
        The run's result.json; where there is none, only the notebook is offered.
    address : str
        Folder of the result, seen from the page.

    Returns
    -------
    str
        HTML.
    """
    link = escape(name)
    along = f'<a href="{link}" download="{link}">this page as a notebook</a>'
    if not result.is_file():
        return f'<p class="crlib-downloads">Take along: {along}{launch}.</p>'
    content = io.read_json(result)
    record, parameters = content["provenance"], content["parameters"]
    dirty = " with changes" if record.get("dirty") else ""
    return (
        f'<p class="crlib-downloads">Take along: {along}; its numbers and verdicts as '
        f'<a href="{escape(quote(address))}/result.json">result.json</a>, for '
        f"<code>crlib diff</code>{launch}; under each figure its data and files.</p>"
        f'<p class="crlib-foot">Computed {escape(str(record.get("date", "")))} in '
        f"{record['seconds']:.0f} s on {escape(machine_words(record['machine']))}; "
        f"commit <code>{escape(record['commit'][:12])}</code>{dirty}; "
        f"seed {parameters.get('seed', 'none')}; "
        f"{len(record.get('inputs', {}))} inputs by their hashes and all versions above.</p>"
    )
