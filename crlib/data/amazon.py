"""Items of a shop as actions: Amazon's catalogue and what its customers chose.

The releases of 2023 (Hou et al. 2024), 2018 (Ni et al. 2019) and 2014 are read from the files that
their authors publish; histories as LLMRank prepared them, by `crlib.data.recbole`. Ratings are
read twice, first to count them and then for the items that are kept, so that a catalogue of
millions fits a small memory.
"""

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crlib.data.actions import ActionSet, Feedback, most_first
from crlib.data.amazon_items import MAX_CHARACTERS, Item
from crlib.data.amazon_ratings import DataFile, data_files
from crlib.data.files import Tally, find_folder
from crlib.data.recbole import holds_histories, read_histories
from crlib.data.sources import SOURCES

NAMES = ("amazon-electronics", "amazon-games")
EARLIER = {
    "metadata 2018": {
        "citation": "Ni, Li and McAuley (2019), EMNLP",
        "address": "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2",
    },
    "metadata 2014": {
        "citation": "He and McAuley (2016), arXiv:1602.01585",
        "address": "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html",
    },
}
POSITIVE = 4  # a rating from here on says that the item was a good choice


@dataclass(frozen=True)
class Choices:
    """Who rated which of the kept items: one entry a pair; values is None in histories."""

    user_ids: tuple[str, ...]
    users: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float32] | None


def load_amazon(
    name: str, *, path: str | Path | None = None, limit: int | None = None, seed: int = 0
) -> ActionSet:
    """Read a shop's items and what customers chose, from upstream files.

    Parameters
    ----------
    name : {"amazon-electronics", "amazon-games"}
    path : str or Path, optional
        Folder of metadata and ratings, which are told by their content, whatever category they
        are of; by default the set's folder below the one that CRLIB_DATA names.
    limit : int, optional
        Keep so many items: those with the most ratings, ties by a hash of seed and id.
    seed : int

    Returns
    -------
    ActionSet
        `feedback.users` is 1 where a customer rates an item 4 or 5 (or, in histories, bought it);
        customers without such an item are left out. `feedback.ratings` holds all ratings of the
        others; it is empty for histories, and so is all feedback where there is only metadata.
        `source` names the layouts found and counts what was left out, by file and reason.

    Raises
    ------
    ValueError
        For an unknown name, a missing folder, one without items' texts, files of several
        releases or categories, or a damaged file.
    """
    if name not in NAMES:
        raise ValueError(f"no set of Amazon's items {name!r}; there are: {', '.join(NAMES)}")
    folder = find_folder(name, SOURCES[name].expected, path)
    if holds_histories(folder):
        found, histories, source = read_histories(folder)
        counts = Counter(item for history in histories.values() for item in history)
        items, described = _most_rated(found, counts, limit, seed), counts.total()
        choices = _of_histories(histories, items)
    else:
        metadata, reviews, source = _files(name, folder)
        counts, source["ratings"] = _count(reviews)
        items, source["items"], described = _read_items(metadata, counts, limit, seed)
        if counts and not described:
            raise ValueError(
                f"{name}: none of the {counts.total()} ratings of {folder} is of an item of its "
                "metadata; get both of one release and one category"
            )
        choices, repeats = _of_reviews(reviews, items)
        source["ratings_left_out"] = {
            "of an item without metadata or text": counts.total() - described,
            "repeats user and item, the latest stays": repeats,
        }
    source["ratings_beyond_limit"] = described - sum(counts[item.id] for item in items)
    most = "items with the most ratings (repeats included), ties by a hash of seed"
    source["rule"] = "all items" if limit is None else f"{most} {seed} and id"
    source["texts"] = f"title, maker, features, description; at most {MAX_CHARACTERS} characters"
    release = EARLIER.get(source["items"][0]["layout"], {})
    return _assemble(name, items, choices, source | SOURCES[name].provenance | release)


def _files(name: str, folder: Path) -> tuple[list[DataFile], list[DataFile], dict[str, Any]]:
    known, unknown = data_files(folder)
    metadata = [file for file in known if file.holds_items]
    reviews = [file for file in known if not file.holds_items]
    hint = (
        "meta_<category>.jsonl (2023: raw/meta_categories) or meta_<category>.json.gz (2018, 2014)"
    )
    if not metadata and reviews:
        found = ", ".join(f"{file.path.name} ({file.layout})" for file in reviews)
        raise ValueError(
            f"{name}: {folder} holds ratings, {found}, but no metadata, so that the items have no "
            f"texts; get {hint} of the same release and put it beside them"
        )
    if not metadata:
        raise ValueError(
            f"{name}: {folder} holds no file of a known layout; expected {hint} and the ratings "
            "that come with it"
        )
    for files in (metadata, reviews):
        if len({file.layout for file in files}) > 1:
            found = ", ".join(f"{file.path.name} ({file.layout})" for file in files)
            raise ValueError(f"{name}: {folder} mixes layouts: {found}; keep the files of one")
    layouts = sorted({file.layout for file in known})
    return metadata, reviews, {"layouts": layouts, "not_read": unknown}


def _count(reviews: list[DataFile]) -> tuple[Counter[str], list[dict[str, Any]]]:
    counts: Counter[str] = Counter()
    summaries = []
    for file in reviews:
        tally, before = Tally(), counts.total()
        counts.update(rating.item for rating in file.records(tally))
        if counts.total() == before:
            raise ValueError(f"{file.path}: none of {tally.rows} rows fits: {tally.reasons}")
        summaries.append(tally.summary(file.path, file.layout))
    return counts, summaries


def _read_items(
    metadata: list[DataFile], counts: Counter[str], limit: int | None, seed: int
) -> tuple[list[Item], list[dict[str, Any]], int]:
    tallies = [Tally() for _ in metadata]
    seen: set[str] = set()

    def distinct() -> Iterator[Item]:
        for file, tally in zip(metadata, tallies, strict=True):
            for item in file.records(tally):
                if item.id in seen:
                    tally.left_out["repeats an earlier row"] += 1
                    continue
                seen.add(item.id)
                yield item

    items = _most_rated(distinct(), counts, limit, seed)
    if not items:
        reasons = "; ".join(f"{file.path.name}: {tally.reasons}"
                            for file, tally in zip(metadata, tallies, strict=True))  # fmt: skip
        raise ValueError(f"no row of the metadata fits: {reasons}")
    described = sum(counts[name] for name in seen)
    pairs = zip(metadata, tallies, strict=True)
    return items, [tally.summary(file.path, file.layout) for file, tally in pairs], described


def _most_rated(
    items: Iterable[Item], counts: Counter[str], limit: int | None, seed: int
) -> list[Item]:
    # One pass that holds no more than `limit` texts; the order stays that of the files.
    numbered = enumerate(items)
    if limit is None:
        return [item for _, item in numbered]
    kept = heapq.nsmallest(
        limit, numbered, key=lambda pair: most_first(counts[pair[1].id], pair[1].id, seed)
    )
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]


def _of_reviews(reviews: list[DataFile], items: list[Item]) -> tuple[Choices, int]:
    position = {item.id: i for i, item in enumerate(items)}
    numbers: dict[str, int] = {}
    users, columns, values, times = array("q"), array("q"), array("f"), array("q")
    for file in reviews:
        for rating in file.records(Tally()):  # what is left out was counted in the first pass
            column = position.get(rating.item)
            if column is not None:
                users.append(numbers.setdefault(rating.user, len(numbers)))
                columns.append(column)
                values.append(rating.value)
                times.append(rating.time)
    rows, places = np.array(users, dtype=np.int64), np.array(columns, dtype=np.int64)
    order = np.lexsort((np.arange(rows.size), np.array(times, dtype=np.int64), places, rows))
    rows, places = rows[order], places[order]
    last = np.ones(rows.size, dtype=bool)
    last[:-1] = (rows[1:] != rows[:-1]) | (places[1:] != places[:-1])
    rated = np.array(values, dtype=np.float32)[order][last]
    return Choices(tuple(numbers), rows[last], places[last], rated), int(np.sum(~last))


def _of_histories(histories: dict[str, dict[str, None]], items: list[Item]) -> Choices:
    position = {item.id: i for i, item in enumerate(items)}
    pairs = np.array(
        [
            (user, position[name])
            for user, history in enumerate(histories.values())
            for name in history
            if name in position
        ],
        dtype=np.int64,
    ).reshape(-1, 2)
    return Choices(tuple(histories), pairs[:, 0], pairs[:, 1], None)


def _assemble(name: str, items: list[Item], choices: Choices, source: dict[str, Any]) -> ActionSet:
    chosen = np.ones(choices.users.size, bool) if choices.values is None else (
        choices.values >= POSITIVE
    )  # fmt: skip
    staying = np.unique(choices.users[chosen])
    ids = tuple(choices.user_ids[i] for i in staying)
    source["users"] = len(ids)
    source["users_left_out"] = {
        f"rated none of the items with {POSITIVE} or more": len(np.unique(choices.users)) - len(ids)
    }

    def matrix(mask: NDArray[np.bool_], values: NDArray[Any]) -> sparse.csr_array:
        rows = np.searchsorted(staying, choices.users[mask])
        shape = (len(ids), len(items))
        return sparse.csr_array((values[mask], (rows, choices.columns[mask])), shape=shape)

    ratings = sparse.csr_array((0, 0), dtype=np.float32)
    if choices.values is not None:
        ratings = matrix(np.isin(choices.users, staying), choices.values)
    return ActionSet(
        name=name,
        ids=tuple(item.id for item in items),
        texts=tuple(item.text for item in items),
        groups=tuple(item.group for item in items),
        feedback=Feedback(
            users=matrix(chosen, np.ones(chosen.size, dtype=np.int8)),
            user_ids=ids,
            user_groups=(name,) * len(ids),
            ratings=ratings,
        ),
        source=source,
    )
