"""all-MiniLM-L6-v2 from the pip package that carries it: found, verified, adapted."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import PreTrainedModel
from transformers.utils import logging

from crlib.extractors.weights import PACKAGE, WEIGHTS_SHA256, minilm_folder
from crlib.io import atomic_path, write_json

MAX_TOKENS = 256  # the model's own sentence_bert_config.json
PAD, MASK, SPECIAL, VOCABULARY = 0, 103, 999, 30_522

# Rank 16 on every linear layer of the encoder; the pooler behind it is not used.
TARGETS = r"encoder\..*\.(query|key|value|dense)"
LORA = LoraConfig(
    r=16,
    lora_alpha=32,
    lora_dropout=0.0,
    target_modules=TARGETS,
    bias="none",
)


def minilm_tokenizer(*, max_tokens: int = MAX_TOKENS) -> Tokenizer:
    """Its WordPiece tokenizer, cutting at `max_tokens` and without padding."""
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def load_minilm() -> PreTrainedModel:
    """Load the encoder with sentence-transformers, from the folder alone.

    Returns
    -------
    PreTrainedModel
        The transformer module, float32, in evaluation mode. Its pooling is the mean over all real
        tokens, which `encode` does itself.
    """
    from sentence_transformers import SentenceTransformer  # 3 s to import: only where needed

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    model: Any = SentenceTransformer(
        str(minilm_folder()),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, "dtype": torch.float32},
    )
    if shown:
        logging.enable_progress_bar()
    encoder: PreTrainedModel = model[0].auto_model
    return encoder.eval()


def adapted(encoder: PreTrainedModel, *, seed: int) -> PeftModel:
    """Put fresh adapters on the encoder's linear layers; only they are trained.

    The second factor starts at zero, so the adapted model starts as the model itself.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            # peft asks transformers by a name that the next major version drops.
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")
            model: Any = get_peft_model(encoder, LORA)
    return model


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write adapter_model.safetensors (float16) and adapter_config.json."""
    tensors = {
        name: tensor.detach().to(torch.float16).contiguous().cpu()
        for name, tensor in get_peft_model_state_dict(model).items()
    }
    with atomic_path(folder / "adapter_model.safetensors") as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA",
            "base_model_name_or_path": PACKAGE,
            "base_model_sha256": WEIGHTS_SHA256,
            "r": LORA.r,
            "lora_alpha": LORA.lora_alpha,
            "target_modules": TARGETS,
        },
    )


def merge_adapter(encoder: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Add a shipped adapter to the weights.

    Raises
    ------
    ValueError
        When a tensor is missing or unknown: peft itself would only warn, and embed with the
        model as it was.
    """
    model: Any = adapted(encoder, seed=0)
    expected = set(get_peft_model_state_dict(model))
    tensors = load_file(folder / "adapter_model.safetensors")
    _same_names(expected, tensors.keys(), folder)
    own = {
        name.replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if ".lora_" in name
    }
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor.to(torch.float32))
    merged: PreTrainedModel = model.merge_and_unload()
    return merged.eval()


def _same_names(expected: set[str], found: Any, folder: Path) -> None:
    different: Sequence[str] = sorted(expected ^ set(found))
    if different:
        raise ValueError(
            f"the adapter in {folder} does not fit: {len(different)} tensors are missing or "
            f"unknown, {different[0]} for one; run `make twins`"
        )
