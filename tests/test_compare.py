"""Two runs side by side: every difference is found, and nothing else."""

import json
import math

import pytest
from typer.testing import CliRunner

from crlib import io
from crlib.claims import Evidence, Result
from crlib.cli import app
from crlib.compare import Change, compare, gathered, numbers_of


def evidence(estimate=0.2, half=0.1, verdict="supported", group="BERT / SimCSE"):
    return Evidence(
        id="C1a.direction", group=group, statistic="s", unit="action", estimate=estimate,
        ci_low=estimate - half, ci_high=estimate + half, level=0.95, n=100, verdict=verdict,
    )  # fmt: skip


def result(claims=(), numbers=None, parameters=None, commit="abc", seconds=1.0):
    return Result(
        notebook="theory/coverage", claims=tuple(claims), numbers=numbers or {},
        parameters=parameters or {"k": 5},
        provenance={"commit": commit, "versions": {"numpy": "2"}, "seconds": seconds},
    )  # fmt: skip


def changes(a, b, **options):
    return compare({a.notebook: a}, {b.notebook: b}, **options)


def run_in(folder, run):
    io.write_json(folder / run.notebook / "result.json", run.model_dump())
    return folder


def test_a_changed_metric_shows_up_on_the_page(tmp_path):
    """A deliberate change: the same run, once with the estimate of another formula."""
    a = run_in(tmp_path / "a", result([evidence(0.2)], {"x": 1.0, "<b>": 2}))
    b = run_in(
        tmp_path / "b", result([evidence(-0.2, verdict="not supported")], {"x": 1.5, "<b>": 3})
    )
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["diff", str(a), str(b), "--out", str(page)])
    assert done.exit_code == 1
    text = page.read_text()
    assert "<h1>1 verdict changed, 1 pair of intervals apart, in 1 page</h1>" in text
    assert text.count('<tr class="flipped">') == 1
    assert "0.2 [0.1, 0.3]" in text
    assert "-0.2 [-0.3, -0.1]" in text
    assert "<td>x</td><td>1</td><td>1.5</td>" in text
    assert "Numbers that differ: 2 of 2" in text
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    done = CliRunner().invoke(app, ["diff", str(a), str(a), "--out", str(page)])
    assert done.exit_code == 0
    text = page.read_text()
    assert "<h1>0 verdicts changed, 0 pairs of intervals apart, in 1 page</h1>" in text
    assert 'class="flipped"' not in text
    assert "All 2 numbers are the same" in text


def test_a_run_is_the_same_as_itself_however_long_it_took():
    assert (
        changes(
            result([evidence()], {"x": math.nan}), result([evidence()], {"x": math.nan}, seconds=9)
        )
        == []
    )


def test_parameters_versions_and_commit_are_inputs():
    found = changes(result(), result(parameters={"k": 6, "t": 2}, commit="def"))
    assert {(c.kind, c.name, c.a, c.b) for c in found} == {
        ("input", "parameters.k", 5, 6), ("input", "parameters.t", None, 2),
        ("input", "commit", "abc", "def"),
    }  # fmt: skip


def test_numbers_differ_beyond_the_tolerance_only():
    a, b = (
        result(numbers={"x": 1.0, "y": 3, "z": "one"}),
        result(numbers={"x": 1.001, "y": 3, "z": "two"}),
    )
    assert [c.name for c in changes(a, b)] == ["x", "z"]
    assert [c.name for c in changes(a, b, tolerance=0.01)] == ["z"]
    with pytest.raises(ValueError, match="tolerance = -1"):
        changes(a, b, tolerance=-1)


def test_numbers_in_tables_and_lists_are_compared_one_by_one():
    rows = [{"K": 10, "s": 1.0}, {"K": 20, "s": 2.0}]
    a = result(numbers={"costs": rows, "ends": [1.0, 2.0], "same": [1, [2.0, "x"]]})
    moved = [rows[0], {"K": 20, "s": 2.1}]
    b = result(numbers={"costs": moved, "ends": [1.0, 2.001], "same": [1, [2.0 + 1e-12, "x"]]})
    found = [(c.name, c.a, c.b) for c in changes(a, b)]
    assert found == [("costs.20.s", 2.0, 2.1), ("ends", [1.0, 2.0], [1.0, 2.001])]
    assert [c.name for c in changes(a, b, tolerance=0.01)] == ["costs.20.s"]
    # A row that is missing moves no other.
    shorter = result(numbers={"costs": moved[1:], "ends": [1.0], "same": [1, [2.0, "x"]]})
    assert {c.name for c in changes(b, shorter)} == {"costs.10.K", "costs.10.s", "ends"}


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([{"model": "a", "d": 1}, {"model": "b", "d": 2}], {"t.a.model", "t.a.d", "t.b.model",
                                                            "t.b.d"}),
        ([{"model": "a"}, {"model": "a"}], {"t.0.model", "t.1.model"}),
        ([{"x": 0.5}, {"x": 1.5}], {"t.0.x", "t.1.x"}),
        ([{"x": 1}, {"x": "1"}], {"t.0.x", "t.1.x"}),
        ([{"x": True}, 5], {"t.0.x", "t.1"}),
    ],
)  # fmt: skip
def test_rows_are_called_by_their_first_cell_where_it_tells_them_apart(rows, names):
    assert set(numbers_of(result(numbers={"t": rows}))) == names


def test_inputs_that_differ_alike_are_told_once():
    pages = [f"a/{i}" for i in range(5)]
    found = gathered(
        [
            *(Change(page, "input", "commit", "abc", "def") for page in pages),
            *(Change(page, "input", "versions.numpy", "1", "2") for page in pages[:2]),
            Change("a/0", "input", "versions.numpy", "1", "3"),
            *(Change(page, "number", "x", 1, 2) for page in pages[:2]),
        ]
    )
    assert [(c.notebook, c.name, c.b) for c in found] == [
        ("5 pages", "commit", "def"), ("a/0, a/1", "versions.numpy", "2"),
        ("a/0", "versions.numpy", "3"), ("a/0", "x", 2), ("a/1", "x", 2),
    ]  # fmt: skip


def test_a_verdict_that_flips_is_no_mere_move_of_an_interval():
    (moved,) = changes(result([evidence()]), result([evidence(0.25)]))
    assert (moved.kind, moved.overlap) == ("interval", True)
    (flipped,) = changes(result([evidence()]), result([evidence(-0.2, verdict="not supported")]))
    assert (flipped.kind, flipped.overlap) == ("verdict", False)
    assert flipped.name == "C1a.direction, BERT / SimCSE"
    assert flipped.b == "not supported: -0.2 [-0.3, -0.1]"


def test_a_verdict_that_flips_shows_though_its_interval_stays():
    """An older run under another rule, or an end that crosses a threshold within the tolerance."""
    (found,) = changes(result([evidence()]), result([evidence(verdict="inconclusive")]))
    assert (found.kind, found.overlap) == ("verdict", True)
    near = result([evidence(0.2001, verdict="inconclusive")])
    (found,) = changes(result([evidence()]), near, tolerance=0.01)
    assert found.kind == "verdict"


def test_a_pair_that_was_not_run_is_no_flip(tmp_path):
    a, b = result([evidence(), evidence(group="mine")]), result([evidence()])
    (found,) = changes(a, b)
    assert (found.kind, found.name, found.b, found.overlap) == (
        "not run", "C1a.direction, mine", None, None,
    )  # fmt: skip
    folders = [str(run_in(tmp_path / name, run)) for name, run in (("a", a), ("b", b))]
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["diff", *folders, "--out", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert "<h1>0 verdicts changed" in text
    assert "Judged in one run only: 1 interval." in text
    assert 'class="flipped"' not in text


def test_what_an_interval_is_about_is_an_input():
    other = evidence().model_copy(update={"n": 50, "statistic": "t"})
    found = changes(result([evidence()]), result([other]))
    assert {(c.kind, c.name, c.a, c.b) for c in found} == {
        ("input", "C1a.direction, BERT / SimCSE: n", 100, 50),
        ("input", "C1a.direction, BERT / SimCSE: statistic", "s", "t"),
    }


def test_a_page_of_one_run_only_is_named():
    (found,) = compare({}, {"theory/coverage": result()})
    assert (found.kind, found.a, found.b) == ("notebook", None, "present")


@pytest.fixture
def folders(tmp_path):
    for name, estimate, verdict in (("a", 0.2, "supported"), ("b", -0.2, "not supported")):
        one = result([evidence(estimate, verdict=verdict)], {"x": estimate, "what": "[bold]"})
        io.write_json(tmp_path / name / "theory" / "result.json", one.model_dump())
    return tmp_path


def test_the_command_ends_with_1_when_a_verdict_flipped(folders):
    done = CliRunner().invoke(app, ["diff", str(folders / "a"), str(folders / "b")])
    assert done.exit_code == 1
    assert "2 differences in 1 pages, 1 verdicts changed." in done.stdout
    same = CliRunner().invoke(app, ["diff", str(folders / "a"), str(folders / "a"), "--json"])
    assert (same.exit_code, json.loads(same.stdout)) == (0, [])


def test_a_folder_without_results_is_refused(folders):
    done = CliRunner().invoke(app, ["diff", str(folders / "a"), str(folders / "none")])
    assert done.exit_code == 2
    assert "result.json" in done.output


def test_runs_that_cannot_be_compared_are_refused(tmp_path):
    a = run_in(tmp_path / "a", result())
    other = result().model_copy(update={"notebook": "theory/regret"})
    b = run_in(tmp_path / "b", other)
    done = CliRunner().invoke(app, ["diff", str(a), str(b)], env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert "no notebook was run in both" in done.output
    assert "theory/coverage" in done.output
    assert "theory/regret" in done.output
    done = CliRunner().invoke(app, ["diff", str(a), str(a), "--out", str(tmp_path)])
    assert done.exit_code == 2, "a folder is no page"
    assert list(tmp_path.glob(".*")) == []
    notebook = tmp_path / "out.ipynb"
    notebook.write_text("{}")
    done = CliRunner().invoke(app, ["diff", str(a), str(notebook)], env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert "build/runs" in done.output


def test_two_runs_of_a_notebook_in_one_folder_are_refused(tmp_path):
    run_in(tmp_path / "runs" / "seed-0", result(numbers={"x": 1}))
    run_in(tmp_path / "runs" / "copy", result(numbers={"x": 1}))
    same = CliRunner().invoke(app, ["diff", str(tmp_path), str(tmp_path)])
    assert same.exit_code == 0, "a copy is no second run"
    run_in(tmp_path / "runs" / "seed-1", result(numbers={"x": 2}))
    done = CliRunner().invoke(app, ["diff", str(tmp_path), str(tmp_path)], env={"COLUMNS": "900"})
    assert done.exit_code == 2
    assert "more than one run of theory/coverage" in done.output
    assert "seed-1" in done.output
