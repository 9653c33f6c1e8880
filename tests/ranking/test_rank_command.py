"""`crlib rank` from files to a table and a report; on real tools too."""

import csv
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from typer.testing import CliRunner

from crlib import extractors, metrics, provenance, ranking
from crlib.cli import app
from crlib.data import load
from crlib.ranking import report

K = 120
HOSTILE = "<script>alert('x')</script>&\"'[bold]"


@pytest.fixture
def files(tmp_path):
    """Actions, rewards and two embeddings, of which one holds the rewards."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((K, 8))
    reward = X @ rng.standard_normal(8) + 0.5 * rng.standard_normal(K)
    with open(tmp_path / "actions.csv", "w", newline="") as file:
        rows = [(f"id{i}", f"{HOSTILE} number {i}") for i in range(K)]
        csv.writer(file).writerows([("id", "text"), *rows])
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        rows = [(f"id{i}", reward[i], "" if i % 2 else reward[i] ** 2) for i in range(0, K)]
        csv.writer(file).writerows([("id", f"clicks {HOSTILE}", "squares"), *rows])
    np.save(tmp_path / "good.npy", X)
    np.save(tmp_path / "poor.npy", rng.standard_normal((K, 8)))
    return tmp_path


def call(folder, *arguments, rewards=True):
    command = ["rank", "--actions", str(folder / "actions.csv"), *map(str, arguments)]
    if rewards:
        command += ["--rewards", str(folder / "labels.csv")]
    return CliRunner().invoke(app, command, env={"COLUMNS": "400"})


def test_the_table_names_the_better_embedding(files):
    done = call(files, "--embeddings", files / "poor.npy", "--embeddings", f"A={files}/good.npy")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    rows = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert rows == ["A", "poor", "random", "mean reward"]
    assert "Take A." in done.stdout
    assert f"clicks {HOSTILE}: 120 labels" in done.stdout
    assert "squares: 60 labels" in done.stdout


def test_several_embeddings_after_one_option_are_the_same(files):
    paths = [f"{files}/good.npy", f"b={files}/poor.npy"]
    once = call(files, "--embeddings", *paths, "--json")
    twice = call(files, "--embeddings", paths[0], "--embeddings", paths[1], "--json")
    assert once.exit_code == 0, once.output
    assert once.stdout == twice.stdout
    assert [row["embedding"] for row in json.loads(once.stdout)["table"]][:2] == ["good", "b"]


def test_json_is_what_the_library_says(files):
    done = call(files, "--embeddings", f"{files}/good.npy", "--json", "--seed", "5")
    found = json.loads(done.stdout)
    actions = ranking.read_actions(files / "actions.csv")
    rewards = ranking.read_rewards(files / "labels.csv", actions.ids)
    rows = report.unit_rows(np.load(files / "good.npy"))
    again = ranking.rank_embeddings({"good": rows}, rewards.values, tasks=rewards.tasks, seed=5)
    assert found["advice"]["text"] == again.advice.text
    assert found["advice"]["probability"] is None  # one embedding: nothing to be better than
    assert found["table"][0]["r2_low"] == again.table["r2_low"].iloc[0]
    assert found["settings"] == again.settings


def test_progress_does_not_stand_among_the_numbers(files, monkeypatch):
    monkeypatch.setattr("crlib.extractors.encoding.BUILD", files / "build")
    done = call(files, "--embeddings", "simcse", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["table"][0]["embedding"] == "simcse"
    assert "encode simcse" in done.stderr


def test_without_labels_there_is_no_ranking(files):
    done = call(files, "--embeddings", f"{files}/good.npy", "--embeddings", "gaussian",
                "--out", files / "report.html", rewards=False)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "embeddings cannot be ranked" in done.stdout
    assert "R²" not in done.stdout
    assert "<svg" not in (files / "report.html").read_text()


class Page(HTMLParser):
    """Elements and addresses of a page, and its text outside of styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.text, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)
        names = ("src", "href", "srcset", "action", "data", "xlink:href")
        self.addresses += [value for name, value in attributes if name in names]
        self.addresses += [name for name, _ in attributes if name.startswith("on")]

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def test_the_report_is_whole_and_what_comes_from_data_stays_text(files):
    out = files / "sub" / "report.html"
    name = """<script>alert('x')&"[bold]{{7*7}}$x$"""
    done = call(files, "--embeddings", f"{files}/good.npy", f"{name}={files}/poor.npy",
                "--out", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert name in done.stdout
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert page.addresses == []
    assert not re.search(r"url\(|@import|https?:", text)
    assert "<script" not in text
    # In the table and in the words of the figure; a long name is cut in the drawing.
    assert page.text.count(name) >= 3
    assert f"clicks {HOSTILE}" in page.text
    assert page.tags.count("circle") == 3  # two embeddings and noise
    for file in ("actions", "labels"):
        assert sha(files / f"{file}.csv") in page.text
    assert provenance.versions()["numpy"] in page.text
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_call_gives_the_same_bytes(files):
    command = ["--embeddings", f"{files}/good.npy", "--out", files / "r.html"]
    first = call(files, *command), (files / "r.html").read_bytes()
    second = call(files, *command), (files / "r.html").read_bytes()
    assert first[1] == second[1]
    assert first[0].stdout == second[0].stdout
    call(files, *command, "--seed", "9")
    assert (files / "r.html").read_bytes() != first[1]


def test_a_figure_with_a_wild_interval_keeps_its_marks_on_the_page(files):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((30, 200)), rng.standard_cauchy(30)
    found = ranking.rank_embeddings({"wild": X}, y)
    drawn = report.drawing(found)
    for mark in drawn["marks"]:
        assert drawn["left"] <= mark["low"] <= mark["x"] <= mark["high"] <= drawn["width"]
    assert 2 <= len(drawn["ticks"]) <= 10


def npy(folder, name, array, **options):
    np.save(folder / name, array, **options)
    return f"x={folder / name}"


FAULTS = {
    "rows": (lambda f: npy(f, "x.npy", np.ones((7, 3))), "x.npy has 7 rows for 120 texts"),
    "object": (lambda f: npy(f, "x.npy", np.array([{}] * K), allow_pickle=True),
               "Object arrays cannot be loaded"),
    "nan": (lambda f: npy(f, "x.npy", np.full((K, 3), np.nan)), "row 0 is zero or not finite"),
    "flat": (lambda f: npy(f, "x.npy", np.ones(K)), "expected numbers, (n, d)"),
    "absent": (lambda f: f"x={f}/absent.npy", "absent.npy is missing"),
    "unknown": (lambda f: "x=mlm-brt", "Did you mean 'mlm-bert'?"),
    "reserved": (lambda f: f"random={f}/good.npy", "'random' is a control's"),
    "equal": (lambda f: npy(f, "x.npy", np.ones((K, 3))), "'x': X has rows that are all equal"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_embedding_is_named_and_nothing_is_written(files, fault):
    make, message = FAULTS[fault]
    out = files / "report.html"
    done = call(files, "--embeddings", make(files), "--out", out)
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())
    assert not out.exists()
    assert not list(files.glob(".*tmp"))


def test_files_that_are_not_there_are_named(files):
    (files / "labels.csv").unlink()
    done = call(files, "--embeddings", f"{files}/good.npy")
    assert done.exit_code == 2
    assert "labels.csv: no such file" in done.output


def test_a_report_cannot_replace_a_folder(files):
    done = call(files, "--embeddings", f"{files}/good.npy", "--out", files)
    assert done.exit_code == 2
    assert "is a folder; expected a file" in done.output


def test_real_tools_are_ranked_by_how_many_queries_need_them(real, tmp_path):
    """ToolLens: words must tell more of what is needed than noise does, by labels of half."""
    tools = load("toollens")
    needed = np.zeros(len(tools))
    for query in tools.feedback.queries:
        needed[list(query.solution)] += 1
    with open(tmp_path / "actions.csv", "w", newline="") as file:
        rows = zip(tools.ids, tools.texts, strict=True)
        csv.writer(file).writerows([("id", "text"), *rows])
    chosen = np.random.default_rng(0).choice(len(tools), 300, replace=False)
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        rows = ((tools.ids[i], needed[i], np.log1p(needed[i])) for i in chosen)
        csv.writer(file).writerows([("id", "queries", "log queries"), *rows])
    done = call(tmp_path, "--embeddings", "simcse", "lsa", "mlm=mlm-bert", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["settings"]["labels"] == 300
    assert found["settings"]["actions"] == len(tools)
    names = [row["embedding"] for row in found["table"]]
    assert sorted(names[:3]) == ["lsa", "mlm", "simcse"]
    assert names[3:] == ["random", "mean reward"]
    scores = {(row["task"], row["embedding"]): row for row in found["tasks"]}
    # Reference: R^2 of the same labels by the function that the chapters use.
    X, rows = extractors.encode(tools.texts, "lsa"), np.sort(chosen)
    expected = metrics.loo_r2(X[rows], needed[rows])
    assert scores["queries", "lsa"]["r2"] == pytest.approx(expected, abs=1e-9)
