"""One loader for every encoder of the hub, through sentence-transformers; no remote code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel, get_peft_model_state_dict
from peft.utils.save_and_load import load_peft_weights
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from sentence_transformers.util import is_sentence_transformer_model
from torch import nn
from transformers import AutoConfig

from crlib.extractors.hub.fetch import download_size, explained
from crlib.extractors.hub.specs import HubSpec
from crlib.extractors.options import check_int8, check_layer
from crlib.extractors.standardise import unit_rows

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Layers(nn.Module):
    """Hand the mean of some layers' hidden states on to the pooling."""

    def __init__(self, layers: Sequence[int], model: Any) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.origin = type(model), model.config

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the model known to a process that received it.

        transformers notes when a model is made, and in that process alone, how its class gives
        all hidden states; one without weights is enough for that.
        """
        super().__setstate__(state)
        kind, config = self.origin
        with torch.device("meta"):
            kind(config)

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace the last states by the chosen layers', in float32 as bfloat16 loses digits."""
        chosen = [features["all_layer_embeddings"][layer].float() for layer in self.layers]
        features["token_embeddings"] = torch.stack(chosen).mean(0)
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
        When the model is not there, is gated, has no such layer, or an adapter does not fit; says
        what to do.
    """
    if spec.as_saved and _has_modules(spec):
        return _whole(spec, device)
    layers = _layers(spec)
    config = {"output_hidden_states": True} if layers else {}
    weights = weights_options(spec, device)
    with explained(spec.name, spec.repo, size=download_size(spec)):
        transformer = Transformer(
            spec.repo,
            max_seq_length=spec.max_tokens,
            model_kwargs=_where(spec) | weights,
            processor_kwargs=_where(spec) | {"padding_side": spec.padding_side},
            config_kwargs=_where(spec) | config,
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
    if layers:
        modules.append(Layers(layers, transformer.model))
    if spec.pooling != "built in":
        mode = "mean" if spec.pooling == "first-last" else spec.pooling
        width = transformer.get_embedding_dimension()
        modules.append(Pooling(width, mode, include_prompt=not spec.prompt))
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
    with explained(spec.name, repo):
        adapted = PeftModel.from_pretrained(model, repo, **options)
        saved = set(load_peft_weights(repo, device="cpu", **options))
    expected = set(get_peft_model_state_dict(adapted))
    if saved != expected:
        odd = sorted(saved ^ expected)
        raise ValueError(
            f"{spec.name}: the adapter {adapter} does not fit the model: {len(odd)} tensors are "
            f"missing or unknown, {odd[0]} for one; check that it was made for {spec.repo}"
        )
    return adapted.merge_and_unload()


def embed(
    model: SentenceTransformer,
    spec: HubSpec,
    inputs: Sequence[Any],
    *,
    batch_size: int = 32,
    pool: Any = None,
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
    pool : dict, optional
        Worker processes, from `workers`.

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
        pool=pool,
        chunk_size=batch_size if pool else None,
    )
    return unit_rows(rows.to(torch.float32).cpu().numpy())


@contextmanager
def workers(
    model: SentenceTransformer, devices: Sequence[str | None]
) -> Iterator[dict[Literal["input", "output", "processes"], Any] | None]:
    """Start a process for each of several devices, and end them; none for a single device.

    Each process is spawned with the loaded model, which takes seconds: it should serve all texts.
    """
    if len(devices) == 1:
        yield None
        return
    pool = model.start_multi_process_pool([str(device) for device in devices])
    try:
        yield pool
    finally:
        model.stop_multi_process_pool(pool)


def weights_options(spec: HubSpec, device: str | None = None) -> dict[str, Any]:
    """Keywords of `from_pretrained` that decide the weights' number format.

    Raises
    ------
    ValueError
        When 8-bit weights are asked for and bitsandbytes is not installed.
    """
    if spec.dtype != "int8":
        return {"dtype": DTYPES[spec.dtype]}
    check_int8(spec.name)
    from transformers import BitsAndBytesConfig

    # What is not quantised, the norms for instance, is in the scheme's own float16.
    options = {"quantization_config": BitsAndBytesConfig(load_in_8bit=True), "dtype": torch.float16}
    return options | ({"device_map": {"": device}} if device else {})


def _whole(spec: HubSpec, device: str | None) -> SentenceTransformer:
    """A checkpoint that says itself how its rows are made."""
    weights = weights_options(spec, device)
    with explained(spec.name, spec.repo, size=download_size(spec)):
        return SentenceTransformer(
            spec.repo,
            device=None if "device_map" in weights else device,
            trust_remote_code=False,
            model_kwargs=weights,
            **_where(spec),
        )


def _has_modules(spec: HubSpec) -> bool:
    with explained(spec.name, spec.repo, size=download_size(spec)):
        return is_sentence_transformer_model(spec.repo, **_where(spec))


def _layers(spec: HubSpec) -> tuple[int, ...]:
    """Hidden states that are averaged before the pooling; empty for the last layer's alone."""
    if spec.pooling == "first-last":
        return (1, -1)
    if spec.layer == -1:
        return ()
    # Asked of the configuration, which is small, before the weights are loaded.
    with explained(spec.name, spec.repo, size=download_size(spec)):
        config = AutoConfig.from_pretrained(spec.repo, **_where(spec)).get_text_config()
    check_layer(spec.name, spec.layer, config.num_hidden_layers)
    return (spec.layer,)


def _where(spec: HubSpec) -> dict[str, Any]:
    return {"revision": spec.revision} if spec.revision else {}
