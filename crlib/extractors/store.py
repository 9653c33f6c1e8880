"""Vectors on disk: immutable shards that are checked before they are believed.

A store is a folder named after what determines the vectors. Each shard is a .npy file named after
the SHA-256 of its bytes; its manifest lists the texts' hashes and is named after the SHA-256 of
those and the shard's, so a change of one bit in either file is seen. The manifest is written last:
a shard without one does not count, and what is missing from all manifests is computed again.

No file is ever changed, so readers need no lock. Writers take turns, a shard at a time: the one
whose turn it is knows that temporary files are what a killed process left, and removes them.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from crlib.io import atomic_path, sha256_text, write_json

SHARD_ROWS = 4096


def store_folder(cache_dir: str | Path, spec: Mapping[str, Any]) -> Path:
    """Folder of the vectors that `spec` determines.

    Parameters
    ----------
    cache_dir : str or Path
        Parent of all stores.
    spec : mapping
        All that the vectors depend on besides the text; must be JSON with a "name".
    """
    canonical = json.dumps(spec, sort_keys=True, ensure_ascii=False)
    return Path(cache_dir) / f"{spec['name']}-{sha256_text(canonical)[:16]}"


def write_rows(
    folder: Path, spec: Mapping[str, Any], keys: Sequence[str], rows: NDArray[np.float32]
) -> None:
    """Add one shard.

    Parameters
    ----------
    folder : Path
        From `store_folder`.
    spec : mapping
        Kept in each manifest, for people who look.
    keys : sequence of str
        SHA-256 of each row's text.
    rows : (n, d) float32 array

    Raises
    ------
    ValueError
        When there is not one key for each row.
    OSError
        When the disk is full or the folder cannot be written to. Nothing of this shard stays
        behind then; the shards before it are kept.
    """
    if rows.ndim != 2 or len(rows) != len(keys):
        raise ValueError(
            f"rows has shape {rows.shape}; expected one row for each of {len(keys)} keys"
        )
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(rows, dtype=np.float32), allow_pickle=False)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    manifest = {"sha256": digest, "spec": dict(spec), "shape": rows.shape, "keys": list(keys)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The kernel drops the lock of a process that dies; a lock it cannot give must not be
        # replaced by a mere file, which would outlive its owner.
        with FileLock(folder / ".lock", fallback_to_soft=False):
            _write_shard(folder, digest, content, manifest)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{len(keys)} vectors cannot be written to {folder}: {error.strerror or error}. Free "
            "space there or choose another cache_dir, then run again: the vectors written before "
            "are kept",
        ) from error


def _write_shard(folder: Path, digest: str, content: bytes, manifest: dict[str, Any]) -> None:
    """Write shard, then manifest; both or neither when the disk is full."""
    for abandoned in folder.glob(".*.tmp"):
        abandoned.unlink()
    path = folder / f"{digest}.npy"
    known = path.exists()  # other texts may have the same vectors
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    try:
        write_json(folder / f"{_manifest_name(digest, manifest['keys'])}.json", manifest)
    except OSError:
        if not known:
            path.unlink()
        raise


def _manifest_name(digest: str, keys: Sequence[str]) -> str:
    return sha256_text(digest + "".join(keys))


def _manifests(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the manifests whose name is the one that their content asks for."""
    for path in sorted(folder.glob("*.json")):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            sound = path.stem == _manifest_name(manifest["sha256"], manifest["keys"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue  # torn or foreign: its rows count as missing
        if sound:
            yield manifest


def stored_width(folder: Path) -> int:
    """Width of a store's rows, 0 where it holds none."""
    for manifest in _manifests(folder):
        try:
            return int(manifest["shape"][1])
        except (ValueError, KeyError, TypeError, IndexError):
            continue  # its name vouches for the keys and the shard alone
    return 0


def read_rows(
    folder: Path, keys: Sequence[str], dimensions: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Collect what the store holds.

    Parameters
    ----------
    folder : Path
        From `store_folder`; need not exist.
    keys : sequence of str
        SHA-256 of each text that is wanted, distinct.
    dimensions : int
        Expected width.

    Returns
    -------
    rows : (n, d) float32 array
        Zeros where nothing was found.
    found : (n,) bool array
    """
    rows = np.zeros((len(keys), dimensions), dtype=np.float32)
    found = np.zeros(len(keys), dtype=bool)
    wanted = {key: i for i, key in enumerate(keys)}
    for shard_keys, shard in _shards(folder, wanted.keys(), dimensions):
        pairs = [(wanted[key], j) for j, key in enumerate(shard_keys) if key in wanted]
        targets, sources = (list(side) for side in zip(*pairs, strict=True))
        rows[targets] = shard[sources]
        found[targets] = True
    return rows, found


def _shards(
    folder: Path, wanted: Set[str], dimensions: int
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Yield the sound shards that hold at least one wanted row."""
    for manifest in _manifests(folder):
        keys, digest = manifest["keys"], manifest["sha256"]
        try:
            if wanted.isdisjoint(keys):
                continue
            content = (folder / f"{digest}.npy").read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                continue
            shard = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue  # damaged or half-deleted: its rows count as missing
        if shard.shape == (len(keys), dimensions) and shard.dtype == np.float32:
            yield keys, shard
