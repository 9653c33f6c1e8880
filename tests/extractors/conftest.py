"""Small stand-ins: a made-up corpus, a tokenizer learnt from it, a twin that is never trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from crlib.extractors.twins.corpus import Corpus, read_corpus
from crlib.extractors.twins.tokenizer import MASK, PAD, SPECIAL, learn_tokenizer

VERBS = ("return", "compute", "draw", "fit", "invert", "sort", "merge", "sample")
NOUNS = ("matrix", "tree", "graph", "vector", "series", "model", "window", "kernel")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    rng = np.random.default_rng(0)
    made = []
    for i in range(240):
        words = rng.choice(NOUNS, size=rng.integers(1, 12))
        verb = VERBS[i % len(VERBS)]
        made.append(f"pack.{words[0]}.{verb}_{i}: {verb} the {' '.join(words)} of item {i}.")
    return made


@pytest.fixture(scope="session")
def tokenizer(texts: list[str]) -> Tokenizer:
    return learn_tokenizer(texts, size=150)


@pytest.fixture(scope="session")
def corpus(texts: list[str], tokenizer: Tokenizer) -> Corpus:
    return read_corpus(texts, tokenizer, padding=PAD, mask_id=MASK, special=len(SPECIAL))


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random checkpoint of each architecture."""
    from hub_models import BUILDERS, save  # transformers takes seconds: only where needed

    folder = tmp_path_factory.mktemp("hub")
    for name in BUILDERS:
        save(name, folder / name)
    return folder
