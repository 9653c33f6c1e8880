"""Running a notebook: whole or absent, one retry for the machinery, none for the code."""

import jupytext
import nbformat
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from crlib.book import run

HEADER = (
    "# ---\n# jupyter:\n#   kernelspec: {display_name: P, language: python, name: python3}\n# ---\n"
)
COUNT = "from pathlib import Path\npath = Path(counter)\npath.write_text(path.read_text() + 'x')\n"
DIE = "import os\nos.kill(os.getpid(), 9)\n"


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook of one parameters cell and one cell of code; give paths and counter."""
    counter = tmp_path / "counter"
    counter.write_text("")

    def write(code: str):
        text = (
            f'{HEADER}# %% tags=["parameters"]\ncounter = ""\nout_dir = ""\n# %%\n{COUNT}{code}\n'
        )
        path = tmp_path / "toy.ipynb"
        jupytext.write(jupytext.reads(text, fmt="py:percent"), path)
        return path, tmp_path / "done" / "toy.ipynb", {"counter": str(counter), "out_dir": "x"}

    write.counter = counter
    return write


def test_a_notebook_is_executed_and_cleaned(notebook, tmp_path):
    source, output, parameters = notebook("print(6 * 7)")
    run.execute(source, output, parameters)
    text = output.read_text()
    executed = nbformat.reads(text, 4)
    nbformat.validate(executed)
    assert executed.cells[-1].outputs[0].text == "42\n"
    assert "papermill" not in executed.metadata
    # The folder of the run is nobody's business; the parameter that names the counter is.
    assert "out_dir" not in executed.cells[1].source
    assert str(tmp_path / "done") not in text
    assert run.tags(executed.cells[0]) == ["parameters", "remove-cell"]
    assert run.tags(executed.cells[1]) == ["injected-parameters", "hide-input"]


def test_a_killed_kernel_is_tried_once_more(notebook, capsys):
    source, output, parameters = notebook(
        f"if len(path.read_text()) == 1:\n    {DIE}".replace("\nos.kill", "\n    os.kill")
    )
    run.execute(source, output, parameters)
    assert notebook.counter.read_text() == "xx"
    assert "trying once more" in capsys.readouterr().out
    assert output.is_file()


def test_a_kernel_that_always_dies_leaves_nothing(notebook):
    source, output, parameters = notebook(DIE)
    with pytest.raises(DeadKernelError):
        run.execute(source, output, parameters)
    assert notebook.counter.read_text() == "xx"
    assert not output.parent.exists()


def test_an_error_in_a_cell_is_not_tried_again(notebook, tmp_path):
    source, output, parameters = notebook('raise ValueError("no such thing")')
    failed = tmp_path / "failed.ipynb"
    with pytest.raises(PapermillExecutionError, match="no such thing"):
        run.execute(source, output, parameters, failed=failed)
    assert notebook.counter.read_text() == "x"
    assert not output.parent.exists()
    assert "no such thing" in failed.read_text()


def test_a_cell_may_not_take_for_ever(notebook):
    source, output, parameters = notebook("import time\ntime.sleep(60)")
    with pytest.raises(CellTimeoutError):
        run.execute(source, output, parameters, cell_timeout=2)
    assert not output.parent.exists()


def test_the_kernel_runs_on_one_thread(notebook):
    source, output, parameters = notebook('import os\nprint(os.environ["OMP_NUM_THREADS"])')
    run.execute(source, output, parameters)
    assert nbformat.read(output, 4).cells[-1].outputs[0].text == "1\n"


def test_a_figures_second_form_is_dropped():
    data = {"text/html": "<figure></figure>", "application/vnd.plotly.v1+json": {}}
    output = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()", outputs=[output])])
    assert set(run.published(notebook).cells[0].outputs[0].data) == {"text/html"}


def test_a_warning_names_no_folder_of_this_machine():
    said = nbformat.v4.new_output("stream", name="stderr", text=f"{run.ROOT}/crlib/io.py:1: odd\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()", outputs=[said])])
    assert run.published(notebook).cells[0].outputs[0].text == "crlib/io.py:1: odd\n"
