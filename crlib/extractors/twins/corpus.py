"""Training texts as token numbers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from crlib.extractors.twins.tokenizer import token_ids

Rows = Sequence[NDArray[np.int64]]


@dataclass(frozen=True)
class Corpus:
    """Tokenised training texts.

    Attributes
    ----------
    rows : sequence of int arrays
        Whole texts, [CLS] and [SEP] included.
    names, bodies : sequences of int arrays
        The two sides of a text at its first ": ", the name and what it does; for "pairs" only.
    digest : str
        SHA-256 over the texts and the tokenizer.
    padding, mask_id, special, vocabulary : int
        Of the tokenizer; random replacements come from [special, vocabulary).
    """

    rows: Rows
    names: Rows
    bodies: Rows
    digest: str
    padding: int
    mask_id: int
    special: int
    vocabulary: int


def texts_digest(texts: Sequence[str]) -> str:
    """SHA-256 of the distinct texts in sorted order."""
    return hashlib.sha256("\0".join(sorted(set(texts))).encode()).hexdigest()


def read_corpus(
    texts: Sequence[str], tokenizer: Tokenizer, *, padding: int, mask_id: int, special: int
) -> Corpus:
    """Tokenise the distinct texts, in sorted order, so that the given order does not matter.

    Parameters
    ----------
    texts : sequence of str
        Each "name: what it does"; one without ": " stands on both sides of its pair.
    tokenizer : Tokenizer
        Cuts at its own maximum length and does not pad.
    padding, mask_id, special : int
        See `Corpus`.
    """
    distinct = sorted(set(texts))
    halves = [text.partition(": ") for text in distinct]
    bodies = [body or name for name, _, body in halves]
    digest = hashlib.sha256((texts_digest(distinct) + tokenizer.to_str()).encode()).hexdigest()
    return Corpus(
        rows=token_ids(tokenizer, distinct),
        names=token_ids(tokenizer, [name for name, _, _ in halves]),
        bodies=token_ids(tokenizer, bodies),
        digest=digest,
        padding=padding,
        mask_id=mask_id,
        special=special,
        vocabulary=tokenizer.get_vocab_size(),
    )
