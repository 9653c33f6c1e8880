"""What a user may change about a model: its layer, pooling, weights' precision and commit."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, get_args

from crlib.extractors.hub.specs import BYTES, HubSpec
from crlib.extractors.names import AnySpec, FileSpec
from crlib.extractors.specs import ModelSpec, Pooling


class Options(TypedDict, total=False):
    """Keywords of `encode` that change a model; None, or left out, keeps what its spec says.

    Attributes
    ----------
    layer : int or None
        Hidden states that are pooled: 0 the embeddings', n those of the n-th layer; negative from
        the end, -1 the last layer's.
    pooling : {"mean", "cls", "lasttoken", "max", "first-last"} or None
        How token states become a row. "first-last" is the mean over all tokens of the average of
        hidden states 1, which leave the first transformer layer, and -1, which leave the last
        (Su et al. 2021, arXiv:2103.15316).
    dtype : {"float32", "bfloat16", "int8"} or None
        Of the weights, models of the hub only; "int8" needs the package bitsandbytes.
    revision : str or None
        Commit, branch or tag on the hub, models of the hub only.
    """

    layer: int | None
    pooling: str | None
    dtype: str | None
    revision: str | None


POOLINGS: tuple[str, ...] = get_args(Pooling)


def with_options(
    spec: AnySpec,
    *,
    layer: int | None = None,
    pooling: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
) -> AnySpec:
    """Give a model's spec with a user's options in it.

    Parameters
    ----------
    spec : ModelSpec, HubSpec or FileSpec
        From `crlib.extractors.spec_of`.
    layer, pooling, dtype, revision
        See `Options`.

    Raises
    ------
    ValueError
        For a value that is not known, a layer that the model does not have, and a combination
        that means nothing.
    """
    given: dict[str, Any] = {"layer": layer, "pooling": pooling, "dtype": dtype,
                             "revision": revision}  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return spec
    names = ", ".join(f"{name} = {value!r}" for name, value in given.items())
    if isinstance(spec, FileSpec):
        raise ValueError(f"{spec.name}: its rows are ready made and take no {names}; leave it out")
    if pooling is not None and pooling not in POOLINGS:
        raise ValueError(f"pooling = {pooling!r}; expected one of {', '.join(POOLINGS)}")
    if dtype is not None and dtype not in BYTES:
        raise ValueError(f"dtype = {dtype!r}; expected one of {', '.join(BYTES)}")
    if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int)):
        raise ValueError(f"layer = {layer!r}; expected a whole number")
    if pooling == "first-last" and layer is not None:
        raise ValueError('pooling = "first-last" takes its own two layers; leave layer out')
    if isinstance(spec, HubSpec):
        changed: ModelSpec | HubSpec = _hub(spec, given)
    else:
        changed = _shipped(spec, given, names)
    if changed.causal and changed.pooling == "cls":
        raise ValueError(
            f"{spec.name}: its first token sees no other, so that pooling = 'cls' would not see "
            "the text; choose lasttoken, mean or max"
        )
    if changed.layer == 0 and changed.pooling in ("cls", "lasttoken"):
        raise ValueError(
            f"{spec.name}: layer 0 holds each token's own embedding, and pooling = "
            f"{changed.pooling!r} would take one token's; choose mean or max, or another layer"
        )
    return changed


def _shipped(spec: ModelSpec, given: dict[str, Any], names: str) -> ModelSpec:
    """Options of a model that comes with the project; its number of layers is known."""
    if not spec.layers:
        raise ValueError(f"{spec.name} has no layers or tokens and takes no {names}; leave it out")
    if "revision" in given:
        raise ValueError(f"{spec.name} comes with the project and has no revision; leave it out")
    if given.pop("dtype", "float32") != "float32":
        raise ValueError(f"{spec.name} runs in float32 only; dtype is for models of the hub")
    if "layer" in given:
        layer = given["layer"]
        check_layer(spec.name, layer, spec.layers)
        layer += spec.layers + 1 if layer < 0 else 0
        # One name for the last layer's states, so that their vectors are stored once.
        given["layer"] = -1 if layer == spec.layers else layer
    return replace(spec, **given)


def _hub(spec: HubSpec, given: dict[str, Any]) -> HubSpec:
    """Options of a model of the hub; whether it has the layer, its configuration tells later."""
    if "revision" in given and Path(spec.repo).is_dir():
        raise ValueError(f"{spec.name} is a folder and has no revision; leave it out")
    if given.get("dtype") == "int8":
        check_int8(spec.name)
    if given.keys() & {"layer", "pooling"}:
        if spec.pooling == "built in":
            raise ValueError(
                f"{spec.name}: its own projection is its embedding; leave layer and pooling out"
            )
        given["as_saved"] = False
    return replace(spec, **given)


def check_layer(name: str, layer: int, layers: int) -> None:
    """Refuse a layer that a model with so many transformer layers does not have.

    Raises
    ------
    ValueError
    """
    if not -layers - 1 <= layer <= layers:
        raise ValueError(
            f"{name}: layer = {layer} is out of range; expected 0 (the embeddings) to {layers}, or "
            f"{-layers - 1} to -1 from the end"
        )


def check_int8(name: str) -> None:
    """Refuse 8-bit weights where the package that they need is missing.

    Raises
    ------
    ValueError
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError(
            f"{name}: dtype = 'int8' needs the package bitsandbytes, which is not installed: "
            "pip install bitsandbytes (for a CUDA GPU), or choose bfloat16"
        )


def checked_device(
    spec: AnySpec, device: str | Sequence[str] | None
) -> str | tuple[str, ...] | None:
    """Refuse devices that a model does not take, or that this machine does not have.

    Returns
    -------
    str, tuple of str or None
        A tuple where there are several.

    Raises
    ------
    ValueError
    """
    if device is None:
        return None
    several = (device,) if isinstance(device, str) else tuple(device)
    if not several:
        raise ValueError(f"device = {device!r}; expected a device, as cpu or cuda:0, or several")
    if isinstance(spec, FileSpec) or (isinstance(spec, ModelSpec) and not spec.layers):
        raise ValueError(f"{spec.name} runs on no device; leave device = {device!r} out")
    if len(several) > 1:
        if isinstance(spec, ModelSpec):
            raise ValueError(f"{spec.name} is small and takes one device, not {len(several)}")
        if spec.dtype == "int8":
            # Worker processes move the weights themselves, which 8-bit weights do not allow.
            raise ValueError(f"{spec.name} takes one device with dtype = 'int8'")
    import torch

    for name in several:
        try:
            torch.empty(0, device=name)
        except (RuntimeError, AssertionError, TypeError) as error:
            raise ValueError(
                f"device = {name!r} cannot be used here: {str(error).splitlines()[0]}; expected "
                "one that torch knows, as cpu or cuda:0"
            ) from None
    return several[0] if len(several) == 1 else several
