"""The page for a user's own actions: its commands run as they are printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crlib.settings import ROOT

BLOCKS = re.findall(
    r"```bash\n(.*?)```", (ROOT / "book" / "your_actions.md").read_text(), re.DOTALL
)
WROTE = ROOT / "build" / "mine"


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    """What each block of commands prints, one after the other from the project's folder."""
    shutil.rmtree(WROTE, ignore_errors=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = []
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=ROOT, capture_output=True, text=True,
            env=os.environ | {"PATH": path, "COLUMNS": "200"}, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, block + done.stdout + done.stderr
        found.append(done.stdout)
    yield found
    shutil.rmtree(WROTE)


def test_the_page_goes_from_two_files_to_a_recommendation(outputs):
    made, ranked, own, geometry, checked = outputs
    assert made == ""
    for name in ("simcse", "mlm-bert", "lsa"):
        assert name in ranked
    assert "mine" in own
    assert "simcse" in geometry
    assert checked == ""


def test_its_report_needs_nothing_else(outputs):
    report = (WROTE / "report.html").read_text()
    assert "simcse" in report
    assert not re.search(r'(?:src|href)="https?:', report)
