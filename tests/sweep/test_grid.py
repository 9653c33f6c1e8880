"""A grid is checked whole before it runs, and its table leaves nothing out."""

import hashlib
import os
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
import typer
import yaml

from crlib import io, provenance
from crlib.book import plan
from crlib.claims import Evidence, Result
from crlib.extractors import store
from crlib.extractors.hub.specs import HUB_MODELS
from crlib.schemas import SCHEMAS
from crlib.settings import ROOT, read_profile
from crlib.sweep import atlas, gather, grid, make, on_paper


def written(folder, text, name="mine.yaml"):
    path = folder / name
    path.write_text(text)
    return path


GOOD = """
profile: smoke
notebooks:
  theory/coverage:
    - {k: [10, 30], seed: [0, 1]}
    - k: [10]
"""


def test_points_are_all_combinations_and_each_once(tmp_path):
    found = grid.read_grid(written(tmp_path, GOOD + "  theory/pca_standardisation: {m: [16]}\n"))
    assert (found.name, found.profiles, found.shards) == ("mine", ("smoke",), 1)
    assert [point.run for point in found.points] == [
        "theory/coverage/k-10_seed-0", "theory/coverage/k-10_seed-1",
        "theory/coverage/k-30_seed-0", "theory/coverage/k-30_seed-1", "theory/coverage/k-10",
        "theory/pca_standardisation/m-16",
    ]  # fmt: skip
    first = found.points[0].parameters
    assert (first["k"], first["limit"], first["profile"]) == (10, 400, "smoke")
    again = grid.read_grid(written(tmp_path, GOOD.replace("seed: [0, 1]", "limit: [400]")))
    assert len(again.points) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notebooks: {theory/coverage: {kk: [1]}}", "unknown parameter 'kk'"),
        ("notebooks: {theory/coverage: {k: [1.5]}}", r"parameter k = 1\.5"),
        ("notebooks: {theory/nothing: {k: [1]}}", "no notebook 'theory/nothing'"),
        ("notebooks: {theory/coverage: {k: []}}", r"axis 'k' = \[\]: expected different values"),
        ("notebooks: {theory/coverage: {k: [5, 5]}}", r"axis 'k' = \[5, 5\]: expected different"),
        ("notebooks: {theory/coverage: {k: 5}}", r"axis 'k' = 5: expected a list .* \[5\]"),
        ("notebooks: {theory/coverage: []}", r"theory/coverage = \[\]: expected axes"),
        ("notebooks: {theory/coverage: 5}", "theory/coverage = 5: expected a parameter with"),
        (
            "profil: smoke\nnotebooks: {theory/coverage: {k: [5]}}",
            "unknown key 'profil'; expected profile, shards, notebooks",
        ),
        ("notebooks: {theory/coverage: {model: [./nowhere]}}", r"\./nowhere is missing; expected"),
        ("notebooks: {theory/coverage: {out_dir: [x]}}", "'out_dir' is set for the whole grid"),
        ("notebooks: {}", "notebooks: "),
        ("grid: 1", "notebooks: Field required"),
        ("profile: none\nnotebooks: {theory/coverage: {k: [5]}}", "no profile 'none'"),
        ("shards: 0\nnotebooks: {theory/coverage: {k: [5]}}", "shards: "),
        ("a:\n  - [", "mine.yaml is not YAML: .*expected the node content.* in line 2"),
        ("a:\n\t- b", "not YAML: found character .* in line 2"),
        ("notebooks: {theory/coverage: {k: [5], k: [6]}}", "not YAML: 'k' stands twice"),
        ("notebooks: {theory/coverage: {k: [5]}}\nnotebooks: {}", "'notebooks' stands twice"),
        ("profile: []\nnotebooks: {theory/coverage: {k: [5]}}", r"profile = \[\]: expected"),
        ("profile: [smoke, smoke]\nnotebooks: {theory/coverage: {k: [5]}}", "expected different"),
    ],
)
def test_a_faulty_grid_is_one_clear_error(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        grid.read_grid(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_too_many_points_and_wrong_names_are_refused(tmp_path):
    seeds = list(range(grid.MOST + 1))
    text = f"notebooks: {{theory/coverage: {{seed: {seeds}}}}}"
    with pytest.raises(ValueError, match="10,001 points, more than 10,000"):
        grid.read_grid(written(tmp_path, text))
    # Too many to be made: counted instead.
    axes = ", ".join(f"{name}: {list(range(1000))}" for name in ("seed", "k", "limit", "ks"))
    with pytest.raises(ValueError, match="1,000,000,000,000 points"):
        grid.read_grid(written(tmp_path, f"notebooks: {{theory/coverage: {{{axes}}}}}"))
    with pytest.raises(ValueError, match="expected lower-case letters"):
        grid.read_grid(written(tmp_path, GOOD, "My grid.yaml"))
    with pytest.raises(ValueError, match="no such grid"):
        grid.read_grid(tmp_path / "none.yaml")


def test_points_that_look_alike_in_a_path_are_two_points(tmp_path):
    text = 'notebooks: {theory/coverage: {packages: ["json,numpy", json-numpy], k: [30]}}'
    points = grid.read_grid(written(tmp_path, text)).points
    assert [point.parameters["packages"] for point in points] == ["json,numpy", "json-numpy"]
    assert len({point.run for point in points}) == 2


def test_the_order_of_axes_and_how_a_value_is_written_make_no_point(tmp_path):
    text = """
notebooks:
  theory/alignment_uniformity:
    - {t: [1, 2], seed: [0]}
    - {seed: [0], t: [1.0, 2.0]}
"""
    found = grid.read_grid(written(tmp_path, text)).points
    assert [point.parameters["t"] for point in found] == [1.0, 2.0]


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"profile: \xff\n")
    with pytest.raises(ValueError, match=r"mine\.yaml: expected text in UTF-8"):
        grid.read_grid(path)


def test_a_model_of_ones_own_is_named_from_the_projects_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "notebooks: {theory/coverage: {model: [./models/simcse]}}")
    (point,) = grid.read_grid(path).points
    files = plan.own_files(point.parameters)
    assert ROOT / "models" / "simcse" / "config.json" in files
    assert plan.own_files({"model": "simcse"}) == plan.own_files({"model": "org/name"}) == []
    (tmp_path / "mine.npy").write_bytes(b"1")
    mine = str(tmp_path / "mine.npy")
    for named in ({"model": mine}, {"table": mine}, {"embeddings": f"a={mine} simcse"}):
        assert plan.own_files(named) == [tmp_path / "mine.npy"]


def test_vectors_are_made_in_parts_again_where_they_are_stale(tmp_path):
    marker, source = tmp_path / "m.json", tmp_path / "s.py"
    assert not plan.up_to_date(marker, [])
    for path, time in ((marker, 20), (source, 10)):
        path.write_text("")
        os.utime(path, (time, time))
    assert plan.up_to_date(marker, [source])
    os.utime(source, (30, 30))
    assert not plan.up_to_date(marker, [source])
    assert not plan.up_to_date(marker, [tmp_path / "none"])


def test_several_profiles_are_an_axis(tmp_path):
    text = "profile: [smoke, laptop]\nnotebooks: {theory/coverage: {k: [30]}}"
    found = grid.read_grid(written(tmp_path, text))
    assert {point.run: point.parameters["limit"] for point in found.points} == {
        "theory/coverage/profile-smoke_k-30": 400, "theory/coverage/profile-laptop_k-30": 12000,
    }  # fmt: skip


def test_points_share_their_catalogue_and_vectors(tmp_path):
    """Only what the texts depend on makes another set of vectors."""
    text = "profile: smoke\nnotebooks: {theory/coverage: {k: [10, 30], limit: [100, 200]}}"
    points = grid.read_grid(written(tmp_path, text)).points
    assert len(points) == 4
    assert len({plan.data_key(dict(point.parameters)) for point in points}) == 1
    keys = {(p.axes["limit"], plan.vectors_key(dict(p.parameters))) for p in points}
    assert len(keys) == 2


@pytest.mark.parametrize("path", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_projects_grids_can_be_read(path):
    assert len(grid.read_grid(path).points) >= 6


def evidence(verdict="supported"):
    return Evidence(id="C3.raw", group="BERT / SimCSE", statistic="s", estimate=-0.5, ci_low=-1.0,
                    ci_high=-0.25, level=0.95, n=7, unit="action", verdict=verdict)  # fmt: skip


def test_the_table_has_a_row_for_every_point(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    found = grid.read_grid(written(tmp_path, GOOD))
    done, changed, half = found.points[:3]
    machine = {"system": "S", "processor": "P", "cores": 2}
    record = {"seconds": 2.5, "commit": "abc", "dirty": False, "date": "2026-01-01",
              "machine": machine, "versions": {"numpy": "2"}}  # fmt: skip
    for point, seed in ((done, 0), (changed, 7), (half, 0)):
        result = Result(
            notebook=point.notebook, claims=(evidence(),), numbers={},
            parameters={**point.parameters, "seed": seed}, provenance=record,
        )  # fmt: skip
        io.write_json(found.folder / "results" / point.run / "result.json", result.model_dump())
        if point is not half:  # its notebook did not come to its end
            io.write_text(found.folder / "source" / "book" / f"{point.run}.ipynb", "{}")
    # Each that ran has a log; which of them have failed this call knows.
    logs = [found.folder / "logs" / f"{point.run}.log" for point in found.points[:4]]
    for log in logs:
        io.write_text(log, "Traceback\ncoverage: no memory\n")
    table = gather.write_table(found, logs[3:])
    assert list(table["run"]) == [point.run for point in found.points]
    # Another seed is another point.
    assert list(table["state"]) == ["done", "not run", "not run", "failed", "not run"]
    assert table["note"].tolist()[1:4] == [
        "there is a result of other parameters", None, "coverage: no memory",
    ]  # fmt: skip
    made = io.read_json(found.folder / "table.json")
    assert (made["points"], made["done"], made["machines"]) == (5, 1, [machine])
    assert (made["commits"], made["versions"]) == (["abc"], {"numpy": ["2"]})
    read = pd.read_csv(found.folder / "table.csv")
    assert read.loc[0, ["part", "estimate", "verdict", "k", "seed", "commit"]].tolist() == [
        "C3.raw", -0.5, "supported", 10, 0, "abc",
    ]  # fmt: skip


def test_whole_numbers_stay_whole_beside_a_gap(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    text = "notebooks: {theory/coverage: [seed: [20240101, 20240102], k: [10]]}"
    found = grid.read_grid(written(tmp_path, text))
    gather.write_table(found)
    lines = (found.folder / "table.csv").read_text().splitlines()
    column = lines[0].split(",").index("seed")
    assert [line.split(",")[column] for line in lines[1:]] == ["20240101", "20240102", ""]


def test_a_result_that_cannot_be_read_is_a_row_of_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    found = grid.read_grid(written(tmp_path, "notebooks: {theory/coverage: {k: [10, 30]}}"))
    for point, content in zip(found.points, ("{}", "{"), strict=True):
        io.write_text(found.folder / "results" / point.run / "result.json", content)
        io.write_text(found.folder / "source" / "book" / f"{point.run}.ipynb", "{}")
    table = gather.write_table(found)
    assert table["state"].tolist() == ["not run", "not run"]
    assert "is no result of this version; delete it" in table.loc[0, "note"]
    assert "is not valid JSON" in table.loc[1, "note"]


def test_requests_name_their_own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    found = grid.read_grid(written(tmp_path, GOOD))
    grid.write_requests(found)
    request = io.read_json(tmp_path / "sweeps/mine/requests/theory/coverage/k-30_seed-1.json")
    assert request["results"] == "sweeps/mine/results/theory/coverage/k-30_seed-1"
    assert request["parameters"]["k"] == 30
    assert request["claims"][0]["id"] == "C3"


def test_an_executor_is_a_folder_of_profiles(tmp_path):
    path = written(tmp_path, GOOD)
    local = make.command(path, jobs=3, executor="local")
    assert local[local.index("--cores") + 1] == "3"
    assert f"sweep={path}" in local
    cluster = make.command(path, jobs=3, executor="slurm")
    assert "--cores" not in cluster
    assert cluster[cluster.index("--profile") + 1] == str(ROOT / "profiles" / "slurm")
    assert cluster[cluster.index("--jobs") + 1] == "3"
    # Without a number the profile's holds.
    assert "--jobs" not in make.command(path, jobs=None, executor="slurm")


def test_what_must_be_fetched_is_said_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    monkeypatch.setattr(make, "only_one", lambda lock: pytest.fail("it went on"))
    text = "notebooks: {usecases/tools: {dataset: [toolbench], n_seeds: [1]}}"
    with pytest.raises(typer.Exit):
        make.make(written(tmp_path, text), jobs=1, executor="local")
    assert "toolbench: not found" in capsys.readouterr().err


def test_a_model_too_large_for_this_machine_may_fit_a_clusters(tmp_path, monkeypatch):
    from crlib.extractors.hub import states

    monkeypatch.setattr(states, "machine_memory", lambda: 1.0)
    monkeypatch.setattr(states, "is_cached", lambda repo: True)
    text = "notebooks: {theory/coverage: {model: [llama-3-8b]}}"
    found = grid.read_grid(written(tmp_path, text))
    with pytest.raises(RuntimeError, match="llama-3-8b: does not fit"):
        make.refuse_what_is_missing(found)
    make.refuse_what_is_missing(found, "slurm")


def series(verdicts, axis="k", part="C3.raw", group="a"):
    rows = [
        {"notebook": "theory/coverage", "run": f"{axis}{value}{group}", "state": "done",
         "part": part, "group": group, "estimate": 0.0, "ci_low": -1.0, "ci_high": 1.0,
         "verdict": verdict, "commit": "c", "date": "d", "seconds": 1.0, axis: value}
        | {"estimate": 0.01 * place}
        for place, (value, verdict) in enumerate(verdicts.items())
    ]  # fmt: skip
    return rows


def test_the_atlas_tells_what_holds_fades_and_flips():
    judged = SCHEMAS["theory/coverage"].model_fields["k"].default
    same = series({10: "supported", judged: "supported"}, group="a")
    fades = series({10: "inconclusive", judged: "supported"}, group="b")
    turns = series(
        {10: "not supported", 20: "inconclusive", judged: "supported", 2000: "not supported"},
        group="c",
    )
    emerges = series({10: "supported", judged: "inconclusive"}, group="d")
    idle = [row | {"estimate": 0.0} for row in series({10: "supported", judged: "supported"},
                                                      group="e")]  # fmt: skip
    both = {**same[0], "limit": 400, "k": 30}  # two axes at once
    other = {**same[0], "model": "simcse", "k": 30}  # one is none of those that are drawn
    lost = {**same[0], "state": "not run", "k": 99}
    frame = atlas.along_axes(
        pd.DataFrame([*turns, *same, *fades, *emerges, *idle, both, other, lost])
    )
    assert len(frame) == 12
    assert set(frame["judged"]) == {judged}
    found = atlas.flips(frame).set_index("group")
    assert found["kind"].to_dict() == {
        "a": "holds", "b": "fades", "c": "flips", "d": "emerges", "e": "idle",
    }  # fmt: skip
    assert found["others"].to_dict() == {
        "a": "the same", "b": "inconclusive at 10",
        "c": "not supported at 10; 2,000, inconclusive at 20",
        "d": "supported at 10", "e": "the same",
    }  # fmt: skip
    with pytest.raises(
        ValueError, match="no run that changes one of limit, m, k, n_labels, t, seed alone"
    ):
        atlas.along_axes(pd.DataFrame([both]))


def test_profiles_are_lines_of_their_own_each_with_its_judged_value():
    rows = [
        row | {"profile": profile}
        for profile in ("laptop", "paper") for row in series({10: "supported", 20: "supported"})
    ]  # fmt: skip
    frame = atlas.along_axes(pd.DataFrame(rows))
    assert len(frame) == 4
    usual = {name: read_profile(name)["theory/coverage"] for name in ("laptop", "paper")}
    default = SCHEMAS["theory/coverage"].model_fields["k"].default
    assert dict(zip(frame["group"], frame["judged"], strict=True)) == {
        f"a ({name})": values.get("k", default) for name, values in usual.items()
    }


def test_ones_own_table_is_read_once_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(atlas, "OWN", tmp_path / "own.csv")
    assert atlas.table_file() == atlas.MEASURED
    for states, file in ((["failed", "done"], atlas.MEASURED), (["done"], atlas.OWN)):
        pd.DataFrame({"state": states}).to_csv(atlas.OWN, index=False)
        assert atlas.table_file() == file
    assert str(atlas.table_file("mine.csv")) == "mine.csv"


def test_what_the_atlas_reads_is_in_its_record(tmp_path):
    rows = pd.DataFrame(series({10: "supported", 20: "supported"}))
    rows.to_csv(tmp_path / "t.csv", index=False)
    io.write_json(tmp_path / "t.json", {"machines": []})
    provenance.forget_inputs()
    assert len(atlas.read_table(str(tmp_path / "t.csv"))) == 2
    assert atlas.read_record(str(tmp_path / "t.csv")) == {"machines": []}
    hashes = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
              for name in ("t.csv", "t.json")}  # fmt: skip
    assert provenance.collect()["inputs"] == hashes


def test_a_table_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no such table"):
        atlas.read_table(str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match="it lacks ci_high, ci_low"):
        atlas.read_table(str(written(tmp_path, "a,b\n1,2\n", "a.csv")))


def test_costs_on_paper_follow_from_their_assumptions(tmp_path):
    cost = on_paper.embedding_cost(
        1_000_000, parameters=1e8, dimensions=1000, tokens=50, sustained=1e13, bandwidth=1e10,
        rows_a_job=300_000,
    )  # fmt: skip
    assert cost.jobs == 4
    assert cost.tokens_a_second == 50_000
    assert cost.job_hours == pytest.approx(300_000 * 50 / 50_000 / 3600)
    assert (cost.weights, cost.job_rows) == (pytest.approx(0.2), pytest.approx(1.2))
    assert cost.device_hours == pytest.approx(2 * 1e8 * 50 * 1e6 / 1e13 / 3600)
    assert (cost.float32, cost.codes, cost.scan_seconds) == (4.0, 1.0, pytest.approx(0.1))
    with pytest.raises(ValueError, match="must be positive"):
        on_paper.embedding_cost(0, parameters=1, dimensions=1)
    keys = [io.sha256_text(str(i)) for i in range(4096)]
    store.write_rows(tmp_path, {"name": "m"}, keys, np.zeros((4096, 2), dtype=np.float32))
    (manifest,) = tmp_path.glob("*.json")
    assert manifest.stat().st_size / 4096 == pytest.approx(on_paper.MANIFEST, rel=0.02)
    table = on_paper.table_markdown()
    paired = [name for name, spec in HUB_MODELS.items() if spec.counterpart]
    assert {name: table.count(f"\n| {name} |") for name in paired} == dict.fromkeys(paired, 2)
    assert "| llama-3-8b | 8 billion | 6,480 | 1,000 | 0.27 | 275 |" in table
    assert "nothing of this was run" in table


@pytest.mark.parametrize(
    ("target", "jobs"),
    [
        ("shards", {"hub_shard": "4", "vector_shard": "2", "catalogue": "1"}),
        ("all", {"hub_vectors": "2", "vectors": "1", "notebook": "1", "catalogue": "1"}),
    ],
)
def test_models_of_a_hub_ask_for_an_accelerator(tmp_path, target, jobs):
    """A dry run with the cluster's profile: the pair of a hub's model, the rest in one job."""
    text = "profile: paper\nshards: 2\nnotebooks: {theory/coverage: {model: [bert-base]}}\n"
    command = make.command(written(tmp_path, text), jobs=2, executor="slurm", target=target)
    command[command.index("--directory") + 1] = str(tmp_path)
    done = subprocess.run(
        [*command[:-2], "--dry-run", *command[-2:]], cwd=ROOT, capture_output=True, text=True,
        timeout=120, env=os.environ | {"CRLIB_BUILD": str(tmp_path)}, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counts = dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))
    assert {rule: counts.get(rule) for rule in jobs} == jobs
    classes = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["set-resources"]
    asking = {rule for rule, resources in classes.items() if "gres" in resources}
    assert asking == {"hub_shard", "hub_vectors"}
    assert set(counts) - {"all", "shards", "total"} <= set(classes), "a rule without a class"
