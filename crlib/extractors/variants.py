"""Several embeddings of one model: other layers, other poolings. For rankings of embeddings."""

from __future__ import annotations

from dataclasses import dataclass, field

from crlib.extractors.hub.specs import HUB_MODELS
from crlib.extractors.names import models_for, pairs_for
from crlib.extractors.options import Options
from crlib.extractors.specs import MODELS, ModelSpec

# A twin has two layers; a model of the hub has twelve or more, of which the last are much alike.
EARLIER = {"twin": 1, "hub": -5}


@dataclass(frozen=True)
class Variant:
    """An embedding to be ranked.

    Attributes
    ----------
    name : str
        For tables: the model, and what differs from its default.
    model : str
        As `encode` takes it.
    options : Options
        Keywords of `encode`.
    """

    name: str
    model: str
    options: Options = field(default_factory=Options)


def variants_for(model: str) -> tuple[Variant, ...]:
    """Return the embeddings that a notebook's parameter `model` asks to rank.

    Every trained model as it is; those of a matched pair that are small enough to be run three
    times (the twins) or that the paper is about also after an earlier layer, and with the maximum
    of their token states.

    Parameters
    ----------
    model : str
        "all", "paper", or one model: then the models of its pairs.

    Returns
    -------
    tuple of Variant
        Of distinct names; controls are left out.

    Raises
    ------
    ValueError
        For an unknown model.
    """
    if model == "all":
        names = [name for name, spec in MODELS.items() if spec.kind != "control"]
        shown = {name for pair in pairs_for("all") for name in pair.models}
    else:
        found = models_for(model)
        names = [name for name, spec in found.items() if spec.kind != "control"]
        shown = set(names)
    variants = [Variant(name, name) for name in names]
    for name in names:
        spec = MODELS.get(name) or HUB_MODELS.get(name)
        if name not in shown or spec is None:
            continue
        small = isinstance(spec, ModelSpec) and spec.layers == 2
        if not small and (isinstance(spec, ModelSpec) or spec.pooling == "built in"):
            continue
        layer = EARLIER["twin" if small else "hub"]
        variants.append(Variant(f"{name}, layer {layer}", name, {"layer": layer}))
        variants.append(Variant(f"{name}, max", name, {"pooling": "max"}))
    return tuple(variants)
