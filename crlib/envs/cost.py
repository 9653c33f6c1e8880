"""What a round costs against the number of actions, and what an approximate argmax loses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from crlib.agents.index import Name, build, score_ratio
from crlib.agents.thompson import LinearTS
from crlib.envs.slates import SlateBandit
from crlib.envs.spectra import clustered_rows

# Actions above which rows are written to a file and mapped, where a folder is given.
MAPPED = 2_000_000
N_CONTEXTS = 10


def mapped_rows(n_actions: int, d: int, folder: Path, *, seed: int = 0) -> NDArray[np.float32]:
    """Return clustered rows from a file of the folder, written block by block at the first call.

    Each block of a million has a seed of its own, so that no more than that is ever held.
    """
    path = folder / f"clustered-{n_actions}-{d}-{seed}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        rows = open_memmap(partial, mode="w+", dtype=np.float32, shape=(n_actions, d))
        for number, start in enumerate(range(0, n_actions, 1_000_000)):
            size = min(1_000_000, n_actions - start)
            rows[start : start + size] = clustered_rows(size, d, seed + number)
        rows.flush()
        del rows
        partial.replace(path)
    return np.load(path, mmap_mode="r")


def costs(
    n_actions: int,
    d: int,
    indexes: Sequence[Name],
    *,
    rounds: int = 300,
    replications: int = 4,
    seed: int = 0,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Play linear Thompson sampling over clustered actions with each index.

    Fixed contexts take turns and all K actions are on offer: the hardest case for an approximate
    argmax, as what it misses is missed for ever. The time is that of the agent alone.

    Parameters
    ----------
    n_actions, d : int
        K and the number of dimensions.
    indexes : sequence of {"exact", "scan", "ivf"}
        The first is what regret is compared with.
    rounds : int
    replications : int
        S, rows of one product.
    seed : int
    folder : Path, optional
        Where rows above two million are kept, mapped from disk.

    Returns
    -------
    list of dict
        One an index: K, index, rounds_per_second (processor time, all replications a round),
        gigabytes of the index, score_ratio, regret (mean over replications), regret_ratio.
    """
    mapped = folder is not None and n_actions > MAPPED
    rows = mapped_rows(n_actions, d, folder, seed=seed) if mapped and folder else clustered_rows(
        n_actions, d, seed
    )  # fmt: skip
    rng = np.random.default_rng([seed, n_actions])
    theta = rng.standard_normal((d, replications)) * np.sqrt(d)
    queries = rng.standard_normal((16, d)).astype(np.float32)
    found: list[dict[str, Any]] = []
    for name in indexes:
        index = build(rows, name)
        agent = LinearTS(rows, replications, index=index, tau2=float(d), seed=seed)
        bandit = SlateBandit(
            theta, slate=None, features=rows, contexts="fixed", n_contexts=N_CONTEXTS, seed=seed
        )
        seconds, regret = _timed(agent, bandit, rounds)
        found.append({
            "K": n_actions, "index": name, "rounds_per_second": rounds / seconds,
            "gigabytes": index.nbytes / 1e9, "score_ratio": score_ratio(index, rows, queries),
            "regret": regret, "regret_ratio": regret / found[0]["regret"] if found else 1.0,
        })  # fmt: skip
    return found


def _timed(agent: LinearTS, bandit: SlateBandit, rounds: int) -> tuple[float, float]:
    """Return the agent's processor time and the mean cumulative regret."""
    seconds, regret = 0.0, 0.0
    for _ in range(rounds):
        context, _ = bandit.deal(1)
        assert context is not None
        started = time.process_time()
        action = agent.select(context[:, 0])
        seconds += time.process_time() - started
        seen, lost = bandit.step(action[:, None])
        started = time.process_time()
        agent.update(context[:, 0], action, seen[:, 0])
        seconds += time.process_time() - started
        regret += float(lost.mean())
    return seconds, regret
