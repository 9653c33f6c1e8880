"""Text -> unit vectors: the table of models, encoding with a store on disk, standardisation."""

from typing import TYPE_CHECKING, Any

from crlib.extractors.hub import HUB_MODELS, PAPER_PAIRS, HubSpec
from crlib.extractors.names import AnySpec, models_for, pairs_for, spec_of
from crlib.extractors.specs import MODELS, PAIRS, SEED_PAIRS, ModelSpec, Pair
from crlib.extractors.standardise import standardise
from crlib.extractors.streaming import standardise_file
from crlib.extractors.variants import Variant, variants_for

if TYPE_CHECKING:
    from crlib.extractors.encoding import encode

__all__ = [
    "HUB_MODELS",
    "MODELS",
    "PAIRS",
    "PAPER_PAIRS",
    "SEED_PAIRS",
    "AnySpec",
    "HubSpec",
    "ModelSpec",
    "Pair",
    "Variant",
    "encode",
    "models_for",
    "pairs_for",
    "spec_of",
    "standardise",
    "standardise_file",
    "variants_for",
]


def __getattr__(name: str) -> Any:
    # torch and transformers take seconds to import; who only reads the table should not wait.
    if name == "encode":
        from crlib.extractors.encoding import encode

        return encode
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
