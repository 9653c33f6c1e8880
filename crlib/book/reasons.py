"""Why a job runs: Snakemake's reason in words for somebody who has never seen a Snakefile."""

from collections.abc import Iterable
from pathlib import Path

from crlib.settings import BUILD, ROOT

# Beginnings of Snakemake's reasons; "{files}" stands for what follows the colon.
SENTENCES = {
    "Missing output files": "not made yet",
    "Incomplete output files": "an earlier run of it was interrupted",
    "Updated input files": "changed: {files}",
    "Input files updated by another job": "made again: {files}",
    "Set of input files has changed": "it now reads other files than it did",
    "Code has changed": "the Snakefile's command for it changed",
    "Params have changed": "its settings changed",
    "Software environment definition has changed": "its environment changed",
    "Forced execution": "asked for",
}


def plain_reason(reason: str) -> str:
    """Say why a job runs.

    Parameters
    ----------
    reason : str
        As Snakemake prints it after "Reason:".

    Returns
    -------
    str
        The first cause that is known, with at most two files by name; Snakemake's own words where
        none is. A file that was made anew tells nothing beside one that is missing.
    """
    for part in reason.split("; "):
        head, _, rest = part.strip().partition(": ")
        for start, sentence in SENTENCES.items():
            if head.startswith(start):
                return sentence.format(files=_named(rest.split(", ")))
    return reason.strip()


def _named(paths: Iterable[str]) -> str:
    names = sorted({_short(Path(path)) for path in paths if path})
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


def _short(path: Path) -> str:
    """A path within the project or the build; of what stands between the jobs its meaning."""
    for base in (BUILD, ROOT):
        if path.is_relative_to(base):
            path = path.relative_to(base)
            break
    parts = path.parts
    if parts[:2] == ("markers", "catalogue"):
        return "the action space"
    if parts[:2] == ("markers", "vectors"):
        return f"the vectors of {path.stem}"
    if "shards" in parts:
        return f"a part of the vectors of {path.stem.rpartition('-of-')[0].rpartition('-')[0]}"
    if path.name == "result.json":
        return f"the results of {'/'.join(parts[2:-1])}"
    if parts[1:3] == ("source", "book"):
        return f"the page {'/'.join(parts[3:])}"
    return str(path)
