"""`make sweep`: the points of a grid through the book's Snakefile, here or on a cluster."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from crlib.book.make import last_line, only_one, report, snakemake_command
from crlib.settings import BUILD, ROOT
from crlib.sweep.gather import write_table
from crlib.sweep.grid import Grid, read_grid


def command(path: Path, grid: Grid, *, jobs: int, executor: str) -> list[str]:
    """The call of Snakemake for a sweep.

    Parameters
    ----------
    path : Path
        The grid's file.
    grid : Grid
    jobs : int
        At a time.
    executor : str
        "local", or a folder of profiles/ (slurm), which names the executor and its settings.
    """
    config = {"profile": grid.profile, "sweep": path.resolve()}
    if executor == "local":
        return snakemake_command(config, "--cores", str(jobs))
    place = ROOT / "profiles" / executor
    return snakemake_command(
        config, "--jobs", str(jobs), "--workflow-profile", "none", "--profile", str(place)
    )


def make(
    path: Annotated[Path, typer.Argument(help="A grid: sweeps/NAME.yaml.")],
    jobs: Annotated[int, typer.Option(min=1, help="Jobs at a time.")] = os.cpu_count() or 1,
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
        log = grid.folder / "logs" / "snakemake.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with (
            only_one(BUILD / ".lock") as lock,
            open(log, "w", encoding="utf-8") as file,
            subprocess.Popen(
                command(path, grid, jobs=jobs, executor=executor), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, pass_fds=[lock.fileno()],
            ) as process,
        ):  # fmt: skip
            assert process.stdout is not None
            finished, failed = report(process.stdout, file)
            code = process.wait()
    except (ValueError, RuntimeError) as error:
        print(f"make sweep: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    table = write_table(grid)
    done = table.drop_duplicates("run")["state"].eq("done").sum()
    print(f"{done} of {len(grid.points)} points, {finished} jobs just now")
    print(f"The table: {grid.folder / 'table.csv'}")
    if code != 0:
        for found in failed or [log]:
            print(f"FAILED  {last_line(found)}\n        log: {found}", file=sys.stderr)
        print("Call the same command to go on from here.", file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(make)
