"""Rows that do not fit memory: the same result, in bounded memory, whole or absent."""

import errno
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from crlib.extractors import standardise
from crlib.extractors.streaming import standardise_file
from crlib.settings import ROOT


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((61, 5)) @ rng.standard_normal((5, 5)) + 40


@pytest.mark.parametrize("block_rows", [1, 2, 7, 30, 60, 61, 62, 1000])
@pytest.mark.parametrize(
    "settings", [{}, {"pca": 3}, {"whiten": True}, {"pca": 2, "whiten": True}], ids=str
)
def test_blocks_of_a_memory_map_give_what_memory_gives(rows, tmp_path, block_rows, settings):
    np.save(tmp_path / "in.npy", rows)
    source = np.load(tmp_path / "in.npy", mmap_mode="r")
    streamed = standardise_file(source, tmp_path / "out.npy", block_rows=block_rows, **settings)
    np.testing.assert_allclose(streamed, standardise(rows, **settings), rtol=0, atol=1e-11)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), streamed)
    with pytest.raises(ValueError, match="read-only"):
        streamed[0, 0] = 1


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_precision_is_that_of_memory(rows, tmp_path, dtype):
    given = rows.astype(dtype)
    streamed = standardise_file(given, tmp_path / "out.npy", pca=4, block_rows=9)
    expected = standardise(given, pca=4)
    assert streamed.dtype == expected.dtype
    np.testing.assert_allclose(streamed, expected, atol=1e-5)


def test_blocks_of_a_function_may_differ_in_length_and_be_empty(rows, tmp_path):
    streamed = standardise_file(
        lambda: np.split(rows, [0, 1, 1, 30, 33]), tmp_path / "out.npy", whiten=True
    )
    np.testing.assert_allclose(streamed, standardise(rows, whiten=True), rtol=0, atol=1e-11)


def test_more_rows_than_one_block(tmp_path):
    rows = np.random.default_rng(1).standard_normal((5000, 3)).astype(np.float32)
    streamed = standardise_file(rows, tmp_path / "out.npy", pca=2)
    np.testing.assert_allclose(streamed, standardise(rows, pca=2), atol=1e-6)
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    spectrum = np.linalg.svd(centred, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.norm(streamed, axis=0), spectrum, rtol=1e-6)


def test_the_source_may_be_replaced(rows, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, rows)
    standardise_file(np.load(path, mmap_mode="r"), path, pca=2, block_rows=7)
    np.testing.assert_allclose(np.load(path), standardise(rows, pca=2), rtol=0, atol=1e-11)


def spoilt(rows: np.ndarray, row: int) -> np.ndarray:
    rows = rows.copy()
    rows[row, 1] = np.nan
    return rows


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        (lambda rows: iter([rows]), {}, "can be read only once"),
        (lambda rows: rows[0], {}, "one row per action"),
        (lambda rows: rows[:1], {}, "X has 1 rows; expected at least 2"),
        (lambda rows: lambda: [], {}, "X has 0 rows; expected at least 2"),
        (lambda rows: lambda: [rows, rows[:, :2]], {}, "block 1 of X has 2 columns"),
        (lambda rows: lambda: [rows, rows.astype("f4")], {}, "columns of float32, the first had"),
        (lambda rows: lambda: [rows[0]], {}, r"block 0 of X has shape \(5,\)"),
        (lambda rows: spoilt(rows, 43), {"block_rows": 7}, "NaN or infinity, first in row 43"),
        (lambda rows: rows, {"block_rows": 0}, "block_rows = 0; expected at least 1"),
        (lambda rows: rows, {"pca": 6}, "1 <= pca <= 5"),
        (lambda rows: np.ones((9, 2)), {"whiten": True}, "no variance to whiten"),
    ],
)
def test_bad_sources_are_named_and_nothing_is_written(rows, tmp_path, source, settings, message):
    with pytest.raises(ValueError, match=message):
        standardise_file(source(rows), tmp_path / "out.npy", **settings)
    assert not any(tmp_path.iterdir())


def second_time(rows: np.ndarray, later: list[np.ndarray]):
    passes = iter([[rows], later])
    return lambda: next(passes)


def test_a_second_pass_that_differs_leaves_the_old_file(rows, tmp_path):
    path = tmp_path / "out.npy"
    path.write_text("old")
    for later in ([], [rows[:60]], [rows, rows]):
        with pytest.raises(ValueError, match=f"61 rows at first and {sum(map(len, later))} the"):
            standardise_file(second_time(rows, later), path)
    with pytest.raises(ValueError, match="first in row 5"):
        standardise_file(second_time(rows, [spoilt(rows, 5)]), path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def run(code: str, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


TOO_LONG = """
import resource, sys
import numpy as np
from crlib.extractors.streaming import standardise_file
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    standardise_file(np.random.default_rng(0).standard_normal((500, 4)), sys.argv[1], block_rows=50)
except OSError as error:
    print(error.errno, error)
"""


@pytest.mark.parametrize("limit", [0, 128, 1000, 128 + 500 * 4 * 8 - 1])
def test_a_full_disk_leaves_the_old_file(tmp_path, limit):
    path = tmp_path / "out.npy"
    path.write_text("old")
    told = run(TOO_LONG, path, limit)
    assert told.startswith(f"{errno.EFBIG} ")
    assert f"{path} needs 500 x 4 x 8 bytes" in told
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def traced_peak(n: int, path: Path) -> int:
    """Most bytes held by Python and numpy while `n` rows of 32 columns are standardised."""

    def blocks():
        rng = np.random.default_rng(0)
        return (rng.standard_normal((500, 32)) for _ in range(n // 500))

    tracemalloc.start()
    try:
        standardise_file(blocks, path, pca=8, whiten=True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    small, large = (traced_peak(n, tmp_path / "out.npy") for n in (2000, 40_000))
    # 40,000 rows of 32 float64 are 10 MB; a block is 128 KB.
    assert large < 1.1 * small < 1_500_000


# The kernel counts what a process allocates, LAPACK's work included, and refuses more; file-backed
# pages of the memory map do not count, as they can be dropped at any time.
LIMITED = """
import resource, sys
import numpy as np
from crlib.extractors.standardise import standardise
from crlib.extractors.streaming import standardise_file
rows = np.load(sys.argv[1], mmap_mode="r")
standardise_file(rows[:5000], sys.argv[2], pca=8)  # libraries have taken what they keep
used = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
limit = int(used.split()[1]) * 1024 + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    standardise(rows, pca=8)
    print("memory sufficed")
except MemoryError:
    print("too large for memory")
print(standardise_file(rows, sys.argv[2], pca=8).shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: Linux limits a process's data")
def test_rows_larger_than_the_memory_allowed(tmp_path):
    path = tmp_path / "in.npy"
    shape = (600_000, 16)
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        rng = np.random.default_rng(0)
        for _ in range(60):
            rng.standard_normal((10_000, 16)).tofile(file)
    # Allowed are 16 MB, where the rows are 77 MB and eight components of them 38 MB.
    told = run(LIMITED, path, tmp_path / "out.npy", 16 * 2**20)
    assert told.splitlines() == ["too large for memory", "(600000, 8)"]
