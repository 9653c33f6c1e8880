"""One byte-pair vocabulary for all twins, learnt from the texts they train on."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from crlib.io import atomic_path

VOCABULARY = 8192
MAX_TOKENS = 64
PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def learn_tokenizer(texts: Iterable[str], *, size: int = VOCABULARY) -> Tokenizer:
    """Learn a lower-case byte-pair tokenizer (Sennrich et al. 2016, algorithm 1).

    The trainer for WordPiece breaks ties by hash order, so two runs give two vocabularies; this
    one orders its alphabet and its merges, and gives one.

    Parameters
    ----------
    texts : iterable of str
        Training texts; their order does not matter.
    size : int
        Number of tokens, the five special ones included.

    Returns
    -------
    tokenizers.Tokenizer
        Adds [CLS] and [SEP] and cuts at `MAX_TOKENS`; it does not pad.

    Raises
    ------
    ValueError
        When the texts are too few for a vocabulary of that size.
    """
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), limit_alphabet=256, show_progress=False
    )
    tokenizer.train_from_iterator(sorted(texts), trainer)
    if tokenizer.get_vocab_size() < size:
        raise ValueError(
            f"the texts hold only {tokenizer.get_vocab_size()} distinct tokens, expected "
            f"{size}; pass more texts or a smaller size"
        )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: str | Path) -> None:
    """Write `tokenizer` to `path` as JSON, wholly or not at all."""
    with atomic_path(path) as temporary:
        tokenizer.save(str(temporary))


def read_tokenizer(path: str | Path) -> Tokenizer:
    """Read a tokenizer.json.

    Raises
    ------
    ValueError
        When the file is missing.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"no tokenizer at {path}; `make twins` makes it, git holds the shipped one"
        )
    return Tokenizer.from_file(str(path))


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Turn texts into arrays of token numbers, [CLS] and [SEP] included (int64, at least 2)."""
    encodings = tokenizer.encode_batch_fast(list(texts))
    return [np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings]
