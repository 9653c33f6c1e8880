"""The tool learners' benchmark: turns, equal steps, a problem that fits, a peer that is missing."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import report
from benchmarks.tool_peers import __main__ as race
from benchmarks.tool_peers import worker
from crlib.settings import ROOT

ROW = {
    "version": "1", "parameters": 1000, "steps": 500, "success": 0.25, "covered": 0.5,
    "calls": 4.0,
}  # fmt: skip


def test_queries_need_tools_of_one_cluster_and_lie_near_them():
    tools, queries, solutions = worker.problem(600, 32)
    assert np.linalg.norm(tools, axis=1) == pytest.approx(1, abs=1e-6)
    needed = np.array(solutions)
    assert needed.shape == (worker.QUERIES, worker.TOOLS)
    assert (needed % worker.CLUSTERS == needed[:, :1] % worker.CLUSTERS).all()
    cosines = queries @ tools.T
    own = np.take_along_axis(cosines, needed, axis=1)
    same = np.arange(600) % worker.CLUSTERS == needed[:, :1] % worker.CLUSTERS
    assert (own.min(axis=1) > np.where(same, -1, cosines).max(axis=1)).mean() > 0.99


def test_a_worker_answers_each_line_and_steps_add_up():
    script = str(ROOT / "benchmarks" / "tool_peers" / "worker.py")
    done = subprocess.run(
        [sys.executable, script, "crlib", "100", "16", "330"], input="go\ngo\nend\n",
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    *parts, last = map(json.loads, done.stdout.splitlines())
    assert [set(part) for part in parts] == [{"seconds"}] * 2
    assert all(part["seconds"] > 0 for part in parts)
    # An update is at most 5 * 64 steps, and none is begun once 660 were taken.
    assert 660 <= last["steps"] < 660 + 320
    assert 0 <= last["success"] <= last["covered"] <= 1
    assert 0 <= last["calls"] <= worker.LENGTH


def test_the_learner_of_the_race_has_a_constant_rate():
    learner = worker.Crlib(*worker.problem(100, 16))
    learner.learn(640)
    (group,) = learner.agent.optimiser.param_groups
    assert group["lr"] == worker.RATE


def test_a_peer_that_is_missing_is_a_row_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(race, "BUILD", tmp_path)
    monkeypatch.setattr(race, "ENVIRONMENT", tmp_path / "none")
    result = race.main(quick=True)
    assert json.loads((tmp_path / "bench" / "tool-learners.json").read_text()) == result
    notes = {row["peer"]: row["note"] for row in result["rows"]}
    assert notes.pop(race.PEER).startswith("not run: python -m benchmarks.tool_peers --setup")
    assert set(notes) == set(race.GOALS)
    assert all(row["ratio_to_limit"] is None and row["goal"] is None for row in result["rows"])
    page = report.fragment([(result, True)])
    assert "| stable-baselines3 | – | – |  |  | not run: " in page
    assert all(f"**{cell}**" in page for cell in notes)


def test_ratios_are_of_medians_and_goals_stand_at_their_size():
    found = {
        race.PEER: {**ROW, "seconds": [0.004, 0.002, 0.1]},
        "crlib": {**ROW, "seconds": [0.001, 0.002, 0.0001]},
        "crlib, laptop": {**ROW, "seconds": [0.008]},
    }
    peer, ours, large = race.rows_of(found, (16_000, 128, 10))
    assert (peer["peer"], peer["ratio_to_limit"], peer["goal"]) == ("stable-baselines3 1", 1, None)
    assert ours["ratio_to_limit"] == pytest.approx(0.25)
    assert ours["goal"] == pytest.approx(1 / 2.5)
    assert ours["note"].startswith("4.0 times faster; 1,000 steps a second; 1,000 parameters; ")
    assert "50.0% of the tools found, success 25.0%" in ours["note"]
    assert (large["ratio_to_limit"], large["goal"]) == (pytest.approx(2.0), None)
    assert all(row["goal"] is None for row in race.rows_of(found, (1000, 128, 10)))


def test_a_worker_that_stops_is_an_error(monkeypatch):
    monkeypatch.setattr(race, "python_of_peer", lambda: race.Path(sys.executable))
    learner = race.Learner("nobody", (10, 5, 1))
    with pytest.raises(RuntimeError, match="the worker stopped with 1"):
        learner.ask("go")
    learner.close()
