"""Data files on disk: where they are looked for, and rows that are counted when they are bad."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crlib import io

VARIABLE = "CRLIB_DATA"


def find_file(name: str, candidates: tuple[str, ...], path: str | Path | None) -> Path:
    """Find a data set's file.

    Parameters
    ----------
    name : str
        Of the data set, for the message.
    candidates : tuple of str
        Paths below the folder of all data sets, the first that exists is taken.
    path : str or Path, optional
        The file itself, or the folder that holds one of the candidates by its last name. Without
        it the folder that the environment variable CRLIB_DATA names is searched.

    Raises
    ------
    ValueError
        When nothing is found; says where was looked and what to do.
    """
    given = path if path is not None else os.environ.get(VARIABLE)
    wanted = ", ".join(candidates)
    if given is None:
        raise ValueError(
            f"{name}: no files given; pass path= or set {VARIABLE} to a folder with {wanted}"
        )
    root = Path(given)
    if root.is_file():
        return root
    for candidate in candidates:
        for place in (root / candidate, root / Path(candidate).name):
            if place.is_file():
                return place
    raise ValueError(f"{name}: {root} holds none of {wanted}; check path= or {VARIABLE}")


def find_folder(name: str, candidates: tuple[str, ...], path: str | Path | None) -> Path:
    """Find a data set's folder: `path` itself, or the first candidate below CRLIB_DATA.

    Raises
    ------
    ValueError
        When nothing is found; says where was looked and what to do.
    """
    if path is not None:
        if not Path(path).is_dir():
            raise ValueError(
                f"{name}: path = {path} is no folder; expected {', '.join(candidates)}"
            )
        return Path(path)
    given = os.environ.get(VARIABLE)
    for candidate in candidates:
        if given and (Path(given) / candidate).is_dir():
            return Path(given) / candidate
    raise ValueError(
        f"{name}: not found; pass path= or set {VARIABLE} to a folder with {', '.join(candidates)}"
    )


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file, plain or gzip by its ending, without their ends.

    Raises
    ------
    ValueError
        When the file is truncated, no gzip, or not UTF-8.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            yield from (line.rstrip("\r\n") for line in file)
    except (EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error}); get the file again") from error


class BadRow(ValueError):
    """A row that does not fit; its text is the reason under which it is counted."""


def read_rows(
    path: Path, parse: Callable[[str], Any], *, key: Callable[[Any], Any] | None = None
) -> tuple[list[Any], dict[str, Any]]:
    """Parse a file line by line; leave out what does not fit, and count it by reason.

    Parameters
    ----------
    path : Path
    parse : callable
        Line to record; raises `BadRow`.
    key : callable, optional
        Of records with the same key only the first is kept; all are without it.

    Returns
    -------
    records : list
    source : dict
        file, sha256, rows (lines that are not blank), kept, left_out (reason to number), first_bad
        (reason to the line number of its first row).

    Raises
    ------
    ValueError
        When no row fits: the file is another one than expected.
    """
    kept: list[Any] = []
    seen: set[Any] = set()
    left_out: Counter[str] = Counter()
    first_bad: dict[str, int] = {}
    rows = 0
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        rows += 1
        try:
            record = parse(line)
            if key is not None and key(record) in seen:
                raise BadRow("repeats an earlier row")
            if key is not None:
                seen.add(key(record))
            kept.append(record)
        except BadRow as error:
            left_out[str(error)] += 1
            first_bad.setdefault(str(error), number)
    if not kept:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in left_out.items())
        raise ValueError(f"{path}: none of {rows} rows fits: {reasons or 'it is empty'}")
    source = {"file": path.name, "sha256": io.sha256_file(path), "rows": rows, "kept": len(kept),
              "left_out": dict(left_out), "first_bad": first_bad}  # fmt: skip
    return kept, source


def json_object(line: str) -> dict[str, Any]:
    """A line that is one JSON object.

    Raises
    ------
    BadRow
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRow("no JSON") from None
    if not isinstance(value, dict):
        raise BadRow("no JSON object")
    return value


def text_of(row: dict[str, Any], name: str) -> str:
    """A field that must be a text with something in it.

    Raises
    ------
    BadRow
    """
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"{name} is missing, empty or no text")
    return value.strip()
