"""The bandits' benchmarks: what is timed is right, and a library that is missing is said."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import bandits, measure
from benchmarks.bandit_peers import __main__ as libraries
from benchmarks.bandit_peers import worker
from crlib.settings import ROOT


def test_quick_run_has_every_case_and_its_goals(tmp_path, monkeypatch):
    monkeypatch.setattr(bandits, "BUILD", tmp_path)
    result = bandits.main(quick=True)
    assert json.loads((tmp_path / "bench" / "bandits.json").read_text()) == result
    goals = {row["goal"] for row in result["rows"] if row["goal"] is not None}
    assert goals == {2.0, 1.6, 0.7, 0.01, 1.10}
    for row in result["rows"]:
        if row["peer"] == "limit":
            assert row["ratio_to_limit"] == 1.0


def test_the_timed_agent_learns_its_problem():
    game = bandits.Rounds(200, 8, 600, 1)
    for _ in range(3):
        game.play()
    regret = game.regret()
    assert regret[-1] < 0.5 * regret[0]
    assert (regret > 0).all()


def test_turns_are_timed_after_a_warm_up():
    calls = {"a": 0, "b": 0}
    runs = {name: lambda name=name: calls.__setitem__(name, calls[name] + 1) for name in calls}
    seconds = measure.take_turns_of(runs, 4)
    assert calls == {"a": 5, "b": 5}
    assert {name: len(times) for name, times in seconds.items()} == {"a": 4, "b": 4}


def test_the_reference_s_posterior_is_the_closed_form():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20, 4))
    agent = worker.Reference(rows, rng)
    design, rewards = [], []
    for _ in range(30):
        x, action, reward = rng.standard_normal(4), int(rng.integers(20)), rng.standard_normal()
        agent.update(x, action, reward)
        design.append(x * rows[action])
        rewards.append(reward)
    phi = np.array(design)
    expected = np.linalg.inv(np.eye(4) + phi.T @ phi)
    np.testing.assert_allclose(agent.covariance, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(agent.covariance @ agent.b, expected @ phi.T @ np.array(rewards))


@pytest.mark.parametrize("name", ["numpy, plain", "crlib", "crlib, of ten at once"])
def test_a_worker_prints_one_row(name):
    script = str(ROOT / "benchmarks" / "bandit_peers" / "worker.py")
    done = subprocess.run(
        [sys.executable, script, name, "50", "4", "60", "9"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    row = json.loads(done.stdout)
    assert (row["peer"], row["K"], row["d"], row["rounds"]) == (name, 50, 4, 60)
    assert row["seconds_median"] > 0
    assert 0 < row["regret"]["20"] <= row["regret"]["50"]


def test_libraries_that_are_missing_are_rows_that_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(libraries, "BUILD", tmp_path)
    monkeypatch.setattr(libraries, "ENVIRONMENT", tmp_path / "none")
    result = libraries.main(quick=True)
    notes = {row["peer"]: row["note"] for row in result["rows"] if row["seconds_median"] is None}
    assert set(notes) == {*libraries.GOALS, "Pearl"}
    assert notes["Pearl"] == "not run: its package is not on the package index"
    assert all(note.startswith("not run: ") for note in notes.values())
    ours = [row["peer"] for row in result["rows"] if row["peer"].startswith("crlib")]
    assert ours == ["crlib", "crlib, of ten at once"]  # beside plain numpy


def test_goals_are_ratios_of_this_project_s_round(monkeypatch):
    row = {"version": "1", "rounds": 10, "regret": {"20": 5.0}}
    found = {
        "crlib": {**row, "seconds_median": 0.001},
        "crlib, of ten at once": {**row, "seconds_median": 0.0002},
        "bayesianbandits": {**row, "seconds_median": 0.05},
        "MABWiser": "it stopped",
    }
    rows = libraries.rows_of(10_000, found)
    ours = next(r for r in rows if r["peer"] == "crlib")
    assert ours["ratio_to_limit"] == pytest.approx(0.02)
    assert ours["goal"] == pytest.approx(1 / 40)
    assert "50.0 times faster" in ours["note"]
    assert rows[-1]["note"] == "not run: it stopped"


def test_a_worker_that_fails_gives_its_last_line(monkeypatch, tmp_path):
    monkeypatch.setattr(libraries, "python_of_peers", lambda: libraries.Path(sys.executable))
    found = libraries.play("nobody", 10, 5, 1.0)
    assert found == "KeyError: 'nobody'"
