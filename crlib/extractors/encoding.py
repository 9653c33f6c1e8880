"""Text -> unit vectors: each distinct text once, what is on disk already read from there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from crlib.extractors.controls import gaussian_rows, lsa_rows
from crlib.extractors.external import read_embeddings
from crlib.extractors.hub.rows import hub_rows
from crlib.extractors.names import FileSpec, HubSpec, spec_of
from crlib.extractors.options import checked_device, with_options
from crlib.extractors.specs import ModelSpec
from crlib.extractors.store import SHARD_ROWS, read_rows, store_folder, write_rows
from crlib.extractors.weights import describe
from crlib.io import sha256_text
from crlib.provenance import note_input
from crlib.settings import BUILD


def encode(
    texts: Sequence[str],
    model: str,
    *,
    ids: Sequence[str] | None = None,
    cache_dir: str | Path | None = None,
    batch_tokens: int = 1024,
    seed: int = 0,
    progress: bool = False,
    layer: int | None = None,
    pooling: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    device: str | Sequence[str] | None = None,
) -> NDArray[np.float32]:
    """Embed texts.

    Parameters
    ----------
    texts : sequence of n str
        Any text: an empty one is embedded from [CLS] and [SEP] alone, characters outside the
        vocabulary count as [UNK], and a text longer than the model's `max_tokens` is cut there.
    model : str
        A name of `MODELS` or `HUB_MODELS`, a hub id with a slash, a folder, or a file of
        embeddings made elsewhere (.npy, .safetensors, .parquet).
    ids : sequence of n str, optional
        Ids of the texts, to match the rows of a parquet file that has a column `id`.
    cache_dir : str or Path, optional
        Where vectors are kept; build/vectors by default. What is there is not computed again.
    batch_tokens : int
        Padded tokens a batch. About 1,000 keep a batch in the processor's cache.
    seed : int
        Of the controls (noise, random start, LSA); trained models do not depend on it.
    progress : bool
        Show a progress bar on the standard error.
    layer, pooling, dtype, revision
        Change what the model's spec says: see `crlib.extractors.options.Options`. Each choice has
        vectors of its own on disk.
    device : str or sequence of str, optional
        As torch names it; the twins run on the CPU by default, models of the hub where
        sentence-transformers chooses. Several devices (models of the hub only) share the work, a
        process each: a script needs `if __name__ == "__main__":` then.

    Returns
    -------
    (n, d) float32 array
        Unit rows in the order of `texts`; the same text has the same row.

    Raises
    ------
    ValueError
        For an unknown model, a missing file, a text that is no str or no valid Unicode,
        batch_tokens < 1, an option that the model does not take, and a device that is not there.
    """
    spec = with_options(
        spec_of(model), layer=layer, pooling=pooling, dtype=dtype, revision=revision
    )
    place = checked_device(spec, device)
    texts = _checked(texts)
    if batch_tokens < 1:
        raise ValueError(
            f"batch_tokens = {batch_tokens}; expected at least 1, 1024 is a good choice"
        )
    if isinstance(spec, FileSpec):
        return _noted(Path(spec.name).name, read_embeddings(spec.name, len(texts), ids=ids))
    if not texts:
        return np.zeros((0, spec.dimensions), dtype=np.float32)
    if spec.name == "gaussian":
        return _noted(spec.name, gaussian_rows(texts, dimensions=spec.dimensions, seed=seed))
    all_keys = [sha256_text(text) for text in texts]
    distinct = dict(sorted(zip(all_keys, texts, strict=True)))
    keys = list(distinct)
    position = {key: i for i, key in enumerate(keys)}
    places = [position[key] for key in all_keys]
    if isinstance(spec, HubSpec):
        store = Path(cache_dir or BUILD / "vectors")
        rows = hub_rows(
            keys, list(distinct.values()), spec, cache_dir=store, progress=progress, device=place
        )
        return _noted(spec.name, rows[places])
    description = describe(spec, seed=seed, text_keys=keys)
    folder = store_folder(cache_dir or BUILD / "vectors", description)
    rows, found = read_rows(folder, keys, spec.dimensions)
    missing = np.flatnonzero(~found)
    if len(missing) and spec.name == "lsa":
        rows = lsa_rows(list(distinct.values()), dimensions=spec.dimensions, seed=seed)
        write_rows(folder, description, keys, rows)
    elif len(missing):
        todo = [distinct[keys[i]] for i in missing]
        where = place if isinstance(place, str) else None
        for shard, shard_rows in _forward(todo, spec, seed, batch_tokens, progress, where):
            rows[missing[shard]] = shard_rows
            write_rows(folder, description, [keys[i] for i in missing[shard]], shard_rows)
    return _noted(spec.name, rows[places])


def _noted(name: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    size = f"{rows.shape[0]:,} x {rows.shape[1]}"
    note_input(f"vectors of {name}, {size}", [np.ascontiguousarray(rows).tobytes()])
    return rows


def _forward(
    texts: Sequence[str],
    spec: ModelSpec,
    seed: int,
    batch_tokens: int,
    progress: bool,
    device: str | None,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Run the model; yield each shard's positions and rows as soon as they are there."""
    # torch and transformers take seconds to import: who only reads the store should not wait.
    from crlib.extractors.forward import encode_tokens
    from crlib.extractors.load import load_encoder
    from crlib.extractors.twins.tokenizer import token_ids

    encoder = load_encoder(spec, seed=seed, device=device)
    tokens = token_ids(encoder.tokenizer, texts)
    # By length, so that a batch holds little padding; a shard at a time, so that a process
    # that is killed has kept what it had.
    order = np.argsort([len(row) for row in tokens], kind="stable")
    shards = [order[i : i + SHARD_ROWS] for i in range(0, len(order), SHARD_ROWS)]
    # On the standard error: what a command prints may be read by a program.
    said, console = f"encode {spec.name}", Console(stderr=True)
    for shard in track(shards, description=said, disable=not progress, console=console):
        yield shard, encode_tokens(encoder, [tokens[i] for i in shard], batch_tokens)


def _checked(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise ValueError("texts is one str; expected a sequence of them: pass [text]")
    checked = list(texts)
    for position, text in enumerate(checked):
        if not isinstance(text, str):
            raise ValueError(
                f"texts[{position}] is {type(text).__name__}, expected str; convert it first"
            )
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                raise ValueError(
                    f"texts[{position}] holds half of a surrogate pair, which is no valid Unicode; "
                    'repair it with text.encode("utf-8", "replace").decode()'
                ) from None
    return [str(text) for text in checked]
