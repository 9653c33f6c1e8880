"""Run one notebook: own socket, time limits, one retry when the machinery (not the code) fails."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from crlib import io
from crlib.settings import ROOT

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip

# Faults of the machinery. A kernel that does not answer at its start raises RuntimeError, one
# that dies later DeadKernelError; a lost message shows as a time-out of an idle kernel.
INFRASTRUCTURE = (RuntimeError, DeadKernelError, CellTimeoutError, ConnectionError)


def pin_threads() -> None:
    """Give this process and its kernels one thread each: jobs run side by side."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


@contextmanager
def _own_socket() -> Iterator[Config]:
    """Kernel configuration with a socket that no other kernel has.

    Kernels over TCP may race for a port; with papermill's default ipc name they collide in the
    working directory.
    """
    folder = tempfile.mkdtemp(prefix="crk")
    try:
        yield Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/k"}})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(
    source: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    cell_timeout: int = 1800,
    failed: Path | None = None,
) -> None:
    """Execute a notebook with papermill and write it when it has run to its end.

    Parameters
    ----------
    source : Path
        The notebook, without outputs.
    output : Path
        Where the executed one goes; written wholly or not at all.
    parameters : mapping
        Checked beforehand (`crlib.settings.check`).
    cell_timeout : int
        Seconds that one cell may take.
    failed : Path, optional
        Where the notebook goes, with its traceback, when a cell raises.

    Raises
    ------
    PapermillExecutionError
        When a cell raises: not tried again, as it would raise again.
    RuntimeError, DeadKernelError, CellTimeoutError, ConnectionError
        When the kernel failed twice.
    """
    pin_threads()
    with tempfile.TemporaryDirectory(prefix="crnb") as folder:
        draft = Path(folder) / "draft.ipynb"
        try:
            _attempt(source, draft, parameters, cell_timeout)
        except PapermillExecutionError:
            if failed is not None and draft.is_file():
                io.write_text(failed, nbformat.writes(published(nbformat.read(draft, 4))))
            raise
        except NoSuchKernel:
            raise
        except INFRASTRUCTURE as error:
            reason = (str(error).strip() or "no message").splitlines()[0]
            print(f"{source.stem}: {type(error).__name__} ({reason}); trying once more", flush=True)
            _attempt(source, draft, parameters, cell_timeout)
        io.write_text(output, nbformat.writes(published(nbformat.read(draft, 4))) + "\n")


def _attempt(source: Path, draft: Path, parameters: Mapping[str, Any], timeout: int) -> None:
    with _own_socket() as config:
        papermill.execute_notebook(
            source, draft, parameters=dict(parameters), cwd=ROOT, config=config,
            start_timeout=60, execution_timeout=timeout, progress_bar=False,
            # Saved at the end only: half-run notebooks are of no use, and saving costs time.
            request_save_on_cell_execute=False, log_output=True,
            stdout_file=sys.stdout, stderr_file=sys.stdout,
        )  # fmt: skip


def published(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what tells of this machine and moment, and leave what a page shows.

    papermill keeps absolute paths and times in the metadata, and shows the parameters twice: as
    the notebook sets them and as they were injected. The page shows the second, without the
    output folder. Of a figure's two forms, plotly's for Jupyter and HTML, it keeps the HTML. A
    warning that was printed names its file within the project.

    Parameters
    ----------
    notebook : NotebookNode
        As papermill wrote it; changed in place and returned.
    """
    notebook.metadata.pop("papermill", None)
    injected = any("injected-parameters" in tags(cell) for cell in notebook.cells)
    for cell in notebook.cells:
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data.pop("application/vnd.plotly.v1+json", None)
            if output.output_type == "stream":  # a warning names the file that it comes from
                output.text = output.text.replace(f"{ROOT}/", "")
        if injected and "parameters" in tags(cell):
            cell.metadata.tags = [*tags(cell), "remove-cell"]
        if "injected-parameters" in tags(cell):
            lines = cell.source.splitlines()
            kept = [line for line in lines if not line.startswith(("# Parameters", "out_dir ="))]
            cell.source = "\n".join(kept)
            cell.metadata.tags = [*tags(cell), "hide-input"]
            cell.metadata["mystnb"] = {
                "code_prompt_show": "Parameters of this run",
                "code_prompt_hide": "Hide the parameters",
            }
    return notebook


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Tags of a cell, an empty list where there are none."""
    return list(cell.metadata.get("tags", []))
