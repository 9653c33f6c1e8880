"""A sweep's results as one table: a row for each point, part of a claim and pair."""

from typing import Any

import pandas as pd

from crlib import io
from crlib.claims import Result
from crlib.sweep.grid import Grid, Point

# After these come the axes of the grid.
COLUMNS = (
    "notebook", "run", "state", "part", "group", "estimate", "ci_low", "ci_high", "n", "unit",
    "verdict", "seconds", "commit", "dirty", "date",
)  # fmt: skip


def gather(grid: Grid) -> pd.DataFrame:
    """Collect what the points of a sweep have found.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` and the grid's axes. A point without a result has one row, whose state is
        "not run"; none is left out. A result of other parameters counts as none: the grid changed.
    """
    rows: list[dict[str, Any]] = []
    for point in grid.points:
        rows += _rows(grid, point)
    axes = list(dict.fromkeys(name for point in grid.points for name in point.axes))
    return pd.DataFrame(rows).reindex(columns=[*COLUMNS, *axes])


def _rows(grid: Grid, point: Point) -> list[dict[str, Any]]:
    head = {"notebook": point.notebook, "run": point.run, **point.axes}
    path = grid.folder / "results" / point.run / "result.json"
    result = Result.model_validate(io.read_json(path)) if path.is_file() else None
    if result is None or any(
        result.parameters.get(name) != value for name, value in io.plain(point.axes).items()
    ):
        return [head | {"state": "not run"}]
    record = result.provenance
    head |= {"state": "done", "seconds": record["seconds"], "commit": record["commit"],
             "dirty": record["dirty"], "date": record["date"]}  # fmt: skip
    found = [
        head | {"part": item.id, "group": item.group, "estimate": item.estimate,
                "ci_low": item.ci_low, "ci_high": item.ci_high, "n": item.n, "unit": item.unit,
                "verdict": item.verdict}
        for item in result.claims
    ]  # fmt: skip
    return found or [head]


def write_table(grid: Grid) -> pd.DataFrame:
    """Write `gather`'s table to the sweep's folder as table.csv; give it back."""
    table = gather(grid)
    io.write_text(grid.folder / "table.csv", table.to_csv(index=False, float_format="%.6g"))
    return table
