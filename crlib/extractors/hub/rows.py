"""Vectors of the hub's encoders: what they depend on, and computing what the store lacks."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from crlib.extractors.hub.fetch import download_size, revision_of
from crlib.extractors.hub.specs import HubSpec
from crlib.extractors.options import check_int8
from crlib.extractors.store import read_rows, store_folder, stored_width, write_rows

SHARD = 512  # rows that are kept at a time: minutes of work with a large model on a CPU


def describe_hub(spec: HubSpec) -> dict[str, Any]:
    """List all that an encoder's vectors depend on besides the text: the key of its store."""
    left_out = {"family", "description", "parameters", "licence", "gated", "revision",
                "counterpart", "expected_d_eff", "sts_benchmark", "name", "dimensions", "causal",
                "as_saved"}  # fmt: skip
    known = {key: value for key, value in asdict(spec).items() if key not in left_out}
    if spec.family == "pretrained" and not spec.as_saved:
        known["as_saved"] = False  # only then, so that what was stored without it stays valid
    known["adapters"] = [
        [adapter, revision_of(adapter.partition(":")[0], None, name=spec.name)]
        for adapter in spec.adapters
    ]
    libraries = ["torch", "transformers", "tokenizers", "sentence-transformers", "peft"]
    if spec.dtype == "int8":
        check_int8(spec.name)
        libraries.append("bitsandbytes")
    commit = revision_of(spec.repo, spec.revision, name=spec.name, size=download_size(spec))
    return known | {
        "name": spec.name.strip("/.").replace("/", "--"),
        "commit": commit,
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
    device: str | Sequence[str] | None = None,
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
    device : str or sequence of str, optional
        As torch names it; several share the work, a process each.

    Returns
    -------
    (n, d) float32 array
        Unit rows.

    Raises
    ------
    ValueError
        As `crlib.extractors.hub.fetch.revision_of` and `crlib.extractors.hub.loading.load_hub`.
    """
    description = describe_hub(spec)
    folder = store_folder(cache_dir, description)
    width = stored_width(folder)
    rows, found = read_rows(folder, keys, width)
    missing = np.flatnonzero(~found)
    if not len(missing):
        return rows
    from crlib.extractors.hub.loading import embed, load_hub, workers

    devices = [device] if device is None or isinstance(device, str) else list(device)
    # Several processes take the weights from here, and each moves them to its own device.
    model = load_hub(spec, device=devices[0] if len(devices) == 1 else "cpu")
    order = missing[np.argsort([-len(texts[int(i)]) for i in missing], kind="stable")]
    size = SHARD * len(devices)
    shards = [order[i : i + size] for i in range(0, len(order), size)]
    with workers(model, devices) as pool:
        said, console = f"encode {spec.name}", Console(stderr=True)
        for shard in track(shards, description=said, disable=not progress, console=console):
            new = embed(model, spec, [texts[int(i)] for i in shard], pool=pool)
            if not width:
                width = new.shape[1]
                rows = np.zeros((len(keys), width), dtype=np.float32)
            rows[shard] = new
            write_rows(folder, description, [keys[int(i)] for i in shard], new)
    return rows
