"""A training's state in one safetensors file: whole or absent, and never a pickle."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crlib.io import atomic_path


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
    tensors: dict[str, Tensor] = {}
    for name, parameter in trained(model).items():
        tensors[f"weight/{name}"] = parameter.detach()
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = value
    counts = {k: v for k, v in progress.__dict__.items() if k != "losses"}
    tensors["losses"] = torch.tensor(progress.losses, dtype=torch.float64)
    with atomic_path(path) as temporary:
        save_file(
            {name: tensor.contiguous().cpu() for name, tensor in tensors.items()},
            temporary,
            metadata={"fingerprint": fingerprint, "progress": json.dumps(counts)},
        )


def read_checkpoint(
    path: Path, fingerprint: str, model: nn.Module
) -> tuple[Progress, dict[str, dict[str, Tensor]]] | None:
    """Load weights into `model`, and give the progress and the optimiser state of each parameter.

    Returns
    -------
    tuple or None
        None when there is no checkpoint, when it is damaged, or when it belongs to a training
        with other settings (another `fingerprint`): then the training starts anew.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fingerprint") != fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError:
        return None
    if any(f"weight/{name}" not in tensors for name in trained(model)):
        return None
    states: dict[str, dict[str, Tensor]] = {}
    with torch.no_grad():
        for name, parameter in trained(model).items():
            parameter.copy_(tensors[f"weight/{name}"])
            states[name] = {
                key: tensors[f"{key}/{name}"]
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{key}/{name}" in tensors
            }
    progress = Progress(**json.loads(metadata["progress"]), losses=tensors["losses"].tolist())
    return progress, states


def restore_optimiser(
    optimiser: torch.optim.Optimizer, model: nn.Module, states: dict[str, dict[str, Tensor]]
) -> None:
    """Put the saved moments back, where there are any."""
    for name, parameter in trained(model).items():
        if states.get(name):
            optimiser.state[parameter] = {
                key: value.to(parameter.device) if key != "step" else value
                for key, value in states[name].items()
            }


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter of those that are trained (adapters leave the others as they are)."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
