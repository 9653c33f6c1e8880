"""Where a number comes from: commit, inputs, versions, machine, time."""

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from crlib.settings import ROOT

PACKAGES = (
    "numpy", "scipy", "scikit-learn", "torch", "transformers", "sentence-transformers",
    "sympy", "plotly", "papermill", "jupyter-book",
)  # fmt: skip

# What decides a result; a changed README does not.
SOURCES = ("crlib", "notebooks", "models", "profiles", "book/claims.yml", "requirements.lock")

# Inputs that this process has read since `forget_inputs`: name to SHA-256. A notebook is a process.
_inputs: dict[str, str] = {}


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
    """The commit's hash, or "unknown" where there is no repository."""
    return _git("rev-parse", "HEAD") or "unknown"


def is_dirty() -> bool | None:
    """Whether files that decide results differ from the commit, or are not in it; None: unknown."""
    if commit() == "unknown":
        return None
    return bool(_git("status", "--porcelain", "--", *SOURCES))


def note_input(name: str, parts: Iterable[bytes]) -> None:
    """Keep the hash of data that were read, for the record of the run that reads them.

    Parameters
    ----------
    name : str
        What it is, as "vectors of simcse, 12,000 x 256". A second input of the same name and
        other content is kept beside the first.
    parts : iterable of bytes
        The content, in its order.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    found, name_of = digest.hexdigest(), name
    count = 1
    while _inputs.get(name_of, found) != found:
        count += 1
        name_of = f"{name} ({count})"
    _inputs[name_of] = found


def forget_inputs() -> None:
    """Start a record: what was read before does not belong to it."""
    _inputs.clear()


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


def accelerators() -> str:
    """Names of the accelerators that this process sees; "none" where it has not loaded torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "none"
    names = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    return " and ".join(names) or "none"


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
    """Describe this run: commit, inputs, versions, machine and, given its start, its duration.

    Parameters
    ----------
    started : float, optional
        `time.perf_counter()` at the start of the run.

    Returns
    -------
    dict
        Keys commit, dirty (see `is_dirty`), date (UTC), inputs (name to SHA-256), versions, machine
        (system, processor, cores, memory_gb, accelerators), threads, and seconds where `started`
        was given. No host name, user name or path.
    """
    record: dict[str, Any] = {
        "commit": commit(),
        "dirty": is_dirty(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "inputs": dict(sorted(_inputs.items())),
        "versions": versions(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
            "accelerators": accelerators(),
        },
        "threads": os.environ.get("OMP_NUM_THREADS", "unset"),
    }
    if started is not None:
        record["seconds"] = round(time.perf_counter() - started, 1)
    return record


def together(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Say where the numbers of several runs come from.

    Parameters
    ----------
    records : sequence of dict
        As `collect` makes them; keys that older ones lack are passed over.

    Returns
    -------
    dict
        Keys runs, changed (runs whose sources differed from their commit), seconds (their sum),
        first and last (dates), commits, machines (as in `collect`), versions (package to the
        versions that were used), and inputs (their count, and the SHA-256 of their sorted
        names and hashes).
    """
    dates = sorted(record["date"] for record in records if "date" in record)
    machines = {tuple(sorted(record["machine"].items())) for record in records}
    used: dict[str, set[str]] = {}
    inputs = set()
    for record in records:
        inputs |= {f"{name} {digest}" for name, digest in record.get("inputs", {}).items()}
        for name, number in record["versions"].items():
            used.setdefault(name, set()).add(number)
    return {
        "runs": len(records),
        "changed": sum(bool(record.get("dirty")) for record in records),
        "seconds": sum(record.get("seconds", 0) for record in records),
        "first": dates[0] if dates else "", "last": dates[-1] if dates else "",
        "commits": sorted({record["commit"] for record in records}),
        "machines": [dict(machine) for machine in sorted(machines, key=repr)],
        "versions": {name: sorted(numbers) for name, numbers in used.items()},
        "inputs": {
            "count": len(inputs),
            "sha256": hashlib.sha256("\n".join(sorted(inputs)).encode()).hexdigest(),
        },
    }  # fmt: skip


def machine_words(*machines: dict[str, Any]) -> str:
    """Machines as `collect` describes them, in words; older records tell less."""
    found = []
    for machine in machines:
        words = [machine["processor"], f"{machine['cores']} cores"]
        if "memory_gb" in machine:
            words.append(f"{machine['memory_gb']} GB")
        if machine.get("accelerators", "none") != "none":
            words.append(machine["accelerators"])
        found.append(", ".join([*words, machine["system"]]))
    return "; ".join(found)
