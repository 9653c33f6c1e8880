"""The page on files of one's own, run as a reader would: by papermill alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crlib import io
from crlib.settings import ROOT

pytestmark = pytest.mark.smoke
NOTEBOOK = "notebooks/beyond/your_embedding.ipynb"


def papermill(folder, *arguments):
    command = [Path(sys.executable).with_name("papermill"), NOTEBOOK, folder / "out.ipynb",
               "-p", "out_dir", folder / "run", *arguments]  # fmt: skip
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    """Actions, rewards in two tasks, one embedding that holds them and one that does not."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((160, 6))
    R = X @ rng.standard_normal((6, 2)) + 0.3 * rng.standard_normal((160, 2))
    ids = [f"i{n}" for n in range(160)]
    pd.DataFrame({"id": ids, "text": ids}).to_csv(tmp_path / "a.csv", index=False)
    frame = pd.DataFrame(R, columns=["x", "y"]).assign(id=ids).sample(120, random_state=0)
    frame.to_csv(tmp_path / "r.csv", index=False)
    np.save(tmp_path / "good.npy", X)
    np.save(tmp_path / "poor.npy", rng.standard_normal((160, 6)))
    return ["-p", "actions", tmp_path / "a.csv", "-p", "rewards", tmp_path / "r.csv",
            "-p", "embeddings", f"{tmp_path}/poor.npy best={tmp_path}/good.npy"]  # fmt: skip


def test_the_page_recommends_what_plays_better(tmp_path, files):
    done = papermill(tmp_path, *files, "-p", "n_labels", "50", "-p", "horizon", "200")
    assert done.returncode == 0, done.stderr[-2000:]
    numbers = io.read_json(tmp_path / "run" / "result.json")["numbers"]
    assert numbers["advice"].startswith("Take best.")
    assert (numbers["n_labels"], numbers["n_held_out"], numbers["n_tasks"]) == (50, 70, 2)
    assert numbers["regret_labels"] == numbers["regret_best"] < numbers["regret_any"]
    assert numbers["came_true"] == numbers["n_compared"] == 2
    choices = pd.read_csv(tmp_path / "run" / "figures" / "regret-of-choices.csv")
    assert choices["regret"].between(0, 1.2).all()


def test_a_file_alone_is_refused_before_anything_runs(tmp_path, files):
    done = papermill(tmp_path, *files[:3])
    assert done.returncode != 0
    assert "actions and rewards go together" in done.stderr
    assert not (tmp_path / "run").exists()
