"""A figure carries its data, its alt text, and nothing that breaks out of its element."""

import json
import re

import pandas as pd
import plotly.graph_objects as go
import pytest

from crlib import figures
from crlib.claims import Run
from crlib.settings import check


@pytest.fixture
def run(tmp_path):
    return Run("theory/coverage", check("theory/coverage", {"out_dir": str(tmp_path)}))


def draw() -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4], text=["</script><b>x", "<!-- <script>"]))


def test_show_saves_json_csv_and_provenance(run):
    data = pd.DataFrame({"k": [1, 2], "rho": [3.5, 4.25]})
    figures.show(draw(), "rho", "rho against k", data=data, run=run)
    folder = run.out_dir / "figures"
    pd.testing.assert_frame_equal(pd.read_csv(folder / "rho.csv"), data)
    assert json.loads((folder / "rho.json").read_text())["data"][0]["type"] == "scatter"
    assert json.loads((folder / "rho.provenance.json").read_text())["alt"] == "rho against k"


def test_the_html_reads_back_and_escapes(run):
    data = pd.DataFrame({"name": ["</script>"], "y": [1]})
    bundle = figures.show(draw(), "x", 'a "quoted" <alt>', data=data, run=run).bundle
    html = bundle["text/html"]
    assert html.count("</script>") == 2
    payload = re.search(r'plot-json">(.*?)</script>', html, re.S).group(1)
    assert json.loads(payload)["data"][0]["text"] == ["</script><b>x", "<!-- <script>"]
    assert 'aria-label="a &quot;quoted&quot; &lt;alt&gt;"' in html
    assert "application/vnd.plotly.v1+json" in bundle


def test_no_text_of_the_data_ends_or_keeps_open_the_page(run, browser):
    """As a browser reads it: "<!-- <script>" makes it pass over the element's end."""
    data = pd.DataFrame({"name": ["<!-- <script>"], "y": [1]})
    html = figures.show(draw(), "x", "alt", data=data, run=run).bundle["text/html"]
    page = browser.new_page()
    page.set_content(f"<body>{html}<p id=after>after</p></body>")
    assert page.locator("#after").inner_text() == "after"
    assert page.locator("figcaption").count() == 1
    texts = page.evaluate(
        "JSON.parse(document.querySelector('.crlib-plot-json').textContent).data[0].text"
    )
    assert texts == ["</script><b>x", "<!-- <script>"]
    page.close()


def test_an_earlier_runs_pictures_do_not_stand_beside_new_data(run):
    folder = run.out_dir / "figures"
    folder.mkdir()
    for name in ("rho.pdf", "rho.png", "rho.svg", "other.pdf"):
        (folder / name).write_text("an earlier run's")
    figures.show(draw(), "rho", "alt", data=pd.DataFrame({"y": [1]}), run=run)
    left = {path.name for path in folder.iterdir()}
    assert left == {"rho.json", "rho.csv", "rho.provenance.json", "other.pdf"}


@pytest.mark.parametrize(
    ("name", "alt", "rows", "message"),
    [("A b", "alt", 1, "figure name"), ("a", " ", 1, "alt text"), ("a", "alt", 0, "empty")],
)
def test_show_refuses(run, name, alt, rows, message):
    data = pd.DataFrame({"y": [1] * rows})
    with pytest.raises(ValueError, match=message):
        figures.show(draw(), name, alt, data=data, run=run)


def test_slider_shows_one_group_at_a_time():
    fig = go.Figure([go.Scatter(y=[i]) for i in range(5)])
    figures.slider(fig, ["a", "b"], 2, title="t", active=1)
    assert [trace.visible for trace in fig.data] == [False, False, True, True, True]
    assert fig.layout.sliders[0].steps[0].args[1] == (True, True, False, False, True)
    with pytest.raises(ValueError, match="3 steps of 2 traces, figure has 5"):
        figures.slider(fig, ["a", "b", "c"], 2, title="t")
