"""A ranking as a table in the terminal, or as JSON."""

import json
from collections.abc import Hashable
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from crlib.io import plain
from crlib.metrics.statistics import Interval
from crlib.ranking.advice import percent, shown
from crlib.ranking.labels import LEVEL
from crlib.ranking.rank import Ranking

MISSING = "–"
SHOWN_TASKS = 8
LABELLED = {"r2": "LOO R²", "regret": "predicted regret", "coverage": "reward coverage"}
GEOMETRIC = {"d_eff": "d_eff", "uniformity": "uniformity"}
DIGITS = {"r2": 3, "regret": 3, "coverage": 3, "d_eff": 1, "uniformity": 2}


def columns_of(ranking: Ranking) -> dict[str, str]:
    """Scores that a ranking has, and their headings."""
    return (LABELLED if ranking.scores else {}) | GEOMETRIC


def cell(row: dict[Hashable, Any], score: str) -> str:
    """A score with its interval, as "0.410 [0.380, 0.450]"."""
    found = Interval(row[score], row[f"{score}_low"], row[f"{score}_high"], LEVEL, 0)
    if np.isnan(found.estimate):
        return MISSING
    text = shown(found, DIGITS[score])
    return text.split(" ")[0] if np.isnan(found.low) else text


def first_cell(row: dict[Hashable, Any]) -> str:
    """How often an embedding is the best of all, as a percentage."""
    return MISSING if np.isnan(row["first"]) else percent(row["first"])


def table_cells(ranking: Ranking) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the table's rows, as text, and its headings."""
    columns = columns_of(ranking)
    headings = ["embedding", *columns.values(), *(["best in"] if ranking.scores else [])]
    rows = []
    for row in ranking.table.to_dict("records"):
        cells = [str(row["embedding"]), *(cell(row, score) for score in columns)]
        rows.append((*cells, first_cell(row)) if ranking.scores else tuple(cells))
    return rows, headings


def terminal_table(ranking: Ranking) -> Table:
    """Return the table; names are shown as they are, whatever is in them."""
    rows, headings = table_cells(ranking)
    table = Table(caption="95% intervals in brackets", caption_justify="left")
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right")
    controls = ranking.table["control"].tolist()
    for number, cells in enumerate(rows):
        if controls[number] and not controls[number - 1]:
            table.add_section()
        style = "bold" if cells[0] == ranking.advice.best else None
        table.add_row(*(escape(text) for text in cells), style=style)
    return table


def of_task(row: dict[Hashable, Any]) -> str:
    """R^2 of one row of `Ranking.tasks`, with its interval."""
    return shown(Interval(row["r2"], row["low"], row["high"], LEVEL, row["labels"]))


def terminal_lines(ranking: Ranking) -> list[RenderableType]:
    """Return the table, the recommendation, and what a task's random choice loses."""
    lines: list[RenderableType] = [terminal_table(ranking), Text(ranking.advice.text)]
    by_task = ranking.tasks[ranking.tasks["embedding"] == ranking.advice.best]
    for row in by_task.head(SHOWN_TASKS).to_dict("records"):
        lines.append(Text(
            f"{row['task']}: {row['labels']:,} labels; a random choice among "
            f"{min(ranking.settings['slate'], row['labels']):,} actions loses "
            f"{row['random_loss']:.3g} a round; {row['embedding']} has R² {of_task(row)}."
        ))  # fmt: skip
    if (left := len(by_task) - SHOWN_TASKS) > 0:
        lines.append(Text(f"and {left:,} more tasks: see the report."))
    return lines


def ranking_json(ranking: Ranking) -> str:
    """Return table, tasks, advice and settings as JSON; what is undefined or infinite is null."""

    def known(value: object) -> object:
        return None if isinstance(value, float) and not np.isfinite(value) else value

    content = {
        "advice": {key: known(value) for key, value in asdict(ranking.advice).items()},
        "table": [
            {k: known(v) for k, v in row.items()} for row in ranking.table.to_dict("records")
        ],
        "tasks": [
            {k: known(v) for k, v in row.items()} for row in ranking.tasks.to_dict("records")
        ],
        "settings": ranking.settings,
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False)
