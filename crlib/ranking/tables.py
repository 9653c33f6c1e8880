"""The files that a ranking starts from: actions, their rewards, and which embeddings to compare."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crlib.extractors.external import is_embedding_file
from crlib.extractors.files import read_frame

FEWEST = 20  # labels a task: below, no interval means anything
FEWEST_DIFFERENT = 5  # labels that differ from the most frequent value
SHOWN = 5  # ids that a message names
NOT_REWARDS = ("id", "text")


@dataclass(frozen=True)
class Actions:
    """Actions of one's own.

    Attributes
    ----------
    ids : tuple of str
        Unique.
    texts : tuple of str
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Rewards:
    """Rewards of some of the actions.

    Attributes
    ----------
    tasks : tuple of str
        Names of the m reward functions.
    values : ndarray of float64, shape (K, m)
        NaN where an action has no label in a task.
    """

    tasks: tuple[str, ...]
    values: NDArray[np.float64]


def read_actions(path: str | Path) -> Actions:
    """Read actions.

    Parameters
    ----------
    path : str or Path
        .csv, .jsonl or .parquet with columns id and text; or .txt with one text a line, whose ids
        are the numbers of the lines, from 1.

    Raises
    ------
    ValueError
        For another kind of file, one that cannot be read, a missing column, an empty text, a
        repeated or empty id, or fewer than two actions.
    """
    file = Path(path)
    try:
        if file.suffix == ".txt":
            texts = file.read_text(encoding="utf-8").splitlines()
            ids = [str(number) for number in range(1, len(texts) + 1)]
        else:
            frame = _table(file, ".csv, .jsonl, .parquet or .txt")
            _demand(frame, ("id", "text"))
            ids, texts = [str(name) for name in frame["id"]], frame["text"].tolist()
        _check_ids(ids)
        for name, text in zip(ids, texts, strict=True):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"action {name!r} has no text")
        if len(ids) < 2:
            raise ValueError(f"{len(ids)} action; expected at least 2")
    except (OSError, ValueError) as error:
        raise ValueError(f"actions = {file}: {_reason(error)}") from None
    return Actions(tuple(ids), tuple(texts))


def read_rewards(path: str | Path, ids: Sequence[str]) -> Rewards:
    """Read rewards and match them to the actions.

    Parameters
    ----------
    path : str or Path
        .csv, .jsonl or .parquet with a column id and one or more columns of numbers, each a task
        of its own; a column called text is passed over. An empty cell, or an action that the file
        does not list, is not labelled.
    ids : sequence of K str
        Of the actions.

    Raises
    ------
    ValueError
        For a file that cannot be read, a missing column, a cell that is no finite number, ids that
        repeat or belong to no action, and tasks that `check_rewards` refuses.
    """
    file = Path(path)
    try:
        frame = _table(file, ".csv, .jsonl or .parquet")
        _demand(frame, ("id",))
        own = [str(name) for name in frame["id"]]
        _check_ids(own)
        position = {name: row for row, name in enumerate(ids)}
        if strangers := [name for name in own if name not in position]:
            raise ValueError(
                f"{len(strangers):,} of {len(own):,} ids belong to no action: {_some(strangers)}; "
                "remove them, or add the actions"
            )
        tasks = [str(name) for name in frame.columns if name not in NOT_REWARDS]
        if not tasks:
            raise ValueError("no column of rewards beside id; add one of numbers for each task")
        rows = [position[name] for name in own]
        values = np.full((len(ids), len(tasks)), np.nan)
        for column, task in enumerate(tasks):
            cells = frame[task].tolist()
            values[rows, column] = [
                _number(cell, task, name) for cell, name in zip(cells, own, strict=True)
            ]
        check_rewards(values, tasks)
    except (OSError, ValueError) as error:
        raise ValueError(f"rewards = {file}: {_reason(error)}") from None
    return Rewards(tuple(tasks), values)


def check_rewards(values: NDArray[np.float64], tasks: Sequence[str]) -> None:
    """Refuse tasks whose labels cannot tell embeddings apart.

    Parameters
    ----------
    values : ndarray of float64, shape (K, m)
        NaN where an action has no label.
    tasks : sequence of m str

    Raises
    ------
    ValueError
        When a task has fewer than `FEWEST` labels, is constant, fewer than `FEWEST_DIFFERENT` of
        its labels differ from the most frequent value, or a reward is infinite.
    """
    for name, column in zip(tasks, values.T, strict=True):
        if np.isinf(column).any():
            raise ValueError(f"task {name!r} holds {np.isinf(column).sum()} infinite rewards")
        labels = column[~np.isnan(column)]
        if labels.size < FEWEST:
            raise ValueError(
                f"task {name!r} has {labels.size} labels; expected at least {FEWEST}, and a few "
                "hundred to tell embeddings apart"
            )
        different = labels.size - int(np.unique(labels, return_counts=True)[1].max())
        if different == 0:
            raise ValueError(
                f"task {name!r} is constant: all of its {labels.size} labels are {labels[0]:g}; "
                "there is nothing to predict, leave it out"
            )
        if different < FEWEST_DIFFERENT:
            raise ValueError(
                f"task {name!r}: only {different} of {labels.size} labels differ from the most "
                f"frequent value; expected at least {FEWEST_DIFFERENT}"
            )


def named_models(items: Sequence[str]) -> dict[str, str]:
    """Give each embedding a name: `name=model`, or only the model.

    Parameters
    ----------
    items : sequence of str
        A model is a name, a hub id, a folder or a file, as `crlib.extractors.encode` takes it. A
        file that is given alone is called by its name without the ending.

    Returns
    -------
    dict of str to str
        Name to model, in the order given.

    Raises
    ------
    ValueError
        When a name or a model is empty, or a name stands twice.
    """
    found: dict[str, str] = {}
    for item in items:
        before, equals, after = item.partition("=")
        # A path may hold "=" itself: what exists as a whole is no pair.
        pair = bool(equals) and not re.search(r"[/\\]", before) and not Path(item).exists()
        model = after if pair else item
        name = before if pair else Path(item).stem if is_embedding_file(item) else item
        if not name.strip() or not model.strip():
            raise ValueError(f"embeddings: {item!r}; expected name=model or a model")
        if name in found:
            raise ValueError(
                f"embeddings: the name {name!r} stands twice; call one of them otherwise, as "
                f"other={model}"
            )
        found[name] = model
    return found


def _table(file: Path, endings: str) -> pd.DataFrame:
    if file.suffix not in (".csv", ".jsonl", ".parquet"):
        raise ValueError(f"expected a file that ends in {endings}")
    frame = read_frame(file)
    if not len(frame):
        raise ValueError("it holds no rows")
    return frame


def _demand(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame:
            raise ValueError(f"no column {column!r}; it has {', '.join(map(str, frame))}")


def _check_ids(ids: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(ids).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{len(repeated):,} ids stand more than once: {_some(repeated)}; keep one row of each"
        )
    if any(not name.strip() for name in ids):
        raise ValueError("an id is empty")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    return shown + (", ..." if len(names) > SHOWN else "")


def _number(cell: object, task: str, name: str) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    if isinstance(cell, float) and math.isnan(cell):  # how pandas shows an empty cell
        return math.nan
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"column {task!r}, id {name!r}: {cell!r} is no finite number; leave the cell empty "
            "where there is no label"
        )
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return str(error)
