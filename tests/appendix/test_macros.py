"""Macros say what the ledger says, in LaTeX that nothing in the data can break."""

import pytest

from crlib.appendix import macros
from crlib.claims import Evidence, Result


def result(**numbers) -> Result:
    item = Evidence(
        id="C3.raw", group="BERT / SimCSE", statistic="s", estimate=-0.25, ci_low=-0.5,
        ci_high=0.125, level=0.95, n=16000, unit="action", verdict="inconclusive",
    )  # fmt: skip
    return Result(notebook="theory/coverage", claims=(item,), numbers=numbers, parameters={},
                  provenance={})  # fmt: skip


def test_each_interval_verdict_and_number_is_a_macro():
    found = macros.values({"theory/coverage": result(k=12000, rho=0.123456)}, set())
    base = "C3.raw/BERT-SimCSE"
    assert found["C3"] == found["C3.raw"] == found[f"{base}/verdict"] == "inconclusive"
    assert found[f"{base}/estimate"] == "$-$0.25"
    assert (found[f"{base}/low"], found[f"{base}/high"]) == ("$-$0.5", "0.125")
    assert (found[f"{base}/n"], found[f"{base}/level"]) == ("16,000", r"95\%")
    assert (found["theory/coverage/k"], found["theory/coverage/rho"]) == ("12,000", "0.1235")
    assert found["C1a"] == "not run"
    assert (found["C3/intervals"], found["C1a/intervals"]) == ("1 inconclusive", "none")


def test_a_number_is_shown_as_the_prose_shows_it():
    formats = {("theory/coverage", "rho", ".2f"), ("theory/coverage", "share", ".0%")}
    found = macros.values({"theory/coverage": result(rho=0.126, share=0.5)}, formats)
    assert found["theory/coverage/rho:.2f"] == "0.13"
    assert found["theory/coverage/share:.0percent"] == r"50\%"
    with pytest.raises(ValueError, match="'rho', which its run did not keep"):
        macros.values({"theory/coverage": result()}, formats)
    with pytest.raises(ValueError, match=r"'rho' as '\.2f'"):
        macros.values({"theory/coverage": result(rho="word", share=1.0)}, formats)


def test_text_of_the_data_is_harmless():
    assert macros.escaped(r"\input{x} 5% a_b #1 & ~^$") == (
        r"\textbackslash{}input\{x\} 5\% a\_b \#1 \& \textasciitilde{}\textasciicircum{}\$"
    )
    assert macros.escaped('a < b > c | "d"') == (
        "a \\textless{} b \\textgreater{} c \\textbar{} ''d''"
    )
    assert macros.shown(r"\end{document}") == r"\textbackslash{}end\{document\}"
    assert macros.slug("BERT / SimCSE") == "BERT-SimCSE"
    assert macros.shown(True) == "True"


def test_each_number_of_a_table_is_a_macro():
    table = [{"model": "simcse", "PR": 20.5, "PR/d": 0.25}, {"model": "a_b {%}", "PR": 1.0}]
    found = macros.values({"theory/coverage": result(table=table, found={"x": {"n": 1200}})}, set())
    assert found["theory/coverage/table.simcse.PR"] == "20.5"
    assert found["theory/coverage/table.simcse.PR/d"] == "0.25"
    assert found["theory/coverage/table.a_b-.PR"] == "1"
    assert found["theory/coverage/found.x.n"] == "1,200"
    assert not [text for text in found.values() if "[" in text]


def test_two_numbers_never_share_a_macro():
    table = [{"model": "\u03bb = 1", "d": 1}, {"model": "\u03bc = 1", "d": 2}]
    with pytest.raises(ValueError, match="two numbers of theory/coverage would be"):
        macros.values({"theory/coverage": result(table=table)}, set())
    one = result()
    other = one.claims[0].model_copy(update={"group": "BERT, SimCSE"})
    both = one.model_copy(update={"claims": (*one.claims, other)})
    with pytest.raises(ValueError, match=r"two groups of C3\.raw would be"):
        macros.values({"theory/coverage": both}, set())
