"""From a model's name to an encoder in memory, and to the key of its vectors on disk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from crlib.extractors import minilm
from crlib.extractors.specs import ModelSpec
from crlib.extractors.twins.architecture import new_encoder
from crlib.extractors.twins.tokenizer import PAD, read_tokenizer
from crlib.io import sha256_file, sha256_text
from crlib.settings import ROOT

SHIPPED = ROOT / "models"


@dataclass(frozen=True)
class Encoder:
    """A loaded model.

    Attributes
    ----------
    tokenizer : Tokenizer
        Cuts at the model's maximum length and does not pad.
    module : nn.Module
        Float32, in evaluation mode; (ids, mask) -> `last_hidden_state`.
    padding : int
        Token number of padding.
    """

    tokenizer: Tokenizer
    module: nn.Module
    padding: int


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
    if spec.kind == "control":
        description["seed"] = seed
    if spec.name == "lsa":
        description["texts"] = sha256_text("".join(sorted(text_keys)))
        description["scikit-learn"] = version("scikit-learn")
        return description
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
        return [minilm.minilm_folder() / "model.safetensors"]
    elif spec.name.startswith("minilm-"):
        files = [minilm.minilm_folder() / "model.safetensors", own / "adapter_model.safetensors"]
    else:
        files = [own / "model.safetensors", own / "config.json", tokenizer]
    for path in files:
        if not path.is_file():
            raise ValueError(
                f"{spec.name}: {path} is missing; it is part of the repository (git checkout "
                f"models), and `make twins` trains it again"
            )
    return files


def load_encoder(spec: ModelSpec, *, seed: int = 0, shipped: Path = SHIPPED) -> Encoder:
    """Load a model's tokenizer and weights, in float32, for inference on the CPU.

    Raises
    ------
    ValueError
        When a file is missing or does not fit.
    """
    files = weight_files(spec, shipped=shipped)
    if spec.name.startswith("minilm"):
        module = minilm.load_minilm()
        if spec.name != "minilm":
            module = minilm.merge_adapter(module, shipped / spec.name)
        return Encoder(minilm.minilm_tokenizer(), module, minilm.PAD)
    tokenizer = read_tokenizer(shipped / "tokenizer" / "tokenizer.json")
    if spec.name == "random-start":
        module = new_encoder(seed=seed, vocabulary=tokenizer.get_vocab_size())
    else:
        module = _twin(files[0], files[1])
    return Encoder(tokenizer, module.eval(), PAD)


def _twin(weights: Path, config: Path) -> BertModel:
    module = BertModel(BertConfig.from_json_file(str(config)), add_pooling_layer=False)
    tensors = {name: tensor.to(torch.float32) for name, tensor in load_file(weights).items()}
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit {config}: {str(error).splitlines()[0]}") from None
    return module
