"""Turn the measured JSON into the tables of the book's page on speed.

``python -m benchmarks.report --out PATH`` writes a Markdown fragment. A benchmark that was run here
(build/bench) goes before the kept result of the same name (benchmarks/results);
``--keep`` copies the former over the latter.
"""

import argparse
import html
from itertools import groupby
from pathlib import Path
from typing import Any

from crlib import io
from crlib.provenance import machine_words
from crlib.settings import BUILD, ROOT

KEPT = ROOT / "benchmarks" / "results"
COLUMNS = ("", "median", "ratio to the limit", "goal", "extra memory", "")
ALIGNMENT = (":--", "--:", "--:", "--:", "--:", ":--")


def measured_here() -> Path:
    """Return the folder of results measured on this machine."""
    return BUILD / "bench"


def newest() -> list[tuple[dict[str, Any], bool]]:
    """Return each benchmark's result, and whether it was measured here, by name."""
    kept = {path.stem: path for path in sorted(KEPT.glob("*.json"))}
    here = {path.stem: path for path in sorted(measured_here().glob("*.json"))}
    chosen = {**kept, **here}
    return [(io.read_json(chosen[name]), name in here) for name in sorted(chosen, reverse=True)]


def cell(text: str) -> str:
    """Return a text as it may stand in a cell of a Markdown table."""
    return html.escape(text, quote=False).replace("|", "&#124;").replace("\n", " ")


def seconds(value: float | None) -> str:
    """Return a duration with three significant digits and its unit."""
    if value is None:
        return "–"
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:#.3g} s".replace(". s", " s")


def ratio_text(ratio: float) -> str:
    """Return a ratio with two decimals, or two digits where those would be lost."""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def line(row: dict[str, Any]) -> str:
    """Return a row of the result as a row of the table; crlib's own is set in bold."""
    ratio, goal, extra = row["ratio_to_limit"], row["goal"], row["extra_mib"]
    name = cell(row["peer"])
    cells = (
        f"**{name}**" if row["peer"].startswith("crlib") else name,
        seconds(row["seconds_median"]),
        "–" if ratio is None else ratio_text(ratio),
        "" if goal is None else f"≤ {goal:.3g}: {'met' if ratio <= goal else 'missed'}",
        "" if extra is None else f"{extra:.0f} MiB",
        cell(row["note"]),
    )
    return "| " + " | ".join(cells) + " |"


def fragment(results: list[tuple[dict[str, Any], bool]]) -> str:
    """Return the Markdown of all tables.

    Parameters
    ----------
    results : list of (dict, bool)
        A result and whether it was measured here, as `newest` gives them.

    Returns
    -------
    str
    """
    if not results:
        return "No benchmark was run yet: `make bench` does it.\n"
    parts = []
    for result, here in results:
        where = "on this machine" if here else "by the authors"
        parts += [
            f"## {cell(result['name'].capitalize())}",
            f"Measured {where}: {cell(machine_words(result['machine']))}; one thread.",
        ]
        for case, rows in groupby(result["rows"], key=lambda row: row["case"]):
            members = list(rows)
            header = [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join(ALIGNMENT)} |"]
            parts += [
                f"**{cell(case[0].upper() + case[1:])}**; the limit: {cell(members[0]['limit'])}.",
                "\n".join([*header, *map(line, members)]),
            ]
    return "\n\n".join(parts) + "\n"


def keep() -> list[Path]:
    """Copy the results measured here into the folder that is kept in git."""
    kept = []
    for path in sorted(measured_here().glob("*.json")):
        io.write_json(KEPT / path.name, io.read_json(path))
        kept.append(KEPT / path.name)
    return kept


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="the Markdown fragment to write")
    parser.add_argument("--keep", action="store_true", help="copy build/bench to results")
    arguments = parser.parse_args()
    if arguments.keep:
        print(*keep(), sep="\n")
    if arguments.out:
        io.write_text(arguments.out, fragment(newest()))
