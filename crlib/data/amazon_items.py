"""Items of Amazon's catalogue: metadata rows of the releases of 2023, 2018 and 2014."""

import ast
import html
import re
from dataclasses import dataclass
from typing import Any

from crlib.data.files import BadRow, json_object, text_of

MAX_CHARACTERS = 1_000  # of an item's text: more than the encoders read
MAX_LITERAL = 100_000  # characters of a Python-literal row
UNKNOWN = "unknown"  # group of an item without a category
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
COLUMNS = ("parent_asin", "title", "store", "features", "description", "main_category",
           "categories")  # fmt: skip


@dataclass(frozen=True)
class Item:
    """An item: its id, the text that is embedded, and its category."""

    id: str
    text: str
    group: str


@dataclass(frozen=True)
class Fields:
    """What a release calls the fields of its metadata."""

    id: str
    maker: str
    features: str
    main: str
    categories: str


RELEASES = {
    "metadata 2023": Fields("parent_asin", "store", "features", "main_category", "categories"),
    "metadata 2018": Fields("asin", "brand", "feature", "main_cat", "category"),
    "metadata 2014": Fields("asin", "brand", "", "", "categories"),
}


def literal_object(line: str) -> dict[str, Any]:
    """A line that is one Python dictionary of literals, as in the release of 2014.

    Raises
    ------
    BadRow
    """
    if len(line) > MAX_LITERAL:
        raise BadRow(f"longer than {MAX_LITERAL} characters")
    try:
        value = ast.literal_eval(line.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise BadRow("no Python literal") from None
    if not isinstance(value, dict):
        raise BadRow("no Python dictionary")
    return value


def read_item(line: str, release: str, *, literal: bool = False) -> Item:
    """Read an item from a metadata row.

    Its text is title, maker, features and description, as far as they are there, without markup
    and cut at `MAX_CHARACTERS`; its group the second level of its categories, or else the main
    category.

    Raises
    ------
    BadRow
    """
    row = literal_object(line) if literal else json_object(line)
    fields = RELEASES[release]
    name = text_of(row, fields.id)
    title = " ".join(_texts(row, "title"))
    if "getTime" in title:  # titles of 2018 that are a script of the page
        raise BadRow("title is a script of the page")
    parts = [title]
    for field in (fields.maker, fields.features, "description"):
        parts += _texts(row, field)
    text = ". ".join(part.rstrip(".") for part in parts if part)[:MAX_CHARACTERS].strip()
    if not text:
        raise BadRow("item has no text")
    return Item(name, text, _group(row, fields))


def plain_text(text: str) -> str:
    """Text without markup and with single spaces."""
    return " ".join(TAG.sub(" ", html.unescape(text)).split())


def _texts(row: dict[str, Any], field: str) -> list[str]:
    value = row.get(field) or []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise BadRow(f"{field} is no text")
    return [text for item in values if (text := plain_text(item))]


def _group(row: dict[str, Any], fields: Fields) -> str:
    levels = row.get(fields.categories)
    if isinstance(levels, list) and levels and isinstance(levels[0], list):
        levels = levels[0]  # 2014: several ways to the item, the first counts
    named = [plain_text(level) for level in levels or [] if isinstance(level, str)]
    main = row.get(fields.main)
    rest = [*named[1:2], plain_text(main) if isinstance(main, str) else "", *named[:1]]
    return next((name for name in rest if name), UNKNOWN)
