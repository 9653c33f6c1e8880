"""Each library plays in an environment of its own: ``python -m benchmarks.bandit_peers --setup``.

That makes build/bench/peers with the pinned libraries, which do not all agree with this project's
pins. Without it their rows say "not run". The project's own rows are played by its own Python.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.measure import result_row
from crlib.settings import BUILD, ROOT

HERE = ROOT / "benchmarks" / "bandit_peers"
ENVIRONMENT = BUILD / "bench" / "peers"
# Library to how many times faster than it a round is to be at K = 10,000; none is set for others.
GOALS: dict[str, float | None] = {
    "bayesianbandits": 40, "VowpalWabbit LAS": 3000, "VowpalWabbit LAS, -q": None,
    "MABWiser": None, "contextualbandits": None,
}  # fmt: skip
NOT_FOUND = {"Pearl": "its package is not on the package index"}
OURS = ("crlib", "crlib, of ten at once")
OWN = ("numpy, plain", *OURS)
# K, most rounds, and the seconds that each may take at most.
SIZES = {False: ((1000, 1000, 60.0), (10_000, 1000, 90.0)), True: ((300, 50, 5.0),)}
D = 64


def setup() -> None:
    """Make the peers' environment; what fails to install is said and left out."""
    venv.create(ENVIRONMENT, with_pip=True)
    for line in (HERE / "requirements.txt").read_text(encoding="utf-8").split():
        installed = command.install(ENVIRONMENT, line)
        print(f"{line}: {'installed' if installed else 'could not be installed'}")


def python_of_peers() -> Path:
    """Interpreter of the peers' environment, there or not."""
    return command.python_in(ENVIRONMENT)


def play(name: str, n_actions: int, rounds: int, seconds: float) -> dict[str, Any] | str:
    """Return a worker's row, or why there is none."""
    python = Path(sys.executable) if name in OWN else python_of_peers()
    if not python.exists():
        return "python -m benchmarks.bandit_peers --setup installs it"
    call = [str(python), str(HERE / "worker.py"), name, n_actions, D, rounds, seconds]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                   "PYTHONWARNINGS": "ignore"}  # fmt: skip
    try:
        done = subprocess.run(
            [str(part) for part in call], env=environment, capture_output=True, text=True,
            timeout=20 * seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"one round takes more than {20 * seconds:.0f} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it stopped"])[-1]
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def rows_of(n_actions: int, found: dict[str, dict[str, Any] | str]) -> list[dict[str, Any]]:
    """Return a table for each library: its round as the limit, and this project's beside it."""
    ours = {name: found[name] for name in OURS}
    rows = []
    for name, theirs in found.items():
        if name in OURS:
            continue
        case = f"a round among K = {n_actions:,} actions, d = {D}, beside {name}"
        limit = f"a round of {name}"
        if isinstance(theirs, str):
            rows.append(result_row(case, limit, name, note=f"not run: {theirs}"))
            continue
        times = GOALS.get(name) if n_actions == 10_000 else None
        for peer, result in {name: theirs, **ours}.items():
            if isinstance(result, str):
                raise RuntimeError(f"{peer} did not run: {result}")
            ratio = result["seconds_median"] / theirs["seconds_median"]
            rows.append(result_row(
                case, limit, peer if peer in OURS else f"{peer} {result['version']}",
                seconds=result["seconds_median"], ratio=ratio,
                goal=1 / times if times and peer in OURS else None, note=note_of(result, 1 / ratio),
            ))  # fmt: skip
    return rows


def note_of(row: dict[str, Any], times: float) -> str:
    """Say how many times faster, how many rounds, and the regret where it was reached."""
    regret = ", ".join(f"{value:.0f} after {t}" for t, value in row["regret"].items())
    faster = f"{times:,.1f} times faster; " if times != 1 else ""
    return f"{faster}{row['rounds']:,} rounds; regret {regret or 'not reached'}"


def main(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark and write build/bench/bandit-libraries.json."""
    rows: list[dict[str, Any]] = []
    for n_actions, rounds, seconds in SIZES[quick]:
        found = {name: play(name, n_actions, rounds, seconds) for name in (*OWN, *GOALS)}
        rows += rows_of(n_actions, {**found, **NOT_FOUND})
    command.print_rows(rows)
    return command.keep(BUILD / "bench", "bandit libraries", rows)


if __name__ == "__main__":
    command.run(main, __doc__, setup)
