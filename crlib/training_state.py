"""Weights and Adam's moments as named tensors in a safetensors file, and back: no pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crlib.io import atomic_path

Parameters = Mapping[str, nn.Parameter]  # by name
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter of those that are trained (adapters leave the others as they are)."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def pack(parameters: Parameters, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return weights as "weight/<name>" and their moments as "<moment>/<name>"."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"weight/{name}"] = parameter.detach()
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = value
    return tensors


def fits(tensors: Mapping[str, Tensor], parameters: Parameters) -> bool:
    """Whether packed weights have the names and shapes of these."""
    shapes = {f"weight/{name}": parameter.shape for name, parameter in parameters.items()}
    return shapes == {n: t.shape for n, t in tensors.items() if n.startswith("weight/")}


def unpack_weights(tensors: Mapping[str, Tensor], parameters: Parameters) -> None:
    """Put packed weights into parameters that they fit."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weight/{name}"])


def unpack_moments(
    tensors: Mapping[str, Tensor], parameters: Parameters, optimiser: torch.optim.Optimizer
) -> None:
    """Put packed moments back, where there are any; Adam keeps its step number on the CPU."""
    for name, parameter in parameters.items():
        found = {key: tensors[f"{key}/{name}"] for key in MOMENTS if f"{key}/{name}" in tensors}
        if found:
            optimiser.state[parameter] = {
                key: value if key == "step" else value.to(parameter.device)
                for key, value in found.items()
            }


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and text beside them, wholly or not at all."""
    with atomic_path(path) as temporary:
        save_file(
            {name: tensor.contiguous().cpu() for name, tensor in tensors.items()},
            temporary,
            metadata=metadata,
        )


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return what `write_tensors` wrote.

    Raises
    ------
    OSError, safetensors.SafetensorError
        If the file is missing or damaged.
    """
    with safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
