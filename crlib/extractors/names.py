"""What stands behind a model's name, wherever one is accepted."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crlib.extractors.external import SUFFIXES, is_embedding_file
from crlib.extractors.hub.specs import HUB_MODELS, PAPER_PAIRS, HubSpec, hub_spec
from crlib.extractors.specs import MODELS, PAIRS, SEED_PAIRS, Family, ModelSpec, Pair


@dataclass(frozen=True)
class FileSpec:
    """Embeddings made elsewhere: the path of a file of rows."""

    name: str
    family: Family = "pretrained"
    kind: Literal["file"] = "file"
    description: str = "Embeddings made elsewhere, read from a file."
    seed: int = 0


AnySpec = ModelSpec | HubSpec | FileSpec


def spec_of(model: str) -> AnySpec:
    """Look a model up.

    Parameters
    ----------
    model : str
        A name of `MODELS` or of `HUB_MODELS`, a file of embeddings, a local folder, or a hub id
        with a slash.

    Raises
    ------
    ValueError
        For an unknown name (the message has the closest known one and all of them), and for a
        file of embeddings that is not there.
    """
    if model in MODELS:
        return MODELS[model]
    if is_embedding_file(model):
        if not Path(model).is_file():
            raise ValueError(f"{model} is missing; expected a file of embeddings")
        return FileSpec(model)
    if model in HUB_MODELS or "/" in model:
        return hub_spec(model)
    known = [*MODELS, *HUB_MODELS]
    close = difflib.get_close_matches(str(model), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"unknown model {model!r}.{hint} Known: {', '.join(known)}; or give a hub id with a slash, "
        f"a folder as ./folder, or a file of embeddings ({', '.join(SUFFIXES)})"
    )


def pairs_for(model: str) -> tuple[Pair, ...]:
    """Give the pairs to compare.

    Parameters
    ----------
    model : str
        "all" for `PAIRS`, "paper" for `PAPER_PAIRS`, else a model for the pairs that hold it
        (those of other seeds too); empty for a model without a partner.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if model == "all":
        return PAIRS
    if model == "paper":
        return PAPER_PAIRS
    name = spec_of(model).name
    return tuple(pair for pair in PAIRS + SEED_PAIRS + PAPER_PAIRS if name in pair.models)


def models_for(model: str) -> dict[str, AnySpec]:
    """Give the models that a chapter looks at: those of its pairs, and the controls beside them.

    Parameters
    ----------
    model : str
        As for `pairs_for`; "all" gives all of `MODELS`.

    Returns
    -------
    dict
        Name to spec; reconstruction and contrastive models first, controls last.
    """
    if model == "all":
        return dict(MODELS)
    names = [name for pair in pairs_for(model) for name in pair.models]
    if not names:
        names = [spec_of(model).name]
    controls = {name: spec for name, spec in MODELS.items() if spec.kind == "control"}
    return {name: spec_of(name) for name in dict.fromkeys(names)} | controls
