"""A deliberate change in a metric shows up in `crlib diff`, run for real."""

import json

import pytest

PAPERMILL = (
    "papermill notebooks/theory/effective_dimension.ipynb out.ipynb -p model mlm-bert -p limit 300 "
    "-p packages json,numpy -y 'ns: [50, 100]' -p out_dir {0}/theory/effective_dimension"
)


@pytest.mark.smoke
def test_a_changed_metric_is_seen(copy, call_in, tmp_path):
    call_in(copy, PAPERMILL.format("published") + " && " + PAPERMILL.format("again"))
    same = json.loads(call_in(copy, "crlib diff published again --json"))
    assert [change for change in same if change["kind"] != "input"] == []

    source = copy / "crlib" / "metrics" / "spectrum.py"
    text = source.read_text()
    good = "float(numerator / denominator)"
    assert text.count(good) == 1
    source.write_text(text.replace(good, "float(0.5 * numerator / denominator)"))
    call_in(copy, PAPERMILL.format("changed"))
    page = tmp_path / "page.html"
    found = json.loads(call_in(copy, f"crlib diff published changed --json --out {page} || true"))
    moved = {change["name"] for change in found if change["kind"] == "number"}
    assert "highest" in moved
    assert "<td>highest</td>" in page.read_text()
