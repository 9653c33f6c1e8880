"""From a model's name to an encoder in memory."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from crlib.extractors.specs import ModelSpec
from crlib.extractors.twins.architecture import new_encoder
from crlib.extractors.twins.tokenizer import PAD, read_tokenizer
from crlib.extractors.weights import SHIPPED, weight_files


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
    layer : int
        Hidden states that are pooled.
    pooling : str
        See `crlib.extractors.options.Options`.
    """

    tokenizer: Tokenizer
    module: nn.Module
    padding: int
    layer: int = -1
    pooling: str = "mean"


def load_encoder(
    spec: ModelSpec, *, seed: int = 0, shipped: Path = SHIPPED, device: str | None = None
) -> Encoder:
    """Load a model's tokenizer and weights, in float32, for inference; on the CPU by default.

    Raises
    ------
    ValueError
        When a file is missing or does not fit.
    """
    files = weight_files(spec, shipped=shipped)
    if spec.name.startswith("minilm"):
        from crlib.extractors import minilm  # peft takes seconds to import: only where needed

        module = minilm.load_minilm()
        if spec.name != "minilm":
            module = minilm.merge_adapter(module, shipped / spec.name)
        encoder = Encoder(minilm.minilm_tokenizer(), module, minilm.PAD, spec.layer, spec.pooling)
        encoder.module.to(device or "cpu")
        return encoder
    tokenizer = read_tokenizer(shipped / "tokenizer" / "tokenizer.json")
    if spec.name == "random-start":
        module = new_encoder(seed=seed, vocabulary=tokenizer.get_vocab_size())
    else:
        module = _twin(files[0], files[1])
    return Encoder(tokenizer, module.eval().to(device or "cpu"), PAD, spec.layer, spec.pooling)


def _twin(weights: Path, config: Path) -> BertModel:
    module = BertModel(BertConfig.from_json_file(str(config)), add_pooling_layer=False)
    tensors = {name: tensor.to(torch.float32) for name, tensor in load_file(weights).items()}
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit {config}: {str(error).splitlines()[0]}") from None
    return module
