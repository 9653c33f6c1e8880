"""A grid of parameters: a YAML file becomes points, each checked before anything runs."""

import itertools
import math
import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crlib import io
from crlib.claims import load_claims
from crlib.settings import BUILD, ROOT, ParameterError, check, read_profile

MOST = 10_000

Axes = dict[str, list[Any]]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    profile: str | list[str] = "laptop"
    shards: int = Field(default=1, ge=1, le=1000)
    notebooks: dict[str, Any] = Field(min_length=1)  # see `_axes_of`


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key which stands twice: PyYAML keeps the last and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"{key.value!r} stands twice, again in line {line}")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


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
        exact = repr(dict(self.axes))
        if len(key) > 80:
            key = io.sha256_text(exact)[:16]
        elif any(_plain(value) != str(value) for value in self.axes.values()):
            # "a/b" and "a-b" look alike in a path and are two points.
            key += f"-{io.sha256_text(exact)[:8]}"
        return f"{self.notebook}/{key}"


@dataclass(frozen=True)
class Grid:
    """A sweep.

    Attributes
    ----------
    name : str
        The file's, without ending.
    profiles : tuple of str
        Whose parameters hold where the grid says nothing; of several, each is a value of an axis.
    shards : int
        Jobs that share the embedding of a catalogue by one model.
    points : tuple of Point
        Different from each other.
    """

    name: str
    profiles: tuple[str, ...]
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
        YAML with `profile` (laptop; or a list of profiles), `shards` (1) and `notebooks`: for each
        notebook axes, a parameter to the list of its values, of which all combinations run; or a
        list of such axes.

    Returns
    -------
    Grid
        A point that two lists of axes share is one point. Paths of models are from the project's
        folder, as for a notebook.

    Raises
    ------
    ValueError
        For a missing or malformed file, an empty axis, a repeated axis or value, too many points,
        and for a notebook, parameter or value that does not exist; it says which.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such grid; those of the project lie in sweeps/")
    name = path.stem
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(
            f"{path.name}: expected lower-case letters, digits and hyphens in its name"
        )
    file = _read(path)
    named = [file.profile] if isinstance(file.profile, str) else file.profile
    if not named or len(set(named)) < len(named):
        raise ValueError(f"{path.name}: profile = {named}: expected different names, one at least")
    profiles = {each: read_profile(each) for each in named}
    blocks = [
        (notebook, axes)
        for notebook, given in file.notebooks.items()
        for axes in _axes_of(path.name, notebook, given)
    ]
    # Counted before they are made: a slip of the pen may ask for billions.
    asked = sum(math.prod(map(len, axes.values())) for _, axes in blocks) * len(profiles)
    if asked > MOST:
        raise ValueError(f"{path.name}: {asked:,} points, more than {MOST:,}; make it smaller")
    points: dict[str, Point] = {}  # by what runs and what the grid names, in whatever order
    for notebook, axes in blocks:
        _check_axes(path.name, notebook, axes)
        for each, profile in profiles.items():
            base = profile.get(notebook, {"profile": each})
            head = {"profile": each} if len(profiles) > 1 else {}
            for point in _points(path.name, notebook, axes, base, head):
                points.setdefault(f"{notebook} {sorted(point.axes)} {point.parameters}", point)
    return Grid(name, tuple(profiles), file.shards, tuple(points.values()))


def _read(path: Path) -> _File:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        return _File.model_validate(content if isinstance(content, dict) else {})
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: expected text in UTF-8 ({error})") from error
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"{path.name} is not YAML: {error.problem}{line}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ValueError(
                f"{path.name}: unknown key {where!r}; expected {', '.join(_File.model_fields)}"
            ) from None
        raise ValueError(f"{path.name}: {where}: {first['msg']}") from None


def _axes_of(name: str, notebook: str, given: Any) -> list[Axes]:
    """A notebook's lists of axes; a single one may stand by itself."""
    blocks = given if isinstance(given, list) else [given]
    if not blocks:
        raise ValueError(f"{name}: {notebook} = []: expected axes, or {{}} for a single run")
    for axes in blocks:
        if not isinstance(axes, dict):
            raise ValueError(
                f"{name}: {notebook} = {axes!r}: expected a parameter with its values, as "
                "{k: [10, 30]}"
            )
        for axis, values in axes.items():
            if not isinstance(values, list):
                raise ValueError(
                    f"{name}: {notebook}: axis {axis!r} = {values!r}: expected a list of values, "
                    f"as [{values!r}]"
                )
    return blocks


def _check_axes(name: str, notebook: str, axes: Axes) -> None:
    for axis, values in axes.items():
        shown = [repr(value) for value in values]
        if not values or len(set(shown)) < len(shown):
            raise ValueError(
                f"{name}: {notebook}: axis {axis!r} = {values}: expected different values, "
                "one at least"
            )
        if axis in ("profile", "out_dir"):
            raise ValueError(f"{name}: {notebook}: {axis!r} is set for the whole grid, not by axis")


def _points(
    name: str, notebook: str, axes: Axes, base: Mapping[str, Any], head: Mapping[str, Any]
) -> Iterator[Point]:
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        try:
            with chdir(ROOT):
                checked = check(notebook, {**base, **chosen}).model_dump()
        except ParameterError as error:
            raise ValueError(f"{name}: {error}") from None
        # As the notebook takes them: 1 and 1.0 may be one value.
        values = {key: io.plain(checked[key]) for key in {**base, **chosen}}
        yield Point(notebook, {**head, **{key: values[key] for key in chosen}}, values)


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
