"""Embeddings made elsewhere: a file of rows, in the order of the texts or with their ids."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crlib.extractors.standardise import unit_rows

SUFFIXES = (".npy", ".safetensors", ".parquet")


def is_embedding_file(model: str) -> bool:
    """Whether a model's name is the path of a file of embeddings, by its ending."""
    return Path(model).suffix in SUFFIXES


def read_embeddings(
    path: str | Path, n: int, *, ids: Sequence[str] | None = None
) -> NDArray[np.float32]:
    """Read a file of embeddings.

    Parameters
    ----------
    path : str or Path
        `.npy`: an (n, d) array. `.safetensors`: one tensor, or one called "embeddings".
        `.parquet`: one column of equally long lists, or one number a column; a column `id` is
        matched to `ids` where these are given.
    n : int
        Number of texts that the rows stand for.
    ids : sequence of n str, optional
        Ids of the texts.

    Returns
    -------
    (n, d) float32 array
        Unit rows in the order of the texts.

    Raises
    ------
    ValueError
        When the file is missing, unreadable, of another shape, not numeric, not finite, holds a
        zero row, or lacks an id.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(
            f"{file} is missing; expected a file of embeddings ({', '.join(SUFFIXES)})"
        )
    try:
        rows, own_ids = _READERS[file.suffix](file)
    except KeyError:
        raise ValueError(f"{file}: expected one of {', '.join(SUFFIXES)}") from None
    if own_ids is not None and ids is not None:
        rows = rows[_positions(file, own_ids, ids)]
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.number):
        raise ValueError(f"{file}: {rows.dtype} of shape {rows.shape}; expected numbers, (n, d)")
    if len(rows) != n:
        raise ValueError(
            f"{file} has {len(rows):,} rows for {n:,} texts; embed these very texts, in their "
            "order, or add a column id to a parquet file"
        )
    wide = rows.astype(np.float64)
    bad = ~np.isfinite(wide).all(axis=1) | (np.abs(wide).max(axis=1, initial=0) == 0)
    if bad.any():
        raise ValueError(
            f"{file}: row {int(bad.argmax())} is zero or not finite; remove or mend it"
        )
    return unit_rows(wide)


def _npy(file: Path) -> tuple[NDArray, None]:
    try:
        return np.load(file, allow_pickle=False), None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} is no plain .npy array: {error}") from error


def _safetensors(file: Path) -> tuple[NDArray, None]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(file)
    except (SafetensorError, TypeError) as error:
        raise ValueError(f"{file} is no safetensors file of numpy types: {error}") from error
    if "embeddings" in tensors or len(tensors) == 1:
        return tensors.get("embeddings", next(iter(tensors.values()))), None
    raise ValueError(f"{file} holds {len(tensors)} tensors and none is called embeddings")


def _parquet(file: Path) -> tuple[NDArray, list[str] | None]:
    import pandas as pd
    from pyarrow import ArrowException

    try:
        frame = pd.read_parquet(file)
    except (ArrowException, OSError) as error:
        raise ValueError(f"{file} is no parquet file: {error}") from error
    ids = [str(name) for name in frame.pop("id")] if "id" in frame else None
    if frame.shape[1] == 1 and pd.api.types.is_object_dtype(frame.dtypes.iloc[0]):
        lengths = {np.size(row) for row in frame.iloc[:, 0]}
        if len(lengths) > 1:
            raise ValueError(f"{file}: its rows have {len(lengths)} different lengths")
        return np.array([np.asarray(row) for row in frame.iloc[:, 0]]), ids
    return frame.to_numpy(), ids


def _positions(file: Path, own: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    place = {name: i for i, name in enumerate(own)}
    if len(place) < len(own):
        raise ValueError(f"{file}: an id stands more than once in its column id")
    missing = [name for name in wanted if name not in place]
    if missing:
        raise ValueError(f"{file}: {len(missing):,} ids are missing, {missing[0]!r} for one")
    return np.array([place[name] for name in wanted], dtype=np.int64)


_READERS = {".npy": _npy, ".safetensors": _safetensors, ".parquet": _parquet}
