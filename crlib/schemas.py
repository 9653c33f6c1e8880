"""What each notebook takes: one class of parameters a notebook, with types and ranges."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class Parameters(BaseModel):
    """What every notebook takes.

    Attributes
    ----------
    profile : str
        Tier whose parameters these are: smoke, laptop, paper, or any name of your own.
    limit : int
        Number of actions K; the catalogue's most used ones are taken.
    packages : str
        "all", or the comma-separated packages to harvest (the smoke tier takes a few).
    seed : int
        Seed of everything stochastic in the notebook.
    out_dir : str
        Folder for result.json and figures; "" stands for build/runs/<notebook>.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    profile: str = "laptop"
    limit: int = Field(default=12_000, ge=32)
    packages: str = "all"
    seed: int = Field(default=0, ge=0)
    out_dir: str = ""

    @property
    def package_list(self) -> tuple[str, ...] | None:
        """The packages to harvest, None for all."""
        if self.packages == "all":
            return None
        return tuple(name.strip() for name in self.packages.split(",") if name.strip())


class Geometry(Parameters):
    """What the theory chapters take beside `Parameters`.

    Attributes
    ----------
    model : str
        "all" (every matched pair), "paper" (the paper's own encoders), or one model: then the
        pairs that hold it. A model is a name, a hub id with a slash, a folder, or a file of
        embeddings in the order of the actions.
    """

    model: str = "all"

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        from crlib.extractors import HUB_MODELS, MODELS, spec_of

        if value in ("all", "paper"):
            return value
        known = [*MODELS, *HUB_MODELS]
        if value not in known and "/" not in value and "." not in value:
            close = difflib.get_close_matches(value, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(
                f"{hint}allowed: all, paper, {', '.join(known)}, a hub id with a slash, a folder, "
                "or a file of embeddings"
            )
        spec_of(value)
        return value


class EffectiveDimension(Geometry):
    """C1a. `ns`: sample sizes at which the naive and the unbiased estimate are compared."""

    ns: Annotated[list[Annotated[int, Field(ge=8)]], Field(min_length=2)] = [
        50, 100, 200, 400, 800, 1600, 3200,
    ]  # fmt: skip


class PcaStandardisation(Geometry):
    """C1b. `ms`: numbers of kept dimensions; `m`: the one that is judged."""

    ms: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=2)] = [
        4, 8, 16, 32, 64, 96, 128,
    ]  # fmt: skip
    m: int = Field(default=64, ge=2)


class AlignmentUniformity(Geometry):
    """C2. `t`: temperature of the uniformity; `ts`: the slider's temperatures."""

    t: float = Field(default=2.0, gt=0, le=20)
    ts: Annotated[list[Annotated[float, Field(gt=0, le=20)]], Field(min_length=1)] = [
        0.5, 1.0, 2.0, 4.0,
    ]  # fmt: skip


class Coverage(Geometry):
    """C3. `k`: size of the random subset that is judged; `ks`: the figure's sizes."""

    k: int = Field(default=1000, ge=2, validate_default=True)
    ks: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2)] = [
        1, 3, 10, 30, 100, 300, 1000, 3000, 10000,
    ]  # fmt: skip

    @field_validator("k")
    @classmethod
    def _leaves_some_uncovered(cls, value: int, info: ValidationInfo) -> int:
        limit = info.data.get("limit")
        if limit is not None and value >= limit:
            raise ValueError(f"expected less than limit = {limit}; lower k or raise limit")
        return value


class RewardRepresentation(Geometry):
    """C4. `n_labels`: labels from which the norm is shown a second time."""

    n_labels: int = Field(default=3000, ge=3)


class Regret(Geometry):
    """C5. Rounds, actions on offer, and number of reward functions."""

    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)


class RegretSpectra(Parameters):
    """Regret on spectra made to order: their participation ratios, width, and reward draws."""

    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    prs: Annotated[list[Annotated[float, Field(gt=1)]], Field(min_length=2)] = [50, 200]
    width: int = Field(default=256, ge=8)
    draws: int = Field(default=20, ge=2)

    @field_validator("width")
    @classmethod
    def _holds_the_ratios(cls, value: int, info: ValidationInfo) -> int:
        largest = max(info.data.get("prs", [0]))
        if value < largest:
            raise ValueError(f"expected at least {largest:g}, the largest of prs; raise width")
        return value


class GeometryOrInformation(Geometry):
    """N2. Rounds, actions on offer, and number of reward functions."""

    horizon: int = Field(default=5_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)


class Recommendation(Geometry):
    """U1. Users and the items that each must take; `hidden` units, `components` kept by PCA."""

    dataset: Literal["python-api", "amazon-electronics", "amazon-games"] = "python-api"
    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_users: int = Field(default=20, ge=1)
    min_items: int = Field(default=20, ge=1)
    hidden: int = Field(default=16, ge=2, multiple_of=2)
    components: int = Field(default=128, ge=2)


class Tools(Geometry):
    """U2. Which queries are asked, and how long the agent learns.

    Attributes
    ----------
    chains : bool
        Only queries whose tools come from two groups (packages, tools' categories) or more.
    part : str
        Only queries whose source begins so: "G3" for ToolBench's own I3.
    seen : bool
        Whether queries count whose words stand in an action's text.
    max_length : int
        Calls at most; queries that need more are left out.
    components : int
        Kept by PCA.
    size : {"small", "laptop", "paper"}
        Of the network: about 75,000, 1M or 36M parameters.
    imitation, updates : int
        Updates of the supervised start and of the actor-critic.
    n_seeds, n_whitened : int
        Agents on raw and on whitened embeddings.
    """

    dataset: Literal["python-api", "toolbench", "toollens"] = "python-api"
    chains: bool = True
    part: str = ""
    seen: bool = False
    max_length: int = Field(default=5, ge=2)
    components: int = Field(default=128, ge=2)
    size: Literal["small", "laptop", "paper"] = "small"
    imitation: int = Field(default=100, ge=0)
    updates: int = Field(default=10, ge=0)
    n_seeds: int = Field(default=10, ge=1)
    n_whitened: int = Field(default=3, ge=1)


class Rollouts(Geometry):
    """N3. Tasks and their queries, tools on offer (the first number is judged), learning.

    Attributes
    ----------
    chains, part, seen, max_length, components, size
        As in U2.
    ks : list of int
        Numbers of tools on offer.
    k : int
        The one that is judged.
    n_tasks, n_queries : int
        Tasks, and queries of each.
    updates, batch : int
        Updates, and roll-outs of each.
    threshold : float
        Success at which roll-outs are counted.
    """

    dataset: Literal["python-api", "toolbench", "toollens"] = "python-api"
    chains: bool = True
    part: str = ""
    seen: bool = False
    max_length: int = Field(default=5, ge=2)
    components: int = Field(default=128, ge=2)
    size: Literal["small", "laptop", "paper"] = "small"
    ks: Annotated[list[Annotated[int, Field(ge=8)]], Field(min_length=1)] = [64, 256, 1024]
    k: int = Field(default=256, ge=8)
    n_tasks: int = Field(default=10, ge=2)
    n_queries: int = Field(default=16, ge=1)
    updates: int = Field(default=120, ge=10)
    batch: int = Field(default=32, ge=1)
    threshold: float = Field(default=0.25, gt=0, le=1)


class Mathematics(Geometry):
    """U3. Problems, how long the agent learns, small tasks, and how deep the library is searched.

    Attributes
    ----------
    dataset : {"generated", "gsm8k"}
        "gsm8k" is tested on MATH-500; both are read from the folder that CRLIB_DATA names.
    n_problems : int
        Generated, or at most learnt from.
    held_out : int
        Families that are not learnt from.
    max_length : int
        Steps at most.
    components, size, imitation, updates, n_seeds, n_whitened
        As in U2.
    n_tasks, n_small, small_updates, threshold
        Small tasks for learning from rewards alone: how many, problems of each, updates of 32
        roll-outs, and the success at which roll-outs are counted.
    depth, n_searched : int
        Steps of the search for what the library can reach, and on how many problems.
    """

    dataset: Literal["generated", "gsm8k"] = "generated"
    n_problems: int = Field(default=1000, ge=20)
    held_out: int = Field(default=2, ge=0)
    max_length: int = Field(default=6, ge=1)
    components: int = Field(default=128, ge=2)
    size: Literal["small", "laptop", "paper"] = "small"
    imitation: int = Field(default=100, ge=0)
    updates: int = Field(default=10, ge=0)
    n_seeds: int = Field(default=5, ge=1)
    n_whitened: int = Field(default=1, ge=1)
    n_tasks: int = Field(default=5, ge=2)
    n_small: int = Field(default=8, ge=1)
    small_updates: int = Field(default=100, ge=10)
    threshold: float = Field(default=0.25, gt=0, le=1)
    depth: int = Field(default=3, ge=1)
    n_searched: int = Field(default=60, ge=1)


class FewLabels(Geometry):
    """N1. Labels a task, rounds, actions on offer, number of tasks; `k`: size of the subset."""

    n_labels: int = Field(default=300, ge=10)
    horizon: int = Field(default=2_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)
    k: int = Field(default=1000, ge=2)


class Scale(Parameters):
    """The chapter on cost. `ks`: numbers of actions; `width`: d; rounds that are played at each."""

    ks: Annotated[list[Annotated[int, Field(ge=100)]], Field(min_length=2)] = [
        1_000, 10_000, 100_000, 1_000_000,
    ]  # fmt: skip
    width: int = Field(default=64, ge=2)
    rounds: int = Field(default=300, ge=10)
    replications: int = Field(default=4, ge=2)


# Installed packages that no other page uses, and whose texts the twins were not trained on.
OTHER_PACKAGES = (
    "bleach,debugpy,formulaic,git,ipykernel,jedi,jupyter_server,jupyterlab_server,jupytext,"
    "markdown_it,mistune,mypy,myst_nb,myst_parser,parso,pexpect,prometheus_client,prompt_toolkit,"
    "pulp,pybtex,setuptools,simplejson,smart_open,tenacity,urllib3,voila"
)


class YourEmbedding(Parameters):
    """The page that ranks embeddings of one's own.

    Attributes
    ----------
    embeddings : str
        Separated by spaces: name=model or a model, as `crlib rank` takes them.
    actions, rewards : str
        Files of one's own, as `crlib rank` takes them; "" ranks on `packages` instead.
    n_labels : int
        Labels from which the embedding is chosen; the others are held out.
    horizon, slate : int
        Rounds that are played on the held-out actions, and actions on offer in each.
    min_actions : int
        A package whose files call so many of the actions is a task.
    n_resamples : int
        Subsamples of the labels.
    """

    limit: int = Field(default=1_500, ge=32)
    packages: str = OTHER_PACKAGES
    embeddings: str = Field(
        default="mlm-bert mlm-roberta clm-llama simcse supervised-jina llm2vec minilm lsa",
        min_length=1,
    )
    actions: str = ""
    rewards: str = Field(default="", validate_default=True)
    n_labels: int = Field(default=300, ge=20)
    horizon: int = Field(default=1_000, ge=50)
    slate: int = Field(default=100, ge=2)
    min_actions: int = Field(default=50, ge=5)
    n_resamples: int = Field(default=100, ge=20)

    @field_validator("actions", "rewards")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError("no such file; give its path from the project's folder")
        return value

    @field_validator("rewards")
    @classmethod
    def _belongs_to_actions(cls, value: str, info: ValidationInfo) -> str:
        actions = info.data.get("actions")
        if actions is not None and bool(actions) != bool(value):
            raise ValueError("actions and rewards go together: give both files, or neither")
        return value


class PythonApi(Parameters):
    """The data page. `samples`: how many of each are shown."""

    samples: int = Field(default=10, ge=1, le=100)


class Encoders(Geometry):
    """The page on the paper's encoders: "all" shows the twins beside them, "paper" runs them."""


class Sources(Parameters):
    """The page on the data sets."""


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
    "beyond/your_embedding": YourEmbedding,
    "usecases/recommendation": Recommendation,
    "usecases/tools": Tools,
    "usecases/mathematics": Mathematics,
    "beyond/rollouts": Rollouts,
}
