"""ToolBench's own form of its tools: a folder a category, a JSON file a tool, its APIs in a list.

Upstream: ``data/toolenv/tools/<Category>/<tool>.json`` with tool_name and api_list, of which each
entry has name and description.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from crlib.data.files import BadRow, text_of

APART = re.compile(r"[^0-9a-z]+")
LOOKED_AT = 20  # files that tell whether a folder is such a tree


@dataclass(frozen=True)
class Api:
    """An API: what it is called, and what it says it does."""

    category: str
    tool: str
    api: str
    description: str

    @property
    def id(self) -> str:
        """Category, tool and API: together they name it."""
        return f"{self.category}/{self.tool}/{self.api}"

    @property
    def text(self) -> str:
        """What is embedded, cut as the texts of other action sets."""
        return " ".join(f"{self.tool}: {self.api}: {self.description}".split())[:300]

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the tree's and the instructions' spellings of category and tool."""
        category, tool = (APART.sub("_", part.lower()) for part in (self.category, self.tool))
        return category, tool, self.api


def find_tree(folder: Path) -> Path | None:
    """The tree of a folder: itself, below it or, of ToolBench's instructions, beside it."""
    for place in (folder / "toolenv" / "tools", folder / "tools", folder.parent / "toolenv/tools"):
        beside = place.is_relative_to(folder) or folder.name == "instruction"
        if beside and place.is_dir():
            return place
    for path in islice(folder.glob("*/*.json"), LOOKED_AT):
        try:
            if _tool(path):
                return folder
        except BadRow:
            continue
    return None


def read_tree(tree: Path) -> tuple[list[Api], dict[str, Any]]:
    """Read every tool of a tree.

    Parameters
    ----------
    tree : Path
        Folder of the categories' folders.

    Returns
    -------
    apis : list of Api
        By category and file, in the order of the files' lists.
    source : dict
        Number of files, and what was left out, by reason, with the first file of each.

    Raises
    ------
    ValueError
        When no file holds a tool.
    """
    found: dict[str, Api] = {}
    left_out: Counter[str] = Counter()
    first_bad: dict[str, str] = {}
    files = sorted(tree.glob("*/*.json"))
    for path in files:
        where = f"{path.parent.name}/{path.name}"
        reasons: list[str] = []
        try:
            tool, entries = _tool(path)
        except BadRow as error:
            reasons.append(str(error))
            entries = []
        for entry in entries:
            try:
                api = _entry(path.parent.name, tool, entry)
                if api.id in found:
                    raise BadRow("API repeats an earlier one")
                found[api.id] = api
            except BadRow as error:
                reasons.append(str(error))
        left_out.update(reasons)
        first_bad = dict.fromkeys(reasons, where) | first_bad
    if not found:
        reasons = [f"{reason} ({count})" for reason, count in left_out.items()]
        raise ValueError(f"{tree}: none of {len(files)} files holds a tool: {'; '.join(reasons)}")
    source = {"files": len(files), "left_out": dict(left_out), "first_bad": first_bad}
    return list(found.values()), source


def join_tree(
    tree: Iterable[Api], apis: Iterable[Api], needs: Iterable[tuple[str, list[str], str]]
) -> tuple[list[Api], list[tuple[str, list[str], str]], int]:
    """Bring instructions onto a tree's APIs.

    Parameters
    ----------
    tree : iterable of Api
    apis : iterable of Api
        As the instructions describe them.
    needs : iterable of (words, ids of APIs, where it was found)

    Returns
    -------
    apis : list of Api
        The tree's, then those that only instructions describe.
    needs : list
        With the ids of these.
    added : int
        Number of the latter.
    """
    known = {api.key: api for api in tree}
    merged = dict(known)
    names: dict[str, str] = {}
    for api in apis:
        names[api.id] = merged.setdefault(api.key, api).id
    moved = [(words, [names.get(i, i) for i in ids], where) for words, ids, where in needs]
    return list(merged.values()), moved, len(merged) - len(known)


def _tool(path: Path) -> tuple[str, list[Any]]:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise BadRow("file is no JSON") from None
    if not isinstance(row, dict):
        raise BadRow("file is no JSON object")
    if not isinstance(row.get("api_list"), list):
        raise BadRow("file has no api_list")
    return text_of(row, "tool_name"), row["api_list"]


def _entry(category: str, tool: str, entry: Any) -> Api:
    if not isinstance(entry, dict):
        raise BadRow("API is no JSON object")
    try:
        name = text_of(entry, "name")
    except BadRow:
        raise BadRow("API has no name") from None
    description = entry.get("description") or ""
    if not isinstance(description, str):
        raise BadRow("API's description is no text")
    return Api(category, tool, name, description.strip())
