"""A ranking as a table in the terminal, or as JSON."""

import json
from dataclasses import asdict

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from crlib.io import plain
from crlib.ranking.rank import Ranking

MISSING = "–"
SHOWN_TASKS = 8
LABELLED = {"r2": "LOO R²", "regret": "predicted regret", "coverage": "reward coverage"}
GEOMETRIC = {"d_eff": "d_eff", "uniformity": "uniformity"}
DIGITS = {"r2": 3, "regret": 3, "coverage": 3, "d_eff": 1, "uniformity": 2}


def columns_of(ranking: Ranking) -> dict[str, str]:
    """Scores that a ranking has, and their headings."""
    return (LABELLED if ranking.scores else {}) | GEOMETRIC


def cell(row: dict[str, float], score: str) -> str:
    """A score with its interval, as "0.410 [0.380, 0.450]"."""
    digits = DIGITS[score]
    value, low, high = (row[score + end] for end in ("", "_low", "_high"))
    if value != value:  # NaN
        return MISSING
    # "+ 0.0" turns a rounded -0.0 into 0.0.
    numbers = [f"{round(number, digits) + 0.0:.{digits}f}" for number in (value, low, high)]
    return numbers[0] if low != low else f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"


def first_cell(row: dict[str, float]) -> str:
    """How often an embedding is the best of all, as a percentage."""
    return MISSING if row["first"] != row["first"] else f"{row['first']:.0%}"


def table_cells(ranking: Ranking) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the table's rows, as text, and its headings."""
    columns = columns_of(ranking)
    headings = ["embedding", *columns.values(), *(["best in"] if ranking.scores else [])]
    rows = []
    for row in ranking.table.to_dict("records"):
        cells = [str(row["embedding"]), *(cell(row, score) for score in columns)]  # type: ignore[arg-type]
        rows.append((*cells, first_cell(row)) if ranking.scores else tuple(cells))  # type: ignore[arg-type]
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


def terminal_lines(ranking: Ranking) -> list[RenderableType]:
    """Return the table, the recommendation, and what a task's random choice loses."""
    lines: list[RenderableType] = [terminal_table(ranking), Text(ranking.advice.text)]
    by_task = ranking.tasks[ranking.tasks["embedding"] == ranking.advice.best]
    for row in by_task.head(SHOWN_TASKS).to_dict("records"):
        lines.append(Text(
            f"{row['task']}: {row['labels']:,} labels; a random choice among "
            f"{min(ranking.settings['slate'], row['labels']):,} actions loses "
            f"{row['random_loss']:.3g} a round; {row['embedding']} has R² {row['r2']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}]."
        ))  # fmt: skip
    if (left := len(by_task) - SHOWN_TASKS) > 0:
        lines.append(Text(f"and {left:,} more tasks: see the report."))
    return lines


def ranking_json(ranking: Ranking) -> str:
    """Return table, tasks, advice and settings as JSON; what is undefined is null."""

    def known(value: object) -> object:
        return None if isinstance(value, float) and value != value else value

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
