"""What the chapters on use cases take, and the one on roll-outs."""

from typing import Annotated, Literal

from pydantic import Field

from crlib.schemas.common import Geometry


class Recommendation(Geometry):
    """U1. Users and the items that each must take; `hidden` units, `components` kept by PCA."""

    dataset: Literal["python-api", "amazon-electronics", "amazon-games"] = "python-api"
    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_users: int = Field(default=20, ge=1)
    min_items: int = Field(default=20, ge=1)
    hidden: int = Field(default=16, ge=2, multiple_of=2)
    components: int = Field(default=128, ge=2)


class ToolQueries(Geometry):
    """What the chapters on tools share: which queries are asked, and the agent's network.

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
    """

    dataset: Literal["python-api", "toolbench", "toollens"] = "python-api"
    chains: bool = True
    part: str = ""
    seen: bool = False
    max_length: int = Field(default=5, ge=2)
    components: int = Field(default=128, ge=2)
    size: Literal["small", "laptop", "paper"] = "small"


class Tools(ToolQueries):
    """U2. How long the agent learns, and from how many seeds.

    Attributes
    ----------
    imitation, updates : int
        Updates of the supervised start and of the actor-critic.
    n_seeds, n_whitened : int
        Agents on raw and on whitened embeddings.
    """

    imitation: int = Field(default=100, ge=0)
    updates: int = Field(default=10, ge=0)
    n_seeds: int = Field(default=10, ge=1)
    n_whitened: int = Field(default=3, ge=1)


class Rollouts(ToolQueries):
    """N3. Tasks and their queries, tools on offer, learning.

    Attributes
    ----------
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

    ks: list[Annotated[int, Field(ge=8)]] = Field(default=[64, 256, 1024], min_length=1)
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
    components, size
        As of `ToolQueries`.
    imitation, updates, n_seeds, n_whitened
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
