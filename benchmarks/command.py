"""What the benchmarks' commands share: arguments, rows printed and kept, peers' environments."""

import argparse
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.report import ratio_text, seconds
from crlib import provenance
from crlib.io import write_json


def print_rows(rows: Iterable[dict[str, Any]]) -> None:
    """Print rows of a result, a line each."""
    for row in rows:
        ratio = "" if row["ratio_to_limit"] is None else f"{ratio_text(row['ratio_to_limit'])} x"
        time = seconds(row["seconds_median"])
        print(
            f"{row['case']:<78} {row['peer']:<30} {time:>8} {ratio:>9}  {row['note']}", flush=True
        )


def keep(folder: Path, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Write a benchmark's result to a file of its name in a folder, and return it."""
    result = {"name": name, "machine": provenance.collect()["machine"], "rows": rows}
    write_json(folder / f"{name.replace(' ', '-')}.json", result)
    return result


def python_in(environment: Path) -> Path:
    """Return the interpreter of an environment, there or not."""
    return environment / "bin" / "python"


def install(environment: Path, *packages: str) -> bool:
    """Install packages in an environment; return whether it could be done."""
    command = [str(python_in(environment)), "-m", "pip", "install", "--quiet", *packages]
    return subprocess.run(command, check=False).returncode == 0


def run(
    main: Callable[..., Any], description: str | None, setup: Callable[[], None] | None = None
) -> None:
    """Read the command line and run a benchmark, or set its peers' environment up."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes, for the tests")
    if setup is not None:
        parser.add_argument("--setup", action="store_true", help="make the peers' environment")
    arguments = parser.parse_args()
    if setup is not None and arguments.setup:
        setup()
    else:
        main(quick=arguments.quick)
