"""Reruns: papermill by itself, wrong parameters refused, interrupted work resumed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest

from crlib import io
from crlib.book import make
from crlib.settings import ROOT

pytestmark = pytest.mark.smoke

NOTEBOOK = "notebooks/theory/coverage.ipynb"
SMALL = {"limit": 200, "packages": "json,statistics,textwrap,difflib,numpy", "ks": [1, 3, 10]}


def papermill(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Call papermill as a reader would, from the project's folder."""
    small = [item for name, value in SMALL.items() for item in ("-y", f"{name}: {value}")]
    return subprocess.run(
        [Path(sys.executable).with_name("papermill"), NOTEBOOK, folder / "out.ipynb", *small,
         "-p", "out_dir", folder / "run", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_papermill_alone_runs_a_chapter(tmp_path):
    done = papermill(tmp_path, "-p", "model", "mlm-bert", "-p", "k", "20")
    assert done.returncode == 0, done.stderr[-2000:]
    result = io.read_json(tmp_path / "run" / "result.json")
    assert result["parameters"]["k"] == 20
    assert result["parameters"]["model"] == "mlm-bert"
    assert {item["id"] for item in result["claims"]} >= {"C3.raw", "C3.relative"}
    assert list((tmp_path / "run" / "figures").glob("*.csv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "kk", "20"), "unknown parameter 'kk'; allowed: profile, limit, packages, seed"),
        (("-p", "k", "many"), "parameter k = 'many': Input should be a valid integer"),
        (("-p", "k", "0"), "parameter k = 0: Input should be greater than or equal to 2"),
        (("-p", "model", "mlm-brt"), "parameter model = 'mlm-brt': did you mean mlm-bert?"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(tmp_path, arguments, message):
    done = papermill(tmp_path, *arguments)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "ParameterError: theory" in line]
    assert lines, done.stderr[-2000:]
    assert message in lines[0]
    assert not (tmp_path / "run").exists()
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    refused = next(i for i, cell in enumerate(cells) if "settings.parameters" in cell.source)
    later = [cell for cell in cells[refused + 1 :] if cell.cell_type == "code"]
    assert later
    assert all(cell.execution_count is None for cell in later)


@pytest.fixture
def workflow(tmp_path, hear_ctrl_c) -> Iterator["Workflow"]:
    """Snakemake on one chapter of the smoke profile, in a build folder of its own."""
    running = Workflow(tmp_path, hear_ctrl_c)
    yield running
    running.stop()


class Workflow:
    """Starts Snakemake for one notebook, and finds the kernel that it runs."""

    def __init__(self, folder: Path, before: Callable[[], None]) -> None:
        self.before = before
        self.page = folder / "smoke" / "source" / "book" / "theory" / "coverage.ipynb"
        self.result = folder / "results" / "smoke" / "theory" / "coverage" / "result.json"
        self.log = folder / "smoke" / "logs" / "theory" / "coverage.log"
        self.environment = {**os.environ, "CRLIB_BUILD": str(folder)}
        self.folder = folder
        self.process: psutil.Popen | None = None

    def start(self) -> None:
        command = make.snakemake_command({"profile": "smoke"}, "--cores", "2")
        command[command.index("--directory") + 1] = str(self.folder)
        self.process = psutil.Popen(
            [*command, str(self.page)], cwd=ROOT, env=self.environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=self.before,
        )  # fmt: skip

    def finish(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=600)
        return self.process.returncode, output

    def kernel(self) -> psutil.Process:
        """Wait for a running kernel of this workflow and give it."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and self.process.poll() is None:
            for child in self.process.children(recursive=True):
                if any("ipykernel_launcher" in part for part in _command(child)):
                    return child
            time.sleep(0.05)
        raise AssertionError("no kernel was started")

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        for child in [*self.process.children(recursive=True), self.process]:
            child.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_a_killed_kernel_leaves_nothing_half_done_and_the_next_call_resumes(workflow):
    workflow.start()
    killed = set()
    # The first kernel and the one of the retry.
    while len(killed) < 2:
        kernel = workflow.kernel()
        if kernel.pid not in killed:
            killed.add(kernel.pid)
            kernel.kill()
        time.sleep(0.05)
    code, output = workflow.finish()
    assert code != 0
    assert "trying once more" in workflow.log.read_text()
    assert "Error in rule notebook" in output
    assert not workflow.page.exists()
    assert not workflow.result.exists()
    workflow.start()
    code, output = workflow.finish()
    assert code == 0, output[-2000:]
    assert workflow.page.is_file()
    assert workflow.result.is_file()
    # What was finished before the kill is not done again.
    assert "Job stats" in output
    assert "catalogue" not in output.split("Job stats")[1].split("Select jobs")[0]
    workflow.start()
    code, output = workflow.finish()
    assert code == 0
    assert "Nothing to be done" in output


def test_an_interrupted_workflow_resumes(workflow):
    workflow.start()
    workflow.kernel()
    os.killpg(workflow.process.pid, signal.SIGINT)
    code, _ = workflow.finish()
    assert code != 0
    assert not workflow.page.exists()
    workflow.start()
    code, output = workflow.finish()
    assert code == 0, output[-2000:]
    assert workflow.page.is_file()


def test_an_unchanged_book_is_not_built_again(smoke_book, make_book):
    before = (smoke_book / "index.html").stat().st_mtime_ns
    done = make_book("--profile", "smoke")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Nothing has changed since the last build (")
    assert (smoke_book / "index.html").stat().st_mtime_ns == before
