"""Users' histories in RecBole's atomic files, as LLMRank prepared them (Hou et al. 2024).

Tab-separated with typed headers: ``*.item`` (item_id:token, title:token_seq) and ``*.inter``
(user_id:token, item_id_list:token_seq, item_id:token: what came before, oldest first, and what
came next).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from crlib.data.amazon_items import MAX_CHARACTERS, UNKNOWN, Item, plain_text
from crlib.data.files import BadRow, Tally, read_lines, stream_rows, text_of

History = dict[str, None]  # items in the order they came, each once


def holds_histories(folder: Path) -> bool:
    """Whether a folder, or one below it, holds files of this layout."""
    return any(folder.rglob("*.inter"))


def read_histories(folder: Path) -> tuple[list[Item], dict[str, History], dict[str, Any]]:
    """Read items and users' histories.

    Parameters
    ----------
    folder : Path
        Its files, and those of the folders below it, are read together. The rows of a user are
        joined: a validation row is the test row without its end.

    Returns
    -------
    items : list of Item
        With titles as texts; no categories are given.
    histories : dict of str to History
        Items of every user, each once, the known ones only.
    source : dict
        Layout, files, and what was left out, by reason.

    Raises
    ------
    ValueError
        When a file lacks a column, no row fits, or there is no ``*.item``.
    """
    sources: dict[str, list[dict[str, Any]]] = {"items": [], "ratings": []}
    items: dict[str, Item] = {}
    for path in sorted(folder.rglob("*.item")):
        rows, told = _table(path, ("item_id:token", "title:token_seq"), partial(_item, seen=items))
        sources["items"].append(told)
        items |= {item.id: item for item in rows}
    if not items:
        raise ValueError(
            f"{folder} has histories (*.inter) but no *.item, so that the items have no texts; "
            "get the *.item file that comes with them"
        )
    histories: dict[str, History] = {}
    unknown = 0
    columns = ("user_id:token", "item_id_list:token_seq", "item_id:token")
    for path in sorted(folder.rglob("*.inter")):
        rows, told = _table(path, columns, _history)
        sources["ratings"].append(told)
        for user, names in rows:
            kept = dict.fromkeys(name for name in names if name in items)
            unknown += sum(name not in items for name in names)
            histories[user] = histories.get(user, {}) | kept
    return list(items.values()), histories, {
        "layouts": ["RecBole histories"], **sources,
        "ratings_left_out": {"of an unknown item": unknown} if unknown else {},
    }  # fmt: skip


def _table(
    path: Path, columns: tuple[str, ...], parse: Callable[[dict[str, str]], Any]
) -> tuple[list[Any], dict[str, Any]]:
    lines = read_lines(path)
    header = next(lines, "").split("\t")
    if not set(columns) <= set(header):
        raise ValueError(f"{path}: expected the columns {', '.join(columns)}, found {header}")

    def parse_line(line: str) -> Any:
        cells = line.split("\t")
        if len(cells) != len(header):
            raise BadRow(f"not {len(header)} columns")
        return parse(dict(zip(header, cells, strict=True)))

    tally = Tally()
    rows = list(stream_rows(lines, parse_line, tally, start=2))
    if not rows:
        raise ValueError(f"{path}: none of {tally.rows} rows fits: {tally.reasons}")
    return rows, tally.summary(path, "RecBole")


def _item(row: dict[str, str], seen: dict[str, Item]) -> Item:
    name = text_of(row, "item_id:token")
    text = plain_text(row["title:token_seq"])[:MAX_CHARACTERS]
    if not text:
        raise BadRow("item has no text")
    if name in seen:
        raise BadRow("repeats an earlier row")
    seen[name] = Item(name, text, UNKNOWN)
    return seen[name]


def _history(row: dict[str, str]) -> tuple[str, list[str]]:
    user, last = text_of(row, "user_id:token"), text_of(row, "item_id:token")
    return user, [*row["item_id_list:token_seq"].split(), last]
