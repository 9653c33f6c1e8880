"""A file of texts -> a folder with its vectors and a manifest."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from crlib.extractors.names import HubSpec, spec_of
from crlib.extractors.options import Options, with_options
from crlib.io import atomic_path, sha256_file, write_json


def read_texts(path: str | Path, *, column: str = "text") -> list[str]:
    """Read one text a row.

    Parameters
    ----------
    path : str or Path
        .csv, .jsonl or .parquet with a column of texts, or .txt with one text a line.
    column : str
        Its name; not used for .txt.

    Raises
    ------
    ValueError
        For another kind of file, one that cannot be read or is empty, or a missing column.
    """
    path = Path(path)
    try:
        if path.suffix == ".txt":
            texts = path.read_text(encoding="utf-8").splitlines()
        elif path.suffix in (".csv", ".jsonl", ".parquet"):
            frame = read_frame(path)
            if column not in frame:
                raise ValueError(f"no column {column!r}; it has {', '.join(map(str, frame))}")
            texts = frame[column].tolist()
        else:
            raise ValueError("expected .csv, .jsonl, .parquet or .txt")
    except (OSError, ValueError) as error:
        raise ValueError(f"texts = {path}: {error}") from None
    if not texts:
        raise ValueError(f"texts = {path}: it holds no text")
    return texts


def read_frame(path: Path) -> pd.DataFrame:
    """Read a table: .csv with all cells as text, .jsonl and .parquet as they are.

    Raises
    ------
    OSError, ValueError
        When the file is missing, damaged or empty.
    """
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    if path.suffix == ".jsonl":
        # As written: "001" stays a text, and a number is refused later.
        lines = path.read_text(encoding="utf-8").splitlines()
        return pd.DataFrame.from_records([json.loads(line) for line in lines if line.strip()])
    return pd.read_parquet(path)


def embed_file(
    model: str,
    path: str | Path,
    out: str | Path,
    *,
    column: str = "text",
    device: str | Sequence[str] | None = None,
    **options: Unpack[Options],
) -> dict[str, Any]:
    """Embed a file of texts into `out`/vectors.npy, and say in `out`/manifest.json what it is.

    Parameters
    ----------
    model : str
        As `encode` takes it.
    path, column
        See `read_texts`.
    out : str or Path
        Its folder `store` keeps what is done, so that a call that was stopped goes on.
    device
        See `encode`.
    options
        layer, pooling, dtype, revision: see `crlib.extractors.options.Options`.

    Returns
    -------
    dict
        The manifest: model, options, what its rows depend on, count, dimensions, and the hashes of
        both files.

    Raises
    ------
    ValueError
        See `read_texts` and `encode`.
    """
    from crlib.extractors.encoding import encode

    spec = with_options(spec_of(model), **options)
    texts, out = read_texts(path, column=column), Path(out)
    given = {name: value for name, value in options.items() if value is not None}
    description: dict[str, Any] = {"name": model}
    if isinstance(spec, HubSpec):
        _tell_size(spec)
        from crlib.extractors.hub.rows import describe_hub

        description = describe_hub(spec)
    rows = encode(texts, model, cache_dir=out / "store", progress=True, device=device, **options)
    target = out / "vectors.npy"
    with atomic_path(target) as temporary, open(temporary, "wb") as file:
        np.save(file, rows, allow_pickle=False)
    manifest = {
        "model": model,
        "options": given,
        "spec": description,
        "count": len(rows),
        "dimensions": rows.shape[1],
        "texts": {"file": Path(path).name, "column": column, "sha256": sha256_file(path)},
        "vectors": {"file": target.name, "sha256": sha256_file(target)},
    }
    write_json(out / "manifest.json", manifest)
    return manifest


def _tell_size(spec: HubSpec) -> None:
    from crlib.extractors.hub.fetch import download_size
    from crlib.extractors.hub.states import is_cached

    size = download_size(spec)
    if size and not Path(spec.repo).is_dir() and not is_cached(spec.repo):
        print(f"{spec.name}: about {size} will be downloaded", file=sys.stderr)
