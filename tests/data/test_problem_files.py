"""Problem sets and sentence pairs: the real files where they are, and rows of every wrong kind."""

import csv
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crlib.data.problems import load_problems
from crlib.data.sentence_pairs import load_sts


@pytest.mark.parametrize(("split", "least"), [("train", 7473), ("test", 1000)])
def test_gsm8k_as_it_is(real, split, least):
    found = load_problems("gsm8k", split=split)
    assert found.source["rows"] >= least
    assert found.source["kept"] == len(found.problems)
    assert found.source["rows"] == len(found.problems) + sum(found.source["left_out"].values())
    assert len({problem.id for problem in found.problems}) == len(found.problems)
    for problem in found.problems:
        assert re.fullmatch(r"-?\d+(\.\d+)?", problem.answer), problem.answer
        assert "<<" not in "".join(problem.steps)
        assert "####" not in "".join(problem.steps)
    assert np.mean([2 <= len(problem.steps) <= 8 for problem in found.problems]) > 0.95


def test_math500_as_it_is(real):
    found = load_problems("math500", split="test")
    assert found.source["left_out"] == {}
    assert len(found.problems) == found.source["rows"] >= 400
    assert {problem.level for problem in found.problems} == {1, 2, 3, 4, 5}
    assert len({problem.subject for problem in found.problems}) == 7
    # An answer stands in the box at the end of its own solution.
    boxed = [re.sub(r"\s", "", p.answer) in re.sub(r"\s", "", p.steps[-1]) for p in found.problems]
    assert np.mean(boxed) > 0.9


def test_sts_as_it_is_agrees_with_the_csv_module(real):
    found = load_sts()
    path = f"{real}/stsb/sts-dev.csv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert found.source["rows"] == len(rows)
    expected = [(r[5].strip(), r[6].strip(), float(r[4])) for r in rows]
    assert list(zip(found.first, found.second, found.scores, strict=True)) == expected
    assert 0 <= found.scores.min() < 1
    assert 4 < found.scores.max() <= 5


GOOD = {"question": "One and one?", "answer": "1+1 = <<1+1=2>>2\n#### 1,002"}


def test_a_solution_is_cut_into_steps_and_a_plain_answer(tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps(GOOD))
    (problem,) = load_problems("gsm8k", path=tmp_path).problems
    assert (problem.steps, problem.answer) == (("1+1 = 2",), "1002")
    assert problem.id == "gsm8k/train/0"


def test_bad_rows_are_left_out_and_counted_by_reason(tmp_path):
    rows = [
        json.dumps(GOOD), "", "{no json", "[1]", json.dumps({"question": "x"}),
        json.dumps(GOOD | {"question": 7}), json.dumps(GOOD | {"answer": "no mark"}),
        json.dumps(GOOD | {"question": "b", "answer": "#### 3"}), json.dumps(GOOD),
        json.dumps(GOOD | {"question": "<b>Two</b> & two?"}),
    ]  # fmt: skip
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    found = load_problems("gsm8k", path=tmp_path / "train.jsonl")
    assert [problem.question for problem in found.problems] == ["One and one?", "<b>Two</b> & two?"]
    assert found.source["rows"] == 9
    assert found.source["left_out"] == {
        "no JSON": 1,
        "no JSON object": 1,
        "answer is missing, empty or no text": 1,
        "question is missing, empty or no text": 1,
        "answer has no line #### with the result": 1,
        "answer has no worked step": 1,
        "repeats an earlier row": 1,
    }
    assert found.source["first_bad"]["no JSON"] == 3


MATH = {"problem": "p", "solution": "a\n\nb", "answer": "1", "subject": "Algebra", "level": 3,
        "unique_id": "test/algebra/1.json"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": "Cooking"}, "subject is not one of the seven"),
        ({"level": "3"}, "level is no whole number"),
        ({"level": True}, "level is no whole number"),
        ({"level": 6}, "level is no whole number"),
        ({"unique_id": ""}, "unique_id is missing"),
    ],
)
def test_a_file_without_a_fitting_row_is_refused_with_the_reason(tmp_path, change, reason):
    (tmp_path / "test.jsonl").write_text(json.dumps(MATH | change))
    with pytest.raises(ValueError, match=f"none of 1 rows fits: {reason}"):
        load_problems("math500", split="test", path=tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a\tb\tc\td\t1.0\tone", "not 7 to 9 columns"),
        ("a\tb\tc\td\tnan\tone\ttwo", "score is not within 0 and 5"),
        ("a\tb\tc\td\t5.1\tone\ttwo", "score is not within 0 and 5"),
        ("a\tb\tc\td\tx\tone\ttwo", "score is no number"),
        ("a\tb\tc\td\t2\t \ttwo", "a sentence is empty"),
    ],
)
def test_bad_pairs_are_counted(tmp_path, line, reason):
    good = 'a\tb\tc\td\t2.5\tHe said "yes.\tShe said no.'
    (tmp_path / "sts-dev.csv").write_text(f"{good}\n{line}\n{good}\n")
    found = load_sts(path=tmp_path)
    assert (found.first, found.second) == (('He said "yes.',) * 2, ("She said no.",) * 2)
    assert found.source["left_out"] == {reason: 1}


@pytest.mark.parametrize("split", ["train", "test"])
def test_parquet_gives_the_problems_of_the_lines_it_was_made_of(real, tmp_path, split):
    lines = load_problems("gsm8k", split=split)
    (path,) = Path(real, "gsm8k").glob(f"{split}.jsonl*")
    frame = pd.read_json(path, lines=True, dtype=False)
    target = tmp_path / "main" / f"{split}-00000-of-00001.parquet"
    target.parent.mkdir()
    frame[["question", "answer"]].to_parquet(target)
    found = load_problems("gsm8k", split=split, path=tmp_path)
    assert found.problems == lines.problems
    target.write_bytes(target.read_bytes()[:-20])
    with pytest.raises(ValueError, match="is damaged"):
        load_problems("gsm8k", split=split, path=tmp_path)


def test_the_hubs_lines_of_sts_give_the_same_pairs(real, tmp_path):
    own = load_sts()
    rows = [
        {"split": "dev", "score": score, "sentence1": first, "sentence2": second}
        for first, second, score in zip(own.first, own.second, own.scores.tolist(), strict=True)
    ]
    bad = [rows[0] | {"score": "5"}, rows[0] | {"score": 5.1}, rows[0] | {"sentence2": ""}]
    text = "\n".join(json.dumps(row) for row in rows + bad)
    (tmp_path / "validation.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    found = load_sts(path=tmp_path)
    assert (found.first, found.second) == (own.first, own.second)
    np.testing.assert_array_equal(found.scores, own.scores)
    assert found.source["left_out"] == {
        "score is no number": 1,
        "score is not within 0 and 5": 1,
        "sentence2 is missing, empty or no text": 1,
    }


def test_damaged_and_missing_files_are_named(tmp_path, monkeypatch):
    whole = gzip.compress(json.dumps(GOOD).encode() * 50)
    (tmp_path / "train.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        load_problems("gsm8k", path=tmp_path)
    (tmp_path / "train.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is damaged"):
        load_problems("gsm8k", path=tmp_path)
    (tmp_path / "train.jsonl").write_bytes(b"")
    with pytest.raises(ValueError, match="none of 0 rows fits: it is empty"):
        load_problems("gsm8k", path=tmp_path)
    with pytest.raises(ValueError, match="holds none of math500/test"):
        load_problems("math500", split="test", path=tmp_path)
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    with pytest.raises(ValueError, match="pass path= or set CRLIB_DATA"):
        load_sts()
    with pytest.raises(ValueError, match="no problem set 'math500' with split 'train'"):
        load_problems("math500")
    with pytest.raises(ValueError, match="expected train, dev or test"):
        load_sts(split="all")
