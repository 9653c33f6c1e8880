"""The geometry benchmark runs, agrees with its peers, and writes what the page reads."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import geometry
from benchmarks.measure import Case, Data, check_agreement, make_data, rows_of, take_turns
from crlib.settings import ROOT


def test_quick_run_writes_every_case(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "benchmarks.geometry", "--quick"],
        cwd=ROOT,
        env={**os.environ, "CRLIB_BUILD": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=600,
    )
    result = json.loads((tmp_path / "bench" / "geometry.json").read_text())
    assert set(result) == {"name", "machine", "rows"}
    peers = {}
    for row in result["rows"]:
        assert list(row) == [
            "case", "limit", "peer", "seconds_median", "ratio_to_limit", "extra_mib", "goal", "note"
        ]  # fmt: skip
        peers.setdefault(row["case"], set()).add(row["peer"])
        assert (row["seconds_median"] is None) == row["note"].startswith("not run: ")
    assert len(peers) == 9
    assert all({"limit", "crlib"} <= names for names in peers.values())
    for name in ("faiss", "torch.cdist", "torch.pdist", "scikit-learn", "scipy"):
        assert any(name in names for names in peers.values())
    assert any(row["extra_mib"] is not None for row in result["rows"]) or sys.platform != "linux"
    assert "goal" in result["rows"][0]


def test_made_rows_are_seeded_unit_rows():
    first, again = make_data(9000, 8, 20), make_data(9000, 8, 20)
    assert np.array_equal(first.rows, again.rows)
    assert np.linalg.norm(first.rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert len(set(first.subset)) == 20


def test_runs_take_turns_and_the_first_round_is_left_out():
    order = []
    data = Data(np.eye(2, dtype=np.float32), np.array([0]))
    case = Case(
        "a case",
        "nothing",
        {"limit": lambda _: order.append("limit"), "crlib": lambda _: order.append("crlib") or 1.0},
        goal=2.0,
        skipped={"other": "it cannot"},
    )
    seconds, results = take_turns(case, data, rounds=2)
    assert order == ["limit", "crlib"] * 3
    assert [len(times) for times in seconds.values()] == [2, 2]
    assert results == {"limit": None, "crlib": 1.0}
    limit, ours, other = rows_of(case, data, 1, {"crlib": 3.5})
    assert limit["ratio_to_limit"] == 1
    assert (ours["goal"], ours["extra_mib"], limit["goal"]) == (2.0, 3.5, None)
    assert ours["ratio_to_limit"] == ours["seconds_median"] / limit["seconds_median"]
    assert (other["seconds_median"], other["note"]) == (None, "not run: it cannot")


def test_a_peer_that_computes_something_else_is_an_error():
    case = Case("a case", "nothing", {})
    check_agreement(case, {"limit": None, "crlib": 1.0, "peer": 1.0005})
    with pytest.raises(AssertionError, match=r"peer gives 1\.1"):
        check_agreement(case, {"limit": None, "crlib": 1.0, "peer": 1.1})


@pytest.mark.parametrize("kind", ["full", "part", "million"])
def test_limits_do_the_products_that_they_say(kind, monkeypatch):
    # Count multiplications through numpy's matmul instead of trusting the words.
    done = []
    plain = np.matmul

    def counting(left, right, out=None):
        done.append(left.shape[0] * left.shape[1] * right.shape[1])
        return plain(left, right, out=out)

    n, d, k = 5000, 8, 30
    data = make_data(n, d, k)
    monkeypatch.setattr(geometry.np, "matmul", counting)
    pairs = sum(
        (min(i + 2048, n) - i) * (n - i) for i in range(0, n, 2048)
    )  # upper triangle of tiles
    expected = {
        "K x k x d product": n * k * d,
        "K x K x d product": n * n * d,
        "products of all pairs, each once": pairs * d,
        "d x K x d product": n * d * d,
        "reading the rows": 0,
    }
    for case in geometry.cases(kind, n, d, k):
        done.clear()
        case.runs["limit"](data)
        assert sum(done) == expected[case.limit]
