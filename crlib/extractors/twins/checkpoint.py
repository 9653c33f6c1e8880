"""A training's state in one safetensors file: whole or absent, and never a pickle."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from crlib import training_state
from crlib.training_state import read_tensors, trained, write_tensors


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    step : int
        Steps done.
    losses : list of float
        Loss of each of them.
    tokens, padded_tokens : int
        Tokens encoded so far, without and with padding.
    cpu_seconds : float
        Of the training process; sums over interruptions.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    padded_tokens: int = 0
    cpu_seconds: float = 0.0


def write_checkpoint(
    path: Path,
    fingerprint: str,
    progress: Progress,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write weights, optimiser state and progress to `path`, wholly or not at all."""
    counts = {k: v for k, v in progress.__dict__.items() if k != "losses"}
    losses = torch.tensor(progress.losses, dtype=torch.float64)
    write_tensors(
        path,
        training_state.pack(trained(model), optimiser) | {"losses": losses},
        {"fingerprint": fingerprint, "progress": json.dumps(counts)},
    )


def read_checkpoint(
    path: Path, fingerprint: str, model: nn.Module
) -> tuple[Progress, dict[str, Tensor]] | None:
    """Load weights into `model`, and give the progress and all tensors of the checkpoint.

    Returns
    -------
    tuple or None
        None when there is no checkpoint, when it is damaged, or when it belongs to a training
        with other settings (another `fingerprint`): then the training starts anew.
    """
    try:
        tensors, metadata = read_tensors(path)
    except (SafetensorError, OSError):
        return None
    if metadata.get("fingerprint") != fingerprint or not training_state.fits(
        tensors, trained(model)
    ):
        return None
    training_state.unpack_weights(tensors, trained(model))
    progress = Progress(**json.loads(metadata["progress"]), losses=tensors["losses"].tolist())
    return progress, tensors
