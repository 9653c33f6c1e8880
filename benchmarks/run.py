"""Run every benchmark, each in a fresh process: ``python -m benchmarks.run [--quick]``."""

import subprocess
import sys

from benchmarks import report
from benchmarks.command import run
from crlib import io
from crlib.settings import BUILD, ROOT

BENCHMARKS = ("geometry", "encoding", "bandits", "bandit_peers", "tool_peers")


def main(*, quick: bool = False) -> None:
    """Measure, and write build/bench/<name>.json and build/bench/page.md.

    Parameters
    ----------
    quick : bool
        Small sizes: seconds instead of minutes, and ratios that mean little.
    """
    for name in BENCHMARKS:
        print(f"benchmark: {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *["--quick"] * quick]
        subprocess.run(command, cwd=ROOT, check=True)
    page = BUILD / "bench" / "page.md"
    io.write_text(page, report.fragment(report.newest()))
    print(f"results: {page.parent}; `make book` shows them on the page Speed")


if __name__ == "__main__":
    run(main, __doc__)
