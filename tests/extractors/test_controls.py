import numpy as np
import pytest
from scipy import stats

from crlib.extractors.controls import gaussian_rows, lsa_rows


def test_noise_depends_on_the_text_and_the_seed_alone():
    both = gaussian_rows(["a", "b"])
    np.testing.assert_array_equal(gaussian_rows(["b", "a"]), both[::-1])
    assert not np.allclose(both[0], both[1])
    assert not np.allclose(gaussian_rows(["a"], seed=1), both[:1])


def test_noise_is_uniform_on_the_sphere():
    rows = gaussian_rows([str(i) for i in range(4000)], dimensions=3).astype(float)
    # Archimedes: each coordinate of a uniform point on the two-sphere is uniform on [-1, 1].
    for coordinate in rows.T:
        assert stats.kstest(coordinate, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_lsa_is_the_truncated_decomposition_of_the_weighted_counts(texts):
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = lsa_rows(texts, dimensions=8).astype(float)
    counts = TfidfVectorizer(sublinear_tf=True).fit_transform(texts).toarray()
    left, values, _ = np.linalg.svd(counts, full_matrices=False)
    exact = left[:, :8] * values[:8]
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(rows @ rows.T, exact @ exact.T, atol=2e-3)


def test_lsa_names_what_it_cannot_place(texts):
    with pytest.raises(ValueError, match=r"text 240 \(''\) shares no word"):
        lsa_rows([*texts, ""], dimensions=8)
    with pytest.raises(ValueError, match="pass more texts"):
        lsa_rows(texts[:5])
    with pytest.raises(ValueError, match="hold no words"):
        lsa_rows(["", "a"])
