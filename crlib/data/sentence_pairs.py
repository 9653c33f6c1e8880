"""Sentence pairs with human scores: the STS Benchmark (Cer et al. 2017)."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crlib.data.files import BadRow, find_file, read_rows

SOURCE = {"licence": "see its LICENSE.txt; mixed, by origin of the sentences",
          "citation": "Cer et al. (2017), arXiv:1708.00055"}  # fmt: skip
SPLITS = ("train", "dev", "test")
FILES = {split: (f"stsb/sts-{split}.csv", f"stsb/sts-{split}.csv.gz") for split in SPLITS}


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


def load_sts(*, split: str = "dev", path: str | Path | None = None) -> SentencePairs:
    """Read the STS Benchmark's tab-separated file, which ends in .csv and quotes nothing.

    Parameters
    ----------
    split : {"train", "dev", "test"}
    path : str or Path, optional
        The file, or its folder; by default below the folder that CRLIB_DATA names.

    Raises
    ------
    ValueError
        For an unknown split, a missing or damaged file, or one without a fitting row.
    """
    if split not in FILES:
        raise ValueError(f"split = {split!r}; expected train, dev or test")
    file = find_file("sts-b", FILES[split], path)
    rows, source = read_rows(file, _pair)  # repeats count, as in published scores
    first, second, scores = zip(*rows, strict=True)
    return SentencePairs(first, second, np.array(scores), source | {"split": split} | SOURCE)


def _pair(line: str) -> tuple[str, str, float]:
    # genre, file, year, number, score, two sentences, and at times where they come from.
    cells = line.split("\t")
    if not 7 <= len(cells) <= 9:
        raise BadRow("not 7 to 9 columns")
    try:
        score = float(cells[4])
    except ValueError:
        raise BadRow("score is no number") from None
    if not (math.isfinite(score) and 0 <= score <= 5):
        raise BadRow("score is not within 0 and 5")
    first, second = cells[5].strip(), cells[6].strip()
    if not first or not second:
        raise BadRow("a sentence is empty")
    return first, second, score
