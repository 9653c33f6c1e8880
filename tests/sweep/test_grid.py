"""A grid is checked whole before it runs, and its table leaves nothing out."""

import os
import re
import subprocess

import pandas as pd
import pytest
import yaml

from crlib import io
from crlib.claims import Evidence, Result
from crlib.schemas import SCHEMAS
from crlib.settings import ROOT
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
    assert (found.name, found.profile, found.shards) == ("mine", "smoke", 1)
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
        ("notebooks: {theory/coverage: {k: 5}}", "notebooks.theory/coverage"),
        ("notebooks: {theory/coverage: {out_dir: [x]}}", "'out_dir' is set for the whole grid"),
        ("notebooks: {}", "notebooks: "),
        ("grid: 1", "notebooks: Field required"),
        ("profile: none\nnotebooks: {theory/coverage: {k: [5]}}", "no profile 'none'"),
        ("shards: 0\nnotebooks: {theory/coverage: {k: [5]}}", "shards: "),
        ("a: [", "mine.yaml is not YAML"),
    ],
)
def test_a_faulty_grid_is_one_clear_error(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        grid.read_grid(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_too_many_points_and_wrong_names_are_refused(tmp_path):
    seeds = list(range(grid.MOST + 1))
    text = f"notebooks: {{theory/coverage: {{seed: {seeds}}}}}"
    with pytest.raises(ValueError, match="more than 10,000 points"):
        grid.read_grid(written(tmp_path, text))
    with pytest.raises(ValueError, match="expected lower-case letters"):
        grid.read_grid(written(tmp_path, GOOD, "My grid.yaml"))
    with pytest.raises(ValueError, match="no such grid"):
        grid.read_grid(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_projects_grids_can_be_read(path):
    assert len(grid.read_grid(path).points) >= 6


def evidence(verdict="supported"):
    return Evidence(id="C3.raw", group="BERT / SimCSE", statistic="s", estimate=-0.5, ci_low=-1.0,
                    ci_high=-0.25, level=0.95, n=7, unit="action", verdict=verdict)  # fmt: skip


def test_the_table_has_a_row_for_every_point(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "BUILD", tmp_path)
    found = grid.read_grid(written(tmp_path, GOOD))
    done, changed = found.points[0], found.points[1]
    record = {"seconds": 2.5, "commit": "abc", "dirty": False, "date": "2026-01-01"}
    for point, seed in ((done, 0), (changed, 7)):
        result = Result(
            notebook=point.notebook, claims=(evidence(),), numbers={},
            parameters={**point.parameters, "seed": seed}, provenance=record,
        )  # fmt: skip
        io.write_json(found.folder / "results" / point.run / "result.json", result.model_dump())
    table = gather.write_table(found)
    assert list(table["run"]) == [point.run for point in found.points]
    assert list(table["state"]) == ["done", *["not run"] * 4], "another seed is another point"
    read = pd.read_csv(found.folder / "table.csv")
    assert read.loc[0, ["part", "estimate", "verdict", "k", "seed", "commit"]].tolist() == [
        "C3.raw", -0.5, "supported", 10, 0, "abc",
    ]  # fmt: skip


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
    found = grid.read_grid(path)
    local = make.command(path, found, jobs=3, executor="local")
    assert local[local.index("--cores") + 1] == "3"
    assert f"sweep={path}" in local
    cluster = make.command(path, found, jobs=3, executor="slurm")
    assert "--cores" not in cluster
    assert cluster[cluster.index("--profile") + 1] == str(ROOT / "profiles" / "slurm")


def series(verdicts, axis="k", part="C3.raw", group="a"):
    rows = [
        {"notebook": "theory/coverage", "run": f"{axis}{value}{group}", "state": "done",
         "part": part, "group": group, "estimate": 0.0, "ci_low": -1.0, "ci_high": 1.0,
         "verdict": verdict, "commit": "c", "date": "d", "seconds": 1.0, axis: value}
        for value, verdict in verdicts.items()
    ]  # fmt: skip
    return rows


def test_the_atlas_tells_what_holds_fades_and_flips():
    judged = SCHEMAS["theory/coverage"].model_fields["k"].default
    same = series({10: "supported", judged: "supported"}, group="a")
    fades = series({10: "inconclusive", judged: "supported"}, group="b")
    turns = series({10: "not supported", judged: "supported"}, group="c")
    both = {**same[0], "limit": 400, "k": 30}  # two axes at once
    lost = {**same[0], "state": "not run", "k": 99}
    frame = atlas.along_axes(pd.DataFrame([*turns, *same, *fades, both, lost]))
    assert len(frame) == 6
    assert set(frame["judged"]) == {judged}
    found = atlas.flips(frame).set_index("group")
    assert found["kind"].to_dict() == {"a": "holds", "b": "fades", "c": "flips"}
    assert found["others"].to_dict() == {
        "a": "the same", "b": "inconclusive at 10", "c": "not supported at 10",
    }  # fmt: skip
    with pytest.raises(ValueError, match="no run that changes one of limit, m, k, t alone"):
        atlas.along_axes(pd.DataFrame([both]))


def test_a_table_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no such table"):
        atlas.read_table(str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match="it lacks ci_high, ci_low"):
        atlas.read_table(str(written(tmp_path, "a,b\n1,2\n", "a.csv")))


def test_costs_on_paper_follow_from_their_assumptions():
    cost = on_paper.embedding_cost(
        1_000_000, parameters=1e8, dimensions=1000, tokens=50, sustained=1e13, bandwidth=1e10,
        rows_a_job=300_000,
    )  # fmt: skip
    assert cost.jobs == 4
    assert cost.device_hours == pytest.approx(2 * 1e8 * 50 * 1e6 / 1e13 / 3600)
    assert (cost.float32, cost.codes, cost.scan_seconds) == (4.0, 1.0, pytest.approx(0.1))
    with pytest.raises(ValueError, match="must be positive"):
        on_paper.embedding_cost(0, parameters=1, dimensions=1)
    table = on_paper.table_markdown()
    assert table.count("\n| ") == 6
    assert "nothing of this was run" in table


def test_models_of_a_hub_ask_for_an_accelerator(tmp_path):
    """A dry run with the cluster's profile: shards and vectors by class of model."""
    path = written(tmp_path, "profile: paper\nshards: 2\nnotebooks: {theory/coverage: "
                   "{model: [bert-base], limit: [2000]}}\n")  # fmt: skip
    command = make.command(path, grid.read_grid(path), jobs=2, executor="slurm")
    command[command.index("--directory") + 1] = str(tmp_path)
    done = subprocess.run(
        [*command, "--dry-run"], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=os.environ | {"CRLIB_BUILD": str(tmp_path)}, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counts = dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))
    # Two models of the hub (the pair of the one that is asked for), the rest in one job.
    assert (counts["hub_shard"], counts["hub_vectors"]) == ("4", "2")
    assert (counts["vector_shard"], counts["vectors"], counts["notebook"]) == ("2", "1", "1")
    classes = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["set-resources"]
    asking = {rule for rule, resources in classes.items() if "gres" in resources}
    assert asking == {"hub_shard", "hub_vectors"}
    assert set(counts) - {"all", "total"} <= set(classes), "a rule without a class"
