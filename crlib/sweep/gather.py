"""A sweep's results as one table: a row for each point, part of a claim and pair."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from crlib import io, provenance
from crlib.book.make import last_line
from crlib.claims import Result
from crlib.sweep.atlas import COLUMNS, ENDS
from crlib.sweep.grid import Grid, Point


def gather(grid: Grid, failed: Collection[Path] = ()) -> pd.DataFrame:
    """Collect what the points of a sweep have found.

    Parameters
    ----------
    grid : Grid
    failed : collection of Path
        Logs of the jobs that have just failed.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` and the grid's axes, each cell as it is: no whole number becomes a decimal one. A
        point without a result has one row, whose state is "failed", with the last line of its log
        as a note, or "not run"; none is left out. A result of other parameters counts as none (the
        grid or the profile changed), and so does one that cannot be read, or whose notebook did not
        run to its end.
    """
    rows: list[dict[str, Any]] = []
    for point in grid.points:
        rows += _rows(grid, point, failed)
    axes = list(dict.fromkeys(name for point in grid.points for name in point.axes))
    columns = [*COLUMNS, *(axis for axis in axes if axis != "profile")]
    return pd.DataFrame(rows, dtype=object).reindex(columns=columns)


def _result(grid: Grid, point: Point) -> tuple[Result | None, str]:
    """A point's result, or why there is none."""
    path = grid.folder / "results" / point.run / "result.json"
    page = grid.folder / "source" / "book" / f"{point.run}.ipynb"
    if not (path.is_file() and page.is_file()):
        return None, ""
    try:
        result = Result.model_validate(io.read_json(path))
    except ValidationError:
        return None, f"{path} is no result of this version; delete it and call make sweep again"
    except ValueError as error:
        return None, str(error)
    asked = io.plain(dict(point.parameters))
    if any(result.parameters.get(name) != value for name, value in asked.items()):
        return None, "there is a result of other parameters"
    return result, ""


def _rows(grid: Grid, point: Point, failed: Collection[Path]) -> list[dict[str, Any]]:
    head = {"notebook": point.notebook, "run": point.run, **point.axes,
            "profile": point.parameters["profile"]}  # fmt: skip
    result, why = _result(grid, point)
    if result is None:
        log = grid.folder / "logs" / f"{point.run}.log"
        if log in failed:
            return [head | {"state": "failed", "note": last_line(log)}]
        return [head | {"state": "not run", "note": why or None}]
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
    found = (_result(grid, point)[0] for point in grid.points)
    results = [result for result in found if result is not None]
    return {
        "sweep": grid.name, "points": len(grid.points), "done": len(results),
        **provenance.together([result.provenance for result in results]),
    }  # fmt: skip


def write_table(grid: Grid, failed: Collection[Path] = ()) -> pd.DataFrame:
    """Write `gather`'s table and `made_of` to the sweep's folder; give the table back.

    The files are table.csv and table.json.
    """
    table = gather(grid, failed)
    shown = table.copy()
    for column in ENDS:
        shown[column] = table[column].map("{:.6g}".format, na_action="ignore")
    io.write_text(grid.folder / "table.csv", shown.to_csv(index=False))
    io.write_json(grid.folder / "table.json", made_of(grid))
    return table
