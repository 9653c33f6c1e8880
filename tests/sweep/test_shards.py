"""Vectors that several jobs have encoded are those that one job would have encoded."""

import numpy as np
import pytest

from crlib.book import steps
from crlib.extractors import encode, encoding

TEXTS = [
    f"sort a list of {i} numbers by size, {'slowly ' * (i % 7)}and return it" for i in range(40)
]


@pytest.mark.parametrize("shards", [2, 3])
def test_shards_fill_one_store(tmp_path, monkeypatch, shards):
    for shard in reversed(range(shards)):
        encode(TEXTS[shard::shards], "simcse", cache_dir=tmp_path / "shared")
    # The job that comes after them reads, and computes nothing.
    with monkeypatch.context() as patch:
        patch.setattr(encoding, "_forward", lambda *arguments: pytest.fail("encoded again"))
        together = encode(TEXTS, "simcse", cache_dir=tmp_path / "shared")
    alone = encode(TEXTS, "simcse", cache_dir=tmp_path / "alone")
    np.testing.assert_allclose(together, alone, rtol=0, atol=3e-8)


def test_a_shards_job_takes_every_nth_text(tmp_path, monkeypatch):
    from crlib import data, extractors

    class Actions:
        texts = tuple(TEXTS)

    asked = []

    def remember(texts, model):
        asked.append((model, list(texts)))
        return np.ones((len(texts), 2), dtype=np.float32)

    monkeypatch.setattr(data, "load", lambda *arguments, **options: Actions)
    monkeypatch.setattr(extractors, "encode", remember)
    steps.vectors("simcse,lsa", "all", 40, 0, tmp_path / "m.json", shard=1, shards=4)
    # LSA is made from all texts at once: a part of them would give other vectors.
    assert asked == [("simcse", TEXTS[1::4])]
