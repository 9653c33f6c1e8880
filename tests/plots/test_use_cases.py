"""Figures and tables of the chapters on tools, roll-outs and mathematics."""

from types import SimpleNamespace

import numpy as np
import pytest

from crlib.envs.chains import mean_scores, score_chains
from crlib.envs.math_arms import math_batch, named_tasks
from crlib.envs.tool_tasks import ToolTasks
from crlib.extractors import pairs_for
from crlib.metrics.regret import rollouts_to_threshold
from crlib.plots import mathematics, rollouts, tools

SOLUTIONS = ((0, 1), (2,), (1, 2), (3,))


@pytest.fixture
def tasks():
    texts = ("join <b>both</b>", "read", "write", "new")
    train, unseen, new = (np.array(rows) for rows in ([0], [1, 2], [3]))
    return ToolTasks("own", texts, SOLUTIONS, train, unseen, new, (), {})


def test_scores_by_split_are_their_means(tasks):
    chains = np.array([[0, 1], [2, -1], [1, -1], [0, -1]])
    frame = tools.score_frame(
        {("bert", "raw"): score_chains(chains, SOLUTIONS)}, tasks, {"bert": "contrastive"}, seed=0
    )
    row = frame.iloc[0]
    assert (row["success"], row["coverage"]) == (0.5, 0.75)
    assert (row["training success"], row["new tools coverage"]) == (1.0, 0.0)
    assert row["success low"] <= row["success"] <= row["success high"]
    assert row["family"] == "contrastive"


def test_runs_are_averaged():
    right, wrong = np.array([[0, 1], [2, -1]]), np.array([[3, -1], [2, -1]])
    found = mean_scores([right, wrong], SOLUTIONS[:2])
    assert found["success"].tolist() == [0.5, 1.0]


def test_half_of_the_shown_queries_succeed_most_and_nobody_picks():
    success = np.array([0.0, 0.9, 0.1, 0.0, 0.5, 1.0])
    assert tools.telling_queries(success, [0, 1, 2, 3, 4], 4) == [1, 4, 0, 3]
    assert tools.telling_queries(success, [3, 5], 4) == [5, 3]


def test_a_chain_is_shown_with_ticks_and_without_markup(tasks):
    actions = SimpleNamespace(ids=("a.x", "a.y", "b.z", "c<i>"))
    shown = tools.chain_table(tasks, actions, np.array([[0, 3], [2, -1], [0, 0], [3, 3]]), [0, 1])
    assert "&lt;b&gt;both" in shown.data
    assert "<b>" not in shown.data
    assert "c&lt;i&gt;" in shown.data
    first, second = shown.data.split("<tr>")[2:]
    assert first.count("✓") == 1
    assert "<td>no</td>" in first
    assert second.count("✓") == 1
    assert "<td>yes</td>" in second


@pytest.fixture
def curves():
    rng = np.random.default_rng(0)
    return {
        (name, arm, k): rng.random((3, 8)) * (64 / k)
        for name in ("simcse", "gaussian") for arm in ("raw", "plain") for k in (64, 256)
    }  # fmt: skip


def test_learning_curves_are_drawn_for_each_number_of_tools(curves):
    families = {"simcse": "contrastive", "gaussian": "control"}
    frame = rollouts.curve_frame(curves, families, batch=10, window=2)
    fig = rollouts.curves(frame)
    assert len(fig.data) == 8
    assert [trace.visible for trace in fig.data] == [True] * 4 + [False] * 4
    names = sorted(["simcse", "gaussian", "simcse, plain", "gaussian, plain"])
    assert [trace.name for trace in fig.data[:4]] == names
    assert [step.label for step in fig.layout.sliders[0].steps] == ["64", "256"]
    runs = curves["simcse", "raw", 256].mean(axis=0)
    drawn = next(t for t in fig.data[4:] if t.name == "simcse")
    np.testing.assert_allclose(drawn.y, (runs[1:] + runs[:-1]) / 2)
    assert drawn.x[0] == 20
    assert f"simcse {drawn.y[-1]:.2f}" in rollouts.curves_alt(frame)


def test_the_table_counts_runs_that_never_arrived():
    key = ("simcse", "raw", 64)
    curve = np.array([[0.0, 0.6, 0.9], [0.0, 0.0, 0.1], [0.7, 0.2, 0.2]])
    found = {key: rollouts_to_threshold(curve, 0.5, t=[32, 64, 96])}
    shown = rollouts.table({key: curve.mean(axis=1)}, found)
    assert shown.loc[(64, "simcse", "raw")].tolist() == ["0.300", "2 of 3", "64"]
    never = {key: rollouts_to_threshold(curve, 0.95, t=[32, 64, 96])}
    assert rollouts.table({key: curve}, never).iloc[0]["roll-outs"] == "–"


def test_effects_are_contrastive_minus_reconstruction():
    pair = pairs_for("simcse")[0]
    old, new = pair.models
    areas = {(old, arm, 64): np.array([0.1, 0.2]) for arm in ("raw", "whitened")}
    areas |= {(new, arm, 64): np.array([0.2, 0.4]) for arm in ("raw", "whitened")}
    frame = rollouts.effect_frame(areas, [pair], 64, seed=0)
    assert frame["effect"].tolist() == pytest.approx([0.15, 0.15])
    assert frame["arm"].tolist() == ["raw", "whitened"]


@pytest.fixture(scope="module")
def maths():
    found = named_tasks("generated", n_problems=60, held_out=1, seed=0)
    rng = np.random.default_rng(0)
    rows = rng.random((len(found.library), 4)), rng.random((len(found.problems), 4))
    return found, math_batch(rows, found, 6)


def test_worked_examples_are_what_was_executed(maths):
    found, env = maths
    number = int(found.train[0])
    chains = np.full((len(found.problems), 6), -1)
    chains[number, : len(env.solutions[number])] = env.solutions[number]
    shown = mathematics.worked(env, chains, [number]).data
    for result in env.milestones[number]:
        assert f"= {result.numerator}" in shown or f"= {{{result.numerator}/" in shown
    assert shown.count(r"\(") == len(env.solutions[number])
    assert "Solved." in shown
    assert "Not solved" in mathematics.worked(env, np.full_like(chains, -1), [number]).data


def test_mathematics_scores_leave_unknown_progress_out():
    scores = {"solved": np.array([1.0, 0, 0, 1]), "progress": np.array([1.0, np.nan, 0.5, 1]),
              "invalid": np.zeros(4), "steps": np.ones(4)}  # fmt: skip
    row = mathematics.score_frame({("x", "raw"): scores}, 3, {}, seed=0).iloc[0]
    assert row["solved"] == pytest.approx(1 / 3)
    assert row["progress"] == pytest.approx(0.75)
    assert row["new solved"] == row["new progress"] == 1.0


def test_without_a_reference_solution_there_is_no_progress():
    scores = {"solved": np.array([1.0, 0, 0]), "progress": np.full(3, np.nan),
              "invalid": np.zeros(3), "steps": np.ones(3)}  # fmt: skip
    row = mathematics.score_frame({("x", "raw"): scores}, 3, {}, seed=0).iloc[0]
    assert (row["progress"], row["progress low"], row["progress high"]) == (0, 0, 0)
    assert np.isnan(row["new progress"])
