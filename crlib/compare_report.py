"""Two runs on one page: every interval side by side, what moved, what differed in the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from crlib import io
from crlib.claims import Evidence, Result
from crlib.compare import Change, flipped, gathered, numbers_of, overlap
from crlib.ledger import badge, interval_text

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
tr.flipped { background: #fdf0f0; font-weight: 600; }
.verdict { font-weight: 600; white-space: nowrap; }
"""


def write_report(
    first: Mapping[str, Result],
    second: Mapping[str, Result],
    changes: Sequence[Change],
    path: Path,
    *,
    names: tuple[str, str] = ("A", "B"),
) -> None:
    """Write the comparison as one HTML file that loads nothing.

    Parameters
    ----------
    first, second : mapping of notebook name to Result
    changes : sequence of Change
        As `crlib.compare.compare` lists them.
    path : Path
        Written wholly or not at all.
    names : pair of str
        What the two runs are called.
    """
    flips = sum(change.kind == "verdict" for change in changes)
    apart = sum(change.overlap is False for change in changes)
    both = sorted({*first} & {*second})
    left = sorted({*first} ^ {*second})
    blocks = [
        f"<h1>{_counted(flips, 'verdict')} changed, {_counted(apart, 'pair')} of intervals apart, "
        f"in {_counted(len(both), 'page')}</h1>",
        f"<p>A: <code>{escape(names[0])}</code><br>B: <code>{escape(names[1])}</code></p>",
    ]
    if left:
        listed = ", ".join(f"<code>{escape(name)}</code>" for name in left)
        blocks.append(f"<p>In one run only, and not compared: {listed}.</p>")
    if single := sum(change.kind == "not run" for change in changes):
        blocks.append(f"<p>Judged in one run only: {_counted(single, 'interval')}.</p>")
    blocks.append("<h2>Verdicts and intervals</h2>" + _intervals(first, second, both))
    compared = sum(len({**numbers_of(first[name]), **numbers_of(second[name])}) for name in both)
    for kind, title, none in (
        ("number", "Numbers that differ",
         f"All {compared:,} numbers are the same within the tolerance."),
        ("input", "What differed in the inputs", "Inputs, parameters, versions: no difference."),
    ):  # fmt: skip
        found = [change for change in gathered(changes) if change.kind == kind]
        if kind == "number" and found:
            title += f": {len(found):,} of {compared:,}"
        blocks.append(f"<h2>{title}</h2>" + (_changes(found) if found else f"<p>{none}</p>"))
    io.write_text(
        path,
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv='
        "\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<title>Two runs side by side</title><style>{STYLE}</style></head><body>'
        f"{''.join(blocks)}</body></html>\n",
    )  # fmt: skip


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _intervals(first: Mapping[str, Result], second: Mapping[str, Result], both: list[str]) -> str:
    rows = []
    for notebook in both:
        a, b = ({(e.id, e.group): e for e in run[notebook].claims} for run in (first, second))
        for key in dict.fromkeys([*a, *b]):
            rows.append(_interval_row(notebook, key, a.get(key), b.get(key)))
    if not rows:
        return "<p>Neither run judged a claim.</p>"
    return _table(["Page", "Part", "Pair", "A", "", "B", "", "Intervals overlap"], rows)


def _interval_row(
    notebook: str, key: tuple[str, str], a: Evidence | None, b: Evidence | None
) -> str:
    cells = [escape(notebook), *map(escape, key)]
    for item in (a, b):
        cells += [interval_text(item), badge(item.verdict)] if item else ["not run", ""]
    common = ("yes" if overlap(a, b) else "no") if a and b else ""
    return _row([*cells, common], "flipped" if flipped(a, b) else "")


def _changes(changes: Iterable[Change]) -> str:
    rows = [
        _row([escape(change.notebook), escape(change.name), _value(change.a), _value(change.b)])
        for change in changes
    ]
    return _table(["Page", "Name", "A", "B"], rows)


def _value(value: object) -> str:
    if value is None:
        return "missing"
    return escape(f"{value:.6g}" if isinstance(value, float) else str(value))


def _row(cells: Iterable[str], kind: str = "") -> str:
    opened = f'<tr class="{kind}">' if kind else "<tr>"
    return opened + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{name or "verdict"}</th>' for name in heads)
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
