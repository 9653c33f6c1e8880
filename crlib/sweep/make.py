"""`make sweep`: the points of a grid through the book's Snakefile, here or on a cluster."""

import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from crlib import io
from crlib.book.make import (
    INTERRUPTED,
    last_line,
    models_to_fetch,
    only_one,
    run_snakemake,
    sets_to_fetch,
    snakemake_command,
)
from crlib.settings import BUILD, ROOT
from crlib.sweep.gather import write_table
from crlib.sweep.grid import Grid, read_grid


def command(path: Path, *, jobs: int | None, executor: str, target: str = "all") -> list[str]:
    """The call of Snakemake for a sweep.

    Parameters
    ----------
    path : Path
        The grid's file.
    jobs : int or None
        At a time; None for this machine's cores, or what the executor's settings say.
    executor : str
        "local", or a folder of profiles/ (slurm), which names the executor and its settings.
    target : str
        A rule of the Snakefile: "all", or "shards" for the vectors' parts alone.
    """
    where = ["--cores", str(jobs or os.cpu_count() or 1)]
    if executor != "local":
        place = ROOT / "profiles" / executor
        where = ["--workflow-profile", "none", "--profile", str(place)]
        where += ["--jobs", str(jobs)] if jobs else []
    return [*snakemake_command({"sweep": path.resolve()}, *where), "--", target]


def targets(grid: Grid) -> list[str]:
    """What Snakemake is asked for, one call after the other.

    The parts of the vectors come in a call of their own. Were they inputs of the vectors, another
    number of shards would make stale all that reads those.
    """
    return ["shards", "all"] if grid.shards > 1 else ["all"]


def refuse_what_is_missing(grid: Grid, executor: str = "local") -> None:
    """Raise a RuntimeError where points need models or data that are not on this machine.

    What this machine has no memory for, a cluster's may hold.
    """
    asked = [(point.notebook, point.parameters) for point in grid.points]
    room = None if executor == "local" else math.inf
    lines = [*models_to_fetch(asked, room), *sets_to_fetch(values for _, values in asked)]
    if lines:
        raise RuntimeError(
            "the grid needs models or data that are not on this machine:\n"
            + "\n".join(f"  {line}" for line in lines)
            + "\nFetch them as said (data below the folder that CRLIB_DATA names)"
        )


def make(
    path: Annotated[Path, typer.Argument(help="A grid: sweeps/NAME.yaml.")],
    jobs: Annotated[int | None, typer.Option(min=1, help="Jobs at a time.")] = None,
    executor: Annotated[str, typer.Option(help="local, or a folder of profiles/.")] = "local",
) -> None:
    """Run what is missing of a sweep and gather its table."""
    known = sorted(folder.parent.name for folder in (ROOT / "profiles").glob("*/config.yaml"))
    if executor not in ("local", *known):
        print(f"make sweep: no executor {executor!r}; there are: local, {', '.join(known)}",
              file=sys.stderr)  # fmt: skip
        raise typer.Exit(2)
    try:
        grid = read_grid(path)
        refuse_what_is_missing(grid, executor)
        log = grid.folder / "logs" / "snakemake.log"
        # Each job reads the grid: an edit meanwhile must not change what the others run.
        kept = grid.folder / path.name
        calls = [command(kept, jobs=jobs, executor=executor, target=each) for each in targets(grid)]
        with only_one(BUILD / ".lock") as lock:
            io.write_text(kept, path.read_text(encoding="utf-8"))
            for told in (grid.folder / "logs").rglob("*.raised"):
                told.unlink()  # what raised in an earlier call may have been mended
            finished, failed, code = run_snakemake(calls, log, lock)
    except (ValueError, RuntimeError) as error:
        print(f"make sweep: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if code == INTERRUPTED:
        raise typer.Exit(code)
    table = write_table(grid, failed)
    states = table.drop_duplicates("run")["state"]
    lost = f" ({states.eq('failed').sum()} failed)" if states.eq("failed").any() else ""
    done = states.eq("done").sum()
    print(f"{done} of {len(grid.points)} points{lost}, {finished} jobs just now")
    print(f"The table: {grid.folder / 'table.csv'}")
    if code != 0:
        for found in failed or [log]:
            print(f"FAILED  {last_line(found)}\n        log: {found}", file=sys.stderr)
        print("Call the same command to go on from here.", file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(make)
