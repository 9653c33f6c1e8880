"""Embeddings made elsewhere: every format against the same array, and every way to be wrong."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from crlib.extractors.external import is_embedding_file, read_embeddings

ROWS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
UNIT = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
IDS = list("abcde")


def written(folder, suffix: str, rows=ROWS, ids=None):
    path = folder / f"rows{suffix}"
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".safetensors":
        save_file({"embeddings": np.ascontiguousarray(rows)}, path)
    elif "lists" in suffix:
        pd.DataFrame({"vector": list(rows)}).to_parquet(path)
    else:
        frame = pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
        (frame if ids is None else frame.assign(id=ids)).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".safetensors", ".parquet", "-lists.parquet"])
def test_every_format_gives_the_same_unit_rows(tmp_path, suffix):
    path = written(tmp_path, suffix)
    assert is_embedding_file(str(path))
    np.testing.assert_allclose(read_embeddings(path, 5), UNIT, atol=1e-6)


def test_rows_are_matched_by_their_ids(tmp_path):
    order = [3, 0, 4, 1, 2]
    path = written(tmp_path, ".parquet", ROWS[order], [IDS[i] for i in order])
    np.testing.assert_allclose(read_embeddings(path, 5, ids=IDS), UNIT, atol=1e-6)
    np.testing.assert_allclose(read_embeddings(path, 2, ids=["e", "a"]), UNIT[[4, 0]], atol=1e-6)
    with pytest.raises(ValueError, match="1 ids are missing, 'z' for one"):
        read_embeddings(path, 2, ids=["a", "z"])


def test_whole_numbers_and_half_precision_are_rows_too(tmp_path):
    whole = np.array([[3, 4], [0, -2]])
    found = read_embeddings(written(tmp_path, ".npy", whole), 2)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, -1]], atol=1e-6)
    half = read_embeddings(written(tmp_path, ".npy", ROWS.astype(np.float16)), 5)
    np.testing.assert_allclose(half, UNIT, atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:4], "4 rows for 5 texts"),
        (ROWS[0], r"expected numbers, \(n, d\)"),
        (np.array([["a"]] * 5), "expected numbers"),
        (np.where(np.arange(5)[:, None] == 2, np.nan, ROWS), "row 2 is zero or not finite"),
        (np.where(np.arange(5)[:, None] == 3, 0, ROWS), "row 3 is zero or not finite"),
    ],
)
def test_wrong_rows_are_refused(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        read_embeddings(written(tmp_path, ".npy", rows), 5)


def test_pickled_arrays_are_never_loaded(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"no plain \.npy array"):
        read_embeddings(path, 1)


@pytest.mark.parametrize("suffix", [".npy", ".safetensors", ".parquet"])
def test_a_damaged_or_missing_file_is_named(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    with pytest.raises(ValueError, match="is missing; expected a file of embeddings"):
        read_embeddings(path, 5)
    path.write_bytes(b"not what it says")
    with pytest.raises(ValueError, match=f"rows{suffix} is no"):
        read_embeddings(path, 5)


def test_repeated_ids_and_ragged_lists_are_refused(tmp_path):
    path = written(tmp_path, ".parquet", ROWS, list("aacde"))
    with pytest.raises(ValueError, match="stands more than once"):
        read_embeddings(path, 5, ids=IDS)
    ragged = tmp_path / "ragged.parquet"
    pd.DataFrame({"vector": [[1.0, 2.0], [1.0]]}).to_parquet(ragged)
    with pytest.raises(ValueError, match="2 different lengths"):
        read_embeddings(ragged, 2)
    several = tmp_path / "several.safetensors"
    save_file({"a": ROWS, "b": ROWS}, several)
    with pytest.raises(ValueError, match="none is called embeddings"):
        read_embeddings(several, 5)
