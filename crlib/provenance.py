"""Where a number comes from: commit, versions, machine, time."""

import os
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from crlib.settings import ROOT

PACKAGES = (
    "numpy", "scipy", "scikit-learn", "torch", "transformers", "sentence-transformers",
    "sympy", "plotly", "papermill", "jupyter-book",
)  # fmt: skip


def _git(*arguments: str) -> str:
    """Output of a git command in the project, or "" where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def commit() -> str:
    """The commit's hash, followed by "+changes" where tracked files differ, or "unknown"."""
    head = _git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return head + ("+changes" if changed else "")


def processor() -> str:
    """The processor's model name, as the operating system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def collect(started: float | None = None) -> dict[str, Any]:
    """Describe this run: commit, versions, machine and, given its start, its duration.

    Parameters
    ----------
    started : float, optional
        `time.perf_counter()` at the start of the run.

    Returns
    -------
    dict
        Keys commit, versions, machine (system, processor, cores), threads, and seconds where
        `started` was given. No host name, user name or path.
    """
    record: dict[str, Any] = {
        "commit": commit(),
        "versions": versions(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": processor(),
            "cores": os.cpu_count(),
        },
        "threads": os.environ.get("OMP_NUM_THREADS", "unset"),
    }
    if started is not None:
        record["seconds"] = round(time.perf_counter() - started, 1)
    return record
