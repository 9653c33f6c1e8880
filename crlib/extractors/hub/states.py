"""What this machine can run of the hub's encoders; asks no network."""

from pathlib import Path

import psutil

from crlib.extractors.hub.specs import BYTES, HUB_MODELS, HubSpec


def machine_memory() -> float:
    """Memory for weights, 10^9 bytes: the largest GPU's, or the main memory without one."""
    import torch

    gpus = range(torch.cuda.device_count())
    sizes = [torch.cuda.get_device_properties(i).total_memory for i in gpus]
    return max(sizes, default=psutil.virtual_memory().total) / 1e9


def is_cached(repo: str) -> bool:
    """Whether a model's configuration and weights lie in the hub's cache on this machine."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        return False
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    return any(path.is_file() for path in weights)


def hub_states(memory: float | None = None) -> list[tuple[str, str, str]]:
    """Name, state and remedy of each model of `HUB_MODELS`.

    Parameters
    ----------
    memory : float, optional
        For the weights, 10^9 bytes; this machine's by default.
    """
    room = machine_memory() if memory is None else memory
    return [(spec.name, *_state(spec, room)) for spec in HUB_MODELS.values()]


def _state(spec: HubSpec, room: float) -> tuple[str, str]:
    if spec.gigabytes > room:
        # The least that it takes to fit: the widest of the narrower types.
        fits = [
            f"; with dtype = {dtype} it is {needed:.1f} GB"
            for dtype in sorted(BYTES, key=BYTES.__getitem__, reverse=True)
            if (needed := spec.parameters * 1e6 * BYTES[dtype] / 1e9) <= room
        ]
        return "does not fit", (
            f"{spec.parameters / 1e3:.2f} billion parameters x {BYTES[spec.dtype]} bytes = "
            f"{spec.gigabytes:.1f} GB, and this machine has {room:.1f} GB{''.join(fits[:1])}"
        )
    repos = [spec.repo, *(adapter.partition(":")[0] for adapter in spec.adapters)]
    missing = [repo for repo in dict.fromkeys(repos) if not is_cached(repo)]
    if not missing:
        return "ready, in the hub's cache", ""
    size = f"about {spec.gigabytes:.1f} GB"
    fetch = ", ".join(f"`hf download {repo}`" for repo in missing)
    if spec.gated:
        return f"gated, {size}", f"accept the terms on its page, `hf auth login`, {fetch}"
    return f"to be downloaded, {size}", fetch
