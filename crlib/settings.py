"""Parameters: what each notebook takes, checked by name, type and value before it runs."""

import os
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from pydantic import ValidationError

from crlib.schemas import SCHEMAS, Parameters

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("CRLIB_BUILD", ROOT / "build")).resolve()


class ParameterError(ValueError):
    """A parameter that the notebook does not take; shown in a notebook as one line."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: a user who mistyped a name needs the sentence, not the call stack.
        return [f"ParameterError: {self}"]


# What IPython and papermill put among a notebook's names; none of them is a parameter.
_NOT_PARAMETERS = {"In", "Out", "exit", "quit", "open", "get_ipython", "papermill"}


def check(notebook: str, values: Mapping[str, Any]) -> Parameters:
    """Validate parameters for a notebook.

    Parameters
    ----------
    notebook : str
        Its name, as "theory/coverage".
    values : mapping
        Parameter name to value; what is missing takes its default.

    Returns
    -------
    pydantic.BaseModel
        The notebook's own subclass of `Parameters`, frozen.

    Raises
    ------
    ParameterError
        For an unknown notebook or name, a wrong type or a value out of range; the message
        lists every fault and the names that are allowed.
    """
    if notebook not in SCHEMAS:
        raise ParameterError(f"no notebook {notebook!r}; there are: {', '.join(SCHEMAS)}")
    schema = SCHEMAS[notebook]
    try:
        return schema.model_validate(dict(values))
    except ValidationError as error:
        faults = "; ".join(_fault(item, schema) for item in error.errors())
        raise ParameterError(f"{notebook}: {faults}") from None


def _fault(item: Any, schema: type[Parameters]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown parameter {name!r}; allowed: {', '.join(schema.model_fields)}"
    message = item["msg"].removeprefix("Value error, ")
    return f"parameter {name} = {item['input']!r}: {message}"


def parameters(notebook: str, namespace: Mapping[str, Any]) -> Any:
    """Collect and validate a notebook's parameters from its global names.

    papermill sets parameters by injecting a cell, so a mistyped name becomes one more global
    variable. Called right after the parameters cell, this finds it.

    Parameters
    ----------
    notebook : str
        Its name, as "theory/coverage".
    namespace : mapping
        The notebook's `globals()`.

    Returns
    -------
    pydantic.BaseModel
        The notebook's own subclass of `Parameters`; typed Any, as it follows from `notebook`.

    Raises
    ------
    ParameterError
        See `check`.
    """
    values = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_")
        and name not in _NOT_PARAMETERS
        and not isinstance(value, ModuleType)
        and not callable(value)
    }
    return check(notebook, values)


def read_profile(profile: str, folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read a profile and validate every notebook's parameters in it.

    Parameters
    ----------
    profile : str
        Name of a file in profiles/, without ".yaml".
    folder : Path, optional
        Where the profiles lie; profiles/ of the project by default.

    Returns
    -------
    dict
        Notebook name to its parameters, `profile` included.

    Raises
    ------
    ParameterError
        When the file is missing, not of the expected form, or holds a wrong parameter.
    """
    folder = folder or ROOT / "profiles"
    path = folder / f"{profile}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise ParameterError(f"no profile {profile!r} in {folder.name}/; there are: {known}")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("notebooks"), dict):
        raise ParameterError(f"{path.name}: expected the keys 'common' and 'notebooks'")
    common = content.get("common") or {}
    merged = {
        notebook: {"profile": profile, **common, **(own or {})}
        for notebook, own in content["notebooks"].items()
    }
    with chdir(ROOT):  # as their notebooks run: a model's file is named from there
        for notebook, values in merged.items():
            check(notebook, values)
    return merged
