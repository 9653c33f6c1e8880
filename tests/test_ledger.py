"""What shows a verdict shows the same one, with the data's text escaped."""

from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from crlib import io, ledger
from crlib.claims import Evidence, Result, load_claims
from crlib.cli import app, model_states


def result(group: str = "BERT / SimCSE", verdict: str = "supported") -> Result:
    item = Evidence(
        id="C3.raw", group=group, statistic="s", estimate=-0.25, ci_low=-0.5, ci_high=-0.125,
        level=0.95, n=16000, unit="action", verdict=verdict,
    )  # fmt: skip
    return Result(
        notebook="theory/coverage", claims=(item,), numbers={},
        parameters={"profile": "smoke", "k": 3},
        provenance={"commit": "abc", "versions": {"numpy": "2"}, "threads": "1", "seconds": 1.5,
                    "machine": {"processor": "p", "cores": 2, "system": "s"}},
    )  # fmt: skip


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_banner_shows_verdict_interval_and_what_was_not_run():
    claims = [claim for claim in load_claims() if claim.id == "C3"]
    parser = Text()
    parser.feed(ledger.banner(claims, result().claims).html)
    text = " ".join(parser.words)
    assert "-0.25 [-0.5, -0.125]" in text
    assert "n = 16,000 actions" in text
    assert "not run" in text
    assert repr(ledger.banner(claims, result().claims)) == "C3: supported"


def test_a_claim_judged_without_a_part_says_so():
    (claim,) = (claim for claim in load_claims() if claim.id == "C3")
    assert "without C3.relative, C3.reward: not run" in ledger.claim_badge(claim, result().claims)
    assert ledger.claim_badge(claim, ()) == ledger.badge("not run")
    whole = [item.model_copy(update={"id": part.id}) for part in claim.parts
             for item in result().claims]  # fmt: skip
    assert ledger.claim_badge(claim, whole) == ledger.badge("supported")


def test_a_mixed_claim_says_of_what():
    (claim,) = (claim for claim in load_claims() if claim.id == "C3")
    (item,) = result().claims
    verdicts = ["not supported", "supported", "not supported"]
    items = [item.model_copy(update={"group": str(i), "verdict": verdict})
             for i, verdict in enumerate(verdicts)]  # fmt: skip
    other = item.model_copy(update={"id": "C5.linear"})
    label = ledger.claim_badge(claim, [*items, other])
    assert "1 supported, 2 not supported; without C3.relative, C3.reward: not run" in label


def test_text_of_the_data_is_escaped():
    claims = [claim for claim in load_claims() if claim.id == "C3"]
    html = ledger.banner(claims, result(group="<script>x</script>").claims).html
    parser = Text()
    parser.feed(html)
    assert "script" not in parser.tags
    assert "&lt;script&gt;" in html


def test_front_page_table_and_rows_agree():
    results = {"theory/coverage": result(verdict="not supported")}
    table = ledger.table_markdown(results, prefix="book/")
    rows = {row["claim"]: row for row in ledger.rows(results)}
    for claim in load_claims():
        line = next(line for line in table.splitlines() if f"**{claim.id}**" in line)
        assert ledger.badge(rows[claim.id]["verdict"]) in line
    assert "(book/theory/coverage)" in table
    assert rows["C3"]["verdict"] == "not supported"
    assert rows["C5"]["verdict"] == "not run"


def test_full_ledger_has_a_section_for_every_claim():
    text = ledger.ledger_markdown({"theory/coverage": result()})
    for claim in load_claims():
        assert f"## {claim.id}: {claim.title}" in text
        assert all(part.id in text for part in claim.parts)


def test_provenance_table_holds_parameters_and_commit():
    text = repr(ledger.provenance_table(result()))
    assert "commit: abc" in text
    assert "k = 3" in text


def test_crlib_claims_prints_the_ledger(tmp_path):
    io.write_json(tmp_path / "c" / "result.json", result().model_dump())
    done = CliRunner().invoke(app, ["claims", "--results", str(tmp_path), "--json"])
    assert done.exit_code == 0
    assert '"evidence": "BERT / SimCSE -0.25 [-0.5, -0.125]"' in done.stdout
    table = CliRunner().invoke(app, ["claims", "--results", str(tmp_path)], env={"COLUMNS": "160"})
    assert "C3.raw" in table.stdout


def test_crlib_claims_names_a_broken_result(tmp_path):
    (tmp_path / "result.json").write_text("{}")
    done = CliRunner().invoke(app, ["claims", "--results", str(tmp_path)], env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert "is no result of this version" in done.output


@pytest.mark.parametrize("command", [["--help"], ["claims", "--help"], ["doctor"]])
def test_commands_answer(command):
    done = CliRunner().invoke(app, command, env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert "rovenance" in done.output or "claims" in done.output or "Python 3.11" in done.output


def test_doctor_tells_a_missing_model_from_a_ready_one(tmp_path):
    states = {name: (state, remedy) for name, state, remedy in model_states(tmp_path)}
    assert states["gaussian"] == ("ready, no download", "")
    assert states["minilm"] == ("ready, no download", "")
    assert states["simcse"][0] == "missing"
    assert "git checkout models" in states["simcse"][1]


def test_a_profile_that_does_not_exist_is_refused():
    done = CliRunner().invoke(app, ["claims", "--profile", "laptpo"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "no profile 'laptpo'" in done.output
    assert "laptop" in done.output


def test_a_folder_without_results_is_no_ledger(tmp_path):
    done = CliRunner().invoke(app, ["claims", "--results", str(tmp_path)], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "result.json" in done.output
