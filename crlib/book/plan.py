"""What a notebook's result depends on, so that what is stale is rebuilt and nothing else."""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from crlib import io
from crlib.claims import load_claims
from crlib.schemas import SCHEMAS, Geometry, Parameters
from crlib.settings import BUILD, ROOT, read_profile

PACKAGE = ROOT / "crlib"
SMALL = 128  # dimensions of a model that shares its job with others
OWN_SET = "python-api"
# Notebooks that play bandits for minutes.
LONG = (
    "usecases/tools", "beyond/rollouts", "usecases/mathematics",
    "theory/regret", "theory/regret_spectra", "usecases/recommendation",
)  # fmt: skip
DEFAULT_LIMIT: int = Parameters.model_fields["limit"].default


@cache
def module_file(name: str) -> Path | None:
    """Source file of a module of this project, None for any other name.

    Parameters
    ----------
    name : str
        Dotted name, as "crlib.metrics.coverage".
    """
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    stem = ROOT.joinpath(*parts)
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def imported_names(code: str, package: str = "") -> set[str]:
    """Dotted names that Python source may import, in functions too.

    Parameters
    ----------
    code : str
        Python source; cell magics must have been removed.
    package : str
        The package that relative imports start from.

    Returns
    -------
    set of str
        Modules, and `module.name` for each imported name, as it may be a module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                head = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*head, base] if base else head)
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


@cache
def _imports_of(path: Path) -> frozenset[str]:
    module = path.relative_to(ROOT).with_suffix("")
    package = ".".join(module.parent.parts)
    return frozenset(imported_names(path.read_text(encoding="utf-8"), package))


def closure(names: Iterable[str]) -> list[Path]:
    """Source files of this project that the named modules need, directly or not.

    Parameters
    ----------
    names : iterable of str
        Dotted names; those of other projects are left to the lock file.

    Returns
    -------
    list of Path
        Sorted, without repeats, with the `__init__.py` of every package on the way.
    """
    seen: set[Path] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        # Importing a.b.c runs the __init__ of a and of a.b.
        for end in range(1, name.count(".") + 2):
            path = module_file(".".join(name.split(".")[:end]))
            if path is not None and path not in seen:
                seen.add(path)
                waiting.extend(_imports_of(path))
    return sorted(seen)


def notebook_sources(path: Path) -> list[Path]:
    """Source files of this project that a notebook's code cells import, directly or not.

    None for a notebook that does not exist: Snakemake says so better.
    """
    if not path.is_file():
        return []
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return closure(imported_names(code))


def tables_of(notebook: str) -> list[Path]:
    """Tables of other runs that a notebook reads."""
    from crlib.sweep import atlas

    if notebook != "beyond/atlas":
        return []
    table = atlas.table_file()
    return [table, table.with_suffix(".json")]


def models_of(notebook: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """Models whose vectors a notebook reads: its pairs', and the controls beside them.

    Only those with a name of their own: a folder, a hub id or a file is read by the notebook.
    """
    if not issubclass(SCHEMAS[notebook], Geometry):
        return ()
    from crlib.extractors import HUB_MODELS, MODELS, models_for

    found = models_for(parameters.get("model", "all"))
    return tuple(name for name in (*MODELS, *HUB_MODELS) if name in found)


def own_files(parameters: Mapping[str, Any]) -> list[Path]:
    """Files of a reader's own that a notebook's parameters name: embeddings, a model, a table.

    Parameters
    ----------
    parameters : mapping
        Paths in it are from the project's folder.

    Returns
    -------
    list of Path
        Those that are there; of a folder all in it. Names of known models are none.
    """
    named = [str(parameters.get(key) or "") for key in ("model", "table", "actions", "rewards")]
    named += [text.rpartition("=")[2] for text in str(parameters.get("embeddings", "")).split()]
    found = []
    for path in (ROOT / name for name in named if "/" in name or "." in name):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if file.is_file()]
    return found


def up_to_date(marker: str | Path, inputs: Iterable[str | Path]) -> bool:
    """Whether a file is there and none of its inputs is missing or newer."""
    marker = Path(marker)
    if not marker.is_file():
        return False
    made = marker.stat().st_mtime
    return all(path.is_file() and path.stat().st_mtime <= made for path in map(Path, inputs))


def batch_of(model: str) -> str:
    """Name of the job that computes a model's vectors: small models share one process.

    Starting a process takes longer than running a small model.
    """
    from crlib.extractors import MODELS

    return "small" if model in MODELS and MODELS[model].dimensions <= SMALL else model


def models_in(batch: str) -> tuple[str, ...]:
    """Models whose vectors a job computes, see `batch_of`."""
    from crlib.extractors import HUB_MODELS, MODELS

    return tuple(name for name in (*MODELS, *HUB_MODELS) if batch_of(name) == batch)


def batches_of(notebook: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """Jobs whose vectors a notebook reads; one with a data set of its own embeds it itself."""
    if parameters.get("dataset", OWN_SET) != OWN_SET:
        return ()
    return tuple(dict.fromkeys(batch_of(name) for name in models_of(notebook, parameters)))


def data_key(parameters: dict[str, Any]) -> str:
    """Short name of the catalogue that a notebook's parameters ask for."""
    packages = parameters.get("packages", "all")
    return packages if packages == "all" else hashlib.sha256(packages.encode()).hexdigest()[:12]


def vectors_key(parameters: dict[str, Any]) -> str:
    """Short name of the texts that a notebook's parameters ask for."""
    limit, seed = parameters.get("limit", DEFAULT_LIMIT), parameters.get("seed", 0)
    return f"{data_key(parameters)}-{limit}-{seed}"


def write_requests(profile: str) -> dict[str, dict[str, Any]]:
    """Write each notebook's request (its parameters, claims and rules) where it changed.

    A request is a file that a notebook's rule depends on: editing the parameters or the claims
    of one notebook reruns that notebook and no other.

    Parameters
    ----------
    profile : str
        Name of a file in profiles/.

    Returns
    -------
    dict
        Notebook name to its parameters.

    Raises
    ------
    ParameterError
        When the profile is missing or holds a wrong parameter.
    """
    parameters = read_profile(profile)
    for notebook, values in parameters.items():
        claims = [claim.model_dump() for claim in load_claims() if claim.notebook == notebook]
        request = io.plain({"notebook": notebook, "parameters": values, "claims": claims})
        path = request_file(profile, notebook)
        if not path.is_file() or io.read_json(path) != request:
            io.write_json(path, request)
    return parameters


def request_file(profile: str, notebook: str) -> Path:
    """Where `write_requests` puts a notebook's request."""
    return BUILD / profile / "requests" / f"{notebook}.json"
