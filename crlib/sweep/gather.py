"""A sweep's results as one table: a row for each point, part of a claim and pair."""

from typing import Any

import pandas as pd

from crlib import io, provenance
from crlib.book.make import last_line
from crlib.claims import Result
from crlib.sweep.grid import Grid, Point

# After these come the axes of the grid.
COLUMNS = (
    "notebook", "run", "state", "note", "part", "group", "estimate", "ci_low", "ci_high", "n",
    "unit", "verdict", "seconds", "commit", "dirty", "date",
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
        "failed", with the last line of its log as a note, or "not run"; none is left out. A result
        of other parameters counts as none (the grid or the profile changed), and so does one whose
        notebook did not run to its end.
    """
    rows: list[dict[str, Any]] = []
    for point in grid.points:
        rows += _rows(grid, point)
    axes = list(dict.fromkeys(name for point in grid.points for name in point.axes))
    return pd.DataFrame(rows).reindex(columns=[*COLUMNS, *axes])


def _result(grid: Grid, point: Point) -> Result | None:
    path = grid.folder / "results" / point.run / "result.json"
    page = grid.folder / "source" / "book" / f"{point.run}.ipynb"
    if not (path.is_file() and page.is_file()):
        return None
    result = Result.model_validate(io.read_json(path))
    asked = io.plain(dict(point.parameters))
    same = all(result.parameters.get(name) == value for name, value in asked.items())
    return result if same else None


def _rows(grid: Grid, point: Point) -> list[dict[str, Any]]:
    head = {"notebook": point.notebook, "run": point.run, **point.axes}
    result = _result(grid, point)
    if result is None:
        log = grid.folder / "logs" / f"{point.run}.log"
        if log.is_file():
            return [head | {"state": "failed", "note": last_line(log)}]
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


def made_of(grid: Grid) -> dict[str, Any]:
    """Say where a sweep's numbers come from.

    Returns
    -------
    dict
        Keys sweep, points and done, and those of `crlib.provenance.together`.
    """
    results = [result for point in grid.points if (result := _result(grid, point)) is not None]
    return {
        "sweep": grid.name, "points": len(grid.points), "done": len(results),
        **provenance.together([result.provenance for result in results]),
    }  # fmt: skip


def write_table(grid: Grid) -> pd.DataFrame:
    """Write `gather`'s table and `made_of` to the sweep's folder; give the table back.

    The files are table.csv and table.json.
    """
    table = gather(grid)
    io.write_text(grid.folder / "table.csv", table.to_csv(index=False, float_format="%.6g"))
    io.write_json(grid.folder / "table.json", made_of(grid))
    return table
