"""Vectors on disk: immutable shards that are checked before they are believed.

A store is a folder named after what determines the vectors. Each shard is a .npy file named after
the SHA-256 of its bytes, and a manifest of the same name that lists the texts' hashes. The
manifest is written last, so a shard without one does not count; no file is ever changed, so
several processes may write at the same time; what is missing from all manifests is computed again.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
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
    """
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(rows, dtype=np.float32), allow_pickle=False)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    with atomic_path(folder / f"{digest}.npy") as temporary:
        temporary.write_bytes(content)
    manifest = {"sha256": digest, "spec": dict(spec), "shape": rows.shape, "keys": list(keys)}
    # Two texts may share a vector's bytes, so the manifest's name depends on the keys as well.
    name = sha256_text(digest + "".join(keys))
    write_json(folder / f"{name}.json", manifest)


def stored_width(folder: Path) -> int:
    """Width of a store's rows, 0 where it holds none."""
    for path in sorted(folder.glob("*.json")):
        try:
            return int(json.loads(path.read_text(encoding="utf-8"))["shape"][1])
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            continue  # torn or foreign, as for `read_rows`
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
    folder: Path, wanted: Any, dimensions: int
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Yield the sound shards that hold at least one wanted row."""
    for path in sorted(folder.glob("*.json")):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            keys, digest = manifest["keys"], manifest["sha256"]
            if wanted.isdisjoint(keys):
                continue
            content = (folder / f"{digest}.npy").read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                continue
            shard = np.load(io.BytesIO(content), allow_pickle=False)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # torn, foreign or half-deleted: its rows count as missing
        if shard.shape == (len(keys), dimensions) and shard.dtype == np.float32:
            yield keys, shard
