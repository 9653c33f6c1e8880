"""Vectors of the hub's encoders: what they depend on, and computing what the store lacks."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from crlib.extractors.hub.specs import HubSpec
from crlib.extractors.store import read_rows, store_folder, stored_width, write_rows
from crlib.io import sha256_file

SHARD = 512  # rows that are kept at a time: minutes of work with a large model on a CPU


def revision_of(repo: str, revision: str | None) -> str:
    """The commit of a hub id, or a hash of all files of a local folder.

    What is in the hub's cache on this machine is asked first; only a model that is not there yet
    makes a call, and it has to be downloaded anyhow.

    Raises
    ------
    ValueError
        When the model is neither here nor to be reached.
    """
    folder = Path(repo)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.relative_to(folder)} {sha256_file(file)}\n".encode())
        return f"files {digest.hexdigest()}"
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError
    from huggingface_hub.utils import LocalEntryNotFoundError

    for name in ("config.json", "adapter_config.json"):
        for local in (True, False):
            try:
                path = hf_hub_download(repo, name, revision=revision, local_files_only=local)
                return Path(path).parent.name
            except LocalEntryNotFoundError:
                continue
            except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
                break
    raise ValueError(
        f"{repo} is not on this machine and the hub did not answer; load it where there is a "
        "network (gated models: accept the terms on their page and log in), or give a folder"
    )


def describe_hub(spec: HubSpec) -> dict[str, Any]:
    """List all that an encoder's vectors depend on besides the text: the key of its store."""
    left_out = {"family", "description", "parameters", "licence", "gated", "revision",
                "counterpart", "expected_d_eff", "sts_benchmark", "name", "dimensions"}  # fmt: skip
    known = {key: value for key, value in asdict(spec).items() if key not in left_out}
    known["adapters"] = [
        [adapter, revision_of(adapter.partition(":")[0], None)] for adapter in spec.adapters
    ]
    libraries = ("torch", "transformers", "tokenizers", "sentence-transformers", "peft")
    return known | {
        "name": spec.name.strip("/.").replace("/", "--"),
        "commit": revision_of(spec.repo, spec.revision),
        "normalised": True,
        "majors": {name: version(name).split(".")[0] for name in libraries},
    }


def hub_rows(
    keys: Sequence[str],
    texts: Sequence[str],
    spec: HubSpec,
    *,
    cache_dir: Path,
    progress: bool = False,
    device: str | None = None,
) -> NDArray[np.float32]:
    """Embed distinct texts with an encoder of the hub, each once.

    Parameters
    ----------
    keys : sequence of n str
        SHA-256 of each text.
    texts : sequence of n str
    spec : HubSpec
    cache_dir : Path
        Parent of all stores; what is there is not computed again.
    progress : bool
        Show a progress bar.
    device : str, optional
        As torch names it.

    Returns
    -------
    (n, d) float32 array
        Unit rows.

    Raises
    ------
    ValueError
        As `revision_of` and `crlib.extractors.hub.loading.load_hub`.
    """
    description = describe_hub(spec)
    folder = store_folder(cache_dir, description)
    width = stored_width(folder)
    rows, found = read_rows(folder, keys, width)
    missing = np.flatnonzero(~found)
    if not len(missing):
        return rows
    from crlib.extractors.hub.loading import embed, load_hub

    model = load_hub(spec, device=device)
    order = missing[np.argsort([-len(texts[int(i)]) for i in missing], kind="stable")]
    shards = [order[i : i + SHARD] for i in range(0, len(order), SHARD)]
    for shard in track(shards, description=f"encode {spec.name}", disable=not progress):
        new = embed(model, spec, [texts[int(i)] for i in shard])
        if not width:
            width = new.shape[1]
            rows = np.zeros((len(keys), width), dtype=np.float32)
        rows[shard] = new
        write_rows(folder, description, [keys[int(i)] for i in shard], new)
    return rows
