"""Downloads and the table of data sets: sizes first, one clear error, nothing half-written."""

import json
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pandas as pd
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from crlib.data import NAMES, hub, load, sources_frame
from crlib.data.problems import load_problems
from crlib.data.sentence_pairs import load_sts
from crlib.data.sources import SOURCES

META = {"parent_asin": "B1", "title": "Headphones", "categories": ["Electronics", "Audio"]}
CONTENTS = {
    "raw/meta_categories/meta_Electronics.jsonl": json.dumps(META),
    "benchmark/5core/rating_only/Electronics.csv": "user_id,parent_asin,rating,timestamp\n"
    "u,B1,5.0,1\n",
    "test.jsonl": json.dumps(
        {"problem": "p", "solution": "s", "answer": "1", "subject": "Algebra", "level": 1,
         "unique_id": "x"}
    ),
    "corpus.jsonl": json.dumps(
        {"_id": "1", "text": "category_name:A, tool_name:B, api_name:C, api_description:D, "
         "required_params: []"}
    ),
    "queries.jsonl": json.dumps({"_id": "q", "text": "?"}),
    "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq\t1\t1\n",
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\n",
}  # fmt: skip


class Hub:
    """A hub that keeps book: what was asked, in which order, and what it was told to refuse."""

    def __init__(self, monkeypatch, *, size: Exception | int = 2_000_000, broken: str = ""):
        self.fetched: list[tuple[str, str]] = []
        self.size, self.broken = size, broken
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", self.fetch)
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda endpoint: self)

    def get_paths_info(self, repo, paths, *, repo_type):
        if isinstance(self.size, Exception):
            raise self.size
        return [SimpleNamespace(path=path, size=self.size) for path in paths]

    def fetch(self, repo, path, *, repo_type, local_dir, endpoint):
        assert repo_type == "dataset"
        if path == self.broken:
            raise LocalEntryNotFoundError("Connection is gone.\nSecond line.")
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".parquet"):
            row = {"question": "One and one?", "answer": "1+1\n#### 2"}
            pd.DataFrame([row]).to_parquet(target)
        else:
            target.write_text(CONTENTS[path])
        self.fetched.append((repo, path))
        return str(target)


@pytest.mark.parametrize("name", ["toollens", "amazon-electronics"])
def test_a_downloaded_set_loads_from_where_it_was_put(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    there = Hub(monkeypatch)
    found = load(name, download=True)
    assert len(found) == 1
    assert there.fetched == [(file.repo, file.path) for file in SOURCES[name].files]
    told = capsys.readouterr().out
    assert f"about {2 * len(there.fetched):.1f} MB by the hub" in told
    assert all(path in told for _, path in there.fetched)
    assert load(name).ids == found.ids
    load(name, download=True)  # all is there: nobody is asked again
    assert len(there.fetched) == len(SOURCES[name].files)
    assert capsys.readouterr().out == ""


def test_problems_come_from_the_hubs_files(tmp_path, monkeypatch):
    Hub(monkeypatch)
    for split in ("train", "test"):
        found = load_problems("gsm8k", split=split, path=tmp_path / "g", download=True)
        assert [problem.answer for problem in found.problems] == ["2"]
        assert found.source["file"] == f"{split}-00000-of-00001.parquet"
    found = load_problems("math500", split="test", path=tmp_path / "m", download=True)
    assert found.problems[0].id == "x"


def test_no_download_without_being_asked(tmp_path, monkeypatch):
    there = Hub(monkeypatch)
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    for read in (lambda: load("amazon-electronics"), lambda: load_problems("gsm8k"), load_sts):
        with pytest.raises(ValueError, match="CRLIB_DATA"):
            read()
    assert there.fetched == []


def test_the_table_stands_in_where_the_hub_names_no_size(tmp_path, monkeypatch, capsys):
    response = SimpleNamespace(headers={}, request=None)
    Hub(monkeypatch, size=HfHubHTTPError("no", response=response))
    hub.download("amazon-electronics", folder=tmp_path)
    assert "about 6.1 GB as far as known to be downloaded" in capsys.readouterr().out


def test_a_file_that_fails_is_named_and_those_before_it_stay(tmp_path, monkeypatch):
    there = Hub(monkeypatch, broken="queries.jsonl")
    with pytest.raises(ValueError, match=r"queries\.jsonl of Tool-COLT/ToolLens .*is gone\.\)"):
        hub.download("toollens", folder=tmp_path)
    assert [path for _, path in there.fetched] == ["corpus.jsonl"]
    there.broken = ""
    hub.download("toollens", folder=tmp_path)
    assert [path for _, path in there.fetched].count("corpus.jsonl") == 1


def test_a_hub_that_does_not_answer_gives_one_error_and_leaves_nothing(tmp_path, capsys):
    with pytest.raises(ValueError, match=r"math500: test\.jsonl of HuggingFaceH4/MATH-500 could"):
        hub.download("math500", folder=tmp_path / "m", endpoint="http://127.0.0.1:9")
    assert "about 0.4 MB as far as known" in capsys.readouterr().out
    assert not (tmp_path / "m").exists()


def test_what_is_not_on_the_hub_says_how_to_get_it(tmp_path, monkeypatch):
    there = Hub(monkeypatch)
    with pytest.raises(ValueError, match=r"toolbench is not on the hub.*data\.zip"):
        load("toolbench", path=tmp_path, download=True)
    with pytest.raises(ValueError, match="needs no download"):
        load("python-api", download=True)
    with pytest.raises(ValueError, match="no data set 'hammers'"):
        hub.download("hammers")
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    with pytest.raises(ValueError, match="no folder to write to"):
        hub.download("gsm8k")
    assert there.fetched == []


def test_the_table_of_sources_tells_what_is_there(tmp_path, monkeypatch):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    columns = ["set", "what it is", "licence", "citation", "size", "state", "how to get it"]
    nothing = sources_frame()
    assert list(nothing.columns) == columns
    assert set(NAMES) <= set(nothing["set"])
    assert list(nothing["state"]) == ["in the environment"] + ["not found"] * len(SOURCES)
    (tmp_path / "amazon_electronics").mkdir()
    some = sources_frame(tmp_path).set_index("set")
    assert list(some.index[some["state"] == "found"]) == ["amazon-electronics"]
    assert some.loc["amazon-electronics", "size"] == "about 6.1 GB"
    assert "McAuley-Lab/Amazon-Reviews-2023" in some.loc["amazon-electronics", "how to get it"]


def test_every_set_is_in_the_bibliography():
    book = Path(__file__).parents[2] / "book" / "references.bib"
    entries = book.read_text(encoding="utf-8")
    for name, source in SOURCES.items():
        for key in source.keys:
            assert f"{{{key},\n" in entries, (name, key)


def test_the_real_folder_is_found(real):
    frame = sources_frame().set_index("set")
    expected = {"toolbench", "toollens", "amazon-games", "gsm8k", "math500", "sts-b"}
    assert expected <= set(frame.index[frame["state"] == "found"])
