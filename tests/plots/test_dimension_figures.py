"""Figures of C1a and C1b: what is drawn, for which slider step, and what the alt text says."""

import numpy as np
import pandas as pd
import pytest

from crlib.extractors import MODELS, Pair
from crlib.plots import effective_dimension, pca_standardisation

PAIRS = (Pair("A", "mlm-bert", "simcse"), Pair("B", "clm-llama", "llm2vec"))
NAMES = ("mlm-bert", "simcse", "clm-llama", "llm2vec", "gaussian")


def rows_with_variances(*variances: float) -> np.ndarray:
    """Rows whose covariance is diagonal with exactly these entries (times a common factor)."""
    scales = np.sqrt(np.array(variances))
    return np.vstack([np.diag(scales), -np.diag(scales)])


@pytest.fixture
def vectors() -> dict[str, np.ndarray]:
    found = {name: rows_with_variances(1, 1, 1, 1) for name in NAMES}
    return found | {"mlm-bert": rows_with_variances(5, 2, 1, 0)}


def visible(fig, step: int) -> list[str]:
    shown = fig.layout.sliders[0].steps[step].args[1]
    return [trace.name for trace, on in zip(fig.data, shown, strict=True) if on]


def test_spectra_are_the_known_ones_without_the_empty_direction(vectors) -> None:
    frame = effective_dimension.spectra_frame(vectors, MODELS)
    bert = frame[frame["model"] == "mlm-bert"]
    assert bert["eigenvalue"].tolist() == pytest.approx([5 / 8, 2 / 8, 1 / 8])
    assert bert["component"].tolist() == [1, 2, 3]
    assert set(bert["family"]) == {"reconstruction"}


def test_a_step_of_the_spectra_shows_its_pair_and_the_controls(vectors) -> None:
    frame = effective_dimension.spectra_frame(vectors, MODELS)
    fig = effective_dimension.spectra(frame, PAIRS)
    assert visible(fig, 0) == ["mlm-bert", "simcse", "gaussian"]
    assert visible(fig, 1) == ["clm-llama", "llm2vec", "gaussian"]
    assert fig.layout.xaxis.type == fig.layout.yaxis.type == "log"
    alone = effective_dimension.spectra(frame, ())
    assert [trace.name for trace in alone.data] == list(NAMES)
    assert not alone.layout.sliders


def test_alt_text_of_the_spectra_quotes_shares_and_ratios(vectors) -> None:
    wide = vectors | {"simcse": rows_with_variances(*[1.0] * 40)}
    frame = effective_dimension.spectra_frame(wide, MODELS)
    alt = effective_dimension.spectra_alt(frame, PAIRS[:1], {"mlm-bert": 2.13, "simcse": 40.0})
    assert "100% of mlm-bert (effective dimension 2.1) and 25% of simcse (40.0)" in alt


def test_subset_ratios_unbiased_stays_where_naive_climbs() -> None:
    X = np.random.default_rng(0).standard_normal((4000, 64))
    found = effective_dimension.subset_ratios(X, [32, 128, 512], 9, seed=1)
    # Of white noise E[naive] is near n d / (n + d): the size of the sample, not the embedding.
    expected = [n * 64 / (n + 64) for n in (32, 128, 512)]
    assert found["naive"].tolist() == pytest.approx(expected, rel=0.05)
    assert found["unbiased"].tolist() == pytest.approx([64] * 3, rel=0.1)
    again = effective_dimension.subset_ratios(X, [32, 128, 512], 9, seed=1)
    pd.testing.assert_frame_equal(found, again)


def test_against_n_draws_both_estimates_of_a_pair() -> None:
    frame = pd.DataFrame(
        {"n": n, "naive": n / 10, "unbiased": 20.0, "model": name, "family": MODELS[name].family}
        for name in NAMES
        for n in (50, 400)
    )
    fig = effective_dimension.against_n(frame, PAIRS)
    assert visible(fig, 1) == [
        "clm-llama, naive", "clm-llama, unbiased", "llm2vec, naive", "llm2vec, unbiased",
    ]  # fmt: skip
    assert list(fig.layout.xaxis.ticktext) == ["50", "400"]
    alt = effective_dimension.against_n_alt(frame, PAIRS[:1])
    assert "mlm-bert: naive 5.0 and 40.0, unbiased 20.0 and 20.0." in alt


def test_power_law_is_solved_for_its_ratio_and_then_cut() -> None:
    whole = pca_standardisation.power_law_after_pca(50, 768, 768)
    assert whole == pytest.approx(50)
    half = pca_standardisation.power_law_after_pca(50, 768, 128)
    assert half < 50
    # The exponent by bisection on its own, then the ratio of the 128 leading terms.
    low, high = 0.0, 3.0
    for _ in range(200):
        middle = (low + high) / 2
        values = np.arange(1, 769) ** -middle
        low, high = (middle, high) if values.sum() ** 2 / (values**2).sum() > 50 else (low, middle)
    leading = np.arange(1, 129) ** -low
    assert half == pytest.approx(leading.sum() ** 2 / (leading**2).sum())


def test_ratio_after_pca_lies_between_the_bounds_and_ends_at_the_whole(vectors) -> None:
    frame = pca_standardisation.ratio_frame(vectors, MODELS, 2)
    assert (frame["low"] <= frame["ratio"] * (1 + 1e-9)).all()
    assert (frame["ratio"] <= frame["high"] * (1 + 1e-9)).all()
    bert = frame[frame["model"] == "mlm-bert"].set_index("m")["ratio"]
    assert bert.to_dict() == pytest.approx({1: 1.0, 2: 49 / 29, 3: 64 / 30})


def test_a_step_after_pca_shows_its_pair_with_bounds_and_noise(vectors) -> None:
    frame = pca_standardisation.ratio_frame(vectors, MODELS, 2)
    fig = pca_standardisation.ratios(frame, PAIRS, 2)
    assert visible(fig, 0) == [
        "mlm-bert, bounds", "mlm-bert", "simcse, bounds", "simcse", "gaussian",
    ]  # fmt: skip
    assert fig.layout.shapes[0].x0 == 2
    alt = pca_standardisation.ratios_alt(frame, PAIRS[:1], 2)
    assert "mlm-bert 1.7 at m = 2 and 2.1 at m = 3; simcse 2.0 at m = 2 and 4.0 at m = 4" in alt
