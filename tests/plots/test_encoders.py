"""Tables of the page on encoders."""

import re

from crlib.extractors import HUB_MODELS, MODELS
from crlib.metrics import Interval
from crlib.plots.encoders import dimension_table, identity_table, loading_table


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html.replace("<wbr>", ""))
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def test_stated_twin_and_measured_stand_side_by_side_and_nothing_is_made_up():
    measured = {"clm-llama": Interval(9.6, 9.5, 9.7, 0.95, 100)}
    shown = dimension_table(HUB_MODELS.values(), MODELS.values(), measured)
    rows = {row[0]: row[1:] for row in cells(shown.data)}
    assert rows["llama-3-8b"] == ["60", "clm-llama: 9.6 [9.5, 9.7]", "not run"]
    assert rows["bert-base"] == ["40", "mlm-bert: not run", "not run"]
    assert rows["llm2vec-llama-3"][:2] == ["210", "llm2vec: not run"]
    assert rows["jina-v3"][:2] == ["220", "supervised-jina: not run"]
    assert rows["llama-3-8b-instruct"] == ["", "", "not run"]


def test_every_encoder_has_its_licence_and_its_way_of_loading():
    known = {row[0]: row for row in cells(identity_table(HUB_MODELS.values()).data)}
    assert known["jina-v3"][-2:] == ["CC-BY-NC-4.0", "89.44"]
    assert known["llama-3-8b"][-3:] == ["16.1 GB", "Llama 3 Community, gated", ""]
    ways = cells(loading_table(HUB_MODELS.values()).data)
    assert all(len(row) == len(ways[0]) for row in ways)
    assert next(row[1] for row in ways if row[0] == "bert-base") == "google-bert/bert-base-uncased"
    loading = {row[0]: row[-1] for row in cells(loading_table(HUB_MODELS.values()).data)}
    assert "looks both ways" in loading["llm2vec-llama-3"]
    assert "looks both ways" not in loading["llama-3-8b-instruct"]
    assert "&lt;|eot_id|&gt;" in loading["llm2vec-llama-3"]
    assert loading["bert-base"] == "nothing else"
