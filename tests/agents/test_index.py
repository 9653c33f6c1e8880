"""Indexes against numpy's argmax over all scores in float64."""

import numpy as np
import pytest

from crlib.agents import index as indexes
from crlib.agents import maximum, quantised
from crlib.agents.index import build, choose, score_ratio
from crlib.agents.maximum import ExactIndex, best_of
from crlib.agents.quantised import IVFIndex, ScanIndex

ALL = [ExactIndex, ScanIndex, IVFIndex]


def queries(S, d, seed=1):
    return np.random.default_rng(seed).normal(size=(S, d)).astype(np.float32)


def all_scores(rows, q):
    return q.astype(np.float64) @ rows.T.astype(np.float64)


@pytest.mark.parametrize("d", [1, 3, 16, 61, 64])
@pytest.mark.parametrize("S", [1, 2, 7, 100])
def test_exact_is_the_argmax(d, S, action_rows):
    rows, q = action_rows(3001, d), queries(S, d)
    actions, scores = ExactIndex(rows).search(q)
    reference = all_scores(rows, q)
    assert actions.dtype == np.int64
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, reference.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(reference[np.arange(S), actions], reference.max(axis=1), rtol=1e-5)


def test_exact_gives_the_same_in_any_block(action_rows, monkeypatch):
    rows, q = action_rows(5000, 24), queries(9, 24)
    whole = ExactIndex(rows).search(q)
    monkeypatch.setattr(maximum, "BLOCK_BYTES", 1)
    parts = ExactIndex(rows).search(q)
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_allclose(whole[1], parts[1], rtol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_a_tie_goes_to_the_lowest_number(kind, monkeypatch):
    # Coordinate vectors: products are exact, so equal rows score equal in every block.
    monkeypatch.setattr(maximum, "BLOCK_BYTES", 1)
    rows = np.eye(8, dtype=np.float32)[np.arange(1200) % 8]
    q = np.eye(8, dtype=np.float32)[[5, 2]] * 3
    options = {} if kind is ExactIndex else {"rerank": 1200}
    actions, scores = kind(rows, **options).search(q)
    assert actions.tolist() == [5, 2]
    assert scores.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("cells", [0, 40])
@pytest.mark.parametrize("d", [13, 64, 128])
def test_scan_finds_the_argmax(cells, d, action_rows):
    rows, q = action_rows(20_000, d, cells=cells), queries(200, d)
    actions, scores = ScanIndex(rows).search(q)
    reference = all_scores(rows, q)
    assert np.mean(actions == reference.argmax(axis=1)) >= 0.99
    np.testing.assert_allclose(scores, reference[np.arange(200), actions], rtol=1e-4)


def test_scan_holds_on_a_steep_spectrum(action_rows):
    rows = action_rows(20_000, 64) * np.arange(1, 65, dtype=np.float32) ** -1.0
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    q = queries(200, 64)
    assert score_ratio(ScanIndex(rows), rows, q) > 0.9999


def test_scan_without_rerank_is_the_8_bit_argmax(action_rows):
    """One candidate only: the integer product that faiss takes, done here in int64."""
    rows, q = action_rows(4000, 20), queries(50, 20)
    row_codes = np.rint(rows / (np.abs(rows).max() / 127)).astype(np.int64)
    query_codes = np.rint(q / (np.abs(q).max(axis=1, keepdims=True) / 127)).astype(np.int64)
    integer = query_codes @ row_codes.T
    actions, _ = ScanIndex(rows, rerank=1).search(q)
    np.testing.assert_array_equal(integer[np.arange(50), actions], integer.max(axis=1))


def test_ivf_finds_nearly_all_of_the_score_on_clustered_rows(action_rows):
    rows, q = action_rows(30_000, 32, cells=300), queries(200, 32)
    ivf = IVFIndex(rows, nlist=300, nprobe=16)
    assert score_ratio(ivf, rows, q) >= 0.995
    few = score_ratio(IVFIndex(rows, nlist=300, nprobe=1), rows, q)
    assert few < score_ratio(ivf, rows, q)
    # Looking into every cell, it is a scan.
    whole = IVFIndex(rows, nlist=300, nprobe=300).search(q)
    np.testing.assert_array_equal(whole[0], ScanIndex(rows).search(q)[0])


def test_ivf_answers_where_its_cells_are_empty(action_rows, monkeypatch):
    rows, q = action_rows(300, 8), queries(20, 8)
    # Nothing but the first ten rows is filed: most cells stay empty.
    monkeypatch.setattr(quantised, "_add", lambda index, rows, scale: index.add(rows[:10] / scale))
    ivf = IVFIndex(rows, nlist=100, nprobe=1)
    actions, scores = ivf.search(q)
    exact = ExactIndex(rows).search(q)
    missed = actions > 9
    assert missed.any()
    np.testing.assert_array_equal(actions[missed], exact[0][missed])
    np.testing.assert_array_equal(scores[missed], exact[1][missed])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("K", [1, 2, 5])
def test_fewer_actions_than_candidates(kind, K, action_rows):
    rows, q = action_rows(K, 7), queries(6, 7)
    np.testing.assert_array_equal(kind(rows).search(q)[0], all_scores(rows, q).argmax(axis=1))


@pytest.mark.parametrize("kind", ALL)
def test_a_zero_query_scores_zero(kind, action_rows):
    actions, scores = kind(action_rows(50, 6)).search(np.zeros((1, 6)))
    assert 0 <= actions[0] < 50
    assert scores[0] == 0


@pytest.mark.parametrize("kind", ALL)
def test_memory_mapped_rows_stay_on_disk(kind, action_rows, tmp_path):
    rows = action_rows(3000, 20)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    index = kind(mapped)
    assert np.shares_memory(index.rows, mapped)
    q = queries(30, 20)
    for mine, theirs in zip(index.search(q), kind(rows).search(q), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", ALL)
def test_the_same_rows_give_the_same_actions(kind, action_rows):
    rows, q = action_rows(5000, 24, cells=50), queries(100, 24)
    first, second = kind(rows).search(q), kind(rows.copy()).search(q)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_score_ratio_is_the_mean_over_queries(action_rows):
    rows, q = action_rows(2000, 16), queries(40, 16)
    index = IVFIndex(rows, nlist=50, nprobe=1)
    scores = all_scores(rows, q)
    found = scores[np.arange(40), index.search(q)[0]] - scores.mean(axis=1)
    expected = np.mean(found / (scores.max(axis=1) - scores.mean(axis=1)))
    assert expected < 0.999
    assert score_ratio(index, rows, q) == pytest.approx(expected, abs=1e-5)
    assert score_ratio(ExactIndex(rows), rows, q) == pytest.approx(1)


def test_score_ratio_of_equal_rows_is_one():
    rows = np.tile(np.float32([0.6, 0.8]), (10, 1))
    assert score_ratio(ScanIndex(rows), rows, queries(5, 2)) == 1


def test_score_ratio_wants_the_index_own_rows(action_rows):
    index = ExactIndex(action_rows(20, 4))
    with pytest.raises(ValueError, match="pass its own rows"):
        score_ratio(index, action_rows(21, 4), queries(2, 4))


def test_best_of_takes_the_lowest_of_equal_candidates():
    rows = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    candidates = np.array([[3, 2, 1], [-1, 3, -1], [-1, -1, -1]])
    q = np.float32([[0, 2, 1], [1, 1, 0], [1, 1, 1]])
    actions, scores = best_of(rows, q, candidates)
    assert actions.tolist() == [1, 3, -1]
    assert scores.tolist() == [2, 0, -np.inf]


@pytest.mark.parametrize(
    ("K", "name"),
    [(1, "exact"), (100_000, "exact"), (100_001, "scan"), (1_000_000, "scan"), (10**7, "ivf")],
)
def test_the_default_index_by_number_of_actions(K, name):
    assert choose(K) == name


def test_build_takes_the_default_or_the_named_one(action_rows, monkeypatch):
    rows = action_rows(100, 8)
    assert isinstance(build(rows), ExactIndex)
    scan = build(rows, "scan", rerank=5)
    assert isinstance(scan, ScanIndex)
    assert scan.rerank == 5
    monkeypatch.setattr(indexes, "EXACT_MOST", 10)
    assert isinstance(build(rows), ScanIndex)
    monkeypatch.setattr(indexes, "SCAN_MOST", 50)
    assert isinstance(build(rows), IVFIndex)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((2, 5)), "as wide as the rows"),
        (np.zeros(4), "pass a matrix"),
        (np.full((1, 4), np.nan), "NaN"),
        (np.zeros((0, 4)), "empty"),
    ],
)
def test_unfit_queries_are_refused(kind, bad, message, action_rows):
    with pytest.raises(ValueError, match=f"queries.*{message}"):
        kind(action_rows(10, 4)).search(bad)


@pytest.mark.parametrize("kind", ALL)
def test_rows_may_have_any_length(kind, action_rows):
    """Centred features are not of length one: a long row wins more often, and must be found."""
    rows = action_rows(500, 16) * np.random.default_rng(1).uniform(0.2, 3, (500, 1))
    rows = rows.astype(np.float32)
    queries = np.random.default_rng(2).standard_normal((40, 16)).astype(np.float32)
    options = {"nlist": 4, "nprobe": 4} if kind is IVFIndex else {}
    found, _ = kind(rows, **options).search(queries)
    assert (found == (queries @ rows.T).argmax(axis=1)).mean() > 0.9


def test_unfit_options_are_refused(action_rows):
    rows = action_rows(10, 4)
    with pytest.raises(ValueError, match="'hnsw' is unknown: pass 'auto', 'exact', 'scan', 'ivf'"):
        build(rows, "hnsw")
    with pytest.raises(ValueError, match="rerank = 0"):
        ScanIndex(rows, rerank=0)
    with pytest.raises(ValueError, match="nprobe = 0"):
        IVFIndex(rows, nprobe=0)
    with pytest.raises(ValueError, match="nlist = 11 exceeds the 10 rows"):
        IVFIndex(rows, nlist=11)
    with pytest.raises(ValueError, match="K = 0"):
        choose(0)


@pytest.mark.parametrize("target", [0.9, 0.999])
def test_cells_are_added_until_the_score_is_good_enough(action_rows, target):
    rows = action_rows(6000, 24)  # without clusters: the hard case
    index = IVFIndex(rows, nlist=150, target=target, seed=3)
    fresh = np.random.default_rng(77).standard_normal((200, 24)).astype(np.float32)
    assert score_ratio(index, rows, fresh) > target - 0.01
    assert index.nprobe in (8, 16, 32, 64, 128, 150)
    if index.nprobe > 8:
        fewer = IVFIndex(rows, nlist=150, nprobe=index.nprobe // 2, seed=3)
        tuned = np.random.default_rng([3, 64]).standard_normal((64, 24), dtype=np.float32)
        assert score_ratio(fewer, rows, tuned) < target


def test_a_higher_target_takes_more_cells(action_rows):
    rows = action_rows(6000, 24)
    probes = [IVFIndex(rows, nlist=150, target=t).nprobe for t in (0.5, 0.95, 0.9999)]
    assert probes == sorted(probes)
    assert probes[0] < probes[-1]


@pytest.mark.parametrize("target", [0.0, 1.0, 1.5])
def test_targets_that_are_no_share_are_refused(action_rows, target):
    with pytest.raises(ValueError, match="target = "):
        IVFIndex(action_rows(100, 4), target=target)


def test_found_share_is_one_for_the_best_and_zero_for_the_mean():
    rows = np.array([[2.0, 0.0], [1.0, 0.0], [0.0, 0.0]], np.float32)
    shares = [indexes.found_share(rows, [1.0, 5.0], action) for action in range(3)]
    assert shares == [1.0, 0.0, -1.0]
    assert indexes.found_share(rows, [0.0, 1.0], 2) == 1.0
