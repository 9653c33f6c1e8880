"""The check on held-out actions: what is held out, who chooses what, how sure it was."""

import numpy as np
import pandas as pd
import pytest

from crlib import settings
from crlib.data.harvest import PACKAGES
from crlib.envs.arms import regret_of
from crlib.metrics import best_mean_gap
from crlib.ranking import check, rank_embeddings
from crlib.settings import ParameterError

K = 200


@pytest.fixture
def own(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((K, 6))
    R = X @ rng.standard_normal((6, 3)) + 0.3 * rng.standard_normal((K, 3))
    ids = [f"i{n}" for n in range(K)]
    pd.DataFrame({"id": ids, "text": ids}).to_csv(tmp_path / "a.csv", index=False)
    frame = pd.DataFrame(R, columns=["x", "y", "z"]).assign(id=ids, rare=0.0)
    frame.loc[:7, "rare"] = 1.0  # too few on one of the sides, whichever
    frame.loc[150:, "x"] = np.nan
    frame.to_csv(tmp_path / "r.csv", index=False)
    return {"actions": str(tmp_path / "a.csv"), "rewards": str(tmp_path / "r.csv")}, X, R


def parameters(**values):
    return settings.check("beyond/your_embedding", values)


def test_labels_and_held_out_actions_are_apart(own):
    files, _, R = own
    case = check.load_case(parameters(**files, n_labels=60, embeddings="a=simcse 'b c=minilm'"))
    assert case.models == {"a": "simcse", "b c": "minilm"}
    assert case.rewards.tasks == ("x", "y", "z")
    rows = np.flatnonzero(~np.isnan(case.labelled).any(axis=1))
    assert len(rows) == 60
    assert not set(rows) & set(case.held_out)
    assert set(rows) | set(case.held_out) == set(range(150))  # the others lack a label in x
    np.testing.assert_allclose(case.labelled[rows], R[rows])
    many = check.load_case(parameters(**files, n_labels=5000))
    assert len(many.held_out) == 75


def test_regret_is_that_of_the_bandit_on_the_held_out_actions(own):
    _, X, R = own
    rows = np.arange(0, K, 2)
    found = check.held_out_regret({"X": X}, R, rows, horizon=100, slate=500, seed=3)
    standard = (R[rows] - R[rows].mean(axis=0)) / R[rows].std(axis=0)
    played = regret_of(X[rows], standard, "raw", horizon=100, slate=len(rows), seed=3)[:, -1]
    expected = played / (100 * best_mean_gap(standard, len(rows)))
    np.testing.assert_allclose(found.loc["X"], expected, rtol=1e-6)


def test_strategies_take_what_they_say(own):
    _, X, R = own
    rng = np.random.default_rng(1)
    embeddings = {"good": X, "noise": rng.standard_normal((K, 40))}
    found = rank_embeddings(embeddings, R, tasks=["x", "y", "z"], n_resamples=20)
    regret = pd.DataFrame([[0.1, 0.2, 0.6], [0.5, 0.1, 0.9]], index=["good", "noise"])
    chosen = check.strategies(found, regret).set_index("choice")["regret"]
    assert chosen[check.BEST] == pytest.approx(0.8 / 3)
    assert chosen["by labels, LOO R²"] == pytest.approx(0.3)
    assert chosen["by effective dimension"] == pytest.approx(0.5)  # noise is the widest
    assert chosen[check.ANY] == pytest.approx(0.4)
    row = check.strategies(found, regret).set_index("choice").loc["by labels, LOO R²"]
    assert row["over_any"] == pytest.approx(0.1)
    assert row["over_any_low"] <= 0.1 <= row["over_any_high"]
    assert row["under_labels"] == 0.0
    sure = check.calibration(found, regret)
    assert sure["best"].tolist() == ["good"] * 3
    assert sure["came_true"].tolist() == [True, False, True]
    assert (sure["stated"] > 0.9).all()


def test_one_task_has_no_interval_and_says_so(own):
    _, X, R = own
    found = rank_embeddings({"good": X, "poor": X[:, :2]}, R[:, :1], n_resamples=20)
    regret = pd.DataFrame([[0.1], [0.5]], index=["good", "poor"])
    row = check.strategies(found, regret).set_index("choice").loc["by labels, LOO R²"]
    assert check.gain_said(row, "over_any") == "0.200 (one task, so that there is no interval)"


def test_the_default_packages_are_on_no_other_page_and_in_no_training_text():
    names = parameters().package_list
    assert len(set(names)) == len(names)
    assert not set(names) & set(PACKAGES)


@pytest.mark.parametrize(
    ("values", "message"),
    [({"actions": "absent.csv"}, "no such file"), ({"embeddings": ""}, "at least 1 character"),
     ({"actions": "README.md"}, "actions and rewards go together")],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        parameters(**values)


def test_too_few_labels_to_hold_any_out_are_refused(own, tmp_path):
    files, _, _ = own
    frame = pd.read_csv(files["rewards"]).iloc[:30]
    frame.to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(ValueError, match="15 labels in 4 tasks: expected at least 20 actions"):
        check.load_case(parameters(**files | {"rewards": str(tmp_path / "few.csv")}))
