"""Feedback of the python-api action set: who calls what, which queries it solves, what is related.

Read from the installed source files by their syntax trees; nothing of it is executed.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from crlib import io
from crlib.data.actions import Feedback, Query
from crlib.data.harvest import WORKERS, catalogue_folder
from crlib.data.queries import build_queries, doctest_candidates, function_candidates

MIN_ITEMS = 5  # a source file is a user when it calls at least so many actions
SOURCES = ("feedback.py", "queries.py", "calls.py", "scan_worker.py")


def source_files(packages: Sequence[str]) -> list[tuple[str, str]]:
    """Paths and dotted module names of packages' installed Python sources, sorted; no tests.

    A test calls its own package over and over; as a user it would say little.
    """
    site, library = Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))
    found: dict[str, str] = {}
    for package in packages:
        if package == "stdlib":
            roots = [p for p in library.iterdir() if p.name != "site-packages"]
            base = library
        else:
            roots = [p for p in (site / package, site / f"{package}.py") if p.exists()]
            base = site if roots else library
            roots = roots or [p for p in (library / package, library / f"{package}.py")]
        for root in roots:
            paths = [root] if root.suffix == ".py" else root.rglob("*.py")
            for path in paths:
                module = ".".join(path.relative_to(base).with_suffix("").parts)
                if path.is_file() and not is_test(module):
                    found[str(path)] = module
    return sorted(found.items(), key=lambda item: item[1])


def package_of(module: str, packages: Sequence[str]) -> str:
    """The listed package that a module belongs to; the standard library's goes by "stdlib"."""
    top = module.partition(".")[0]
    return top if top in packages or "stdlib" not in packages else "stdlib"


def is_test(module: str) -> bool:
    """Whether a module is a test, by its dotted name."""
    parts = module.split(".")
    return any(part.startswith("test") or part in ("conftest", "benchmarks") for part in parts)


def scan(files: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Calls of each file, by module, scanned in child processes; a string tells why it failed."""
    shares = [list(files[i::WORKERS]) for i in range(WORKERS)]

    def scan_share(share: list[tuple[str, str]]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            todo, out = Path(folder) / "files.json", Path(folder) / "calls.json"
            todo.write_text(json.dumps(share), encoding="utf-8")
            command = [sys.executable, "-m", "crlib.data.scan_worker", str(todo), str(out)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"reading source files failed: {done.stderr.strip()[-400:]}")
            return json.loads(out.read_text(encoding="utf-8"))

    with ThreadPoolExecutor(WORKERS) as pool:
        merged = {k: v for share in pool.map(scan_share, shares) for k, v in share.items()}
    return dict(sorted(merged.items()))


def name_index(frame: pd.DataFrame) -> dict[str, int]:
    """Every dotted name of an action: where it was defined, its aliases, its id (which wins)."""
    index: dict[str, int] = {}
    for i, name in enumerate(frame["defined"]):
        if name and "<locals>" not in name:
            index.setdefault(name, i)
    for i, names in enumerate(frame["aliases"]):
        index.update(dict.fromkeys(names, i))
    index.update({name: i for i, name in enumerate(frame["id"])})
    return index


def related_pairs(frame: pd.DataFrame, index: Mapping[str, int]) -> np.ndarray:
    """Pairs of actions of which one names the other under See Also, shape (P, 2), i < j.

    A short name is looked up from the innermost scope outwards, as a reader would.
    """
    pairs = set()
    for i, (name, names) in enumerate(zip(frame["id"], frame["see_also"], strict=True)):
        scopes = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
        for other in names:
            paths = [*(f"{scope}.{other}" for scope in scopes), other]
            j = next((index[path] for path in paths if path in index), i)
            if j != i:
                pairs.add((min(i, j), max(i, j)))
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def usage(
    files: Mapping[str, Any], index: Mapping[str, int], n_actions: int
) -> tuple[sparse.csr_array, list[str]]:
    """Which files call which actions: files with at least `MIN_ITEMS`, and their names."""
    names, indices, pointers = [], [], [0]
    for module, found in files.items():
        items = sorted({index[path] for path in found["calls"] if path in index})
        if len(items) >= MIN_ITEMS:
            names.append(module)
            indices += items
            pointers.append(len(indices))
    shape = (len(names), n_actions)
    ones = np.ones(len(indices), dtype=np.int8)
    return sparse.csr_array((ones, np.array(indices, int), np.array(pointers)), shape=shape), names


def build(frame: pd.DataFrame, packages: Sequence[str]) -> tuple[Feedback, dict[str, Any]]:
    """Scan the sources and assemble the feedback; also what was left out, and why."""
    index = name_index(frame)
    scanned = scan(source_files(packages))
    files = {module: found for module, found in scanned.items() if not isinstance(found, str)}
    broken = {module: found for module, found in scanned.items() if isinstance(found, str)}
    found = [*doctest_candidates(frame, index), *function_candidates(files, index)]
    candidates = [
        (text, solution, origin, source, package_of(group, packages))
        for text, solution, origin, source, group in found
    ]
    queries, counts = build_queries(
        candidates, list(frame["id"]), list(frame["module"]), list(frame["summary"])
    )
    users, names = usage(files, index, len(frame))
    feedback = Feedback(
        queries=queries, users=users, user_ids=tuple(names),
        user_groups=tuple(package_of(name, packages) for name in names),
        related=related_pairs(frame, index),
    )  # fmt: skip
    return feedback, {"files": len(files), "files_left_out": broken, "queries": counts}


def feedback_folder(packages: Sequence[str]) -> Path:
    """Beside the catalogue, under a key of the code that makes the feedback."""
    here = Path(__file__).parent
    key = io.sha256_text("".join(io.sha256_file(here / name) for name in SOURCES))
    return catalogue_folder(packages) / f"feedback-{key[:12]}"


def load_feedback(frame: pd.DataFrame, packages: Sequence[str]) -> tuple[Feedback, dict[str, Any]]:
    """The feedback, built at the first call and read from disk after it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The catalogue of these packages.
    packages : sequence of str
        Import names.

    Returns
    -------
    Feedback
    dict
        Counts: files, files_left_out (module to reason), queries (rule to number left out).
    """
    folder = feedback_folder(packages)
    notes = folder / "counts.json"
    if notes.exists():
        return _read(folder, len(frame)), io.read_json(notes)
    feedback, counts = build(frame, packages)
    columns = ("text", "solution", "origin", "source", "group", "seen")
    queries = pd.DataFrame([vars(q) for q in feedback.queries], columns=list(columns))
    queries["solution"] = [list(q.solution) for q in feedback.queries]
    with io.atomic_path(folder / "queries.parquet") as temporary:
        queries.to_parquet(temporary, index=False)
    users = pd.DataFrame({"id": feedback.user_ids, "group": feedback.user_groups})
    with io.atomic_path(folder / "users.parquet") as temporary:
        users.to_parquet(temporary, index=False)
    with io.atomic_path(folder / "arrays.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, indices=feedback.users.indices, indptr=feedback.users.indptr,
                            related=feedback.related)  # fmt: skip
    io.write_json(notes, counts)  # last: its presence says that the rest is whole
    return _read(folder, len(frame)), io.read_json(notes)


def _read(folder: Path, n_actions: int) -> Feedback:
    table: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()}
        for row in pd.read_parquet(folder / "queries.parquet").to_dict("records")
    ]
    queries = tuple(
        Query(**{**row, "solution": tuple(int(i) for i in row["solution"])}) for row in table
    )
    users = pd.read_parquet(folder / "users.parquet")
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        indices, indptr, related = arrays["indices"], arrays["indptr"], arrays["related"]
    matrix = sparse.csr_array(
        (np.ones(indices.size, dtype=np.int8), indices, indptr), shape=(len(users), n_actions)
    )
    return Feedback(queries, matrix, tuple(users["id"]), tuple(users["group"]), related)
