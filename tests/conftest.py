"""What several test modules share: the smoke profile's book, built once; upstream data files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

from crlib.book import stage
from crlib.settings import BUILD, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

Make = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def make_book() -> Make:
    """Run what `make book` runs, with two jobs at a time."""

    def call(*arguments: str, **options) -> subprocess.CompletedProcess:
        # The tests' workers wait for each other; two builds at a time are refused.
        BUILD.mkdir(parents=True, exist_ok=True)
        with FileLock(BUILD / ".tests.lock"):
            return subprocess.run(
                [sys.executable, "-m", "crlib.book.make", "--cores", "2", *arguments],
                capture_output=True, text=True, cwd=ROOT, timeout=900, check=False, **options,
            )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def smoke_book(make_book: Make) -> Path:
    """Folder of the smoke profile's HTML, brought up to date; its build allows no warning."""
    done = make_book("--profile", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return stage.html_folder("smoke")


@pytest.fixture
def real() -> str:
    """The folder of upstream files; without it a test skips, or fails where it must not."""
    folder = os.environ.get("CRLIB_DATA")
    if folder is None:
        message = "CRLIB_DATA names no folder of upstream data files"
        if os.environ.get("CRLIB_REQUIRE_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium's executable; without it a test skips, or fails where it must not."""
    if CHROMIUM is None:
        message = "no Chromium on this machine; install the package chromium to run this test"
        if os.environ.get("CRLIB_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return CHROMIUM


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()
