"""Parameters are refused by name, type and value, in one sentence that says what is allowed."""

import json

import numpy as np
import pytest

from crlib.schemas import SCHEMAS
from crlib.settings import ROOT, ParameterError, check, parameters, read_profile


def test_defaults_and_overrides():
    assert check("theory/coverage", {}).k == 1000
    assert check("theory/coverage", {"k": 5, "model": "mlm-bert"}).model == "mlm-bert"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kk": 5}, r"unknown parameter 'kk'; allowed: .*\bk\b"),
        ({"k": "many"}, r"parameter k = 'many': .*integer"),
        ({"k": 2.5}, r"parameter k = 2.5: .*integer"),
        ({"k": 0}, r"parameter k = 0: .*greater than or equal to 2"),
        ({"k": True}, r"parameter k = True: .*integer"),
        ({"model": "mlm-brt"}, r"did you mean mlm-bert\? allowed: all, .*simcse"),
        ({"limit": 3}, r"parameter limit = 3"),
        ({"seed": -1}, r"parameter seed = -1"),
        ({"ks": [10]}, r"parameter ks = \[10\]"),
        ({"k": 0, "seed": -1}, r"parameter .*; parameter "),
    ],
)
def test_wrong_parameters_are_one_line(values, message):
    with pytest.raises(ParameterError, match=message) as caught:
        check("theory/coverage", values)
    assert "\n" not in str(caught.value)
    assert caught.value._render_traceback_() == [f"ParameterError: {caught.value}"]


def test_an_unknown_notebook_is_named():
    with pytest.raises(ParameterError, match="no notebook 'theory/x'; there are: "):
        check("theory/x", {})


def test_parameters_are_found_among_a_notebooks_globals():
    namespace = {"__name__": "x", "_i": "", "In": [], "Out": {}, "np": np, "check": check,
                 "profile": "laptop", "k": 7}  # fmt: skip
    assert parameters("theory/coverage", namespace).k == 7
    with pytest.raises(ParameterError, match="'modle'"):
        parameters("theory/coverage", {**namespace, "modle": "x"})


@pytest.mark.parametrize("profile", ["smoke", "laptop", "paper"])
def test_shipped_profiles_are_valid(profile):
    assert set(read_profile(profile)) == set(SCHEMAS)


def test_the_laptop_profile_is_what_the_notebooks_default_to():
    for notebook, values in read_profile("laptop").items():
        path = ROOT / "notebooks" / f"{notebook}.ipynb"
        cells = json.loads(path.read_text())["cells"]
        cell = next(c for c in cells if "parameters" in c["metadata"].get("tags", []))
        namespace: dict = {}
        exec("".join(cell["source"]), namespace)
        assert parameters(notebook, namespace) == check(notebook, values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected the keys"),
        ("notebooks:\n  theory/coverage: {kk: 1}\n", "unknown parameter 'kk'"),
        ("notebooks:\n  theory/nothing: {}\n", "no notebook 'theory/nothing'"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path, text, message):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(ParameterError, match=message):
        read_profile("own", tmp_path)


def test_a_missing_profile_lists_those_that_exist(tmp_path):
    (tmp_path / "own.yaml").write_text("notebooks: {}")
    with pytest.raises(ParameterError, match="there are: own"):
        read_profile("mine", tmp_path)
