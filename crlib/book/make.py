"""`make book`: run the Snakefile for a profile and report in plain lines."""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from crlib.book import plan, stage
from crlib.book.reasons import plain_reason
from crlib.settings import BUILD, ROOT, ParameterError, read_profile

START = re.compile(r"^Job (\d+): (.+)$")
REASON = re.compile(r"^Reason: (.+)$")
FINISH = re.compile(r"^Finished jobid: (\d+)")
JOB = re.compile(r"^\s+jobid: (\d+)")
COUNT = re.compile(r"^(\d+) of (\d+) steps")
FRAME = re.compile(r'^\s*File ".+", line \d+')
INTERRUPTED = 130  # a shell's exit code for Ctrl-C
# A cluster's own log may follow after a comma.
LOGS = re.compile(r"^\s+log: (.+?)(?:, .+)? \(check log file")


@contextmanager
def only_one(lock: Path) -> Iterator[TextIO]:
    """Hold a lock file for as long as this process, or a child that inherits it, lives.

    Unlike Snakemake's own lock it goes away with a killed process, so that the next call simply
    goes on.

    Raises
    ------
    RuntimeError
        When another build holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"another build is at work in {lock.parent}; wait for it to end"
            ) from None
        yield file


def missing_models(profile: str) -> list[str]:
    """What a profile's notebooks would have to download, or cannot hold: a line each, by name.

    Asks no network: a long run should not find out at its end that a model is gated.
    """
    return models_to_fetch(read_profile(profile).items())


def models_to_fetch(
    asked: Iterable[tuple[str, Mapping[str, Any]]], memory: float | None = None
) -> list[str]:
    """The same for any notebooks, each with its parameters; for weights in 10^9 bytes of memory."""
    from crlib.extractors import HUB_MODELS

    wanted = {name for notebook, values in asked for name in plan.models_of(notebook, dict(values))}
    if not wanted & set(HUB_MODELS):
        return []
    from crlib.extractors.hub.states import hub_states

    return [
        f"{name}: {state}; {remedy}"
        for name, state, remedy in hub_states(memory)
        if name in wanted and not state.startswith("ready")
    ]


def missing_sets(profile: str) -> list[str]:
    """Data sets that a profile's notebooks read and that are not found: a line each, by name."""
    return sets_to_fetch(read_profile(profile).values())


def sets_to_fetch(parameters: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same for any notebooks' parameters."""
    from crlib.data.sources import sources_frame

    asked = {values.get("dataset") for values in parameters}
    wanted = asked | ({"math500"} if "gsm8k" in asked else set())  # learnt on one, tested on both
    return [
        f"{row['set']}: {row['state']}, {row['size']}; {row['how to get it']}"
        for row in sources_frame().to_dict("records")
        if row["set"] in wanted and row["state"] == "not found"
    ]


def missing_files(profile: str) -> list[Path]:
    """Notebooks and tables that a profile names and that are not there.

    Snakemake, which finds an earlier book, would say that there is nothing to be done.
    """
    wanted = [
        path
        for name in read_profile(profile)
        for path in (ROOT / "notebooks" / f"{name}.ipynb", *plan.tables_of(name))
    ]
    return [path for path in wanted if not path.is_file()]


def snakemake_command(config: Mapping[str, object], *limits: str) -> list[str]:
    """The call of Snakemake: resumes what was interrupted, goes on with what does not depend.

    Parameters
    ----------
    config : mapping
        What the Snakefile reads as `config`.
    *limits : str
        How many jobs run where: "--cores", "4".
    """
    # Snakemake's records lie beside the build they are about.
    directory = ROOT if BUILD == ROOT / "build" else BUILD
    return [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
        "--directory", str(directory), *limits,
        "--config", *(f"{name}={value}" for name, value in config.items()),
        "--rerun-incomplete", "--keep-going", "--nolock", "--nocolor",
    ]  # fmt: skip


def report(lines: Iterable[str], log: TextIO) -> tuple[int, list[Path]]:
    """Turn Snakemake's output into one line a finished job, with why it ran; log all of it.

    Parameters
    ----------
    lines : iterable of str
        What Snakemake prints.
    log : file
        Receives every line.

    Returns
    -------
    finished : int
        Number of jobs that were done.
    failed : list of Path
        Logs of the jobs that failed in the end, whatever their first tries did.
    """
    running: dict[str, tuple[str, float]] = {}
    reasons: dict[str, str] = {}
    number, last, broken = "", ("", 0.0), ""
    finished, done = 0, set()
    failed: dict[Path, str] = {}
    for line in lines:
        log.write(line)
        if match := START.match(line):
            number = match[1]
            running[number] = (match[2], time.perf_counter())
        elif match := REASON.match(line):
            reasons[number] = plain_reason(match[1])
        elif match := JOB.match(line):
            broken = match[1]
        elif match := FINISH.match(line):
            # A later try of it may have succeeded.
            done.add(match[1])
            failed = {path: job for path, job in failed.items() if job != match[1]}
            name, since = running.pop(match[1], ("", 0.0))
            why = reasons.get(match[1])
            last = (f"{name}: {why}" if name and why else name, since)
        elif (match := COUNT.match(line)) and last[0]:
            finished += 1
            took = time.perf_counter() - last[1]
            print(f"[{match[1]}/{int(match[2])}] {last[0]} ({took:.0f} s)", flush=True)
        elif (match := LOGS.match(line)) and broken not in done:
            failed[Path(match[1])] = broken
    return finished, list(failed)


def run_snakemake(
    commands: Iterable[list[str]], log: Path, lock: TextIO
) -> tuple[int, list[Path], int]:
    """Run calls of Snakemake one after the other, whether or not one fails.

    Parameters
    ----------
    commands : iterable of list of str
        As `snakemake_command` makes them.
    log : Path
        Receives all that they print; what is a reader's business is printed.
    lock : file
        That of `only_one`, for Snakemake to hold as well.

    Returns
    -------
    finished : int
        Number of jobs that were done.
    failed : list of Path
        Logs of the jobs that failed, in any call.
    code : int
        The exit code of the last call, which asks for all; or `INTERRUPTED`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    finished, code = 0, 0
    failed: list[Path] = []
    with open(log, "w", encoding="utf-8", buffering=1) as file:
        for command in commands:
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, pass_fds=[lock.fileno()],
            ) as process:  # fmt: skip
                assert process.stdout is not None
                try:
                    more, lost = report(process.stdout, file)
                except KeyboardInterrupt:
                    # It reaches Snakemake too, which ends its jobs and drops what is half-written.
                    process.wait()
                    print("\nInterrupted. Call the same command to go on from here.",
                          file=sys.stderr)  # fmt: skip
                    return finished, [], INTERRUPTED
                finished, code = finished + more, process.wait()
                failed += [path for path in lost if path not in failed]
    return finished, failed, code


def last_line(log: Path) -> str:
    """The sentence with which a failed job ended, or a note that it left none."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    # Snakemake says what was wrong before it says where.
    said = (line for line in reversed(lines) if line.strip() and not FRAME.match(line))
    return next(said, "killed before it wrote a line")


def make(
    profile: Annotated[str, typer.Option(help="A file in profiles/, without .yaml.")] = "laptop",
    cores: Annotated[int, typer.Option(min=1, help="Jobs at a time.")] = os.cpu_count() or 1,
    anonymous: Annotated[bool, typer.Option(help="For double-blind review.")] = False,
) -> None:
    """Run what is stale of a profile and build its book."""
    started = time.perf_counter()
    try:
        if lost := missing_files(profile):
            raise RuntimeError(f"missing: {', '.join(map(str, lost))}")
        if missing := [*missing_models(profile), *missing_sets(profile)]:
            raise RuntimeError(
                f"the profile {profile} needs models or data that are not on this machine:\n"
                + "\n".join(f"  {line}" for line in missing)
                + "\nFetch them as said (data below the folder that CRLIB_DATA names), or choose "
                f"another `model` or `dataset` in profiles/{profile}.yaml; "
                "the default profile's pages show them as not run"
            )
        log = BUILD / profile / "logs" / "snakemake.log"
        with only_one(BUILD / ".lock") as lock:
            config = {"profile": profile, "anonymous": int(anonymous)}
            command = snakemake_command(config, "--cores", str(cores))
            finished, failed, code = run_snakemake([command], log, lock)
    except (ParameterError, RuntimeError) as error:
        print(f"make book: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    seconds = time.perf_counter() - started
    if code == INTERRUPTED:
        raise typer.Exit(code)
    if code != 0:
        for found in failed or [log]:
            print(f"FAILED  {last_line(found)}\n        log: {found}", file=sys.stderr)
        print(
            f"The book was not built; {log} has the whole report. "
            "Call the same command to go on from here.",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    if finished:
        print(f"{finished} jobs in {seconds:.0f} s.")
    else:
        print(f"Nothing has changed since the last build ({seconds:.0f} s to see that).")
    folder = stage.html_folder(profile, anonymous=anonymous)
    print(f"The book: {folder / 'index.html'}")


if __name__ == "__main__":
    typer.run(make)
