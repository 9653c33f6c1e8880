"""The explorers without a browser: their numbers follow the controls, and faults are messages."""

import json
import re
import time

import numpy as np
import pytest

from crlib import data, metrics
from crlib.explore.geometry import GeometryExplorer
from crlib.explore.panel import Messages, table
from crlib.explore.regret import WIDTH, RegretExplorer
from crlib.explore.tools import ToolExplorer
from crlib.extractors import encode
from crlib.extractors.standardise import standardise
from crlib.settings import ROOT

PACKAGES = ("json", "statistics", "textwrap", "difflib", "numpy")  # of the smoke profile


@pytest.fixture(scope="module")
def actions():
    return data.load("python-api", limit=400, packages=PACKAGES)


@pytest.fixture
def geometry(actions):
    return GeometryExplorer(actions, ("mlm-bert", "simcse"))


def test_the_table_shows_what_the_metrics_say(geometry, actions):
    geometry.models.value = ("simcse",)
    geometry.pca.value = 32
    rows = standardise(encode(actions.texts, "simcse", ids=actions.ids), pca=32)
    found = metrics.participation_ratio_interval(rows)
    assert f"{found.estimate:.1f} [{found.low:.1f}, {found.high:.1f}]" in geometry.numbers.value
    values = metrics.spectrum(rows)
    np.testing.assert_allclose(geometry.figure.figure.data[0].y, values / values.sum(), rtol=1e-5)


def test_whitening_flattens_the_spectrum(geometry):
    geometry.models.value = ("mlm-bert",)
    geometry.whiten.value = True
    assert np.ptp(geometry.figure.figure.data[0].y) < 1e-3


def test_another_layer_is_another_embedding(geometry):
    before = np.array(geometry.figure.figure.data[0].y)
    geometry.layer.value = "1"
    assert not np.allclose(geometry.figure.figure.data[0].y, before)


def test_found_actions_are_marked_and_their_names_escaped(geometry, actions):
    geometry.search.value = "mean"
    wanted = [
        name for name, text in zip(actions.ids, actions.texts, strict=True)
        if "mean" in f"{name}\n{text}".lower()
    ]  # fmt: skip
    assert sorted(geometry.map.figure.data[1].text) == sorted(wanted)
    geometry.search.value = "<b>nothing</b>"
    assert "no action holds &#x27;&lt;b&gt;nothing&lt;/b&gt;&#x27;" in geometry.messages.line.value


def test_no_model_is_a_message_and_not_a_trace(geometry):
    geometry.models.value = ()
    assert 'role="alert"' in geometry.messages.line.value
    assert "choose at least one model" in geometry.messages.line.value


def test_a_layer_that_does_not_exist_is_a_message(geometry):
    geometry.layer.options = (*geometry.layer.options, "99")
    geometry.layer.value = "99"
    assert 'role="alert"' in geometry.messages.line.value


@pytest.fixture
def regret():
    explorer = RegretExplorer(n_actions=400)
    yield explorer
    explorer.stop()


def test_the_prediction_is_the_metrics_own(regret):
    regret.pr.value, regret.energy.value = 20, "flat"
    basis, rewards = regret.problem()
    assert basis.eigenvalues.sum() ** 2 / (basis.eigenvalues**2).sum() == pytest.approx(20)
    expected = metrics.predicted_regret(basis.rows, rewards, 2000, 200).mean()
    assert regret.predicted[1][-1] == pytest.approx(expected, rel=1e-3)
    assert f"{expected:,.0f}" in regret.numbers.value


def test_what_the_embedding_does_not_hold_costs_regret(regret):
    before = regret.predicted[1][-1]
    regret.unexplained.value = 0.5
    basis, rewards = regret.problem()
    linear = basis.scores @ (basis.scores.T @ rewards) / len(rewards)
    np.testing.assert_allclose(linear.var(axis=0), 0.5, atol=0.02)
    assert regret.predicted[1][-1] > before


def test_a_simulation_ends_near_its_prediction(regret):
    regret.horizon.value = 1000
    regret.start()
    regret._thread.join()
    at, lost = regret.simulated
    assert at[-1] == 1000
    assert 0.5 < lost[-1] / regret.predicted[1][-1] < 2
    assert regret.cancel.disabled
    assert not regret.run.disabled
    assert regret.progress.value == 1000


def test_a_simulation_can_be_cancelled(regret):
    regret.horizon.value = 10_000
    regret.start()
    for _ in range(200):
        if regret.simulated is not None:
            break
        time.sleep(0.05)
    regret.cancel.click()
    regret._thread.join(30)
    assert regret.simulated[0][-1] < 10_000
    assert not regret.run.disabled


def test_moving_a_slider_ends_the_simulation(regret):
    regret.horizon.value = 10_000
    regret.start()
    regret.pr.value = WIDTH / 2
    regret._thread.join(30)
    assert not regret._thread.is_alive()


@pytest.fixture(scope="module")
def tools(actions):
    return ToolExplorer(actions, ("mlm-bert", "simcse"), imitation=30, updates=1)


def test_nearest_tools_calls_and_truth_are_named(tools, actions):
    number = int(tools.tasks.unseen_queries[0])
    near, called, truth = tools.answer(tools.tasks.texts[number], "simcse")
    assert len(near) == 8
    assert truth == [actions.ids[i] for i in tools.tasks.solutions[number]]
    assert 1 <= len(called) <= 5
    assert set(near) | set(called) <= set(actions.ids)


def test_what_is_typed_is_shown_as_text(tools):
    tools.query.value = "<img src=x onerror=alert(1)> sort"
    assert "&lt;img src=x" in tools.result.value
    assert "<img" not in tools.result.value
    assert "nobody knows" in tools.result.value
    before = tools.result.value
    tools.query.value = "  "
    assert "type a query" in tools.messages.line.value
    assert tools.result.value == before


def test_an_unexpected_fault_is_said_in_one_line():
    messages = Messages()

    def fail():
        raise KeyError("<x>")

    messages.guard(fail)()
    assert "This did not work: KeyError: &#x27;&lt;x&gt;&#x27;" in messages.line.value


def test_tables_escape_their_cells():
    assert "&lt;b&gt;" in table([["<b>"]], ["<i>"], "<u>")


def test_every_control_has_a_label(geometry, regret, tools):
    for explorer in (geometry, regret, tools):
        waiting = [explorer.view]
        while waiting:
            widget = waiting.pop()
            waiting.extend(getattr(widget, "children", ()))
            if hasattr(widget, "value") and hasattr(widget, "description"):
                shown = type(widget).__name__ in ("HTML",)
                assert shown or widget.description, widget


@pytest.mark.parametrize("name", ["geometry", "regret", "tools"])
def test_notebooks_are_short_and_without_output(name):
    notebook = json.loads((ROOT / "notebooks" / "explore" / f"{name}.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(len(cell["source"]) <= 12 and not cell["outputs"] for cell in cells)


def test_the_page_s_example_runs_as_printed(tmp_path, monkeypatch):
    page = (ROOT / "book" / "explore.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).standard_normal((5, 3)))
    monkeypatch.chdir(tmp_path)
    *most, last = code.strip().splitlines()
    space: dict = {}
    exec("\n".join(most), space)
    view = eval(last, space)
    assert "simcse" in view.children[2].value
