"""Action rows that several tests share."""

from collections.abc import Callable

import numpy as np
import pytest

ActionRows = Callable[..., np.ndarray]


@pytest.fixture
def action_rows() -> ActionRows:
    """Return a maker of float32 unit rows: ``action_rows(K, d, seed, cells=0)``.

    With `cells` the rows lie around as many centres, as texts do.
    """

    def make(K: int, d: int, seed: int = 0, cells: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(K, d))
        if cells:
            rows = rng.normal(size=(cells, d))[rng.integers(cells, size=K)] + 0.3 * rows
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return make
