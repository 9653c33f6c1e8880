"""The catalogue: documented public callables of the standard library and of locked dependencies.

Each package is imported in a process of its own; what fails is counted and named.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import pandas as pd

from crlib import io
from crlib.settings import BUILD

# Fixed here, so that a new dependency of the project does not silently change the action space.
PACKAGES = (
    "stdlib", "transformers", "torch", "sympy", "scipy", "sklearn", "statsmodels", "pandas",
    "numpy", "networkx", "matplotlib", "plotly", "sphinx", "docutils", "sqlalchemy", "datasets",
    "huggingface_hub", "sentence_transformers", "peft", "accelerate", "pyarrow", "PIL", "fontTools",
    "IPython", "nbformat", "nbconvert", "nbclient", "jupyter_client", "jupyter_core", "traitlets",
    "tornado", "requests", "httpx", "anyio", "websockets", "jinja2", "pygments", "bs4", "babel",
    "pydantic", "rich", "typer", "click", "tqdm", "joblib", "fsspec", "psutil", "mpmath", "regex",
    "yaml", "jsonschema", "attr", "dateutil", "packaging", "pyparsing", "lark", "gymnasium",
    "papermill", "snakemake", "tokenizers", "safetensors", "ipywidgets", "patsy", "narwhals",
)  # fmt: skip
WORKERS = 2
TIMEOUT = 300  # seconds a package; one that hangs is reported as failed
PER_SUMMARY = 3  # generated classes repeat a sentence hundreds of times
COLUMNS = ("id", "package", "module", "kind", "signature", "parameters", "summary", "body",
           "see_also", "examples", "aliases", "defined", "text")  # fmt: skip


def _environment() -> dict[str, str]:
    """What a child sees: no display, no hub, one thread, a fixed hash seed."""
    return {
        **os.environ, "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "BROWSER": "true", "COLUMNS": "80",
        "TRANSFORMERS_VERBOSITY": "critical", "PYTHONWARNINGS": "ignore", "DISPLAY": "",
        "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip


def harvest_package(package: str) -> dict[str, Any]:
    """Describe one package's public callables, in a process of its own.

    Parameters
    ----------
    package : str
        Import name, or "stdlib".

    Returns
    -------
    dict
        Keys package, records, failures (module to reason), modules, objects. A package that
        crashes or hangs has no records and stands among its own failures.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "records.json"
        # By its path and with -P: the child then has imported nothing of this project, whose own
        # imports would decide which lazily loaded names a package already shows.
        worker = str(Path(__file__).with_name("harvest_worker.py"))
        command = [sys.executable, "-P", worker, package, str(out)]
        reason = ""
        try:
            # The child's own folder: what a module writes at import goes away with it.
            done = subprocess.run(
                command, cwd=folder, env=_environment(), timeout=TIMEOUT, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if done.returncode != 0 or not out.exists():
                reason = f"the process ended with status {done.returncode}"
        except subprocess.TimeoutExpired:
            reason = f"no answer within {TIMEOUT} s"
        if reason:
            return {"package": package, "records": [], "failures": {package: reason},
                    "modules": 0, "objects": 0}  # fmt: skip
        return json.loads(out.read_text(encoding="utf-8"))


def action_text(name: str, summary: str, body: str, length: int = 300) -> str:
    """What is embedded: the name, a colon, the summary and the start of the body."""
    text = f"{name}: {summary} {body}".strip()
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0]


def merge(found: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Merge packages' records into the catalogue: distinct texts, few repeats of a summary.

    Parameters
    ----------
    found : sequence of dict
        What `harvest_package` gave.

    Returns
    -------
    pandas.DataFrame
        Sorted by id; columns as in `COLUMNS`. `attrs["counts"]` tells how many were left out.
    """
    records = sorted((r for item in found for r in item["records"]), key=lambda r: r["id"])
    kept, texts, repeats = [], set(), Counter[str]()
    for record in records:
        # The last part of the name and the summary: an alias that identity did not merge.
        text = action_text(record["id"], record["summary"], record["body"])
        tail = (record["id"].rsplit(".", 1)[-1], record["summary"], record["body"])
        if tail in texts or repeats[record["summary"]] >= PER_SUMMARY:
            continue
        texts.add(tail)
        repeats[record["summary"]] += 1
        kept.append({**record, "text": text})
    frame = pd.DataFrame(kept, columns=list(COLUMNS))
    frame.attrs["counts"] = {
        "modules": sum(item["modules"] for item in found),
        "objects": sum(item["objects"] for item in found),
        "documented": len(records),
        "distinct": len(frame),
    }
    frame.attrs["failures"] = {k: v for item in found for k, v in sorted(item["failures"].items())}
    return frame


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: list(found) for name, found in packages_distributions().items()}


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """Version of each package, by import name; the standard library's is Python's."""
    found = {}
    for name in packages:
        try:
            found[name] = version(_distributions().get(name, [name])[0])
        except PackageNotFoundError:
            found[name] = ".".join(map(str, sys.version_info[:3])) if name == "stdlib" else "local"
    return found


def catalogue_folder(packages: Sequence[str] = PACKAGES) -> Path:
    """Where a catalogue is kept: the key holds the versions and the harvester's own source."""
    here = Path(__file__).parent
    sources = [io.sha256_file(here / name) for name in ("harvest.py", "harvest_worker.py")]
    platform = f"{sys.platform} {sys.version_info[:3]}"
    key = io.sha256_text(json.dumps([platform, package_versions(packages), sources]))
    return BUILD / "data" / "python-api" / key[:16]


def catalogue(packages: Sequence[str] | None = None) -> pd.DataFrame:
    """The catalogue, harvested at the first call and read from disk after it.

    Parameters
    ----------
    packages : sequence of str, optional
        Import names ("stdlib" for the standard library); the project's own list by default.

    Returns
    -------
    pandas.DataFrame
        Columns as in `COLUMNS`; `attrs` holds counts, failures and versions.

    Raises
    ------
    ValueError
        When a name is no package of this environment.
    """
    names = tuple(packages) if packages is not None else PACKAGES
    unknown = [n for n in names if n != "stdlib" and n not in _distributions()
               and n not in sys.stdlib_module_names]  # fmt: skip
    if unknown or not names:
        raise ValueError(
            f"packages {unknown or 'list is empty'}: expected import names of installed packages, "
            f"for example {', '.join(PACKAGES[:8])}"
        )
    folder = catalogue_folder(names)
    table, notes = folder / "catalogue.parquet", folder / "catalogue.json"
    if notes.exists() and table.exists():
        frame = pd.read_parquet(table)
        frame.attrs = io.read_json(notes)
        return frame
    with ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)) as pool:
        frame = merge(list(pool.map(harvest_package, names)))
    attributes = {**frame.attrs, "versions": package_versions(names)}
    frame.attrs = {}  # parquet would store them as text beside the table
    with io.atomic_path(table) as temporary:
        frame.to_parquet(temporary, index=False)
    attributes["sha256"] = io.sha256_text("\n".join(frame["id"] + "\t" + frame["text"]))
    io.write_json(notes, attributes)
    frame = pd.read_parquet(table)  # the same types as every later call
    frame.attrs = attributes
    return frame
