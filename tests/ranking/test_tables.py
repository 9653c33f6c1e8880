"""Files of actions and rewards: what is read, and what each fault is called."""

import json

import numpy as np
import pandas as pd
import pytest

from crlib.ranking import read_actions, read_rewards
from crlib.ranking.tables import named_models

IDS = tuple(f"{i:03d}" for i in range(40))
TEXTS = tuple(f"do thing {i}" for i in range(40))


def write(path, frame):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in frame.to_dict("records")))
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_ids_stay_as_they_are_written(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", pd.DataFrame({"id": IDS, "text": TEXTS, "more": 1}))
    found = read_actions(path)
    assert (found.ids, found.texts) == (IDS, TEXTS)


def test_a_mark_of_the_byte_order_and_windows_lines_do_no_harm(tmp_path):
    text = "id,text\r\n1,one\r\n2,two\r\n"
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_actions(tmp_path / "a.csv").ids == ("1", "2")


def test_a_text_file_has_the_numbers_of_its_lines_as_ids(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    found = read_actions(tmp_path / "a.txt")
    assert (found.ids, found.texts) == (("1", "2"), ("one", "two"))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rewards_are_matched_by_id_and_gaps_stay_gaps(tmp_path, suffix):
    order = np.random.default_rng(0).permutation(40)[:30]
    clicks = [None if i % 7 == 0 else float(i) for i in order]
    frame = pd.DataFrame({"id": [IDS[i] for i in order], "clicks": clicks, "text": "x",
                          "likes": [int(i % 3) for i in order]})  # fmt: skip
    found = read_rewards(write(tmp_path / f"r{suffix}", frame), IDS)
    assert found.tasks == ("clicks", "likes")
    expected = np.full((40, 2), np.nan)
    for i in order:
        expected[i] = np.nan if i % 7 == 0 else i, i % 3
    np.testing.assert_array_equal(found.values, expected)


def lines(*rows):
    return "\n".join(rows) + "\n"


MANY = [f"{name},{i}" for i, name in enumerate(IDS)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", None, r"actions = .*a\.csv: no such file"),
        ("a.csv", "", r"a\.csv: "),
        ("a.csv", "id,text\n", "it holds no rows"),
        ("a.csv", "name,text\n1,x\n2,y\n", "no column 'id'; it has name, text"),
        ("a.csv", "id,words\n1,x\n2,y\n", "no column 'text'; it has id, words"),
        ("a.csv", "id,text\n1,x\n1,y\n2,z\n", "1 ids stand more than once: '1'; keep one"),
        ("a.csv", "id,text\n1,x\n,y\n", "an id is empty"),
        ("a.csv", "id,text\n1,x\n2,\n", "action '2' has no text"),
        ("a.csv", "id,text\n1,x\n", "1 action; expected at least 2"),
        ("a.csv", b"id,text\n1,\xff\n", r"a\.csv: .*utf-8"),
        ("a.jsonl", '{"id": 1, "text": "x"}\n{', r"a\.jsonl: "),
        ("a.jsonl", '{"id": 1, "text": "x"}\n{"id": 2, "text": 5}', "action '2' has no text"),
        ("a.parquet", "none", r"a\.parquet: "),
        ("a.pdf", "x", r"expected a file that ends in \.csv, \.jsonl, \.parquet or \.txt"),
    ],
)
def test_a_fault_in_the_actions_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        read_actions(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"rewards = .*r\.csv: no such file"),
        (lines("name,r", *MANY), "no column 'id'; it has name, r"),
        (lines("id", *IDS), "no column of rewards beside id"),
        (lines("id,r", *MANY, "nowhere,1", "neither,2"),
         "2 of 42 ids belong to no action: 'nowhere', 'neither'; remove them"),
        (lines("id,r", *MANY, *(f"x{i},1" for i in range(7))), "7 of 47 ids .*'x4', ...; remove"),
        (lines("id,r", *MANY, MANY[0]), "1 ids stand more than once: '000'"),
        (lines("id,r", *MANY[:19]), "task 'r' has 19 labels; expected at least 20"),
        (lines("id,r,s", *(f"{row},{'' if i > 9 else i}" for i, row in enumerate(MANY))),
         "task 's' has 10 labels"),
        (lines("id,r", *(f"{name},3" for name in IDS)), "task 'r' is constant: all of its 40"),
        (lines("id,r", *MANY[:39], "039,nan"), "column 'r', id '039': 'nan' is no finite number"),
        (lines("id,r", *MANY[:39], "039,inf"), "'inf' is no finite number"),
        (lines("id,r", *MANY[:39], "039,many"), "'many' is no finite number"),
    ],
)  # fmt: skip
def test_a_fault_in_the_rewards_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "r.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_rewards(tmp_path / "r.csv", IDS)


def test_names_of_embeddings(tmp_path):
    odd = tmp_path / "a=b.npy"
    odd.touch()
    items = ["mine=x/vectors.npy", "minilm", "x/other.npy", "org/model", str(odd), "q=a=b.npy"]
    assert named_models(items) == {
        "mine": "x/vectors.npy", "minilm": "minilm", "other": "x/other.npy",
        "org/model": "org/model", "a=b": str(odd), "q": "a=b.npy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("items", "message"),
    [(["=x"], "'=x'; expected name=model"), (["a="], "'a='; expected"), ([""], "''; expected"),
     (["a=x", "a=y"], "the name 'a' stands twice; call one of them otherwise, as other=y")],
)  # fmt: skip
def test_unfit_names_of_embeddings_are_refused(items, message):
    with pytest.raises(ValueError, match=message):
        named_models(items)
