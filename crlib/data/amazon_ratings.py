"""Amazon's ratings, row by row, and which release a file belongs to, told from its content."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from crlib.data.amazon_items import COLUMNS, literal_object, read_item
from crlib.data.files import BadRow, Tally, json_object, read_lines, stream_rows, text_of

HEADER = ("user_id", "parent_asin", "rating", "timestamp")
LOOKED_AT = 1_000  # rows in which a file's first good row must stand
ENDINGS = (".json", ".jsonl", ".csv", ".parquet")


class Rating(NamedTuple):
    """Who rated what, how (1 to 5) and when (the release's own unit of time)."""

    user: str
    item: str
    value: float
    time: int


@dataclass(frozen=True)
class DataFile:
    """A file of a known layout.

    Attributes
    ----------
    path : Path
    layout : str
        Kind and release.
    parse : callable
        Line to `Item` or `Rating`; raises `BadRow`.
    header : bool
        Whether the first line names the columns.
    """

    path: Path
    layout: str
    parse: Callable[[str], Any]
    header: bool = False

    @property
    def holds_items(self) -> bool:
        """Whether it is metadata, not ratings."""
        return self.layout.startswith("metadata")

    def records(self, tally: Tally) -> Iterator[Any]:
        """Its records one by one; what is left out goes to the tally."""
        lines = read_lines(self.path, columns=COLUMNS if self.holds_items else None)
        if self.header:
            next(lines, None)
        return stream_rows(lines, self.parse, tally, start=2 if self.header else 1)


def data_files(folder: Path) -> tuple[list[DataFile], list[str]]:
    """Files of known layouts below a folder, and the names of those that look alike but are not."""
    known, unknown = [], []
    for path in sorted(folder.rglob("*")):
        ending = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if ending not in ENDINGS or hidden or not path.is_file():
            continue
        found = recognise(path)
        if found is None:
            unknown.append(path.name)
        else:
            known.append(found)
    return known, unknown


def recognise(path: Path) -> DataFile | None:
    """Tell a file's layout from its header or its first good row; None when it is another's."""
    lines = (line for line in read_lines(path) if line.strip())
    for number, line in enumerate(islice(lines, LOOKED_AT)):
        columns = [cell.strip().strip('"') for cell in line.lstrip("\ufeff").split(",")]
        if number == 0 and set(HEADER) <= set(columns):
            places = tuple(columns.index(name) for name in HEADER)
            parse = partial(csv_rating, places=places, width=len(columns))
            return DataFile(path, "ratings 2023", parse, header=True)
        for literal, read in ((False, json_object), (True, literal_object)):
            try:
                row = read(line)
            except BadRow:
                continue
            if found := _layout(path, row, literal):
                return found
    return None


def _layout(path: Path, row: dict[str, Any], literal: bool) -> DataFile | None:
    names = set(row)
    if {"user_id", "parent_asin", "rating"} <= names and not literal:
        return DataFile(path, "reviews 2023", partial(json_rating, fields=HEADER))
    if {"reviewerID", "asin", "overall"} <= names and not literal:
        fields = ("reviewerID", "asin", "overall", "unixReviewTime")
        return DataFile(path, "reviews 2018 or 2014", partial(json_rating, fields=fields))
    if names & {"user_id", "reviewerID"} or not names & {"title", "category", "categories"}:
        return None
    if "parent_asin" in names:
        release = "metadata 2023"
    elif "asin" in names:
        release = "metadata 2014" if literal or "categories" in names else "metadata 2018"
    else:
        return None
    return DataFile(path, release, partial(read_item, release=release, literal=literal))


def json_rating(line: str, fields: tuple[str, str, str, str]) -> Rating:
    """Read a review's rating; `fields` name user, item, rating and time.

    Raises
    ------
    BadRow
    """
    row = json_object(line)
    user, item = text_of(row, fields[0]), text_of(row, fields[1])
    value, time = row.get(fields[2]), row.get(fields[3])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRow("rating is no number")
    if isinstance(time, bool) or not isinstance(time, int):
        raise BadRow("time is no whole number")
    return _checked(user, item, value, time)


def csv_rating(line: str, places: tuple[int, ...], width: int) -> Rating:
    """Read a row of the ratings that the release of 2023 ships without texts.

    Parameters
    ----------
    line : str
    places : tuple of int
        Columns of user, item, rating and time.
    width : int
        Number of columns.

    Raises
    ------
    BadRow
    """
    cells = line.split(",")
    if len(cells) != width:
        raise BadRow(f"not {width} columns")
    user, item, value, time = (cells[place].strip() for place in places)
    if not user or not item:
        raise BadRow(f"{HEADER[1] if user else HEADER[0]} is missing, empty or no text")
    try:
        number = float(value)
    except ValueError:
        raise BadRow("rating is no number") from None
    try:
        moment = int(time)
    except ValueError:
        raise BadRow("time is no whole number") from None
    return _checked(user, item, number, moment)


def _checked(user: str, item: str, value: float, time: int) -> Rating:
    if not 1 <= value <= 5:  # false for NaN as well
        raise BadRow("rating is not within 1 and 5")
    if abs(time) >= 2**62:
        raise BadRow("time is no whole number")
    return Rating(user, item, float(value), time)
