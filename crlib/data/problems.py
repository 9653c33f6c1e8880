"""Mathematics problems with worked solutions: GSM8K (Cobbe et al. 2021), MATH-500."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crlib.data.files import BadRow, find_file, json_object, read_rows, text_of

SOURCES: dict[str, dict[str, str]] = {
    "gsm8k": {"licence": "MIT", "citation": "Cobbe et al. (2021), arXiv:2110.14168"},
    "math500": {
        "licence": "MIT",
        "citation": "Hendrycks et al. (2021), arXiv:2103.03874; "
        "the 500 of Lightman et al. (2023), arXiv:2305.20050",
    },
}
FILES = {
    ("gsm8k", "train"): ("gsm8k/train.jsonl", "gsm8k/train.jsonl.gz"),
    ("gsm8k", "test"): ("gsm8k/test.jsonl", "gsm8k/test.jsonl.gz"),
    ("math500", "test"): ("math500/test.jsonl", "math500/test.jsonl.gz"),
}
CALCULATION = re.compile(r"<<[^<>]*>>")  # GSM8K's annotations for a calculator
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
    """

    id: str
    question: str
    steps: tuple[str, ...]
    answer: str
    subject: str = "arithmetic"
    level: int = 0


@dataclass(frozen=True)
class ProblemSet:
    """Problems and where they come from; `source` counts what was left out, by reason."""

    name: str
    problems: tuple[Problem, ...]
    source: dict[str, Any]


def load_problems(name: str, *, split: str = "train", path: str | Path | None = None) -> ProblemSet:
    """Read a problem set from its upstream files.

    Parameters
    ----------
    name : {"gsm8k", "math500"}
    split : {"train", "test"}
        Of GSM8K; MATH-500 is a test set.
    path : str or Path, optional
        The file, or its folder; by default below the folder that CRLIB_DATA names.

    Returns
    -------
    ProblemSet
        Rows that do not fit the schema or repeat a question are left out and counted.

    Raises
    ------
    ValueError
        For an unknown name or split, a missing or damaged file, or one without a fitting row.
    """
    if (name, split) not in FILES:
        raise ValueError(
            f"no problem set {name!r} with split {split!r}; there are: gsm8k (train, test), "
            "math500 (test)"
        )
    file = find_file(name, FILES[name, split], path)
    parse = _gsm8k if name == "gsm8k" else _math
    found, source = read_rows(file, parse, key=lambda problem: problem.question)
    problems = tuple(
        problem if problem.id else _named(problem, f"{name}/{split}/{i}")
        for i, problem in enumerate(found)
    )
    return ProblemSet(name, problems, source | {"split": split} | SOURCES[name])


def _named(problem: Problem, name: str) -> Problem:
    return Problem(name, problem.question, problem.steps, problem.answer)


def _gsm8k(line: str) -> Problem:
    row = json_object(line)
    question, worked = text_of(row, "question"), text_of(row, "answer")
    body, mark, answer = worked.rpartition("####")
    if not mark or not answer.strip():
        raise BadRow("answer has no line #### with the result")
    steps = tuple(step for raw in body.splitlines() if (step := CALCULATION.sub("", raw).strip()))
    if not steps:
        raise BadRow("answer has no worked step")
    return Problem("", question, steps, answer.strip().replace(",", ""))


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
