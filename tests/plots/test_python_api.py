"""The data page's figure and tables against numbers written by hand."""

import numpy as np
import pandas as pd
import pytest

from crlib.plots.python_api import draw, long_tail, long_tail_alt, ranked, slope, table


def test_ranks_go_from_the_largest_count_to_the_smallest_without_zeros():
    frame = ranked([0, 3, 10, 1, 0, 3], "actions")
    assert frame["rank"].tolist() == [1, 2, 3, 4]
    assert frame["count"].tolist() == [10, 3, 3, 1]


def test_thinning_keeps_both_ends_and_the_true_counts():
    counts = np.arange(5000, 0, -1)
    frame = ranked(counts, "files", points=20)
    assert len(frame) <= 20
    assert frame["rank"].iloc[[0, -1]].tolist() == [1, 5000]
    assert (frame["count"] == 5001 - frame["rank"]).all()


def test_slope_of_a_power_law_is_its_exponent_as_far_as_it_reaches():
    rank = np.arange(1, 2001)
    frame = pd.DataFrame({"series": "actions", "rank": rank, "count": 1e6 * rank**-1.3})
    frame.loc[rank > 1000, "count"] = 1.0
    assert slope(frame, "actions", 1000) == pytest.approx(-1.3)
    assert np.isnan(slope(frame, "actions", 2))


def test_nothing_to_rank_is_an_error():
    with pytest.raises(ValueError, match="no positive count"):
        ranked([0, 0], "actions")


def test_figure_and_alt_text_say_the_same_numbers():
    frame = pd.concat([ranked([1200, 5, 1], "actions"), ranked([7, 6], "files")])
    fig = long_tail(frame)
    assert [list(trace.y) for trace in fig.data] == [[1200, 5, 1], [7, 6]]
    assert fig.layout.xaxis.type == fig.layout.yaxis.type == "log"
    assert "actions: from 1,200 at rank 1 to 1 at rank 3" in long_tail_alt(frame)
    assert "files: from 7 at rank 1 to 6 at rank 2" in long_tail_alt(frame)


def test_cells_are_escaped_and_their_formulas_left_alone():
    html = table([("<script>alert(1)</script> $x$", 3)], ["a & b", "n"]).data
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $x$" in html
    assert "a &amp; b" in html
    names = table([("numpy.linalg.inv_of", "47.29")], ["name", "value"]).data
    assert "numpy.<wbr>linalg.<wbr>inv_<wbr>of" in names
    assert "<td>47.29</td>" in names
    assert "mathjax_ignore" in html
    with pytest.raises(ValueError, match="expected 2 values"):
        table([(1,)], ["a", "b"])


def test_draws_are_distinct_sorted_and_repeatable():
    first, second = (draw(50, 10, np.random.default_rng(3)) for _ in range(2))
    assert first == second == sorted(set(first))
    assert draw(3, 10, np.random.default_rng(0)) == [0, 1, 2]
    assert draw(0, 10, np.random.default_rng(0)) == []
