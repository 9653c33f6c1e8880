"""An agent's training in one safetensors file: whole or absent, and never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crlib.io import atomic_path


def write_state(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, rest: dict[str, Any]
) -> None:
    """Write weights, the optimiser's moments, and `rest` as JSON.

    Parameters
    ----------
    path : Path
    model : torch.nn.Module
    optimiser : torch.optim.Optimizer
    rest : dict
        Of plain values; the key "settings" is compared when it is read.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        tensors[f"weight/{name}"] = parameter.detach()
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = value
    with atomic_path(path) as temporary:
        save_file(
            {name: tensor.contiguous().cpu() for name, tensor in tensors.items()},
            temporary,
            metadata={"rest": json.dumps(rest)},
        )


def read_state(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, settings: dict[str, Any]
) -> dict[str, Any]:
    """Put weights and moments back, and return the rest.

    Raises
    ------
    ValueError
        If the file is missing or damaged, or belongs to other settings or another network;
        nothing is changed then.
    """
    try:
        with safe_open(path, framework="pt") as file:
            rest: dict[str, Any] = json.loads((file.metadata() or {})["rest"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint that can be read: {error}") from error
    if rest.get("settings") != settings:
        was = rest.get("settings")
        raise ValueError(f"{path} was written with settings {was}, these are {settings}")
    parameters = dict(model.named_parameters())
    shapes = {f"weight/{name}": p.shape for name, p in parameters.items()}
    if shapes != {n: t.shape for n, t in tensors.items() if n.startswith("weight/")}:
        raise ValueError(f"{path} was written for another network than this one")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weight/{name}"])
            found = {
                key: tensors[f"{key}/{name}"]
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{key}/{name}" in tensors
            }
            if found:
                optimiser.state[parameter] = {
                    key: value if key == "step" else value.to(parameter.device)
                    for key, value in found.items()
                }
    return rest
