"""The explorers in a browser, in Voila and in JupyterLab: controls move numbers and figures."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from crlib.settings import ROOT

pytestmark = pytest.mark.browser
PACKAGES = "json,statistics,textwrap,difflib,numpy"  # of the smoke profile
FIRST = 60_000  # milliseconds for a kernel to start and to compute


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The explorers' notebooks, on a few packages."""
    target = tmp_path_factory.mktemp("explore")
    for path in (ROOT / "notebooks" / "explore").glob("*.ipynb"):
        text = path.read_text().replace('packages = \\"all\\"', f'packages = \\"{PACKAGES}\\"')
        (target / path.name).write_text(text.replace("limit = 2000", "limit = 400"))
    return target


@contextmanager
def serving(command: list[str], folder: Path, path: str) -> Iterator[str]:
    """Start a server and give its address when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    share = str(ROOT / "crlib" / "explore" / "share")
    log = (folder / f"{port}.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", *command, f"--port={port}", str(folder)],
        stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"JUPYTER_PATH": share},
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(address + path, timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail(f"no answer from {command[0]}:\n{Path(log.name).read_text()}")
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="module")
def dashboard(folder) -> Iterator[str]:
    command = ["voila", "--no-browser", "--Voila.ip=127.0.0.1", "--template=crlib"]
    with serving(command, folder, "/") as address:
        yield address


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page that may speak to this machine only."""
    opened = browser.new_page(viewport={"width": 1100, "height": 1400})
    outside: list[str] = []
    opened.on("request", lambda request: outside.append(request.url)
              if re.match(r"(https?|wss?)://(?!127\.0\.0\.1)", request.url) else None)  # fmt: skip
    yield opened
    opened.close()
    assert outside == []


def drawn(page: Page) -> str:
    """The points of the first figure, as the browser has them, once it is there."""
    there = "document.querySelector('.js-plotly-plot')?.data?.length > 0"
    page.wait_for_function(there, timeout=FIRST)
    return page.evaluate(
        "JSON.stringify(document.querySelector('.js-plotly-plot').data.map((t) => [...t.y]))"
    )


def test_a_slider_moves_prediction_and_figure(dashboard, page):
    page.goto(f"{dashboard}/voila/render/regret.ipynb")
    numbers = page.get_by_text("predicted regret after")
    expect(numbers).to_be_visible(timeout=FIRST)
    before, points = numbers.inner_text(), drawn(page)
    handle = page.locator(".noUi-handle").nth(1)  # what the embedding does not hold
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(numbers).not_to_have_text(before, timeout=FIRST)
    assert drawn(page) != points
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("simulated after 2,000")).to_be_visible(timeout=FIRST)


def test_geometry_follows_its_controls(dashboard, page):
    page.goto(f"{dashboard}/voila/render/geometry.ipynb")
    expect(page.get_by_text("effective dimension [95%]")).to_be_visible(timeout=FIRST)
    assert len(json.loads(drawn(page))) == 4  # two models, a spectrum and a point each
    expect(page.get_by_text("share of variance")).to_be_visible(timeout=FIRST)
    before = page.locator("table").last.inner_text()
    page.get_by_label("whiten").check()
    expect(page.locator("table").last).not_to_have_text(before, timeout=FIRST)
    page.get_by_placeholder("part of a name or a text").fill("<b>mean</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_text("no action holds '<b>mean</b>'")).to_be_visible(timeout=FIRST)


def test_a_typed_query_is_answered_and_escaped(dashboard, page):
    page.goto(f"{dashboard}/voila/render/tools.ipynb")
    expect(page.get_by_text("nearest tools")).to_be_visible(timeout=FIRST)
    box = page.get_by_label("your query")
    box.fill("<img src=x onerror=document.title='gone'> the mean of numbers")
    box.press("Enter")
    expect(page.get_by_text("<img src=x onerror=")).to_be_visible(timeout=FIRST)
    assert page.locator("table img").count() == 0
    assert page.title() != "gone"
    box.fill(" ")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("type a query", timeout=FIRST)


def test_jupyterlab_runs_an_explorer(folder, page):
    home = folder / "lab"
    home.mkdir()
    shutil.copy(folder / "regret.ipynb", home)
    never = "jupyterlab.NeverCheckForUpdate"
    command = [
        "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=",
        "--LabApp.news_url=", f"--LabApp.check_for_updates_class={never}",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with serving(command, home, "/lab") as address:
        page.goto(f"{address}/lab/tree/regret.ipynb")
        page.get_by_role("heading", name="What does a spectrum").wait_for(timeout=FIRST)
        # What is run before the kernel has answered is not run at all.
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=FIRST)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        numbers = page.get_by_text("predicted regret after")
        expect(numbers).to_be_visible(timeout=FIRST)
        before = numbers.inner_text()
        page.locator(".noUi-handle").nth(1).focus()
        page.keyboard.press("ArrowRight")
        expect(numbers).not_to_have_text(before, timeout=FIRST)
