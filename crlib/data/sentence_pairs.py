"""Sentence pairs with human scores: the STS Benchmark (Cer et al. 2017)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crlib.data import hub
from crlib.data.files import BadRow, find_file, json_object, read_rows, text_of
from crlib.data.sources import SOURCES


@dataclass(frozen=True)
class SentencePairs:
    """Pairs of sentences with scores.

    Attributes
    ----------
    first, second : tuple of str
    scores : (n,) float64 array
        Mean human judgement, 0 (nothing in common) to 5 (the same).
    source : dict
        File, hash, and what was left out, by reason.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: NDArray[np.float64]
    source: dict[str, Any]


def load_sts(
    *, split: str = "dev", path: str | Path | None = None, download: bool = False
) -> SentencePairs:
    """Read the STS Benchmark: its own file, or the hub's JSON lines of it.

    Its own file is tab-separated, ends in .csv and quotes nothing.

    Parameters
    ----------
    split : {"train", "dev", "test"}
    path : str or Path, optional
        The file, or its folder; by default below the folder that CRLIB_DATA names.
    download : bool
        Fetch what is missing from the Hugging Face hub into that folder first.

    Raises
    ------
    ValueError
        For an unknown split, a missing or damaged file, or one without a fitting row.
    """
    if split not in ("train", "dev", "test"):
        raise ValueError(f"split = {split!r}; expected train, dev or test")
    if download:
        path = hub.download("sts-b", folder=path)
    names = (f"sts-{split}.csv", f"{'validation' if split == 'dev' else split}.jsonl")
    file = find_file("sts-b", tuple(f"stsb/{n}{end}" for n in names for end in ("", ".gz")), path)
    rows, source = read_rows(file, _pair)  # repeats count, as in published scores
    known = {"split": split} | SOURCES["sts-b"].provenance
    first, second, scores = zip(*rows, strict=True)
    return SentencePairs(first, second, np.array(scores), source | known)


def _pair(line: str) -> tuple[str, str, float]:
    if line.startswith("{"):
        row = json_object(line)
        first, second = text_of(row, "sentence1"), text_of(row, "sentence2")
        score = row.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise BadRow("score is no number")
    else:
        first, second, score = _columns(line)
    if not 0 <= score <= 5:  # false for NaN as well
        raise BadRow("score is not within 0 and 5")
    return first, second, float(score)


def _columns(line: str) -> tuple[str, str, float]:
    # genre, file, year, number, score, two sentences, and at times where they come from.
    cells = line.split("\t")
    if not 7 <= len(cells) <= 9:
        raise BadRow("not 7 to 9 columns")
    try:
        score = float(cells[4])
    except ValueError:
        raise BadRow("score is no number") from None
    first, second = cells[5].strip(), cells[6].strip()
    if not first or not second:
        raise BadRow("a sentence is empty")
    return first, second, score
