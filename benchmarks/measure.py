"""Runs that take turns, their medians, and the memory that a run adds."""

import ctypes
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

# Seconds above which a run is slow: it needs no warm-up, and a peer is not repeated.
SLOW = 2.0
SLOW_ROUNDS = 3


@dataclass(frozen=True)
class Data:
    """What a case works on: K unit rows in d dimensions, and k of their numbers."""

    rows: np.ndarray
    subset: np.ndarray


Run = Callable[[Data], float | None]


@dataclass(frozen=True)
class Case:
    """One question, asked of several libraries.

    Attributes
    ----------
    name : str
        What is computed, with its size.
    limit : str
        What the limit is, in words.
    runs : mapping of str to callable
        "limit", "crlib" and peers; each returns its result, the limit returns None.
    goal : float, optional
        Largest ratio of crlib to the limit that is aimed at.
    tolerance : float
        Largest difference of a peer's result from crlib's: all must compute one thing.
    skipped : mapping of str to str
        Peers that cannot do it, and why.
    """

    name: str
    limit: str
    runs: Mapping[str, Run]
    goal: float | None = None
    tolerance: float = 1e-3
    skipped: Mapping[str, str] = field(default_factory=dict)


def unit_rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Return n seeded float32 unit rows with a decaying spectrum and a common direction."""
    rng = np.random.default_rng(seed)
    scales = (np.arange(1, d + 1) ** -0.5).astype(np.float32)
    rows = np.empty((n, d), np.float32)
    for start in range(0, n, 8192):
        block = rows[start : start + 8192]
        rng.standard_normal(out=block, dtype=np.float32)
        block *= scales
        block[:, 0] += 1.0
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def make_data(n: int, d: int, k: int) -> Data:
    """Return seeded rows and the numbers of k of them."""
    return Data(unit_rows(n, d), np.random.default_rng(1).choice(n, k, replace=False))


def take_turns(case: Case, data: Data, rounds: int) -> tuple[dict[str, list[float]], dict]:
    """Run everything of a case in turn, so that a slow moment of the machine meets all.

    Parameters
    ----------
    case : Case
    data : Data
    rounds : int
        How often a fast run is timed, after a first time that warms up. Of slow runs, the limit
        and crlib are timed at most `SLOW_ROUNDS` times and a peer once.

    Returns
    -------
    seconds : dict of str to list of float
    results : dict of str to float or None
    """
    seconds: dict[str, list[float]] = {name: [] for name in case.runs}
    results: dict[str, Any] = {}
    for turn in range(rounds + 1):
        for name, run in case.runs.items():
            slow_rounds = SLOW_ROUNDS if name in ("limit", "crlib") else 1
            if turn and seconds[name][0] > SLOW and turn >= min(slow_rounds, rounds):
                continue
            # Processor time: on one thread it is the time on an idle machine, whatever else runs.
            started = time.process_time()
            results[name] = run(data)
            seconds[name].append(time.process_time() - started)
    timed = {name: times if times[0] > SLOW else times[1:] for name, times in seconds.items()}
    return timed, results


def check_agreement(case: Case, results: Mapping[str, Any]) -> None:
    """Raise ``AssertionError`` where a peer computed something else than crlib."""
    ours = results["crlib"]
    for name, value in results.items():
        if value is not None and abs(value - ours) > case.tolerance:
            raise AssertionError(f"{case.name}: {name} gives {value}, crlib gives {ours}")


def rows_of(
    case: Case, data: Data, rounds: int, extra_mib: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """Measure a case and return its rows of the result."""
    seconds, results = take_turns(case, data, rounds)
    check_agreement(case, results)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    timed = [
        result_row(
            case.name, case.limit, name, seconds=value, ratio=value / median["limit"],
            extra_mib=extra_mib.get(name), goal=case.goal if name == "crlib" else None,
            note="run once" if len(seconds[name]) == 1 else f"{len(seconds[name])} runs",
        )
        for name, value in median.items()
    ]  # fmt: skip
    skipped = case.skipped.items()
    return timed + [
        result_row(case.name, case.limit, name, note=f"not run: {why}") for name, why in skipped
    ]


def result_row(
    case: str,
    limit: str,
    peer: str,
    *,
    seconds: float | None = None,
    ratio: float | None = None,
    goal: float | None = None,
    extra_mib: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Return one row of a result, as `benchmarks.report` shows it.

    Parameters
    ----------
    case, limit : str
        What is measured, and what it is measured beside.
    peer : str
        Who.
    seconds, ratio : float, optional
        Median time, and its ratio to the limit's; None where it was not run.
    goal : float, optional
        Largest ratio that is aimed at.
    extra_mib : float, optional
        Memory that the run added.
    note : str
    """
    return {
        "case": case, "limit": limit, "peer": peer, "seconds_median": seconds,
        "ratio_to_limit": ratio, "extra_mib": extra_mib, "goal": goal, "note": note,
    }  # fmt: skip


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise OSError(f"/proc/self/status has no {key}")


def added_mib(run: Run, data: Data, small: Data) -> float | None:
    """Return by how much a run raises the peak of the process's resident memory, in MiB.

    Call it in a fresh process. A run on small data first loads the libraries. None where the
    operating system cannot reset its peak (other than Linux).
    """
    run(small)
    try:
        # Freed memory that the allocator still holds would hide what the run takes.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # 5 resets the peak
        before = _status("VmRSS:")
        run(data)
        return (_status("VmHWM:") - before) / 1024
    except OSError:
        return None


def take_turns_of(runs: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time runs in turn, `rounds` times each after one that warms up; processor time.

    Parameters
    ----------
    runs : mapping of str to callable
    rounds : int

    Returns
    -------
    dict of str to list of float
        Seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            started = time.process_time()
            run()
            if turn:
                seconds[name].append(time.process_time() - started)
    return seconds
