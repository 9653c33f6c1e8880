"""Controls: embeddings whose geometry is known, or that know no semantics beyond words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crlib.extractors.standardise import unit_rows
from crlib.io import sha256_text


def gaussian_rows(
    texts: Sequence[str], *, dimensions: int = 128, seed: int = 0
) -> NDArray[np.float32]:
    """Give each text a random direction that depends on nothing but the text and the seed.

    Parameters
    ----------
    texts : sequence of str
    dimensions : int
        Width d.
    seed : int
        Mixed with the text's SHA-256.

    Returns
    -------
    (n, d) float32 array
        Unit rows, uniform on the sphere (a normalised standard normal vector).
    """
    rows = np.empty((len(texts), dimensions))
    for row, text in zip(rows, texts, strict=True):
        row[:] = np.random.default_rng([seed, int(sha256_text(text), 16)]).standard_normal(
            dimensions
        )
    return unit_rows(rows)


def lsa_rows(texts: Sequence[str], *, dimensions: int = 128, seed: int = 0) -> NDArray[np.float32]:
    """Latent semantic analysis of these very texts (Deerwester et al. 1990).

    Parameters
    ----------
    texts : sequence of str
        Fitted on, and embedded.
    dimensions : int
        Number of components.
    seed : int
        Of the randomised singular value decomposition.

    Returns
    -------
    (n, d) float32 array
        Unit rows.

    Raises
    ------
    ValueError
        When the texts hold too few distinct words, or a text holds no word at all.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second to import

    try:
        counts = TfidfVectorizer(sublinear_tf=True, dtype=np.float64).fit_transform(texts)
    except ValueError as error:
        raise ValueError("lsa: the texts hold no words (two letters or more)") from error
    if min(counts.shape) <= dimensions:
        raise ValueError(
            f"lsa: {counts.shape[0]} texts with {counts.shape[1]} distinct words; expected more "
            f"than {dimensions} of both, pass more texts"
        )
    rows = TruncatedSVD(dimensions, n_iter=7, random_state=seed).fit_transform(counts)
    norms = np.linalg.norm(rows, axis=1)
    if (norms < 1e-12).any():
        position = int(norms.argmin())
        raise ValueError(
            f"lsa: text {position} ({texts[position][:40]!r}) shares no word with the components; "
            "remove it or choose another model"
        )
    return unit_rows(rows)
