"""What the pages take that judge no claim."""

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from crlib.schemas.common import Geometry, Parameters

# Installed packages that no other page uses, and whose texts the twins were not trained on.
OTHER_PACKAGES = (
    "bleach,debugpy,formulaic,git,ipykernel,jedi,jupyter_server,jupyterlab_server,jupytext,"
    "markdown_it,mistune,mypy,myst_nb,myst_parser,parso,pexpect,prometheus_client,prompt_toolkit,"
    "pulp,pybtex,setuptools,simplejson,smart_open,tenacity,urllib3,voila"
)


class Atlas(Parameters):
    """The page on where claims hold. `table`: a sweep's table; "" for one's own or the book's."""

    table: str = ""

    @field_validator("table")
    @classmethod
    def _there(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError("expected a table.csv that make sweep wrote; there is no such file")
        return value


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
