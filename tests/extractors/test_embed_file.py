"""`crlib embed` from every kind of file, and what the doctor says of the hub's models."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from crlib.cli import app
from crlib.extractors import HUB_MODELS, encode
from crlib.extractors.files import embed_file, read_texts
from crlib.extractors.hub import states
from crlib.io import sha256_file

TEXTS = ["sort the tree", "007", "draw a graph, then stop"]


def written(path, texts=TEXTS):
    frame = pd.DataFrame({"text": texts})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        path.write_text("\n".join(texts), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".txt"])
def test_every_kind_of_file_holds_the_same_texts(tmp_path, suffix):
    assert read_texts(written(tmp_path / f"actions{suffix}")) == TEXTS


def test_the_command_writes_rows_and_a_manifest_that_describes_them(tmp_path):
    path, out = written(tmp_path / "actions.csv"), tmp_path / "vectors"
    command = ["embed", "--model", "simcse", "--texts", str(path), "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    rows = np.load(out / "vectors.npy")
    np.testing.assert_allclose(rows, encode(TEXTS, "simcse", cache_dir=tmp_path / "x"), atol=1e-6)
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["count"], manifest["dimensions"]) == (3, 128)
    assert manifest["texts"]["sha256"] == sha256_file(path)
    assert manifest["vectors"]["sha256"] == sha256_file(out / "vectors.npy")
    # The result is a model itself.
    np.testing.assert_allclose(encode(TEXTS, str(out / "vectors.npy")), rows, atol=1e-6)


def test_the_command_takes_options_and_the_manifest_names_them(tmp_path):
    path, out = written(tmp_path / "actions.csv"), tmp_path / "vectors"
    command = ["embed", "--model", "simcse", "--texts", str(path), "--out", str(out),
               "--layer", "1", "--pooling", "max", "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    expected = encode(TEXTS, "simcse", layer=1, pooling="max", cache_dir=tmp_path / "x")
    np.testing.assert_allclose(np.load(out / "vectors.npy"), expected, atol=1e-6)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["options"] == {"layer": 1, "pooling": "max"}


@pytest.mark.parametrize("option", [["--layer", "9"], ["--pooling", "none"], ["--dtype", "int8"],
                                    ["--revision", "main"], ["--device", "gpu"]])  # fmt: skip
def test_the_command_refuses_what_means_nothing(tmp_path, option):
    path, out = written(tmp_path / "actions.csv"), tmp_path / "vectors"
    command = ["embed", "--model", "simcse", "--texts", str(path), "--out", str(out), *option]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert option[0].removeprefix("--") in done.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "name\nx\n", "no column 'text'; it has name"),
        ("a.txt", "", "holds no text"),
        ("a.jsonl", "{", "a.jsonl"),
        ("a.pdf", "x", r"expected \.csv, \.jsonl, \.parquet or \.txt"),
        ("a.parquet", "no parquet", "a.parquet"),
    ],
)
def test_wrong_files_are_refused_and_nothing_is_written(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        embed_file("gaussian", tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_text_that_is_no_text_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": 2}\n')
    with pytest.raises(ValueError, match=r"texts\[1\] is int"):
        embed_file("gaussian", tmp_path / "a.jsonl", tmp_path / "out")


def test_the_doctor_tells_what_fits_with_its_arithmetic(monkeypatch):
    monkeypatch.setattr(states, "is_cached", lambda repo: repo == HUB_MODELS["bert-base"].repo)
    small = {name: (state, what) for name, state, what in states.hub_states(8.0)}
    assert set(small) == set(HUB_MODELS)
    assert small["llama-3-8b"] == (
        "does not fit",
        "8.03 billion parameters x 2 bytes = 16.1 GB, and this machine has 8.0 GB",
    )
    assert small["bert-base"] == ("ready, in the hub's cache", "")
    assert small["simcse-base"][0] == "to be downloaded, about 0.4 GB"
    middle = {name: what for name, _, what in states.hub_states(10.0)}
    assert middle["llama-3-8b"].endswith("has 10.0 GB; with dtype = int8 it is 8.0 GB")
    tiny = {name: what for name, _, what in states.hub_states(0.3)}
    assert tiny["bert-base"].endswith("; with dtype = bfloat16 it is 0.2 GB")
    large = {name: state for name, state, _ in states.hub_states(80.0)}
    assert large["llama-3-8b"] == "gated, about 16.1 GB"
    fetch = {name: what for name, _, what in states.hub_states(80.0)}["llm2vec-llama-3"]
    for adapter in HUB_MODELS["llm2vec-llama-3"].adapters:
        assert f"`hf download {adapter}`" in fetch


def test_a_cache_without_weights_is_not_ready(tmp_path, monkeypatch):
    folder = tmp_path / "models--a--b" / "snapshots" / "0123"
    folder.mkdir(parents=True)
    refs = tmp_path / "models--a--b" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123")
    (folder / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert not states.is_cached("a/b")
    (folder / "model.safetensors").write_bytes(b"weights")
    assert states.is_cached("a/b")
