"""Rules give verdicts from intervals, and the ledger's file is what the schema says."""

import math

import pytest
import yaml
from pydantic import ValidationError

from crlib import claims, io
from crlib.claims import Evidence, Rule, claim_verdict, combine, judge, load_claims
from crlib.metrics.statistics import Interval
from crlib.settings import ROOT, check


def evidence(part: str, verdict: str, group: str = "a / b", low: float = 0.0, high: float = 1.0):
    return Evidence(
        id=part, group=group, statistic="s", estimate=(low + high) / 2, ci_low=low, ci_high=high,
        level=0.95, n=10, unit="action", verdict=verdict,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "low", "high", "expected"),
    [
        ({"above": 0.0}, 0.1, 0.2, "supported"),
        ({"above": 0.0}, -0.2, -0.1, "not supported"),
        ({"above": 0.0}, -0.1, 0.1, "inconclusive"),
        ({"above": 0.0}, 0.0, 0.1, "inconclusive"),
        ({"below": 0.3}, 0.1, 0.2, "supported"),
        ({"below": 0.3}, 0.4, 0.5, "not supported"),
        ({"below": 0.3}, 0.2, 0.4, "inconclusive"),
        ({"within": [-1.0, 1.0]}, -0.5, 0.5, "supported"),
        ({"within": [-1.0, 1.0]}, 1.5, 2.5, "not supported"),
        ({"within": [-1.0, 1.0]}, -2.5, -1.5, "not supported"),
        ({"within": [-1.0, 1.0]}, 0.5, 1.5, "inconclusive"),
        ({"within": [-1.0, 1.0]}, -5.0, 5.0, "inconclusive"),
        # Rounding errors decide nothing.
        ({"above": 0.0}, 3e-19, 0.1, "inconclusive"),
        ({"above": 0.1}, -0.2, 0.3 - 0.2, "inconclusive"),
        ({"below": 0.0}, -0.1, -3e-19, "inconclusive"),
        ({"below": 0.0}, 3e-19, 0.1, "inconclusive"),
        ({"within": [-1.0, 0.3]}, 0.0, 0.1 + 0.2, "supported"),
        ({"within": [-1.0, 0.3]}, 0.1 + 0.2, 1.0, "inconclusive"),
    ],
)
def test_judge(rule, low, high, expected):
    assert judge(Rule.model_validate(rule), low, high) == expected


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (math.nan, 1.0), (0.0, math.nan)])
def test_judge_refuses_what_is_no_interval(low, high):
    with pytest.raises(ValueError, match="low <= high"):
        judge(Rule(above=0.0), low, high)


@pytest.mark.parametrize(
    "rule", [{}, {"above": 0.0, "below": 1.0}, {"within": [1.0, 0.0]}, {"above": math.inf}]
)
def test_a_rule_is_exactly_one_finite_condition(rule):
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "not run"),
        (["not run"], "not run"),
        (["supported", "not run"], "supported"),
        (["supported", "supported"], "supported"),
        (["supported", "not supported"], "mixed"),
        (["supported", "inconclusive"], "mixed"),
        (["inconclusive"], "inconclusive"),
    ],
)
def test_combine(verdicts, expected):
    assert combine(verdicts) == expected


def test_a_claim_is_mixed_when_its_pairs_differ():
    claim = next(claim for claim in load_claims() if claim.id == "C1a")
    same = [evidence("C1a.direction", "supported", group) for group in "xyz"]
    assert claim_verdict(claim, same) == "supported"
    other = [*same, evidence("C1a.direction", "not supported", "w")]
    assert claim_verdict(claim, other) == "mixed"
    assert claim_verdict(claim, [evidence("C9.none", "supported")]) == "not run"


def test_the_ledger_has_every_claim_of_the_paper_and_beyond():
    ids = [claim.id for claim in load_claims()]
    assert ids == ["C1a", "C1b", "C2", "C3", "C4", "C5", "N1", "N2", "N3", "U1", "U2", "U3"]
    rules = {part.id: part.rule for claim in load_claims() for part in claim.parts}
    assert rules["C1a.direction"] == Rule(above=0.0)
    assert rules["C1b.gap"] == Rule(above=0.9)
    low, high = rules["C1a.magnitude"].within
    assert math.exp(high) == pytest.approx(1.25, abs=1e-3)
    assert low == -high


def test_repeated_ids_are_refused(tmp_path):
    content = yaml.safe_load((ROOT / "book" / "claims.yml").read_text())
    content["claims"].append(content["claims"][0])
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match="more than once: C1a"):
        load_claims(path)


def test_a_run_writes_a_result_that_reads_back(tmp_path):
    run = claims.Run("theory/coverage", check("theory/coverage", {"out_dir": str(tmp_path)}))
    run.record("C3.raw", "a / b", Interval(-0.2, -0.3, -0.1, 0.95, 50))
    run.number(share=0.25, names=["x", "y"])
    run.finish()
    result = claims.read_results(tmp_path)["theory/coverage"]
    assert [(item.id, item.verdict) for item in result.claims] == [("C3.raw", "supported")]
    assert result.numbers == {"share": 0.25, "names": ["x", "y"]}
    assert result.parameters["k"] == 1000
    assert "out_dir" not in result.parameters
    assert str(tmp_path) not in (tmp_path / "result.json").read_text()


def test_a_run_refuses_foreign_parts_and_repetitions(tmp_path):
    run = claims.Run("theory/coverage", check("theory/coverage", {"out_dir": str(tmp_path)}))
    interval = Interval(0.0, -1.0, 1.0, 0.95, 5)
    with pytest.raises(ValueError, match=r"C1a.direction' is no part of theory/coverage"):
        run.record("C1a.direction", "a / b", interval)
    run.record("C3.raw", "a / b", interval)
    with pytest.raises(ValueError, match="already recorded"):
        run.record("C3.raw", "a / b", interval)


def test_a_broken_result_is_named(tmp_path):
    io.write_json(tmp_path / "x" / "result.json", {"notebook": "theory/coverage"})
    message = r"result\.json is no result of this version: claims: Field required; run its"
    with pytest.raises(ValueError, match=message):
        claims.read_results(tmp_path)


def test_a_run_that_fails_leaves_no_earlier_result(tmp_path):
    parameters = check("theory/coverage", {"out_dir": str(tmp_path)})
    claims.Run("theory/coverage", parameters).finish()
    assert (tmp_path / "result.json").is_file()
    claims.Run("theory/coverage", parameters)
    assert not (tmp_path / "result.json").exists()
