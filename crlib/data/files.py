"""Data files on disk: where they are looked for, and rows that are counted when they are bad."""

import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
        The file itself, or the folder that holds one of the candidates, with or without the first
        part of its path or by its last name. Without it the folder that the environment variable
        CRLIB_DATA names is searched.

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
        for name_in in (candidate, candidate.partition("/")[2], Path(candidate).name):
            if (place := root / name_in).is_file():
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


def read_lines(path: Path, *, columns: Sequence[str] | None = None) -> Iterator[str]:
    """Lines of a UTF-8 text file, without their ends; rows of a parquet file as JSON objects.

    Parameters
    ----------
    path : Path
        Its ending tells gzip and parquet from plain text.
    columns : sequence of str, optional
        Of a parquet file, those to read where they exist; all by default.

    Raises
    ------
    ValueError
        When the file is truncated, not what its ending says, or not UTF-8.
    """
    if path.suffix == ".parquet":
        yield from _parquet_rows(path, columns)
        return
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            yield from (line.rstrip("\r\n") for line in file)
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error}); get the file again") from error


def _parquet_rows(path: Path, columns: Sequence[str] | None) -> Iterator[str]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            chosen = [name for name in file.schema_arrow.names if not columns or name in columns]
            for batch in file.iter_batches(batch_size=1_000, columns=chosen):
                yield from (json.dumps(row, default=str) for row in batch.to_pylist())
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}); get the file again") from error


class BadRow(ValueError):
    """A row that does not fit; its text is the reason under which it is counted."""


@dataclass
class Tally:
    """Count of a file's rows, of those left out by reason, and where a reason first came up."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    first_bad: dict[str, int] = field(default_factory=dict)

    @property
    def reasons(self) -> str:
        """What was left out, for a message."""
        found = "; ".join(f"{reason} ({count})" for reason, count in self.left_out.items())
        return found or "it is empty"

    def summary(self, path: Path, layout: str) -> dict[str, Any]:
        """What was read of a file, for an action set's `source`."""
        return {"file": path.name, "sha256": io.sha256_file(path), "layout": layout,
                "rows": self.rows, "left_out": dict(self.left_out),
                "first_bad": self.first_bad}  # fmt: skip


def stream_rows(
    lines: Iterable[str], parse: Callable[[str], Any], tally: Tally, *, start: int = 1
) -> Iterator[Any]:
    """Parse lines one by one; rows that do not fit are left out and counted.

    Parameters
    ----------
    lines : iterable of str
    parse : callable
        Line to record; raises `BadRow`.
    tally : Tally
        Counts go on from what is in it.
    start : int
        Number of the first line.

    Yields
    ------
    Any
        The records, in the order of their lines. Blank lines are passed over.
    """
    for number, line in enumerate(lines, start):
        if not line.strip():
            continue
        tally.rows += 1
        try:
            record = parse(line)
        except BadRow as error:
            tally.left_out[str(error)] += 1
            tally.first_bad.setdefault(str(error), number)
            continue
        yield record


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
    seen: set[Any] = set()

    def parse_new(line: str) -> Any:
        record = parse(line)
        if key is not None:
            if key(record) in seen:
                raise BadRow("repeats an earlier row")
            seen.add(key(record))
        return record

    tally = Tally()
    kept = list(stream_rows(read_lines(path), parse_new, tally))
    if not kept:
        raise ValueError(f"{path}: none of {tally.rows} rows fits: {tally.reasons}")
    source = {"file": path.name, "sha256": io.sha256_file(path), "rows": tally.rows,
              "kept": len(kept), "left_out": dict(tally.left_out),
              "first_bad": tally.first_bad}  # fmt: skip
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
