"""What the benchmarks' commands share: arguments, and rows as they are printed and kept."""

import json
import sys

import pytest

from benchmarks import command
from benchmarks.measure import result_row


@pytest.mark.parametrize(
    ("arguments", "called"),
    [([], ["full"]), (["--quick"], ["quick"]), (["--setup"], ["setup"])],
)
def test_arguments_choose_what_is_run(arguments, called, monkeypatch):
    calls = []
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    command.run(
        lambda *, quick: calls.append("quick" if quick else "full"), "",
        lambda: calls.append("setup"),
    )  # fmt: skip
    assert calls == called


def test_without_peers_there_is_nothing_to_set_up(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmark", "--setup"])
    with pytest.raises(SystemExit):
        command.run(lambda *, quick: None, "")
    assert "--setup" in capsys.readouterr().err


def test_rows_are_printed_and_kept_measured_or_not(tmp_path, capsys):
    rows = [
        result_row("a case", "a limit", "crlib", seconds=0.0125, ratio=0.5, note="3 runs"),
        result_row("a case", "a limit", "other", note="not run: missing"),
    ]
    command.print_rows(rows)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["a", "case", "crlib", "12.5", "ms", "0.50", "x", "3", "runs"]
    assert second.split() == ["a", "case", "other", "–", "not", "run:", "missing"]
    result = command.keep(tmp_path, "two words", rows)
    assert result["rows"] == rows
    assert json.loads((tmp_path / "two-words.json").read_text()) == result
