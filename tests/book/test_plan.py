"""A notebook depends on its own parameters, claims and modules, and on no others."""

import subprocess
import sys

import pytest

from crlib import io
from crlib.book import plan
from crlib.extractors import MODELS, PAIRS
from crlib.schemas import SCHEMAS
from crlib.settings import ROOT


@pytest.mark.parametrize(
    ("code", "package", "names"),
    [
        ("import crlib.io", "", {"crlib.io"}),
        ("from crlib import io, claims", "", {"crlib", "crlib.io", "crlib.claims"}),
        ("def f():\n    from crlib.data import load", "", {"crlib.data", "crlib.data.load"}),
        ("from . import io", "crlib.book", {"crlib.book", "crlib.book.io"}),
        ("from .. import io", "crlib.book", {"crlib", "crlib.io"}),
        ("from ..metrics import x", "crlib.book", {"crlib.metrics", "crlib.metrics.x"}),
        ("x = 1", "", set()),
    ],
)
def test_imported_names(code, package, names):
    assert plan.imported_names(code, package) == names


@pytest.mark.parametrize("module", ["crlib.claims", "crlib.metrics.coverage", "crlib.ledger"])
def test_the_closure_holds_every_module_that_python_loads(module):
    """Reference: what is in sys.modules after the import, in a fresh interpreter."""
    code = (
        f"import sys, {module}\n"
        "print(*[m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'crlib'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {str(path) for path in plan.closure([module])}


def test_the_closure_leaves_out_what_is_not_imported():
    names = {path.name for path in plan.closure(["crlib.metrics.coverage"])}
    assert "coverage.py" in names
    assert names.isdisjoint({"figures.py", "make.py", "cli.py"})
    assert plan.closure(["numpy", "nothing.at.all"]) == []


def test_requests_are_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "BUILD", tmp_path)
    parameters = plan.write_requests("smoke")
    files = {name: plan.request_file("smoke", name) for name in parameters}
    before = {name: path.stat().st_mtime_ns for name, path in files.items()}
    # One request is out of date: it alone is written again.
    changed = "theory/coverage"
    stale = io.read_json(files[changed])
    stale["parameters"]["k"] += 1
    io.write_json(files[changed], stale)
    touched = files[changed].stat().st_mtime_ns
    plan.write_requests("smoke")
    for name, path in files.items():
        if name == changed:
            assert path.stat().st_mtime_ns != touched
            assert io.read_json(path)["parameters"]["k"] == parameters[changed]["k"]
        else:
            assert path.stat().st_mtime_ns == before[name]


def test_a_request_holds_the_claims_of_its_notebook_only(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "BUILD", tmp_path)
    plan.write_requests("smoke")
    request = io.read_json(plan.request_file("smoke", "theory/coverage"))
    assert {claim["id"] for claim in request["claims"]} == {"C3"}


def test_every_model_is_computed_by_one_job():
    jobs = plan.batches_of("theory/coverage", {})
    computed = [name for job in jobs for name in plan.models_in(job)]
    assert sorted(computed) == sorted(MODELS)
    assert plan.models_in("minilm") == ("minilm",)
    assert plan.batches_of("theory/coverage", {"model": "mlm-bert"}) == ("small",)
    assert plan.batches_of("data/python_api", {}) == ()


def test_models_of_a_notebook():
    assert plan.models_of("data/python_api", {}) == ()
    assert plan.models_of("theory/coverage", {}) == tuple(MODELS)
    pair = PAIRS[0]
    chosen = plan.models_of("theory/coverage", {"model": pair.reconstruction})
    controls = {name for name, spec in MODELS.items() if spec.kind == "control"}
    assert set(chosen) == {pair.reconstruction, pair.contrastive} | controls


def test_every_notebook_has_its_sources():
    for notebook in SCHEMAS:
        files = plan.notebook_sources(ROOT / "notebooks" / f"{notebook}.ipynb")
        assert ROOT / "crlib" / "settings.py" in files
        assert ROOT / "crlib" / "claims.py" in files


def test_long_notebooks_exist():
    assert set(plan.LONG) <= set(SCHEMAS)
