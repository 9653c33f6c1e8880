"""The actor-critic beside Stable-Baselines3's: ``python -m benchmarks.tool_peers --setup``.

That makes build/bench/sb3 with the pinned library, which this project does not need otherwise.
Without it its row says "not run". All learners take turns, each in a process of its own.
"""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import command
from benchmarks.measure import result_row
from crlib.settings import BUILD, ROOT

HERE = ROOT / "benchmarks" / "tool_peers"
ENVIRONMENT = BUILD / "bench" / "sb3"
PEER = "stable-baselines3"
# Learner to how many times faster than the peer a step is to be.
GOALS: dict[str, float | None] = {
    "crlib": 2.5, "crlib, laptop": None, "crlib, 1,024 sampled": 7,
    "crlib, laptop, 1,024 sampled": None,
}  # fmt: skip
# Actions, dimensions, steps of a part; parts that are timed, steps before the play at the end. In
# the smaller case calls at random find a needed tool 16 times as often.
SIZES = {
    False: (((16_000, 128, 3200), 7, 96_000), ((1000, 128, 3200), 7, 96_000)),
    True: (((1200, 8, 320), 2, 960),),
}
GOALS_AT = 16_000
SAMPLED = 1024  # with no more tools than that, a sampled support is the exact one


def setup() -> None:
    """Make the peer's environment."""
    venv.create(ENVIRONMENT, with_pip=True)
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").split()
    # torch first and alone: a resolver that meets it later may swap in another build.
    first = next(line for line in lines if line.startswith("torch"))
    for wanted in ([first], lines):
        if not command.install(ENVIRONMENT, *wanted):
            raise RuntimeError(f"pip could not install {', '.join(wanted)}; see above")


def python_of_peer() -> Path:
    """Interpreter of the peer's environment, there or not."""
    return command.python_in(ENVIRONMENT)


class Learner:
    """A worker that is running; `ask` gets one answer of it."""

    def __init__(self, name: str, size: Sequence[int]) -> None:
        python = python_of_peer() if name == PEER else Path(sys.executable)
        if not python.exists():
            raise FileNotFoundError("python -m benchmarks.tool_peers --setup installs it")
        call = [str(python), str(HERE / "worker.py"), name, *map(str, size)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT),
                       "PYTHONWARNINGS": "ignore"}  # fmt: skip
        self.process = subprocess.Popen(
            call, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, what: str) -> dict[str, Any]:
        """Send a line and wait for the line that answers it."""
        inlet, outlet = self.process.stdin, self.process.stdout
        assert inlet is not None
        assert outlet is not None
        inlet.write(f"{what}\n")
        inlet.flush()
        answer = outlet.readline()
        if not answer:
            raise RuntimeError(f"the worker stopped with {self.process.wait()}; see above")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End the worker."""
        self.process.communicate()


def race(
    names: Sequence[str], size: Sequence[int], parts: int, total: int
) -> dict[str, dict[str, Any] | str]:
    """Return of each learner its seconds a step in each part, and how it plays after them all.

    Parameters
    ----------
    names : sequence of str
    size : sequence of int
        Actions, dimensions, and steps of a part.
    parts : int
        To be timed, after one that warms up; the learners take turns.
    total : int
        Steps of each learner before it plays, not timed beyond the parts.

    Returns
    -------
    dict
        Or, of one that could not run, the reason.
    """
    running: dict[str, Learner] = {}
    found: dict[str, dict[str, Any] | str] = {}
    for name in names:
        try:
            running[name] = Learner(name, size)
        except FileNotFoundError as error:
            found[name] = str(error)
    times: dict[str, list[float]] = {name: [] for name in running}
    for turn in range(parts + 1):
        for name, learner in running.items():
            seconds = learner.ask("go")["seconds"]
            if turn:
                times[name].append(seconds)
    for name, learner in running.items():
        for _ in range(parts + 1, -(-total // size[2])):
            learner.ask("go")
        found[name] = {**learner.ask("end"), "seconds": times[name]}
        learner.close()
    return found


def rows_of(found: dict[str, dict[str, Any] | str], size: Sequence[int]) -> list[dict[str, Any]]:
    """Return the table: the peer's step as the limit, and this project's beside it."""
    theirs = found[PEER]
    case = f"a step of A2C among K = {size[0]:,} tools, d = {size[1]}, 64 at once"
    limit = "a step of Stable-Baselines3's"
    base = None if isinstance(theirs, str) else float(np.median(theirs["seconds"]))
    rows = []
    for name, result in found.items():
        if isinstance(result, str):
            rows.append(result_row(case, limit, name, note=f"not run: {result}"))
            continue
        seconds = float(np.median(result["seconds"]))
        times = GOALS.get(name) if base is not None and size[0] == GOALS_AT else None
        rows.append(result_row(
            case, limit, name if name in GOALS else f"{name} {result['version']}", seconds=seconds,
            ratio=None if base is None else seconds / base,
            goal=None if times is None else 1 / times,
            note=note_of(result, seconds, base if name in GOALS else None),
        ))  # fmt: skip
    return rows


def note_of(row: dict[str, Any], seconds: float, base: float | None) -> str:
    """Say how many times faster, how large the network is, and how it plays."""
    faster = "" if base is None else f"{base / seconds:.1f} times faster; "
    return (
        f"{faster}{1 / seconds:,.0f} steps a second; {row['parameters']:,} parameters; after "
        f"{row['steps']:,} steps {row['covered']:.1%} of the tools found, success "
        f"{row['success']:.1%}, {row['calls']:.1f} calls"
    )


def main(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark and write build/bench/tool-learners.json."""
    rows = []
    for size, parts, total in SIZES[quick]:
        names = [n for n in (PEER, *GOALS) if "sampled" not in n or size[0] > SAMPLED]
        rows += rows_of(race(names, size, parts, total), size)
    command.print_rows(rows)
    return command.keep(BUILD / "bench", "tool learners", rows)


if __name__ == "__main__":
    command.run(main, __doc__, setup)
