"""Embeddings that several tests share."""

from collections.abc import Callable

import numpy as np
import pytest

UnitRows = Callable[..., np.ndarray]


@pytest.fixture
def unit_rows() -> UnitRows:
    """Return a maker of unit rows: ``unit_rows(n, d, seed, clump=0)``; a clump lies off centre."""

    def make(n: int, d: int, seed: int = 0, clump: float = 0.0) -> np.ndarray:
        rows = np.random.default_rng(seed).normal(size=(n, d))
        rows[:, 0] += clump * np.sqrt(d)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return make
