"""One loader for every encoder of the hub, through sentence-transformers; no remote code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel, get_peft_model_state_dict
from peft.utils.save_and_load import load_peft_weights
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from torch import nn

from crlib.extractors.hub.specs import HubSpec
from crlib.extractors.standardise import unit_rows

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Layer(nn.Module):
    """Hand one layer's hidden states on to the pooling."""

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace the last states by the chosen layer's."""
        features["token_embeddings"] = features["all_layer_embeddings"][self.layer]
        return features


def load_hub(spec: HubSpec, *, device: str | None = None) -> SentenceTransformer:
    """Load an encoder, with its adapters merged in order.

    Parameters
    ----------
    spec : HubSpec
        Its `repo` and `adapters` may be hub ids or local folders.
    device : str, optional
        As torch names it; sentence-transformers chooses by default.

    Returns
    -------
    SentenceTransformer
        Transformer, choice of layer where it is not the last, pooling. Rows are not normalised
        yet: `embed` does it in float32, as bfloat16 norms are off by up to 0.3%.

    Raises
    ------
    ValueError
        When the model is not there, is gated, or an adapter does not fit; says what to do.
    """
    if spec.family == "pretrained" and (Path(spec.repo) / "modules.json").is_file():
        return _whole(spec, device)
    config = {"output_hidden_states": True} if spec.layer != -1 else {}
    transformer = _fetch(
        spec,
        lambda: Transformer(
            spec.repo,
            max_seq_length=spec.max_tokens,
            model_kwargs=_where(spec) | {"dtype": DTYPES[spec.dtype]},
            processor_kwargs=_where(spec) | {"padding_side": spec.padding_side},
            config_kwargs=_where(spec) | config,
        ),
    )
    tokenizer: Any = transformer.tokenizer
    if tokenizer is not None and tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # LLaMA has none; the mask hides it
    for adapter in spec.adapters:
        transformer.model = merge(transformer.model, adapter, spec)
    if spec.bidirectional:
        # Only on the loaded model: given as a configuration it is ignored without a word.
        transformer.model.config.is_causal = False
    modules: list[nn.Module] = [transformer]
    if spec.layer != -1:
        modules.append(Layer(spec.layer))
    if spec.pooling != "built in":
        width = transformer.get_embedding_dimension()
        modules.append(Pooling(width, spec.pooling, include_prompt=not spec.prompt))
    return SentenceTransformer(modules=modules, device=device)


def merge(model: Any, adapter: str, spec: HubSpec) -> Any:
    """Merge one PEFT adapter, "repo" or "repo:subfolder", into a model's weights.

    Raises
    ------
    ValueError
        When the adapter's tensors are not exactly those that it puts on this model; peft itself
        would only warn, and embed with the model as it was.
    """
    repo, _, subfolder = adapter.partition(":")
    options: dict[str, Any] = {"subfolder": subfolder} if subfolder else {}
    adapted = _fetch(spec, lambda: PeftModel.from_pretrained(model, repo, **options))
    saved = set(_fetch(spec, lambda: load_peft_weights(repo, device="cpu", **options)))
    expected = set(get_peft_model_state_dict(adapted))
    if saved != expected:
        odd = sorted(saved ^ expected)
        raise ValueError(
            f"{spec.name}: the adapter {adapter} does not fit the model: {len(odd)} tensors are "
            f"missing or unknown, {odd[0]} for one; check that it was made for {spec.repo}"
        )
    return adapted.merge_and_unload()


def embed(
    model: SentenceTransformer, spec: HubSpec, inputs: Sequence[Any], *, batch_size: int = 32
) -> NDArray[np.float32]:
    """Embed texts, or pictures with CLIP, with a loaded encoder.

    Parameters
    ----------
    model : SentenceTransformer
        From `load_hub`.
    spec : HubSpec
        The same.
    inputs : sequence of n str or PIL.Image.Image
    batch_size : int

    Returns
    -------
    (n, d) float32 array
        Unit rows, in the order of the inputs.
    """
    whole = [item + spec.suffix if isinstance(item, str) else item for item in inputs]
    rows = model.encode(
        whole,
        prompt=spec.prompt or None,
        batch_size=batch_size,
        convert_to_tensor=True,
        show_progress_bar=False,
    )
    return unit_rows(rows.to(torch.float32).cpu().numpy())


def _whole(spec: HubSpec, device: str | None) -> SentenceTransformer:
    """A checkpoint that says itself how its rows are made."""
    return _fetch(
        spec,
        lambda: SentenceTransformer(
            spec.repo, device=device, trust_remote_code=False, **_where(spec)
        ),
    )


def _where(spec: HubSpec) -> dict[str, Any]:
    return {"revision": spec.revision} if spec.revision else {}


def _fetch(spec: HubSpec, load: Any) -> Any:
    """Call a loader, and turn the hub's errors into one sentence."""
    try:
        return load()
    except (OSError, ValueError) as error:
        causes, cause = [], error
        while cause is not None:
            causes.append(type(cause).__name__)
            cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
        if "GatedRepoError" in causes:
            what = f"is gated: accept its terms at its page on the hub ({spec.repo}) and log in"
        elif not Path(spec.repo).exists():
            size = f", {spec.gigabytes:.1f} GB" if spec.parameters else ""
            what = (
                f"is not on this machine and the hub did not answer ({spec.repo}{size}); load it "
                "where there is a network, or give a folder that holds it"
            )
        else:
            what = f"cannot be read: {str(error).splitlines()[0]}"
        raise ValueError(
            f"{spec.name} {what}. Meanwhile every model of `crlib doctor` that is ready can be used"
        ) from error
