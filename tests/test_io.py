"""Files are whole or absent."""

import hashlib
import json

import numpy as np
import pytest

from crlib import io


def test_atomic_path_keeps_the_old_file_when_the_block_fails(tmp_path):
    target = tmp_path / "deep" / "result.json"
    io.write_text(target, "old")

    def write_half() -> None:
        with io.atomic_path(target) as temporary:
            temporary.write_text("ha")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert target.read_text() == "old"
    assert [file.name for file in target.parent.iterdir()] == ["result.json"]


def test_atomic_path_replaces(tmp_path):
    target = tmp_path / "a.txt"
    io.write_text(target, "one")
    io.write_text(target, "zwei ü")
    assert target.read_text(encoding="utf-8") == "zwei ü"
    assert len(list(tmp_path.iterdir())) == 1


def test_write_json_turns_numpy_and_tuples_into_plain_values(tmp_path):
    value = {"a": np.float32(0.5), "b": (np.int64(3), {4, 2}), "c": np.eye(2), 7: tmp_path}
    io.write_json(tmp_path / "x.json", value)
    read = json.loads((tmp_path / "x.json").read_text())
    assert read == {"a": 0.5, "b": [3, [2, 4]], "c": [[1.0, 0.0], [0.0, 1.0]], "7": str(tmp_path)}


def test_write_json_refuses_nan_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        io.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_read_json_names_the_broken_file(tmp_path):
    (tmp_path / "broken.json").write_text('{"a": 1')
    with pytest.raises(ValueError, match=r"broken\.json is not valid JSON"):
        io.read_json(tmp_path / "broken.json")


def test_hashes_agree_with_hashlib(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert io.sha256_file(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    assert io.sha256_text("é") == hashlib.sha256("é".encode()).hexdigest()
