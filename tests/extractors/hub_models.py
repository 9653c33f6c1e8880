"""Tiny random checkpoints of every architecture, and rows written straight on transformers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    JinaEmbeddingsV3Config,
    JinaEmbeddingsV3Model,
    LlamaConfig,
    LlamaModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

from crlib.extractors.hub import hub_spec

TEXTS = ["open the file", "sort a list of numbers by size", "plot"]
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "<user>",
    "<end>",
    *sorted(set(" ".join(TEXTS).split())),
]
SIZES = {"vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 4, "intermediate_size": 48}  # fmt: skip
BUILDERS = {
    "bert": lambda: BertModel(BertConfig(**SIZES)),
    "roberta": lambda: RobertaModel(RobertaConfig(**SIZES, pad_token_id=0)),
    "jina": lambda: JinaEmbeddingsV3Model(JinaEmbeddingsV3Config(**SIZES, pad_token_id=0)),
    "llama": lambda: LlamaModel(LlamaConfig(**SIZES, num_key_value_heads=4, pad_token_id=0)),
}


def tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", eos_token="[SEP]", model_max_length=64,
    )  # fmt: skip


def save(name: str, folder: Path, *, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    BUILDERS[name]().eval().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def reference(model, texts, pooling: str, *, layer: int = -1) -> np.ndarray:
    """Pooling written straight on transformers, a text at a time, so without any padding."""
    rows = []
    for text in texts:
        tokens = tokenizer()(text, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"],
                output_hidden_states=True,
            ).hidden_states  # fmt: skip
        chosen = hidden[layer][0]
        rows.append(
            {
                "mean": chosen.mean(0),
                "cls": chosen[0],
                "lasttoken": chosen[-1],
                "max": chosen.max(0).values,
                "first-last": 0.5 * hidden[1][0].mean(0) + 0.5 * hidden[-1][0].mean(0),
            }[pooling]
        )
    return torch.nn.functional.normalize(torch.stack(rows).float(), dim=1).numpy()


def spec_for(folder, **changes):
    return replace(hub_spec(f"{folder.parent}/{folder.name}"), **changes)
