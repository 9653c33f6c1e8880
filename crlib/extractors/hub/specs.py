"""The paper's own encoders: one row each, with all that loading needs."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crlib.extractors.specs import Family, Pair, Pooling

DType = Literal["float32", "bfloat16", "int8"]
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}


@dataclass(frozen=True)
class HubSpec:
    """One encoder of the hub.

    Attributes
    ----------
    name : str
        Key in `HUB_MODELS`.
    repo : str
        Id on the hub, or a local folder.
    family : str
        Kind of its last objective; "control" for a model that is there for comparison.
    description : str
        One sentence for a page.
    dimensions : int
        Width of a row; 0 where the checkpoint tells.
    parameters : float
        Their number in millions; 0 where unknown. The download is about two bytes each in
        bfloat16 and four in float32.
    licence : str
        As the model's page names it.
    gated : bool
        Whether the hub asks to accept terms first.
    pooling : {"mean", "cls", "lasttoken", "max", "first-last", "built in"}
        How token states become a row, before any pooler head: see
        `crlib.extractors.options.Options`; "built in" for CLIP, whose own projection is its
        embedding.
    layer : int
        Hidden states that are pooled: -1 the last layer's, 0 the embeddings'.
    adapters : tuple of str
        PEFT adapters, merged in this order; "repo" or "repo:subfolder".
    bidirectional : bool
        Whether a causal model is made to look both ways.
    prompt, suffix : str
        Put around each text; the prompt's tokens are left out of the pooling.
    padding_side : {"left", "right"}
    max_tokens : int
        Longer texts are cut here.
    dtype : {"float32", "bfloat16", "int8"}
        Of the weights; rows are always normalised in float32. "int8" quantises the linear layers
        while they load (Dettmers et al. 2022, arXiv:2208.07339).
    revision : str or None
        Commit on the hub; None takes the newest, whose commit the manifest then records.
    counterpart : str or None
        Name in the paper.
    expected_d_eff : float or None
        Effective dimension that the paper states.
    sts_benchmark : float or None
        Spearman correlation on the STS Benchmark's test set, times 100, as published: to compare
        with after loading (Gao et al. 2021; BehnamGhader et al. 2024; Sturua et al. 2024).
    causal : bool
        Whether a token sees only those before it, as the model is used here.
    as_saved : bool
        Follow the checkpoint's own modules.json where there is one: its pooling, its prompts.
    """

    name: str
    repo: str
    family: Family
    description: str
    dimensions: int = 0
    parameters: float = 0.0
    licence: str = "not stated"
    gated: bool = False
    pooling: Pooling | Literal["built in"] = "mean"
    layer: int = -1
    adapters: tuple[str, ...] = ()
    bidirectional: bool = False
    prompt: str = ""
    suffix: str = ""
    padding_side: Literal["left", "right"] = "right"
    max_tokens: int = 512
    dtype: DType = "float32"
    revision: str | None = None
    counterpart: str | None = None
    expected_d_eff: float | None = None
    sts_benchmark: float | None = None
    causal: bool = False
    as_saved: bool = False
    kind: Literal["hub"] = "hub"

    @property
    def gigabytes(self) -> float:
        """Memory of the weights, 10^9 bytes: parameters times the bytes of each."""
        return self.parameters * 1e6 * BYTES[self.dtype] / 1e9


LLAMA_PROMPT = "<|start_header_id|>user<|end_header_id|>\n\n"
LLM2VEC = "McGill-NLP/LLM2Vec-Meta-Llama-3-8B-Instruct-mntp"

_SPECS: tuple[HubSpec, ...] = (
    HubSpec(
        "bert-base", "google-bert/bert-base-uncased", "reconstruction",
        "BERT base, uncased: masked words and next sentences.",
        dimensions=768, parameters=109.5, licence="Apache-2.0",
        counterpart="BERT", expected_d_eff=40.0, sts_benchmark=47.29,
    ),
    HubSpec(
        "roberta-base", "FacebookAI/roberta-base", "reconstruction",
        "RoBERTa base: masked words alone, on more text. Its pooler is random and is not used.",
        dimensions=768, parameters=124.6, licence="MIT",
        counterpart="RoBERTa", expected_d_eff=50.0,
    ),
    HubSpec(
        "llama-3-8b", "meta-llama/Meta-Llama-3-8B", "reconstruction",
        "LLaMA-3 8B: next-token prediction; mean of its last states.",
        dimensions=4096, parameters=8030.0, licence="Llama 3 Community", gated=True,
        dtype="bfloat16", causal=True, counterpart="LLaMA", expected_d_eff=60.0,
    ),
    HubSpec(
        "simcse-base", "princeton-nlp/unsup-simcse-bert-base-uncased", "contrastive",
        "Unsupervised SimCSE on BERT base: [CLS] before the pooler.",
        dimensions=768, parameters=109.5, licence="MIT", pooling="cls",
        counterpart="SimCSE", expected_d_eff=200.0, sts_benchmark=76.85,
    ),
    HubSpec(
        "jina-v3", "jinaai/jina-embeddings-v3-hf", "contrastive",
        "Jina embeddings v3 with its text-matching adapter.",
        dimensions=1024, parameters=572.0, licence="CC-BY-NC-4.0", max_tokens=8192,
        adapters=("jinaai/jina-embeddings-v3-hf:text_matching",),
        counterpart="Jina v3", expected_d_eff=220.0, sts_benchmark=89.44,
    ),
    HubSpec(
        "llm2vec-llama-3", "meta-llama/Meta-Llama-3-8B-Instruct", "contrastive",
        "LLM2Vec on LLaMA-3 8B Instruct: bidirectional, masked next token, then SimCSE.",
        dimensions=4096, parameters=8030.0, licence="Llama 3 Community; adapters MIT", gated=True,
        adapters=(LLM2VEC, f"{LLM2VEC}-unsup-simcse"), bidirectional=True,
        prompt=LLAMA_PROMPT, suffix="<|eot_id|>", padding_side="left", dtype="bfloat16",
        counterpart="LLM2Vec", expected_d_eff=210.0, sts_benchmark=77.44,
    ),
    HubSpec(
        "llama-3-8b-instruct", "meta-llama/Meta-Llama-3-8B-Instruct", "control",
        "The start of LLM2Vec without its adapters: what instruction tuning alone does.",
        dimensions=4096, parameters=8030.0, licence="Llama 3 Community", gated=True,
        prompt=LLAMA_PROMPT, suffix="<|eot_id|>", padding_side="left", dtype="bfloat16",
        causal=True,
    ),
    HubSpec(
        "clip-vit-b-32", "openai/clip-vit-base-patch32", "contrastive",
        "CLIP's text tower, contrastive against images; its image tower embeds pictures.",
        dimensions=512, parameters=151.3, licence="MIT", pooling="built in", max_tokens=77,
    ),
)  # fmt: skip

HUB_MODELS: dict[str, HubSpec] = {spec.name: spec for spec in _SPECS}

PAPER_PAIRS: tuple[Pair, ...] = (
    Pair("BERT / SimCSE", "bert-base", "simcse-base"),
    Pair("RoBERTa / Jina v3", "roberta-base", "jina-v3"),
    Pair("LLaMA / LLM2Vec", "llama-3-8b", "llm2vec-llama-3"),
)


def hub_spec(model: str) -> HubSpec:
    """Look an encoder up: a name of the table, a hub id with a slash, or a local folder.

    Raises
    ------
    ValueError
        For any other text (the message has the closest known name), and for a folder that is not
        there.
    """
    if model in HUB_MODELS:
        return HUB_MODELS[model]
    if model.startswith((".", "/")) and not Path(model).is_dir():
        raise ValueError(f"{model} is missing; expected a folder with a model's files")
    if "/" in model:
        says = f"{model}, loaded as its own files say."
        return HubSpec(model, model, "pretrained", says, as_saved=True)
    close = difflib.get_close_matches(model, HUB_MODELS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"unknown model {model!r}.{hint} Known: {', '.join(HUB_MODELS)}; or give a hub id with a "
        "slash, or a folder as ./folder"
    )
