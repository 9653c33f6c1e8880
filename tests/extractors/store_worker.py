"""Processes that fill a store and are killed, or run out of space, for test_store_faults.py.

Run as a script: `store_worker.py COMMAND FOLDER ...`; what happened is printed as JSON, the
judgement is left to the tests. Rows follow from their keys, so each row read can be checked.
"""

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crlib.extractors.store import read_rows, write_rows

SPEC = {"name": "m", "weights": "abc"}
DIMENSIONS = 8


def keys_of(n: int) -> list[str]:
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(n)]


def rows_of(keys: list[str]) -> np.ndarray:
    raw = b"".join(bytes.fromhex(key)[:DIMENSIONS] for key in keys)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, DIMENSIONS).astype(np.float32)


def read(folder: Path, keys: list[str]) -> tuple[np.ndarray, int]:
    """Which rows the store has, and how many of those are wrong."""
    rows, found = read_rows(folder, keys, DIMENSIONS)
    return found, int((rows[found] != rows_of(keys)[found]).any(axis=1).sum())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def shards_left(folder: Path, keys: list[str], size: int) -> Iterator[list[str]]:
    found, _ = read(folder, keys)
    missing = [key for key, known in zip(keys, found, strict=True) if not known]
    yield from (missing[i : i + size] for i in range(0, len(missing), size))


def fill(folder: Path, n: int, size: int) -> None:
    """Write what is missing, from the moment a line arrives on stdin."""
    print("ready", flush=True)
    sys.stdin.readline()
    for shard in shards_left(folder, keys_of(n), size):
        write_rows(folder, SPEC, shard, rows_of(shard))


def kill(parent: Path, kills: int, seed: int) -> None:
    """Fill one store after the other with processes that are killed within 12 ms each."""
    rng, keys = random.Random(seed), keys_of(600)
    position = {key: i for i, key in enumerate(keys)}
    kept: set[int] = set()
    report = {"kills": 0, "stores": 1, "wrong": 0, "lost": 0, "computed_again": 0}
    while report["kills"] < kills:
        folder = parent / f"m-{report['stores']}"
        incoming, outgoing = os.pipe()
        child = os.fork()
        if not child:
            os.close(incoming)
            for shard in shards_left(folder, keys, 6):
                ids = [position[key] for key in shard]
                os.write(outgoing, f"{json.dumps(['computes', ids])}\n".encode())
                write_rows(folder, SPEC, shard, rows_of(shard))
                os.write(outgoing, f"{json.dumps(['kept', ids])}\n".encode())
            os._exit(0)
        os.close(outgoing)
        with os.fdopen(incoming) as events:
            lines = [events.readline()]  # it has read the store
            time.sleep(rng.uniform(0, 0.012))
            os.kill(child, signal.SIGKILL)
            lines += events.readlines()
        report["kills"] += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        before = frozenset(kept)
        for event, ids in (json.loads(line) for line in lines if line.endswith("\n")):
            if event == "kept":
                kept.update(ids)
            else:
                report["computed_again"] += len(before.intersection(ids))
        found, wrong = read(folder, keys)
        report["wrong"] += wrong
        there = np.flatnonzero(found).tolist()
        report["lost"] += len(kept.difference(there))
        kept.update(there)  # also what it wrote and was killed before it could say so
        if len(kept) == len(keys):
            kept.clear()
            report["stores"] += 1
    print(json.dumps(report))


def kill_at_each_line(folder: Path) -> None:
    """Kill a writer before the first line of the store's code, the second, ... until it lives."""
    keys = keys_of(12)
    first, second = keys[:6], keys[6:]
    steps = []
    died = True
    while died:
        shutil.rmtree(folder, ignore_errors=True)
        write_rows(folder, SPEC, first, rows_of(first))
        child = os.fork()
        if not child:
            _kill_at_line(len(steps))
            write_rows(folder, SPEC, second, rows_of(second))
            sys.settrace(None)
            os._exit(0)
        died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        found, wrong = read(folder, keys)
        step = {"died": died, "wrong": wrong, "first": sum(found[:6]), "second": sum(found[6:])}
        step["debris"] = names(folder)
        write_rows(folder, SPEC, second, rows_of(second))
        found, wrong_after = read(folder, keys)
        step |= {"after": sum(found), "wrong": wrong + wrong_after, "files": names(folder)}
        steps.append(step)
    print(json.dumps(steps, default=int))


def _kill_at_line(number: int) -> None:
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        if not frame.f_code.co_filename.endswith(("crlib/io.py", "crlib/extractors/store.py")):
            return None
        if event == "line":
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
        return trace

    sys.settrace(trace)


def full_disk(folder: Path, ballast: int) -> None:
    """Fill a small file system up, report, make room, go on. `ballast` is in bytes."""
    filler = folder.parent / "ballast"
    filler.write_bytes(bytes(ballast))
    _until_it_fails(folder, filler.unlink)


def size_limit(folder: Path, limit: int) -> None:
    """The same where the kernel refuses files longer than `limit` bytes, after two shards."""
    keys = keys_of(400)
    for shard in (keys[:20], keys[20:40]):
        write_rows(folder, SPEC, shard, rows_of(shard))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    _until_it_fails(folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard)))


def _until_it_fails(folder: Path, make_room) -> None:
    keys = keys_of(400)
    report: dict = {"kept": 0}
    try:
        for shard in shards_left(folder, keys, 20):
            write_rows(folder, SPEC, shard, rows_of(shard))
            report["kept"] += len(shard)
    except OSError as error:
        report |= {"errno": error.errno, "message": str(error), "type": type(error).__name__}
    report["files"] = names(folder)
    found, report["wrong"] = read(folder, keys)
    report["found"] = sum(found)
    make_room()
    report["computed_later"] = 0
    for shard in shards_left(folder, keys, 20):
        write_rows(folder, SPEC, shard, rows_of(shard))
        report["computed_later"] += len(shard)
    found, wrong = read(folder, keys)
    report |= {"found_later": sum(found), "wrong": report["wrong"] + wrong}
    print(json.dumps(report, default=int))


if __name__ == "__main__":
    command, target, *numbers = sys.argv[1:]
    commands = {f.__name__: f for f in (fill, kill, kill_at_each_line, full_disk, size_limit)}
    commands[command](Path(target), *map(int, numbers))
