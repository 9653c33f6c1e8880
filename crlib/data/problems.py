"""Mathematics problems with worked solutions: GSM8K (Cobbe et al. 2021), MATH-500."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crlib.data import hub
from crlib.data.files import BadRow, find_file, json_object, read_rows, text_of
from crlib.data.sources import SOURCES
from crlib.provenance import note_input

CALCULATION = re.compile(r"<<([^<>]*)>>")  # GSM8K's annotations for a calculator
SUBJECTS = ("Algebra", "Counting & Probability", "Geometry", "Intermediate Algebra",
            "Number Theory", "Prealgebra", "Precalculus")  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes
    ----------
    id : str
        Unique within its data set.
    question : str
    steps : tuple of str
        The worked solution: its lines (GSM8K) or its paragraphs (MATH-500), in order.
    answer : str
        The final answer, as text; math-verify compares such answers.
    subject : str
    level : int
        1 to 5; 0 where the data set has none.
    calculations : tuple of tuples of str
        Those of each step, as 48/2=24; empty where the data set has none.
    """

    id: str
    question: str
    steps: tuple[str, ...]
    answer: str
    subject: str = "arithmetic"
    level: int = 0
    calculations: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ProblemSet:
    """Problems and where they come from; `source` counts what was left out, by reason."""

    name: str
    problems: tuple[Problem, ...]
    source: dict[str, Any]


def load_problems(
    name: str, *, split: str = "train", path: str | Path | None = None, download: bool = False
) -> ProblemSet:
    """Read a problem set from its upstream files.

    Parameters
    ----------
    name : {"gsm8k", "math500"}
    split : {"train", "test"}
        Of GSM8K; MATH-500 is a test set.
    path : str or Path, optional
        The file, or its folder; by default below the folder that CRLIB_DATA names.
    download : bool
        Fetch what is missing from the Hugging Face hub into that folder first.

    Returns
    -------
    ProblemSet
        Rows that do not fit the schema or repeat a question are left out and counted.

    Raises
    ------
    ValueError
        For an unknown name or split, a missing or damaged file, or one without a fitting row.
    """
    if (name, split) not in {("gsm8k", "train"), ("gsm8k", "test"), ("math500", "test")}:
        raise ValueError(
            f"no problem set {name!r} with split {split!r}; there are: gsm8k (train, test), "
            "math500 (test)"
        )
    if download:
        path = hub.download(name, folder=path)
    stem = f"{name}/{split}.jsonl"
    candidates = [stem, f"{stem}.gz"]
    if name == "gsm8k":
        candidates.append(f"gsm8k/main/{split}-00000-of-00001.parquet")
    file = find_file(name, tuple(candidates), path)
    parse = _gsm8k if name == "gsm8k" else _math
    found, source = read_rows(file, parse, key=lambda problem: problem.question)
    problems = tuple(
        problem if problem.id else _named(problem, f"{name}/{split}/{i}")
        for i, problem in enumerate(found)
    )
    return noted(ProblemSet(name, problems, source | {"split": split} | SOURCES[name].provenance))


def noted(problems: ProblemSet) -> ProblemSet:
    """The same problems, their hash kept for the record of the run that reads them."""
    name = f"{problems.name}, {len(problems.problems):,} problems"
    note_input(name, (repr(problem).encode() for problem in problems.problems))
    return problems


def _named(problem: Problem, name: str) -> Problem:
    return replace(problem, id=name)


def _gsm8k(line: str) -> Problem:
    row = json_object(line)
    question, worked = text_of(row, "question"), text_of(row, "answer")
    body, mark, answer = worked.rpartition("####")
    if not mark or not answer.strip():
        raise BadRow("answer has no line #### with the result")
    lines = [raw for raw in body.splitlines() if CALCULATION.sub("", raw).strip()]
    if not lines:
        raise BadRow("answer has no worked step")
    return Problem(
        "", question, tuple(CALCULATION.sub("", raw).strip() for raw in lines),
        answer.strip().replace(",", ""),
        calculations=tuple(tuple(CALCULATION.findall(raw)) for raw in lines),
    )  # fmt: skip


def _math(line: str) -> Problem:
    row = json_object(line)
    subject, level = text_of(row, "subject"), row.get("level")
    if subject not in SUBJECTS:
        raise BadRow("subject is not one of the seven")
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= 5:
        raise BadRow("level is no whole number from 1 to 5")
    steps = tuple(part.strip() for part in re.split(r"\n\s*\n", text_of(row, "solution")))
    return Problem(
        text_of(row, "unique_id"), text_of(row, "problem"), steps, text_of(row, "answer"),
        subject, level,
    )  # fmt: skip
