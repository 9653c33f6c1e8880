"""Figures as files: whole, labelled, without a slider's controls; and the page offers them."""

import struct

import pandas as pd
import plotly.graph_objects as go
import pytest
from pypdf import PdfReader

from crlib import figures, io
from crlib.book import pictures
from crlib.book.offers import offer, with_capsules
from crlib.claims import Run
from crlib.settings import check


@pytest.fixture
def run(tmp_path):
    run = Run("theory/coverage", check("theory/coverage", {"out_dir": str(tmp_path)}))
    fig = go.Figure([go.Scatter(x=[1, 2], y=[i, 4], name=f"line {i}") for i in range(4)])
    figures.slider(fig, ["one", "two"], 2, title="pair", active=1)
    figures.show(fig, "rho", "what it shows", data=pd.DataFrame({"y": [1, 2]}), run=run)
    run.finish()
    return run


def test_a_still_has_no_controls_and_says_where_the_slider_stood(run):
    drawing = io.read_json(run.out_dir / "figures" / "rho.json")
    found = pictures.still(drawing)
    assert "sliders" in drawing["layout"]
    assert "sliders" not in found["layout"]
    assert found["layout"]["title"]["text"] == "pair: two"
    assert (found["layout"]["width"], found["layout"]["height"]) == (560, 396)
    assert found["data"] == drawing["data"]
    assert pictures.still({"data": []})["layout"] == {"width": 560, "height": 396}


@pytest.mark.usefixtures("chromium")
def test_pictures_are_what_they_should_be(run):
    folder = run.out_dir / "figures"
    written = pictures.write_pictures(folder)
    assert [path.name for path in written] == ["rho.pdf", "rho.png", "rho.svg"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "rho.csv", "rho.json", "rho.pdf", "rho.png", "rho.provenance.json", "rho.svg",
    ]  # fmt: skip
    pdf = PdfReader(folder / "rho.pdf")
    (page,) = pdf.pages
    assert float(page.mediabox.width) / float(page.mediabox.height) == pytest.approx(
        560 / 396, 0.02
    )
    text = page.extract_text()
    assert "line 2" in text
    assert "line 0" not in text
    assert pdf.metadata["/Subject"] == "what it shows"
    assert not {"/Creator", "/CreationDate"} & set(pdf.metadata)
    head = (folder / "rho.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == (1120, 792)
    assert (folder / "rho.svg").read_text().startswith("<svg")


def test_without_a_browser_there_are_none(run, monkeypatch):
    monkeypatch.setattr(pictures, "browser", lambda: None)
    assert pictures.write_pictures(run.out_dir / "figures") == []


def test_a_page_offers_the_files_that_there_are(run):
    folder = run.out_dir / "figures"
    html = figures._html("theory/coverage", "rho", "alt", {}, "y\n1\n")
    body = f"<p>before</p>{html}<p>after</p>"
    found = with_capsules(body, "theory/coverage", folder, "../../results/theory/coverage/figures")
    assert found.count("<a ") == 1
    assert 'href="../../results/theory/coverage/figures/rho.provenance.json"' in found
    (folder / "rho.pdf").write_bytes(b"%PDF")
    found = with_capsules(body, "theory/coverage", folder, "../f")
    assert '<a href="../f/rho.pdf" download="theory-coverage-rho.pdf">PDF</a>' in found
    assert found.index("rho.pdf") < found.index("</figure>")
    assert with_capsules("<p>no figure</p>", "a/b", folder, "") == "<p>no figure</p>"


def test_the_foot_of_a_page_says_what_it_was_computed_with(run):
    text = offer("coverage.ipynb", "", run.out_dir / "result.json", "../../results/theory/coverage")
    record = io.read_json(run.out_dir / "result.json")["provenance"]
    for part in (record["date"], record["commit"][:12], "seed 0", "result.json", "crlib diff"):
        assert part in text
    assert (" with changes" in text) == record["dirty"]
    assert "result.json" not in offer("a.ipynb", "", run.out_dir / "none.json", "x")
