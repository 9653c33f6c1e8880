"""What a finished training leaves: weights in float16, the configuration, and a card."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from crlib.extractors import minilm
from crlib.extractors.specs import ModelSpec
from crlib.extractors.twins.checkpoint import Progress
from crlib.extractors.twins.loop import Job
from crlib.io import atomic_path, sha256_file, write_json, write_text

CURVE_POINTS = 60


def flatness(losses: list[float]) -> dict[str, float]:
    """How much the loss still moved at the end.

    Returns
    -------
    dict
        "first" and "last": mean loss of the first and the last tenth of the steps;
        "change_last_tenth": relative change from the tenth before the last to the last (negative
        when it still falls); "standard_error": of that change, from the scatter of single steps.
    """
    tenth = max(len(losses) // 10, 1)
    before, last = np.array(losses[-2 * tenth : -tenth] or losses[:1]), np.array(losses[-tenth:])
    level = max(before.mean(), np.finfo(float).eps)
    error = np.hypot(*(part.std() / np.sqrt(len(part)) for part in (before, last)))
    return {
        "first": float(np.mean(losses[:tenth])),
        "last": float(last.mean()),
        "change_last_tenth": float((last.mean() - before.mean()) / level),
        "standard_error": float(error / level),
    }


def loss_curve(losses: list[float]) -> list[tuple[int, float]]:
    """At most `CURVE_POINTS` pairs (last step of a window, mean loss in the window)."""
    windows = np.array_split(np.array(losses), min(CURVE_POINTS, len(losses)))
    ends = np.cumsum([len(window) for window in windows])
    return [
        (int(end), round(float(window.mean()), 5))
        for end, window in zip(ends, windows, strict=True)
    ]


def ship(
    folder: Path,
    spec: ModelSpec,
    encoder: Any,
    job: Job,
    progress: Progress,
    data: dict[str, Any],
) -> dict[str, Any]:
    """Write a trained model and its card to `folder`; the card comes last.

    Parameters
    ----------
    folder : Path
    spec : ModelSpec
    encoder : BertModel or PeftModel
        The trained encoder; a PeftModel for a continued MiniLM, whose adapter alone is written.
    job, progress
        What was trained and how it went.
    data : dict
        Number and hash of the texts and of the tokenizer.

    Returns
    -------
    dict
        The card.
    """
    adapter = spec.name.startswith("minilm")
    weights = folder / ("adapter_model.safetensors" if adapter else "model.safetensors")
    if adapter:
        minilm.save_adapter(encoder, folder)
    else:
        half = {
            name: tensor.detach().to(torch.float16).contiguous().cpu()
            for name, tensor in encoder.state_dict().items()
        }
        with atomic_path(weights) as temporary:
            save_file(half, temporary, metadata={"format": "pt"})
        with atomic_path(folder / "config.json") as temporary:
            encoder.config.to_json_file(temporary, use_diff=True)
    kept = [p for n, p in encoder.named_parameters() if not adapter or ".lora_" in n]
    card = {
        "name": spec.name,
        "description": spec.description,
        "objectives": [phase.objective for phase in job.recipe.phases],
        "seed": job.seed,
        "steps": progress.step,
        "tokens_per_step": job.budget,
        "tokens": progress.tokens,
        "tokens_with_padding": progress.padded_tokens,
        "cpu_seconds": round(progress.cpu_seconds, 1),
        "parameters": sum(p.numel() for p in kept),
        "pooling": spec.pooling,
        "peak_rate": job.recipe.peak_rate,
        "data": data,
        "loss": flatness(progress.losses),
        "loss_curve": loss_curve(progress.losses),
        "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "python": platform.python_version(),
        "weights_file": weights.name,
        "weights_sha256": sha256_file(weights),
        "weights_bytes": weights.stat().st_size,
    }
    write_text(folder / "README.md", _readme(card, spec))
    write_json(folder / "card.json", card)
    return card


def _readme(card: dict[str, Any], spec: ModelSpec) -> str:
    loss = card["loss"]
    limits = [
        "It demonstrates what an objective does to a small encoder; it is no evidence about the "
        "large model whose objective it borrows."
    ]
    if spec.family == "reconstruction":
        limits.append(
            "A masked or causal model learns slowly: part of its geometry may be that of a short "
            "training rather than of its objective."
        )
    if len(card["objectives"]) > 1:
        limits.append("The loss curve joins phases with different losses; only the last compares.")
    start = (
        "all-MiniLM-L6-v2, of which only low-rank adapters (rank 16) were trained"
        if spec.name.startswith("minilm")
        else f"the random start of seed {card['seed']}, common to all twins of that seed"
    )
    return f"""# {card["name"]}

{spec.description}

| | |
|---|---|
| Start | {start} |
| Objectives | {", then ".join(card["objectives"])} |
| Trained parameters | {card["parameters"]:,} |
| Steps | {card["steps"]:,}, about {card["tokens_per_step"]:,} tokens each |
| Tokens | {card["tokens"]:,} ({card["tokens_with_padding"]:,} with padding) |
| Compute | {card["cpu_seconds"]:,.0f} CPU-seconds, one thread |
| Texts | {card["data"]["texts"]:,}, SHA-256 {card["data"]["texts_sha256"][:16]} |
| Loss | {loss["first"]:.3f} in the first tenth of the steps, {loss["last"]:.3f} in the last |
| Flatness | {100 * loss["change_last_tenth"]:+.1f}% from the tenth before the last to the last \
(standard error {100 * loss["standard_error"]:.1f}%) |
| Row | {card["pooling"]} of the last hidden states over all tokens, normalised |
| Weights | {card["weights_file"]}, float16, SHA-256 {card["weights_sha256"][:16]} |

The texts are the documented public callables of this project's locked dependencies. "See also"
links between them are in no objective: they are kept for testing.

Limits: {" ".join(limits)}

`python -m crlib.extractors.train {card["name"]}` trains it again.
"""
