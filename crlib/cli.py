"""The command line: `crlib claims`, `embed`, `rank`, `diff` and `doctor`."""

import json
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crlib import ledger
from crlib.claims import load_claims, read_results
from crlib.settings import BUILD, ROOT, read_profile

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

COLOURS = {"supported": "green", "not supported": "red", "mixed": "yellow"}


@app.callback()
def main() -> None:
    """Contrastive RL for massive action spaces: the paper's executable appendix."""


@app.command()
def claims(
    profile: Annotated[str, typer.Option(help="Whose results to read.")] = "laptop",
    results: Annotated[Path | None, typer.Option(help="A results folder of your own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Show the ledger: every claim, its parts, intervals and verdicts.

    Examples
    --------
    crlib claims
    crlib claims --profile smoke --json
    """
    try:
        read_profile(profile)
        folder = _folder(results) if results else BUILD / "results" / profile
        rows = ledger.rows(read_results(folder))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table("Claim", "Part", "Verdict", "Evidence")
    titles = {claim.id: claim.title for claim in load_claims()}
    last = ""
    for row in rows:
        if row["claim"] != last:
            last = row["claim"]
            table.add_section()
            style = COLOURS.get(row["verdict"], "")
            table.add_row(last, titles[last], f"[bold {style}]{row['verdict']}[/]", style="bold")
        table.add_row("", row["part"], row["part_verdict"], row["evidence"])
    Console().print(table)


@app.command()
def embed(
    model: Annotated[str, typer.Option(help="Name, hub id as org/name, folder, or file.")],
    texts: Annotated[Path, typer.Option(help="A .csv, .jsonl, .parquet or .txt file.")],
    out: Annotated[Path, typer.Option(help="Folder for vectors.npy and manifest.json.")],
    column: Annotated[str, typer.Option(help="Column that holds the texts.")] = "text",
    layer: Annotated[int | None, typer.Option(help="0 the embeddings', -1 the last's.")] = None,
    pooling: Annotated[
        str | None, typer.Option(help="mean, cls, lasttoken, max or first-last.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or int8.")] = None,
    revision: Annotated[str | None, typer.Option(help="Commit on the hub.")] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="As cuda:0; given again, they share the work.")
    ] = None,
) -> None:
    """Embed a file of texts; what an earlier call has embedded is not computed again.

    Examples
    --------
    crlib embed --model simcse --texts actions.csv --out vectors
    crlib embed --model llama-3-8b --texts actions.csv --out vectors --pooling lasttoken \\
        --device cuda:0 --device cuda:1
    """
    from crlib.extractors.files import embed_file

    try:
        manifest = embed_file(
            model, texts, out, column=column, layer=layer, pooling=pooling, dtype=dtype,
            revision=revision, device=device or None,
        )  # fmt: skip
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"{manifest['count']:,} rows of {manifest['dimensions']} numbers in {out}")


@app.command()
def rank(
    actions: Annotated[
        Path,
        typer.Option(help=".csv, .jsonl or .parquet with id and text; or .txt, a text a line."),
    ],
    embeddings: Annotated[
        list[str],
        typer.Option(
            help="name=model, or only a model: a name, a hub id, a folder, "
            "or a file (.npy, .safetensors, .parquet). Give it again for more."
        ),
    ],
    more: Annotated[
        list[str] | None, typer.Argument(help="More embeddings, so that one option is enough.")
    ] = None,
    rewards: Annotated[
        Path | None,
        typer.Option(
            help="Labels: .csv, .jsonl or .parquet with id and one column "
            "of numbers a task; 100 to 1,000 rows are enough."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a report of one HTML page.")] = None,
    horizon: Annotated[int, typer.Option(min=1, help="Rounds of the predicted regret.")] = 2000,
    slate: Annotated[int, typer.Option(min=2, help="Actions on offer each round.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Rank embeddings of your actions by how well they tell your rewards, from a few labels.

    Examples
    --------
    crlib rank --actions actions.csv --embeddings mine=vectors.npy minilm --rewards labels.csv
    crlib rank --actions actions.csv --embeddings simcse --rewards labels.csv --out report.html
    """  # fmt: skip
    from crlib.ranking.command import rank_files
    from crlib.ranking.terminal import ranking_json, terminal_lines

    try:
        ranking = rank_files(
            actions, [*embeddings, *(more or [])], rewards, out,
            horizon=horizon, slate=slate, seed=seed,
        )  # fmt: skip
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        typer.echo(ranking_json(ranking))
        return
    for line in terminal_lines(ranking):
        Console().print(line)


@app.command()
def diff(
    run_a: Annotated[Path, typer.Argument(help="A folder with result.json of one or many pages.")],
    run_b: Annotated[Path, typer.Argument(help="The other one.")],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Relative difference of numbers that counts as none.")
    ] = 1e-9,
    out: Annotated[Path | None, typer.Option(help="Write a page of HTML.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Put two runs side by side: inputs, numbers, intervals, verdicts. Ends with 1 on a flip.

    Examples
    --------
    crlib diff build/results/laptop build/results/mine
    crlib diff published/html build/results/laptop --out comparison.html
    crlib diff build/results/laptop build/runs --tolerance 0.01 --json
    """
    from crlib.compare import compare, gathered

    try:
        runs = [read_results(_folder(path)) for path in (run_a, run_b)]
        if not {*runs[0]} & {*runs[1]}:
            first, second = (", ".join(run) for run in runs)
            raise ValueError(
                f"no notebook was run in both: {run_a} has {first}; {run_b} has {second}"
            )
        changes = compare(*runs, tolerance=tolerance)
        if out is not None:
            from crlib.compare_report import write_report

            write_report(runs[0], runs[1], changes, out, names=(str(run_a), str(run_b)))
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        typer.echo(json.dumps([asdict(change) for change in changes], indent=1))
    else:
        table = Table()
        for head in ("Page", "What", "Name", "A", "B", "Overlap"):
            table.add_column(head, overflow="fold")
        for change in gathered(changes):
            cells = [change.notebook, change.kind, change.name, change.a, change.b]
            shown = ["" if cell is None else escape(_short(cell)) for cell in cells]
            overlap = {True: "yes", False: "no", None: ""}[change.overlap]
            table.add_row(*shown, overlap, style="bold" if change.kind == "verdict" else "")
        Console().print(table)
        flips = sum(change.kind == "verdict" for change in changes)
        said = f"{len(changes)} differences in {len({*runs[0], *runs[1]})} pages, {flips} verdicts"
        typer.echo(said + " changed.")
    raise typer.Exit(int(any(change.kind == "verdict" for change in changes)))


def _folder(path: Path) -> Path:
    if not path.is_dir() or not any(path.glob("**/result.json")):
        hint = "; a notebook's run leaves it in build/runs, or in its out_dir"
        raise ValueError(
            f"{path}: expected a folder that holds a result.json, in it or below it"
            + (hint if path.suffix == ".ipynb" else "")
        )
    return path


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@app.command()
def doctor() -> None:
    """Say what this machine can run, what is missing and how to get it."""
    from crlib.data.sources import data_states
    from crlib.extractors.hub.states import hub_states

    table = Table("What", "State")
    table.add_column("What to do", overflow="fold")
    own = [_python(), _environment(), *_tools()]
    for section in (own, data_states(), model_states(), hub_states()):
        for row in section:
            table.add_row(*(escape(cell) for cell in row))
        table.add_section()
    Console().print(table)


def _python() -> tuple[str, str, str]:
    good = sys.version_info[:2] == (3, 11)
    found = ".".join(map(str, sys.version_info[:3]))
    return "Python 3.11", found, "" if good else "make PYTHON=/path/to/python3.11 env"


def _environment() -> tuple[str, str, str]:
    pins = [line.split("==") for line in (ROOT / "requirements.lock").read_text().split()]
    wrong = []
    for name, pin in pins:
        try:
            found = version(name).split("+")[0]
        except PackageNotFoundError:
            found = "absent"
        if found != pin:
            wrong.append(f"{name} {found} (lock: {pin})")
    if not wrong:
        return "packages", f"all {len(pins)} as in requirements.lock", ""
    return "packages", f"{len(wrong)} differ: {', '.join(wrong[:5])}", "make env"


def _tools() -> list[tuple[str, str, str]]:
    from crlib.book.pictures import browser

    found = browser()
    return [
        ("Chromium", "found" if found else "absent",
         "" if found else "figures as PDF and PNG, make appendix and the browser tests need it: "
         "install the package chromium"),
    ]  # fmt: skip


def model_states(shipped: Path = ROOT / "models") -> list[tuple[str, str, str]]:
    """Name, state and remedy of each model, by whether its files are there.

    Parameters
    ----------
    shipped : Path
        Folder of the trained twins.
    """
    from crlib.extractors import MODELS
    from crlib.extractors.weights import weight_files

    states = []
    for name, spec in MODELS.items():
        try:
            if spec.max_tokens:  # noise and word statistics are computed from the texts
                weight_files(spec, shipped=shipped)
            states.append((name, "ready, no download", ""))
        except ValueError as error:
            states.append((name, "missing", str(error)))
    return states
