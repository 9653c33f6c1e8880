"""What several test modules share: the smoke profile's book, built once."""

import subprocess
import sys
from pathlib import Path

import pytest

from crlib.book import stage
from crlib.settings import ROOT


def make_book(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run what `make book` runs."""
    return subprocess.run(
        [sys.executable, "-m", "crlib.book.make", "--cores", "2", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=900, check=False, **options,
    )  # fmt: skip


@pytest.fixture(scope="session")
def smoke_book() -> Path:
    """Folder of the smoke profile's HTML, brought up to date; its build allows no warning."""
    done = make_book("--profile", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return stage.html_folder("smoke")
