"""The tables of the page on speed."""

import pytest

from benchmarks import report
from crlib import io

ROW = {
    "case": "coverage <of> a|b",
    "limit": "K x K x d product",
    "peer": "crlib",
    "seconds_median": 0.25,
    "ratio_to_limit": 1.04,
    "extra_mib": 12.4,
    "goal": 1.1,
    "note": "3 runs",
}
SKIPPED = {
    **ROW, "peer": "scipy", "seconds_median": None, "ratio_to_limit": None, "extra_mib": None,
    "goal": None, "note": "not run: too large",
}  # fmt: skip
RESULT = {
    "name": "geometry",
    "machine": {"processor": "A <fast> one", "cores": 4, "system": "Linux x86_64"},
    "rows": [ROW, {**ROW, "peer": "crlib, unbiased", "ratio_to_limit": 1.2}, SKIPPED],
}


def test_rows_become_cells_and_text_is_escaped():
    text = report.fragment([(RESULT, True)])
    assert "| **crlib** | 250 ms | 1.04 | ≤ 1.1: met | 12 MiB | 3 runs |" in text
    assert "| **crlib, unbiased** | 250 ms | 1.20 | ≤ 1.1: missed | 12 MiB | 3 runs |" in text
    assert "| scipy | – | – |  |  | not run: too large |" in text
    assert "<of>" not in text
    assert "A &lt;fast&gt; one, 4 cores" in text
    assert "a&#124;b" in text
    assert "Measured on this machine" in text
    assert "Measured by the authors" in report.fragment([(RESULT, False)])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0012345, "1.23 ms"), (0.25, "250 ms"), (1.5, "1.50 s"), (123.4, "123 s"), (None, "–")],
)
def test_durations_have_three_digits(value, text):
    assert report.seconds(value) == text


def test_what_was_measured_here_goes_before_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(report, "BUILD", tmp_path)
    assert "make bench" in report.fragment(report.newest())
    io.write_json(tmp_path / "kept" / "geometry.json", RESULT)
    assert report.newest() == [(RESULT, False)]
    faster = {**RESULT, "rows": [{**ROW, "ratio_to_limit": 0.5}]}
    io.write_json(tmp_path / "bench" / "geometry.json", faster)
    assert report.newest() == [(faster, True)]
    assert report.keep() == [tmp_path / "kept" / "geometry.json"]
    assert io.read_json(tmp_path / "kept" / "geometry.json") == faster


def test_small_ratios_keep_two_digits():
    assert [report.ratio_text(r) for r in (1.234, 0.1, 0.0306, 0.000231)] == [
        "1.23", "0.10", "0.031", "0.00023",
    ]  # fmt: skip
