"""What several test modules share: the smoke profile's book, built once; upstream data files."""

import os
import shutil
import signal
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
def hear_ctrl_c() -> Callable[[], None]:
    """For Popen's preexec_fn: a shell's background job, and what it starts, ignores Ctrl-C."""

    def restore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return restore


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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project of its own: git's files, with the models and the environment of this one."""
    target = tmp_path / "project"
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, files):
        if not name.startswith("models/") and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / "models").symlink_to(ROOT / "models")
    return target


@pytest.fixture
def call_in() -> Callable[..., str]:
    """Run a command in a copied project, with its crlib and nothing kept outside of it."""

    def call(copy: Path, command: str, *, code: int = 0) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"CRLIB_BUILD": str(copy / "build"), "PYTHONPATH": str(copy), "COLUMNS": "200"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=copy, capture_output=True, text=True,
            env=os.environ | own | {"PATH": path}, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == code, command + done.stdout + done.stderr
        return done.stdout

    return call
