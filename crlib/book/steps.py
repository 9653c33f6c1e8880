"""The jobs of the Snakefile: each reads its inputs, writes its outputs whole, exits with 0 or 1.

All that a job prints goes to its log; the last line says in words what went wrong.
"""

import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from papermill.exceptions import PapermillExecutionError

from crlib import io, ledger
from crlib.book import run, stage
from crlib.claims import read_results
from crlib.settings import BUILD, ROOT, ParameterError, check
from crlib.sweep import on_paper

# What another attempt, with more memory or on another machine, may be spared.
PASSING = ("MemoryError", "OutOfMemoryError", "OSError")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def _job(name: str, work: Callable[[], str]) -> None:
    """Do a job's work, print how it went, and turn an error into one last line and exit 1."""
    run.pin_threads()
    started = time.perf_counter()
    try:
        summary = work()
    except PapermillExecutionError as error:
        print(error)
        print(_raised(name, error))
        raise typer.Exit(1) from None
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        print(f"{name}: {type(error).__name__}: {_first(error)}")
        raise typer.Exit(1) from None
    print(f"{name}: {summary} ({time.perf_counter() - started:.1f} s)")


def _raised(name: str, error: PapermillExecutionError) -> str:
    return f"{name}: cell {error.exec_count} raised {error.ename}: {_first(error.evalue)}"


def _first(message: object) -> str:
    return (str(message).strip() or "no message").splitlines()[0]


@app.command()
def catalogue(packages: str, marker: Path) -> None:
    """Harvest the action space into the data cache; the marker holds its counts and hash."""

    def work() -> str:
        from crlib.data import load

        chosen = None if packages == "all" else tuple(packages.split(","))
        actions = load("python-api", limit=None, packages=chosen)
        io.write_json(marker, {"packages": packages, "source": actions.source})
        return f"{len(actions.ids):,} actions"

    _job("catalogue", work)


@app.command()
def vectors(
    models: str, packages: str, limit: int, seed: int, marker: Path, shard: int = 0, shards: int = 1
) -> None:
    """Encode the actions with the comma-separated models; the marker holds the vectors' hashes.

    Of n shards each encodes every n-th text, for the store to hold.
    """

    def work() -> str:
        import hashlib

        from crlib.data import load
        from crlib.extractors import encode

        chosen = None if packages == "all" else tuple(packages.split(","))
        actions = load("python-api", limit=limit, seed=seed, packages=chosen)
        texts = actions.texts[shard::shards]
        hashes = {}
        for model in models.split(","):
            if shards > 1 and model == "lsa":  # it is made from all texts at once
                continue
            found = encode(texts, model)
            hashes[model] = hashlib.sha256(found.tobytes()).hexdigest()
            print(f"{model}: {found.shape[0]:,} x {found.shape[1]}", flush=True)
        io.write_json(marker, {"texts": len(texts), "sha256": hashes})
        return f"{len(hashes)} models"

    _job("vectors", work)


@app.command()
def notebook(request: Path, output: Path, attempt: int = 1, cell_timeout: int = 1800) -> None:
    """Execute a notebook as its request asks; see `crlib.book.plan.write_requests`.

    On a cluster, what ended badly is submitted again, with `attempt` 2, 3, ... A cell that raised
    would raise again: then what it said is said again, and nothing is run. Unless it was for want
    of memory or of a disk, which another attempt may have.
    """
    content = io.read_json(request)
    name, parameters = content["notebook"], dict(content["parameters"])
    results = content.get("results", f"results/{parameters['profile']}/{name}")
    out_dir = BUILD / results
    # Beside the requests stand the logs, under the same names.
    here, _, run_name = str(request.with_suffix("")).rpartition("/requests/")
    raised = Path(here) / "logs" / f"{run_name}.raised"
    if attempt > 1 and raised.is_file():
        print(raised.read_text(encoding="utf-8"), end="")
        raise typer.Exit(1)
    raised.unlink(missing_ok=True)

    def work() -> str:
        parameters["out_dir"] = _shortest(out_dir)
        check(name, parameters)
        source = ROOT / "notebooks" / f"{name}.ipynb"
        failed = Path(here) / "logs" / f"{run_name}.failed.ipynb"
        failed.unlink(missing_ok=True)
        try:
            run.execute(source, output, parameters, cell_timeout=cell_timeout, failed=failed)
        except PapermillExecutionError as error:
            if error.ename not in PASSING:
                io.write_text(raised, _raised(name, error) + "\n")
            raise
        return "executed"

    _job(name, work)


def _shortest(path: Path) -> str:
    """Path relative to the project where it lies inside: no machine's folders in a notebook."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@app.command()
def pictures(profile: str, notebook: str, marker: Path) -> None:
    """Draw a notebook's figures as PDF, PNG and SVG; the marker names them."""

    def work() -> str:
        from crlib.book.pictures import write_pictures

        written = write_pictures(BUILD / "results" / profile / notebook / "figures")
        io.write_json(marker, [path.name for path in written])
        return f"{len(written)} files"

    _job("pictures", work)


@app.command(name="ledger")
def write_ledger(profile: str, notebooks: str, folder: Path) -> None:
    """Turn the results of the comma-separated notebooks into the book's tables."""

    def work() -> str:
        wanted = set(notebooks.split(","))
        found = read_results(BUILD / "results" / profile)
        results = {name: result for name, result in found.items() if name in wanted}
        io.write_text(folder / "verdicts.md", ledger.table_markdown(results))
        io.write_text(folder / "ledger.md", ledger.ledger_markdown(results))
        io.write_text(folder / "profile.md", _profile_note(profile, results))
        io.write_text(folder / "refusal.md", _refusal())
        io.write_text(folder / "hundred_million.md", on_paper.table_markdown())
        return f"{len(results)} notebooks"

    _job("ledger", work)


def _profile_note(profile: str, results: dict[str, Any]) -> str:
    """One sentence on whose verdicts these are."""
    seconds = sum(result.provenance.get("seconds", 0) for result in results.values())
    limit = max((result.parameters.get("limit", 0) for result in results.values()), default=0)
    note = (
        f"These are the verdicts of the profile `{profile}`: at most {limit:,} actions, "
        f"{len(results)} notebooks, {seconds:.0f} s of computing.\n"
    )
    if profile == "smoke":
        note += (
            "\n:::{warning}\nThis profile is a test of the machinery on a handful of actions. "
            "Its verdicts say nothing about the claims; `make book` makes those that do.\n:::\n"
        )
    return note


def _refusal() -> str:
    """What a notebook answers to a mistyped parameter name, for the page on reruns."""
    try:
        check("theory/coverage", {"kk": 500})
    except ParameterError as error:
        return f"```text\nParameterError: {error}\n```\n"
    raise AssertionError("the parameter kk was taken")


@app.command()
def book(profile: str, notebooks: str, anonymous: bool = False) -> None:
    """Stage the pages beside the executed notebooks and build the static book."""

    def work() -> str:
        return f"{stage.build(profile, notebooks.split(','), anonymous=anonymous)} pages"

    _job("book", work)


if __name__ == "__main__":
    app()
