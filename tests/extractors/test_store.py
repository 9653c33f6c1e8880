import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from crlib.extractors.store import read_rows, store_folder, write_rows

SPEC = {"name": "m", "weights": "abc"}


def some(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    rows = np.random.default_rng(seed).standard_normal((n, 4)).astype(np.float32)
    return [f"{seed}-{i}" for i in range(n)], rows


def test_what_was_written_is_read_in_the_order_asked_for(tmp_path):
    keys, rows = some(5)
    write_rows(tmp_path, SPEC, keys, rows)
    read, found = read_rows(tmp_path, [*keys[::-1], "unknown"], 4)
    np.testing.assert_array_equal(read[:5], rows[::-1])
    assert found.tolist() == [True] * 5 + [False]


def test_another_weight_file_is_another_store(tmp_path):
    assert store_folder(tmp_path, SPEC) != store_folder(tmp_path, {**SPEC, "weights": "abd"})
    assert store_folder(tmp_path, SPEC) == store_folder(tmp_path, dict(reversed(SPEC.items())))


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove"])
def test_a_damaged_shard_counts_as_missing_and_can_be_written_again(tmp_path, damage):
    keys, rows = some(5)
    write_rows(tmp_path, SPEC, keys, rows)
    [shard] = tmp_path.glob("*.npy")
    content = bytearray(shard.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
        shard.write_bytes(content)
    elif damage == "truncate":
        shard.write_bytes(content[:-8])
    elif damage == "empty":
        shard.write_bytes(b"")
    else:
        shard.unlink()
    assert not read_rows(tmp_path, keys, 4)[1].any()
    write_rows(tmp_path, SPEC, keys, rows)
    np.testing.assert_array_equal(read_rows(tmp_path, keys, 4)[0], rows)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": 3}', '{"keys": ["0-0"]}'])
def test_a_damaged_manifest_counts_as_missing(tmp_path, content):
    keys, rows = some(5)
    write_rows(tmp_path, SPEC, keys, rows)
    [manifest] = tmp_path.glob("*.json")
    manifest.write_text(content)
    assert not read_rows(tmp_path, keys, 4)[1].any()


def test_a_shard_without_manifest_does_not_count(tmp_path):
    keys, rows = some(5)
    write_rows(tmp_path, SPEC, keys, rows)
    for manifest in tmp_path.glob("*.json"):
        manifest.unlink()
    assert not read_rows(tmp_path, keys, 4)[1].any()


def test_a_shard_of_another_width_is_not_taken(tmp_path):
    keys, rows = some(5)
    write_rows(tmp_path, SPEC, keys, rows)
    assert not read_rows(tmp_path, keys, 3)[1].any()


def test_a_pickled_array_is_never_loaded(tmp_path):
    keys, rows = some(1)
    write_rows(tmp_path, SPEC, keys, rows)
    evil = tmp_path / "evil.npy"
    np.save(evil, np.array([object()]), allow_pickle=True)
    digest = hashlib.sha256(evil.read_bytes()).hexdigest()
    evil.rename(tmp_path / f"{digest}.npy")
    [manifest] = tmp_path.glob("*.json")
    # Named as a sound manifest would be, so that the array itself is what is refused.
    name = hashlib.sha256((digest + keys[0]).encode()).hexdigest()
    foreign = {**json.loads(manifest.read_text()), "sha256": digest}
    (tmp_path / f"{name}.json").write_text(json.dumps(foreign))
    manifest.unlink()
    assert not read_rows(tmp_path, keys, 4)[1].any()


def _write_many(folder: Path, seed: int) -> None:
    for part in range(5):
        write_rows(folder, SPEC, *some(20, seed=10 * seed + part))


def test_two_writers_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, seed)) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    for seed in (1, 2):
        for part in range(5):
            keys, rows = some(20, seed=10 * seed + part)
            np.testing.assert_array_equal(read_rows(tmp_path, keys, 4)[0], rows)
