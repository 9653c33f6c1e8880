"""The Snakefile with a sweep: what is finished is not run again, what failed is named."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer
from papermill.exceptions import PapermillExecutionError

from crlib import io
from crlib.book import steps
from crlib.settings import ROOT
from crlib.sweep import grid, make

pytestmark = pytest.mark.smoke

GRID = """
profile: smoke
shards: {shards}
notebooks:
  theory/effective_dimension:
    ns: [[50, 100]]
"""


def call(folder: Path, build: Path, shards: int) -> subprocess.CompletedProcess:
    grid = folder / "tiny.yaml"
    grid.write_text(GRID.format(shards=shards))
    return subprocess.run(
        [sys.executable, "-m", "crlib.sweep.make", str(grid), "--jobs", "2"],
        capture_output=True, text=True, cwd=ROOT, timeout=600, check=False,
        env=os.environ | {"CRLIB_BUILD": str(build)},
    )  # fmt: skip


def times(build: Path) -> dict[str, int]:
    found = (build / "sweeps/tiny/results").rglob("result.json")
    return {str(path): path.stat().st_mtime_ns for path in found}


def test_parts_come_first_and_another_number_of_them_makes_nothing_stale(tmp_path):
    build = tmp_path / "build"
    first = call(tmp_path, build, 2)
    assert first.returncode == 0, first.stdout + first.stderr
    lines = [line for line in first.stdout.splitlines() if line.startswith("[")]
    parts = [place for place, line in enumerate(lines) if ", part " in line]
    whole = [place for place, line in enumerate(lines) if "vectors: small: " in line]
    assert (len(parts), len(whole)) == (2, 1), first.stdout
    assert max(parts) < min(whole)
    table = pd.read_csv(build / "sweeps/tiny/table.csv")
    assert set(table["state"]) == {"done"}
    before = times(build)
    assert len(before) == 1
    for shards in (2, 3, 1):
        again = call(tmp_path, build, shards)
        assert "0 jobs just now" in again.stdout, again.stdout
    assert times(build) == before


@pytest.fixture
def attempt_at(tmp_path, monkeypatch):
    """A job whose cell raises an error: call it with the attempt's number; and its runs so far."""

    def job(error: str, message: str):
        runs = []

        def execute(source, output, parameters, **options):
            runs.append(source.stem)
            raise PapermillExecutionError(3, 3, "x", error, message, [])

        monkeypatch.setattr(steps.run, "execute", execute)
        monkeypatch.setattr(steps, "BUILD", tmp_path)
        request = tmp_path / "sweeps/s/requests/theory/coverage/k-30.json"
        io.write_json(request, {"notebook": "theory/coverage", "parameters": {"profile": "smoke"}})

        def attempt(number: int) -> None:
            with pytest.raises(typer.Exit):
                steps.notebook(request, tmp_path / "page.ipynb", attempt=number)

        return attempt, runs

    return job


def test_a_cell_that_raised_is_not_run_again_by_a_scheduler(attempt_at, capsys):
    attempt, runs = attempt_at("ValueError", "no such thing")
    for number in (1, 2, 3):
        attempt(number)
        said = capsys.readouterr().out.splitlines()[-1]
        assert said == "theory/coverage: cell 3 raised ValueError: no such thing"
    assert runs == ["coverage"]
    # A call of its own tries again.
    attempt(1)
    assert len(runs) == 2


def test_what_ran_out_of_memory_is_run_again(attempt_at):
    attempt, runs = attempt_at("MemoryError", "")
    for number in (1, 2):
        attempt(number)
    assert len(runs) == 2


def test_a_call_of_its_own_forgets_what_raised_and_keeps_its_grid(tmp_path, monkeypatch):
    """What raised may have been mended; a job that is killed at once must not say it again."""
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    monkeypatch.setattr(make, "BUILD", tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(GRID.format(shards=1))
    raised = tmp_path / "sweeps/tiny/logs/theory/coverage/k-30.raised"
    io.write_text(raised, "an old error")

    def run_snakemake(calls, log, lock):
        assert not raised.exists()
        ((kept,),) = ([Path(a.removeprefix("sweep=")) for a in call if a.startswith("sweep=")]
                      for call in calls)  # fmt: skip
        path.write_text("edited meanwhile")
        assert kept.read_text() == GRID.format(shards=1)
        return 0, [], 0

    monkeypatch.setattr(make, "run_snakemake", run_snakemake)
    make.make(path, jobs=1, executor="local")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["GRID=a b.yaml"], '"a b.yaml" --jobs 3 --executor local'),
        (["GRID=a.yaml", "EXECUTOR=slurm"], '"a.yaml"  --executor slurm'),
        (["GRID=a.yaml", "EXECUTOR=slurm", "JOBS=9"], '"a.yaml" --jobs 9 --executor slurm'),
        (["GRID=a.yaml", "PROFILE=paper"], "the profile stands in the grid"),
    ],
)
def test_what_make_sweep_calls(options, said):
    done = subprocess.run(
        ["make", "-n", "CORES=3", "sweep", *options], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert said in done.stdout
