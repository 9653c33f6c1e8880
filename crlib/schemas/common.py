"""What all notebooks take, and what those take that compare models."""

import difflib

from pydantic import BaseModel, ConfigDict, Field, field_validator


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
