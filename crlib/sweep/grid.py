"""A grid of parameters: a YAML file becomes points, each checked before anything runs."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crlib import io
from crlib.claims import load_claims
from crlib.settings import BUILD, ParameterError, check, read_profile

MOST = 10_000

Axes = dict[str, list[Any]]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    profile: str = "laptop"
    shards: int = Field(default=1, ge=1, le=1000)
    notebooks: dict[str, Axes | list[Axes]] = Field(min_length=1)


@dataclass(frozen=True)
class Point:
    """One run of a notebook.

    Attributes
    ----------
    notebook : str
    axes : dict
        The parameters that the grid sets.
    parameters : dict
        All of them, those of the profile included.
    """

    notebook: str
    axes: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def run(self) -> str:
        """Name of the run, part of its files' paths: "theory/coverage/k-30_seed-0"."""
        key = "_".join(f"{name}-{_plain(value)}" for name, value in self.axes.items()) or "default"
        if len(key) > 80:
            key = io.sha256_text(key)[:16]
        return f"{self.notebook}/{key}"


@dataclass(frozen=True)
class Grid:
    """A sweep.

    Attributes
    ----------
    name : str
        The file's, without ending.
    profile : str
        Whose parameters hold where the grid says nothing.
    shards : int
        Jobs that share the embedding of a catalogue by one model.
    points : tuple of Point
        Different from each other.
    """

    name: str
    profile: str
    shards: int
    points: tuple[Point, ...]

    @property
    def folder(self) -> Path:
        """Where its results lie."""
        return BUILD / "sweeps" / self.name


def _plain(value: Any) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", str(value)).strip("-")


def read_grid(path: Path) -> Grid:
    """Read a grid and check every point of it.

    Parameters
    ----------
    path : Path
        YAML with `profile` (laptop), `shards` (1) and `notebooks`: for each notebook axes, a
        parameter to the list of its values, of which all combinations run; or a list of such axes.

    Returns
    -------
    Grid
        A point that two lists of axes share is one point.

    Raises
    ------
    ValueError
        For a missing or malformed file, an empty axis, a repeated value, too many points, and
        for a notebook, parameter or value that does not exist; it says which.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such grid; those of the project lie in sweeps/")
    name = path.stem
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(
            f"{path.name}: expected lower-case letters, digits and hyphens in its name"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _File.model_validate(content if isinstance(content, dict) else {})
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        raise ValueError(f"{path.name}: {where}: {first['msg']}") from None
    profile = read_profile(file.profile)
    points: dict[str, Point] = {}
    for notebook, given in file.notebooks.items():
        base = profile.get(notebook, {"profile": file.profile})
        for axes in given if isinstance(given, list) else [given]:
            for point in _points(path.name, notebook, axes, base):
                points.setdefault(point.run, point)
                if len(points) > MOST:
                    raise ValueError(f"{path.name}: more than {MOST:,} points; make it smaller")
    return Grid(name, file.profile, file.shards, tuple(points.values()))


def _points(name: str, notebook: str, axes: Axes, base: Mapping[str, Any]) -> Iterator[Point]:
    for axis, values in axes.items():
        shown = [repr(value) for value in values]
        if not values or len(set(shown)) < len(shown):
            raise ValueError(
                f"{name}: {notebook}: axis {axis!r} = {values}: expected different values, "
                "one at least"
            )
        if axis in ("profile", "out_dir"):
            raise ValueError(f"{name}: {notebook}: {axis!r} is set for the whole grid, not by axis")
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        try:
            check(notebook, {**base, **chosen})
        except ParameterError as error:
            raise ValueError(f"{name}: {error}") from None
        yield Point(notebook, chosen, {**base, **chosen})


def write_requests(grid: Grid) -> dict[str, Point]:
    """Write each point's request, as `crlib.book.plan.write_requests` does for a profile.

    Returns
    -------
    dict
        Run's name to its point.
    """
    for point in grid.points:
        claims = [c.model_dump() for c in load_claims() if c.notebook == point.notebook]
        request = io.plain(
            {
                "notebook": point.notebook,
                "parameters": point.parameters,
                "claims": claims,
                "results": f"sweeps/{grid.name}/results/{point.run}",
            }
        )
        path = grid.folder / "requests" / f"{point.run}.json"
        if not path.is_file() or io.read_json(path) != request:
            io.write_json(path, request)
    return {point.run: point for point in grid.points}
