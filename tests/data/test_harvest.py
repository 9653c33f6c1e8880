"""The harvest against a package whose contents are known, and against small standard modules."""

import inspect
import json
import statistics
import textwrap
import types

import pandas as pd
import pytest

from crlib.data import harvest
from crlib.data.harvest import action_text, catalogue, harvest_package, merge, package_versions
from crlib.data.harvest_worker import clean, examples, see_also, split_docstring

EXPECTED = {
    "oddpkg.pack": "function",
    "oddpkg.Box": "class",
    "oddpkg.Box.unpack": "method",
    "oddpkg.Box.empty": "method",
    "oddpkg.tools.Crate": "class",
    "oddpkg.more.weigh": "function",
    "oddpkg.asks.reply": "function",
    **{f"oddpkg.same.f{i}": "function" for i in range(6)},
}


@pytest.fixture(scope="module")
def by_id(odd_harvest):
    return {record["id"]: record for record in odd_harvest["records"]}


def test_exactly_the_documented_public_callables_are_found(by_id):
    # No dunder, private or undocumented ones, no property, no test, nothing of json's.
    assert {name: record["kind"] for name, record in by_id.items()} == EXPECTED


def test_an_object_with_several_names_is_one_action_under_its_shortest(by_id):
    assert by_id["oddpkg.pack"]["aliases"] == [
        "oddpkg.more.pack",
        "oddpkg.tools.pack",
        "oddpkg.wrap",
    ]
    assert by_id["oddpkg.pack"]["defined"] == "oddpkg.tools.pack"


def test_failed_imports_are_named_with_their_reason_and_end_nothing(odd_harvest):
    failures = odd_harvest["failures"]
    assert set(failures) == {"oddpkg.leaves", "oddpkg.lacks", "oddpkg.raises"}
    assert failures["oddpkg.leaves"].startswith("SystemExit")
    assert "a_package_that_nobody_has" in failures["oddpkg.lacks"]
    assert failures["oddpkg.raises"] == "ValueError: broken on purpose"


def test_what_an_import_prints_warns_or_asks_does_not_come_through(odd_harvest):
    assert odd_harvest["stdout"] == ""
    assert odd_harvest["stderr"] == ""


def test_summary_body_parameters_see_also_and_examples_are_told_apart(by_id):
    record = by_id["oddpkg.pack"]
    assert record["summary"] == "Put all items into one box."
    assert record["body"] == "The box is as large as it must be."
    assert record["parameters"] == ["items", "mark"]
    assert record["see_also"] == ["Box.unpack", "oddpkg.more.weigh"]
    assert [block["prose"] for block in record["examples"]] == ["Weigh a packed box of two items:"]
    assert record["examples"][0]["code"].splitlines()[-1] == "weigh(pack([1, 2]))"


def test_no_memory_address_and_no_path_is_kept(odd_harvest, by_id):
    assert "0x" not in json.dumps(odd_harvest["records"])
    assert by_id["oddpkg.pack"]["signature"] == "(items, mark=...)"
    assert by_id["oddpkg.more.weigh"]["signature"] == "(box, place=...)"


def test_a_signature_tells_nothing_of_the_environment(run_worker, odd_site, tmp_path):
    # cgi's functions have os.environ as a default value; `run_worker` puts a secret into it.
    out = tmp_path / "cgi.json"
    assert run_worker("cgi", out, odd_site, "0").returncode == 0
    assert "CRLIB_TEST_SECRET" not in out.read_text()
    assert "do-not-write-this-down" not in out.read_text()


def test_the_child_process_has_loaded_no_package_before_it_harvests(tmp_path, monkeypatch):
    # A loaded package may look different from a fresh one: pydantic fills in names lazily.
    (tmp_path / "looker.py").write_text(
        "import sys\n"
        "LOADED = sorted({'numpy', 'pandas', 'pydantic'} & set(sys.modules))\n"
        "if LOADED:\n    raise ImportError(f'already loaded: {LOADED}')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert harvest_package("looker")["failures"] == {}


def test_the_list_does_not_depend_on_the_hash_seed(run_worker, odd_site, tmp_path):
    for package in ("oddpkg", "json", "difflib"):
        contents = []
        for seed in ("1", "4242"):
            out = tmp_path / f"{package}-{seed}.json"
            assert run_worker(package, out, odd_site, seed).returncode == 0
            contents.append(out.read_bytes())
        assert contents[0] == contents[1]


def test_a_package_that_crashes_loses_itself_only(odd_site, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(odd_site))
    crashed, sound = harvest_package("crashpkg"), harvest_package("oddpkg")
    assert crashed["failures"] == {"crashpkg": "the process ended with status 3"}
    frame = merge([crashed, sound])
    assert "oddpkg.pack" in set(frame["id"])
    assert frame.attrs["failures"].keys() >= {"crashpkg", "oddpkg.raises"}


def test_a_package_that_hangs_is_named(odd_site, tmp_path, monkeypatch):
    (tmp_path / "hangpkg.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(harvest, "TIMEOUT", 3)
    assert harvest_package("hangpkg")["failures"] == {"hangpkg": "no answer within 3 s"}


def test_merge_keeps_three_of_a_summary_and_counts(odd_harvest):
    frame = merge([odd_harvest])
    kept = [name for name in frame["id"] if name.startswith("oddpkg.same.")]
    assert kept == ["oddpkg.same.f0", "oddpkg.same.f1", "oddpkg.same.f2"]
    assert frame.attrs["counts"]["documented"] == len(EXPECTED)
    assert frame.attrs["counts"]["distinct"] == len(frame) == len(EXPECTED) - 3
    assert list(frame["id"]) == sorted(frame["id"])


@pytest.mark.parametrize("module", [statistics, textwrap])
def test_small_standard_modules_against_a_list_made_by_inspect(module: types.ModuleType):
    # Reference: exported functions whose first paragraph is longer than a word or two, the
    # harvest's rule for a usable summary (statistics.covariance says no more than "Covariance").
    expected = {
        f"{module.__name__}.{name}"
        for name in module.__all__
        if inspect.isfunction(value := getattr(module, name))
        and len(inspect.getdoc(value).split("\n\n")[0]) >= 15
    }
    found = harvest_package(module.__name__)
    functions = {r["id"] for r in found["records"] if r["kind"] == "function"}
    assert functions == expected
    by_id = {record["id"]: record for record in found["records"]}
    for name in expected:
        own = by_id[name]
        function = getattr(module, name.rsplit(".", 1)[1])
        assert own["parameters"] == list(inspect.signature(function).parameters)
        first = inspect.getdoc(function).split("\n\n")[0]
        assert own["summary"] == " ".join(first.split())


def test_catalogue_is_cached_and_reads_back_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(harvest, "BUILD", tmp_path)
    first = catalogue(["json", "textwrap"])
    monkeypatch.setattr(harvest, "harvest_package", lambda _: pytest.fail("harvested again"))
    second = catalogue(["json", "textwrap"])
    pd.testing.assert_frame_equal(first, second)
    assert first.attrs == second.attrs
    assert set(second["package"]) == {"json", "textwrap"}
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("packages", [["no_such_package"], [], ["json", "no_such_package"]])
def test_unknown_or_no_packages_are_refused_by_name(packages):
    with pytest.raises(ValueError, match="expected import names of installed packages"):
        catalogue(packages)


def test_every_listed_package_is_installed_and_has_a_version():
    versions = package_versions(harvest.PACKAGES)
    assert [name for name, found in versions.items() if found == "local"] == []
    assert len(set(harvest.PACKAGES)) == len(harvest.PACKAGES)


def test_text_is_name_and_prose_cut_between_words():
    assert action_text("a.b", "Sum two numbers.", "") == "a.b: Sum two numbers."
    long = action_text("a.b", "word " * 200, "")
    assert len(long) <= 300
    assert long.endswith("word")
    assert set(long.removeprefix("a.b: ").split()) == {"word"}


def test_signature_lines_of_compiled_functions_are_no_summary():
    text = (
        "add(x1, x2, /)\n--\n\nAdd arguments element-wise.\n\nMore.\n\nParameters\n----------\nx1"
    )
    assert split_docstring(text, "add") == ("Add arguments element-wise.", "More.")


def test_see_also_in_sphinx_form_and_examples_without_prose():
    assert see_also(".. seealso::\n    :func:`~a.b.c` and more\n") == ["a.b.c"]
    assert examples("Sum.\n\n>>> f(1)\n1\n>>> g(2)\n2\n") == [
        {"prose": "Sum.", "code": "f(1)\ng(2)\n"}
    ]
    assert examples("no example") == []


def test_clean_keeps_text_that_only_resembles_an_address():
    assert clean("chr takes 0 <= i <= 0x10ffff") == "chr takes 0 <= i <= 0x10ffff"
    assert clean("<function f at 0x7f00deadbeef>") == "<function f>"
