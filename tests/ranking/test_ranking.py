"""Ranking by labels: scores against scikit-learn, intervals against fresh samples, advice."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from crlib import metrics
from crlib.metrics.eigenbasis import Labels, eigenbasis
from crlib.metrics.energy import energy_shares
from crlib.metrics.ridge import RIDGE_GRID
from crlib.metrics.statistics import Interval
from crlib.ranking import advice, rank_embeddings, terminal
from crlib.ranking import labels as scoring

K = 400


def world(seed=0, d=12, noise=1.0):
    """Two embeddings, the second a noisy copy of the first, and a reward linear in the first."""
    rng = np.random.default_rng(seed)
    good = rng.standard_normal((K, d)) * np.arange(1, d + 1) ** -0.5
    poor = good + 0.8 * rng.standard_normal((K, d)) * good.std(axis=0)
    reward = good @ rng.standard_normal(d)
    return good, poor, reward / reward.std() + noise * rng.standard_normal(K)


def labelled(reward, n, seed=0):
    values = np.full(len(reward), np.nan)
    rows = np.random.default_rng(seed).choice(len(reward), n, replace=False)
    values[rows] = reward[rows]
    return values


def by_scikit_learn(X, values):
    """R^2 of the best penalty of the grid, each label predicted by a fit without it."""
    rows = np.flatnonzero(~np.isnan(values))
    centred = X[rows] - X[rows].mean(axis=0)
    centred /= np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    y, n = values[rows], rows.size
    left_out = ((y - y.mean()) * n / (n - 1)) ** 2
    found = []
    for penalty in RIDGE_GRID[::4]:
        said = cross_val_predict(Ridge(alpha=penalty, solver="svd"), centred, y, cv=LeaveOneOut())
        found.append(1 - np.sum((y - said) ** 2) / left_out.sum())
    return max(found)


def test_r2_is_what_scikit_learn_leaves_out_one_by_one(monkeypatch):
    good, poor, reward = world()
    values = np.column_stack([labelled(reward, 40, 1), labelled(reward**2, 30, 2)])
    monkeypatch.setattr("crlib.metrics.ridge.RIDGE_GRID", RIDGE_GRID[::4])
    found = rank_embeddings({"good": good, "poor": poor}, values, n_resamples=20)
    for name, X in (("good", good), ("poor", poor)):
        expected = [by_scikit_learn(X, column) for column in values.T]
        np.testing.assert_allclose(found.scores[name].estimate, expected, rtol=1e-6)
        rows = found.tasks[found.tasks["embedding"] == name]
        assert rows["labels"].tolist() == [40, 30]
        # The table holds the mean over tasks.
        (shown,) = found.table.loc[found.table["embedding"] == name, "r2"]
        assert shown == pytest.approx(np.mean(expected))


def test_a_wide_embedding_is_scored_as_it_stands():
    rng = np.random.default_rng(3)
    X = (rng.standard_normal((K, 300)) + 5).astype(np.float32)
    values = labelled(X[:, :20].sum(axis=1), 50)[:, None]
    rows = np.flatnonzero(~np.isnan(values[:, 0]))
    kept = scoring.subsamples(values, 20, 1)
    first, second, *_ = scoring.r2_score(X, values, kept)
    assert first[0] == pytest.approx(metrics.loo_r2(X[rows], values[rows, 0]), abs=1e-6)
    part = rows[kept[0, rows]]
    assert second[0] == pytest.approx(metrics.loo_r2(X[part], values[part, 0]), abs=1e-6)


def test_the_best_comes_first_and_the_controls_last():
    good, poor, reward = world()
    found = rank_embeddings({"poor": poor, "good": good}, labelled(reward, 300))
    assert found.table["embedding"].tolist() == ["good", "poor", "random", "mean reward"]
    assert found.advice.verdict == "clear"
    assert found.advice.best == "good"
    assert found.advice.difference.low > 0
    assert found.table["first"].iloc[:2].sum() == pytest.approx(1)
    regret = found.table.set_index("embedding")["regret"]
    assert regret["good"] < regret["poor"] < regret["random"] <= 1.0


def test_coverage_is_the_gap_to_the_nearest_other_label():
    good, _, reward = world()
    values = labelled(reward, 50)
    rows = np.flatnonzero(~np.isnan(values))
    distance = cdist(good[rows], good[rows])
    np.fill_diagonal(distance, np.inf)
    y = values[rows]
    gap = np.abs(y - y[distance.argmin(axis=1)]).mean()
    any_gap = np.abs(y[:, None] - y).sum() / (50 * 49)
    found = rank_embeddings({"good": good}, values, n_resamples=20)
    assert found.table["coverage"].iloc[0] == pytest.approx(gap / any_gap, rel=1e-6)


def left_out_errors(X, y):
    """Squared errors at the best penalty of the grid, by the hat matrix."""
    n = len(y)
    centred = X - X.mean(axis=0)
    centred /= np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    found = []
    for penalty in RIDGE_GRID[::4]:
        gram = centred.T @ centred + penalty * np.eye(X.shape[1])
        hat = centred @ np.linalg.solve(gram, centred.T) + 1 / n
        found.append(((y - hat @ y) / (1 - np.diag(hat))) ** 2)
    return min(found, key=np.sum)


def test_intervals_hold_what_they_promise_and_those_without_refitting_do_not():
    """Reference: the spread of the same difference over fresh samples of labels and actions."""
    estimates, ends, widths, plain = [], [], [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        good = rng.standard_normal((60, 32)) * np.arange(1, 33) ** -0.5
        poor = good + 0.5 * rng.standard_normal((60, 32)) * good.std(axis=0)
        weights = np.random.default_rng(7).standard_normal(32)
        y = good @ weights + 2 * rng.standard_normal(60)
        kept = scoring.subsamples(y[:, None], 60, seed)
        scores = []
        for X in (good, poor):
            first, *rest = scoring.r2_score(X, y[:, None], kept)
            scores.append(scoring.spread_out(first, np.array(rest), y[:, None]))
        gap = advice.difference(*scores)
        estimates.append(gap.estimate)
        ends.append((gap.low, gap.high))
        widths.append((gap.high - gap.low) / (2 * 1.96))
        errors = left_out_errors(poor, y) - left_out_errors(good, y)
        drawn = rng.integers(0, 60, (400, 60))
        centred = (y - y.mean()) ** 2 * (60 / 59) ** 2
        plain.append(np.std(errors[drawn].sum(axis=1) / centred[drawn].sum(axis=1)))
    truth, spread = np.mean(estimates), np.std(estimates)
    covered = np.mean([low <= truth <= high for low, high in ends])
    assert covered >= 0.88  # 95% promised; of 80 trials below this with probability 0.01
    assert np.mean(widths) >= 0.95 * spread
    assert np.mean(plain) < 0.9 * spread


def test_subsamples_keep_four_fifths_without_repeats():
    values = np.column_stack([labelled(np.arange(K) * 1.0, 50, 1), labelled(np.ones(K), 30, 2)])
    rows = np.flatnonzero(~np.isnan(values[:, 1]))
    values[rows[:5], 1] = 0.0
    there = ~np.isnan(values).all(axis=1)
    kept = scoring.subsamples(values, 40, 3)
    assert (kept.sum(axis=1) == np.ceil(0.8 * there.sum())).all()
    assert not kept[:, ~there].any()
    # No draw is left in which a task is constant.
    assert all(np.nanstd(values[row], axis=0).min() > 0 for row in kept)


def test_noise_as_wide_as_there_are_labels_seems_to_hold_nothing():
    """Energies that are only cut off at zero would give noise a large share of any reward."""
    rng = np.random.default_rng(0)
    totals = {False: [], True: []}
    for _ in range(20):
        basis = eigenbasis(rng.standard_normal((3000, 200)))
        rows = np.sort(rng.choice(3000, 300, replace=False))
        label = Labels(rows, rng.standard_normal((300, 1)), 0.0)
        for unbiased, found in totals.items():
            found.append(energy_shares(basis, label, unbiased_total=unbiased)[0].sum())
    assert np.mean(totals[False]) > 0.3
    assert np.mean(totals[True]) < 0.1


def test_geometry_alone_ranks_nothing():
    good, poor, _ = world()
    found = rank_embeddings({"poor": poor, "good": good})
    assert found.table["embedding"].tolist() == ["poor", "good", "random"]
    assert (found.advice.verdict, found.advice.best) == ("geometry", "")
    assert "cannot be ranked" in found.advice.text
    assert found.tasks.empty
    assert found.table["r2"].isna().all()
    assert found.table["d_eff"].iloc[0] == pytest.approx(metrics.participation_ratio(poor))


def test_one_hot_rows_have_no_finite_dimension_and_are_still_shown():
    found = rank_embeddings({"one-hot": np.eye(30)}, np.arange(30.0), n_resamples=20)
    assert found.table["d_eff"].iloc[0] == np.inf
    (shown, *_), _ = terminal.table_cells(found)
    assert shown[4] == "inf"
    row = json.loads(terminal.ranking_json(found))["table"][0]
    assert (row["embedding"], row["d_eff"], row["d_eff_low"]) == ("one-hot", None, None)


def test_rewards_that_no_embedding_holds_lead_to_no_choice():
    good, poor, _ = world()
    reward = np.random.default_rng(5).standard_normal(K)
    found = rank_embeddings({"good": good, "poor": poor}, labelled(reward, 100))
    assert found.advice.verdict == "nothing"
    assert "Nothing can be concluded" in found.advice.text


def test_equal_embeddings_are_tied():
    good, _, reward = world()
    turned = good @ stats.ortho_group.rvs(12, random_state=1)
    found = rank_embeddings({"a": good, "b": turned}, labelled(reward, 100))
    assert found.advice.verdict == "tied"
    assert "No difference can be told" in found.advice.text
    assert len(found.advice.tied) == 1


def test_one_embedding_is_compared_with_noise():
    good, _, reward = world()
    found = rank_embeddings({"only": good}, labelled(reward, 100))
    assert found.advice.verdict == "alone"
    assert np.isnan(found.advice.probability)


@pytest.mark.parametrize(
    ("estimate", "half", "n", "needed"),
    # (1.96 + 0.8416)^2 / 1.96^2 = 2.0432 times n where the interval just reaches zero.
    [(0.1, 0.1, 100, 210), (0.1, 0.2, 100, 820), (0.001, 0.1, 1000, None), (-0.1, 0.2, 9, None)],
)
def test_labels_needed_follow_the_power_of_a_z_test(estimate, half, n, needed):
    gap = Interval(estimate, estimate - half, estimate + half, 0.95, n)
    assert advice.labels_needed(gap, n) == needed


def test_labels_needed_have_the_power_that_is_meant():
    """Reference: simulated z tests at the number of labels that is called for."""
    gap = Interval(0.2, -0.3, 0.7, 0.95, 50)
    needed = advice.labels_needed(gap, 50)
    error = 0.5 / 1.96 * np.sqrt(50 / needed)
    draws = np.random.default_rng(0).normal(0.2, error, 20_000)
    assert np.mean(draws > 1.96 * error) == pytest.approx(0.8, abs=0.02)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    good, poor, reward = world()
    values = labelled(reward, 60)
    runs = [
        rank_embeddings({"a": good, "b": poor}, values, n_resamples=30, seed=s) for s in (3, 3, 4)
    ]
    pd.testing.assert_frame_equal(runs[0].table, runs[1].table)
    assert runs[0].advice == runs[1].advice
    assert runs[0].table["r2_low"].iloc[0] != runs[2].table["r2_low"].iloc[0]
    assert runs[0].table["r2"].iloc[0] == runs[2].table["r2"].iloc[0]


GOOD, _, REWARD = world()


@pytest.mark.parametrize(
    ("embeddings", "rewards", "options", "message"),
    [
        ({}, None, {}, "embeddings is empty"),
        ({"random": GOOD}, None, {}, "'random': the name is a control's"),
        ({"a": GOOD, "b": GOOD[1:]}, None, {}, r"different numbers of rows: \{'a': 400, 'b': 399"),
        ({"a": np.where(GOOD > 2, np.nan, GOOD)}, None, {}, "embedding 'a' holds .* NaN"),
        ({"a": GOOD[:, 0]}, None, {}, "embedding 'a' has shape"),
        ({"a": GOOD * 0}, None, {}, "embedding 'a': row 0 is zero"),
        ({"a": GOOD * 0 + 1}, REWARD, {}, "embedding 'a': .*all equal"),
        ({"a": GOOD[:3]}, None, {}, "embedding 'a' has 3 row"),
        ({"a": GOOD}, REWARD[1:], {}, r"rewards has shape \(399,\)"),
        ({"a": GOOD}, labelled(REWARD, 19), {}, "'task 1' has 19 labels; expected at least 20"),
        ({"a": GOOD}, labelled(REWARD * 0, 50), {}, "'task 1' is constant"),
        ({"a": GOOD}, np.where(REWARD > 2, np.inf, REWARD), {}, "infinite rewards"),
        ({"a": GOOD}, (np.arange(K) < 4) * 1.0, {}, "only 4 of 400 labels differ"),
        ({"a": GOOD}, REWARD, {"tasks": ["x", "y"]}, "2 names for 1 tasks"),
        ({"a": GOOD}, REWARD, {"horizon": 0}, "horizon = 0"),
        ({"a": GOOD}, REWARD, {"n_resamples": 5}, "n_resamples = 5"),
    ],
)
def test_wrong_input_is_named(embeddings, rewards, options, message):
    with pytest.raises(ValueError, match=message):
        rank_embeddings(embeddings, rewards, **options)
