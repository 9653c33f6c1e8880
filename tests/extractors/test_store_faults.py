"""The vectors' store under real faults: processes at once, kill -9, full disks, flipped bits."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from store_worker import DIMENSIONS, SPEC, keys_of, names, read, rows_of

from crlib.extractors.store import read_rows, write_rows
from crlib.settings import ROOT

WORKER = [sys.executable, str(Path(__file__).with_name("store_worker.py"))]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}


def worker(*arguments: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*before, *WORKER, *map(str, arguments)],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=300, check=False,
    )  # fmt: skip


def report(done: subprocess.CompletedProcess) -> dict | list:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_whole(files: list[str]) -> None:
    """No temporary file, and as many shards as manifests."""
    assert {Path(name).suffix for name in files} <= {".npy", ".json"}, files
    assert sum(name.endswith(".npy") for name in files) * 2 == len(files), files


def test_processes_that_write_the_same_rows_at_once(tmp_path):
    writers = [
        subprocess.Popen(
            [*WORKER, "fill", str(tmp_path), "600", str(size)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
        )
        for size in (5, 7)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    keys, seen = keys_of(600), [0]
    while any(writer.poll() is None for writer in writers):
        found, wrong = read(tmp_path, keys)
        assert wrong == 0
        assert found.sum() >= seen[-1], "a row that was there is gone"
        seen.append(int(found.sum()))
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert len(set(seen)) > 2, "the reader never saw the writers at work"
    found, wrong = read(tmp_path, keys)
    assert found.all()
    assert wrong == 0
    assert_whole(names(tmp_path))


def test_killed_at_random_moments(tmp_path):
    told = report(worker("kill", tmp_path, 200, 1))
    assert told["kills"] == 200
    assert told["wrong"] == told["lost"] == told["computed_again"] == 0
    # Once more in a process that has nothing of them in memory.
    for store in range(1, told["stores"] + 1):
        found, wrong = read(tmp_path / f"m-{store}", keys_of(600))
        assert wrong == 0
        assert found.all() or store == told["stores"]


def test_killed_before_each_line_of_the_stores_code(tmp_path):
    steps = report(worker("kill_at_each_line", tmp_path / "store"))
    *killed, lived = steps
    assert len(killed) > 40
    assert all(step["died"] for step in killed)
    assert not lived["died"]
    # The whole second shard or nothing of it; both happen, and so does each kind of debris.
    assert {step["second"] for step in killed} == {0, 6}
    assert {sum(name.endswith(".tmp") for name in step["debris"]) for step in killed} == {0, 1}
    for step in steps:
        assert step["wrong"] == 0
        assert step["first"] == 6
        assert step["after"] == 12
        assert len(step["files"]) == 4
        assert_whole(step["files"])


def assert_stopped_and_went_on(told: dict, number: int, kept: int) -> None:
    assert told["errno"] == number, told
    assert "vectors cannot be written to" in told["message"]
    assert "Free space there or choose another cache_dir" in told["message"]
    assert_whole(told["files"])
    assert told["wrong"] == 0
    assert told["found"] == kept
    assert told["computed_later"] == 400 - kept
    assert told["found_later"] == 400


# A shard of 20 rows has 128 + 20 x 8 x 4 = 768 bytes; its manifest is longer.
@pytest.mark.parametrize(("limit", "stage"), [(500, "shard"), (767, "shard"), (768, "manifest")])
def test_a_limit_on_the_length_of_files(tmp_path, limit, stage):
    folder = tmp_path / "store"
    told = report(worker("size_limit", folder, limit))
    assert told["type"] == "OSError"
    assert_stopped_and_went_on(told, errno.EFBIG, kept=40)
    sizes = {path.suffix: path.stat().st_size for path in folder.iterdir()}
    assert sizes[".npy"] == 768 < sizes[".json"]
    assert (sizes[".npy"] > limit) == (stage == "shard")


# Pages have 4 KiB: one ballast after the other moves the end of the disk from shard to manifest.
@pytest.mark.parametrize("ballast", [65_536 + 4096 * i for i in range(4)])
def test_a_full_disk(tmp_path, ballast):
    disk = tmp_path / "disk"
    disk.mkdir()
    # A mount namespace of its own: the small disk is gone with the process.
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = ["mount -t tmpfs -o size=192k tmpfs " + str(disk)]
    try:
        able = subprocess.run([*private, *mount], capture_output=True, text=True, check=False)
        reason = able.stderr.strip() if able.returncode else ""
    except FileNotFoundError as error:
        reason = str(error)
    if reason:
        pytest.skip(f"NOT TESTED on a full disk, no file system can be mounted here: {reason}")
    before = (*private, f'{mount[0]} && exec "$@"', "sh")
    told = report(worker("full_disk", disk / "store", ballast, before=before))
    assert 0 < told["kept"] < 400
    assert_stopped_and_went_on(told, errno.ENOSPC, kept=told["kept"])
    assert not any(disk.iterdir()), "the store was not written to the small disk"


def test_no_flipped_bit_and_no_cut_makes_a_wrong_row(tmp_path):
    keys = keys_of(3)
    write_rows(tmp_path, SPEC, keys, rows_of(keys))
    for suffix in (".npy", ".json"):
        [path] = tmp_path.glob(f"*{suffix}")
        content = path.read_bytes()
        flips = (
            content[:i] + bytes([content[i] ^ 1 << bit]) + content[i + 1 :]
            for i in range(len(content))
            for bit in range(8)
        )
        cuts = (content[:i] for i in range(len(content)))
        for damaged in (*flips, *cuts):
            path.write_bytes(damaged)
            found, wrong = read(tmp_path, keys)
            assert wrong == 0
            # A manifest also holds the spec and white space, which no row depends on.
            assert not found.any() or suffix == ".json"
        path.write_bytes(content)
    found, _ = read(tmp_path, keys)
    assert found.all()


def two_shards(folder: Path) -> tuple[list[str], list[Path]]:
    keys = keys_of(6)
    for part in (keys[:3], keys[3:]):
        write_rows(folder, SPEC, part, rows_of(part))
    return keys, sorted(folder.glob("*.json"))


def test_a_manifest_with_exchanged_keys_is_not_believed(tmp_path):
    keys, [path, _] = two_shards(tmp_path)
    manifest = json.loads(path.read_text())
    manifest["keys"] = manifest["keys"][::-1]
    path.write_text(json.dumps(manifest))
    found, wrong = read(tmp_path, keys)
    assert found.sum() == 3
    assert wrong == 0


def test_a_manifest_with_another_shards_hash_is_not_believed(tmp_path):
    keys, [one, other] = two_shards(tmp_path)
    manifest = json.loads(one.read_text())
    manifest["sha256"] = json.loads(other.read_text())["sha256"]
    one.write_text(json.dumps(manifest))
    found, wrong = read(tmp_path, keys)
    assert found.sum() == 3
    assert wrong == 0


def test_a_file_of_brackets_is_not_a_manifest(tmp_path):
    keys, _ = two_shards(tmp_path)
    (tmp_path / "deep.json").write_text("[" * 200_000)
    assert read(tmp_path, keys)[0].all()


def test_one_key_for_each_row(tmp_path):
    with pytest.raises(ValueError, match="one row for each of 2 keys"):
        write_rows(tmp_path, SPEC, keys_of(2), rows_of(keys_of(3)))
    assert not any(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(OSError, match="choose another cache_dir"):
        write_rows(tmp_path / "store", SPEC, keys_of(1), rows_of(keys_of(1)))


def test_texts_with_equal_vectors_share_a_shard(tmp_path):
    same = np.ones((2, DIMENSIONS), dtype=np.float32)
    keys = keys_of(4)
    write_rows(tmp_path, SPEC, keys[:2], same)
    write_rows(tmp_path, SPEC, keys[2:], same)
    assert len(names(tmp_path)) == 3
    rows, found = read_rows(tmp_path, keys, DIMENSIONS)
    assert found.all()
    np.testing.assert_array_equal(rows, np.ones((4, DIMENSIONS)))
