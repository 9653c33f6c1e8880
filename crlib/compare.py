"""Two runs side by side: what differed in their inputs, their numbers, and their verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crlib.claims import Evidence, Result

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """Something that is not the same in two runs of a notebook.

    Attributes
    ----------
    notebook : str
    kind : {"notebook", "input", "number", "not run", "interval", "verdict"}
        "input" is a parameter, the commit, a version, the machine, what a part's interval is about.
        "not run" is a pair that only one run judged. "interval" is a part's interval that moved
        while its verdict stayed; "verdict" a verdict that flipped, whatever its interval did.
    name : str
    a, b : object
        In the first and in the second run; None where it is missing.
    overlap : bool or None
        Whether the two intervals overlap; None where there are not two.
    """

    notebook: str
    kind: str
    name: str
    a: Any
    b: Any
    overlap: bool | None = None


def compare(
    first: Mapping[str, Result], second: Mapping[str, Result], *, tolerance: float = 1e-9
) -> list[Change]:
    """List what differs between two runs.

    Parameters
    ----------
    first, second : mapping of notebook name to Result
        As `crlib.claims.read_results` reads them.
    tolerance : float
        Largest relative difference of numbers that count as equal.

    Returns
    -------
    list of Change
        By notebook: its inputs first, then numbers, then claims. A notebook in one run only is a
        single change. The time that a run took is no difference.

    Raises
    ------
    ValueError
        If the tolerance is negative.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance = {tolerance}: expected a number of at least 0")
    changes: list[Change] = []
    for notebook in sorted({*first, *second}):
        a, b = first.get(notebook), second.get(notebook)
        if a is None or b is None:
            here, there = ("present" if run else None for run in (a, b))
            changes.append(Change(notebook, "notebook", notebook, here, there))
            continue
        changes += _differences(notebook, "input", _inputs(a), _inputs(b), 0.0)
        changes += _differences(notebook, "number", numbers_of(a), numbers_of(b), tolerance)
        changes += _claims(notebook, a, b, tolerance)
    return changes


def numbers_of(result: Result) -> dict[str, Any]:
    """A run's numbers by name; those of a table row by row, as "costs.1000.seconds".

    A row is called by its first cell; where these repeat, or are neither words nor whole numbers,
    rows are counted from 0.
    """
    return dict(_flat(result.numbers))


def gathered(changes: Iterable[Change]) -> list[Change]:
    """Bring inputs that differ alike on several pages together, for a reader.

    Parameters
    ----------
    changes : iterable of Change

    Returns
    -------
    list of Change
        An input that has the same name and values on more than one page stands once, with the
        pages, or where they are many their number, in place of the notebook.
    """
    pages: dict[tuple[str, str, str], list[str]] = {}
    first: dict[tuple[str, str, str], Change] = {}
    for place, change in enumerate(changes):
        alike = (change.name, repr(change.a), repr(change.b))
        key = alike if change.kind == "input" else ("", "", str(place))
        pages.setdefault(key, []).append(change.notebook)
        first.setdefault(key, change)
    return [
        replace(
            change,
            notebook=", ".join(pages[key]) if len(pages[key]) <= 3 else f"{len(pages[key])} pages",
        )
        for key, change in first.items()
    ]


def _inputs(result: Result) -> dict[str, Any]:
    """Parameters and provenance in one flat table, without what is never the same."""
    record = {k: v for k, v in result.provenance.items() if k not in ("seconds", "date")}
    return {
        f"{part}.{name}" if part else name: value
        for part, values in (("parameters", dict(result.parameters)), ("", record))
        for name, value in _flat(values)
    }


def _flat(values: Values) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            value = dict(zip(_labels(value), value, strict=True))
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", found) for inner, found in _flat(value))
        else:
            yield name, value


def _labels(rows: list[Any]) -> list[str]:
    """What a table's rows are called: by position, a row more or less would move all others."""
    first = [next(iter(row.values()), None) if isinstance(row, Mapping) else None for row in rows]
    named = all(isinstance(cell, str | int) and not isinstance(cell, bool) for cell in first)
    unique = len(set(map(str, first))) == len(rows)
    return [str(cell if named and unique else place) for place, cell in enumerate(first)]


def _differences(
    notebook: str, kind: str, a: Values, b: Values, tolerance: float
) -> Iterator[Change]:
    for name in dict.fromkeys([*a, *b]):
        if not _same(a.get(name), b.get(name), tolerance):
            yield Change(notebook, kind, name, a.get(name), b.get(name))


def _claims(notebook: str, a: Result, b: Result, tolerance: float) -> Iterator[Change]:
    before, after = ({(e.id, e.group): e for e in run.claims} for run in (a, b))
    for key in dict.fromkeys([*before, *after]):
        old, new, name = before.get(key), after.get(key), ", ".join(key)
        if old is None or new is None:
            yield Change(notebook, "not run", name, _said(old), _said(new))
            continue
        yield from _differences(notebook, "input", _terms(name, old), _terms(name, new), 0.0)
        ends = zip(_ends(old), _ends(new), strict=True)
        if flipped(old, new) or not all(_same(x, y, tolerance) for x, y in ends):
            kind = "verdict" if flipped(old, new) else "interval"
            yield Change(notebook, kind, name, _said(old), _said(new), overlap(old, new))


def flipped(a: Evidence | None, b: Evidence | None) -> bool:
    """Whether both runs judged a pair, and differently."""
    return a is not None and b is not None and a.verdict != b.verdict


def overlap(a: Evidence, b: Evidence) -> bool:
    """Whether two intervals have a point in common."""
    return a.ci_low <= b.ci_high and b.ci_low <= a.ci_high


def _ends(evidence: Evidence) -> tuple[float, float, float]:
    return evidence.estimate, evidence.ci_low, evidence.ci_high


def _terms(name: str, evidence: Evidence) -> dict[str, Any]:
    """What an interval is about, which two runs should agree on."""
    fields = ("statistic", "unit", "level", "n")
    return {f"{name}: {field}": getattr(evidence, field) for field in fields}


def _said(evidence: Evidence | None) -> str | None:
    if evidence is None:
        return None
    ends = f"{evidence.estimate:.4g} [{evidence.ci_low:.4g}, {evidence.ci_high:.4g}]"
    return f"{evidence.verdict}: {ends}"


def _same(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b))
    if not numbers:
        return bool(a == b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=0.0)
