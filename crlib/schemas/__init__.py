"""What each notebook takes: one class of parameters a notebook, with types and ranges."""

from crlib.schemas.common import Geometry, Parameters
from crlib.schemas.pages import Atlas, Encoders, PythonApi, Sources, YourEmbedding
from crlib.schemas.theory import (
    AlignmentUniformity,
    Coverage,
    EffectiveDimension,
    FewLabels,
    GeometryOrInformation,
    PcaStandardisation,
    Regret,
    RegretSpectra,
    RewardRepresentation,
    Scale,
)
from crlib.schemas.usecases import Mathematics, Recommendation, Rollouts, Tools

__all__ = ["SCHEMAS", "Geometry", "Parameters", "YourEmbedding"]

SCHEMAS: dict[str, type[Parameters]] = {
    "data/sources": Sources,
    "models/encoders": Encoders,
    "data/python_api": PythonApi,
    "theory/effective_dimension": EffectiveDimension,
    "theory/pca_standardisation": PcaStandardisation,
    "theory/alignment_uniformity": AlignmentUniformity,
    "theory/coverage": Coverage,
    "theory/reward_representation": RewardRepresentation,
    "theory/regret": Regret,
    "theory/regret_spectra": RegretSpectra,
    "beyond/geometry_or_information": GeometryOrInformation,
    "beyond/few_labels": FewLabels,
    "beyond/scale": Scale,
    "beyond/atlas": Atlas,
    "beyond/your_embedding": YourEmbedding,
    "usecases/recommendation": Recommendation,
    "usecases/tools": Tools,
    "usecases/mathematics": Mathematics,
    "beyond/rollouts": Rollouts,
}
