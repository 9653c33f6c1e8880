"""Costs against K: what is measured is consistent, and mapped rows are what was drawn."""

import numpy as np
import pytest

from crlib.agents.index import build
from crlib.envs import cost
from crlib.envs.slates import SlateBandit
from crlib.envs.spectra import clustered_rows


def test_rows_of_every_index_are_comparable():
    rows = cost.costs(3000, 16, ("exact", "scan", "ivf"), rounds=30, replications=2)
    assert [row["index"] for row in rows] == ["exact", "scan", "ivf"]
    assert rows[0]["regret_ratio"] == 1.0
    assert rows[0]["score_ratio"] == pytest.approx(1, abs=1e-5)
    for row in rows:
        assert row["rounds_per_second"] > 0
        assert row["regret"] > 0
        assert 0 < row["score_ratio"] <= 1 + 1e-5
        assert row["regret_ratio"] == pytest.approx(row["regret"] / rows[0]["regret"])


def test_regret_repeats_under_the_seed():
    first, second = (cost.costs(500, 8, ("exact",), rounds=20, seed=3)[0]["regret"] for _ in "12")
    assert first == second


def test_bytes_are_those_of_rows_and_codes():
    rows = clustered_rows(1000, 8, 0)
    assert build(rows, "exact").nbytes == 2 * 1000 * 8 * 4
    assert build(rows, "scan").nbytes == 1000 * 8 * 5
    assert build(rows, "ivf").nbytes > build(rows, "scan").nbytes


def test_mapped_rows_are_written_once_and_play_like_rows_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "MAPPED", 100)
    inside = cost.costs(300, 8, ("exact", "scan"), rounds=15)
    monkeypatch.setattr(cost, "MAPPED", 299)
    mapped = cost.costs(300, 8, ("exact", "scan"), rounds=15, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "clustered-300-8-0.npy"
    np.testing.assert_array_equal(np.load(path), clustered_rows(300, 8, 0))
    for a, b in zip(inside, mapped, strict=True):
        assert a["regret"] == pytest.approx(b["regret"])
    before = path.stat().st_mtime_ns
    cost.mapped_rows(300, 8, tmp_path)
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("seed", [0, 1])
def test_the_best_of_all_actions_in_a_fixed_context_is_kept_right(seed):
    rng = np.random.default_rng(seed)
    features, theta = rng.standard_normal((50, 4)), rng.standard_normal((4, 3))
    bandit = SlateBandit(theta, features=features, contexts="fixed", slate=None, n_contexts=3)
    for rounds in (2, 1, 5):
        context, _ = bandit.deal(rounds)
        actions = rng.integers(50, size=(3, rounds))
        _, lost = bandit.step(actions)
        for s in range(3):
            for i in range(rounds):
                means = features * context[s, i] @ theta[:, s]
                assert lost[s, i] == pytest.approx(means.max() - means[actions[s, i]])


def test_clustered_rows_are_of_length_one_and_nearer_within_a_cluster():
    rows = clustered_rows(400, 32, 0, size=40, spread=0.3)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    cosine = np.sort(rows @ rows.T, axis=1)[:, ::-1]
    assert cosine[:, 10].mean() > 0.85  # about forty neighbours each
    assert cosine[:, 100].mean() < 0.5
    with pytest.raises(ValueError, match="spread = 0"):
        clustered_rows(10, 4, 0, spread=0)
