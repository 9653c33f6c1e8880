"""Thompson sampling beside the matrix product that it cannot do without.

One thread. The problem: K unit actions a, parameters theta ~ N(0, I) a seed, a fresh context x ~
N(0, I) a round, mean reward <theta, x * a>, noise of variance 1. Contexts and noise are drawn
ahead and are no part of the time. All runs of a case take turns; processor time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import command
from benchmarks.measure import result_row, take_turns_of
from crlib.agents.index import Index, build, score_ratio
from crlib.agents.thompson import LinearTS
from crlib.envs.slates import SlateBandit, play
from crlib.envs.spectra import clustered_rows
from crlib.settings import BUILD

SEEDS = 10
# (K, d) of the agent's cases and of the single query's, rounds, and rounds of the regret's case.
SIZES = {
    False: {"agent": (10_000, 128), "query": (1_000_000, 128), "rounds": 10_000, "regret": 2000},
    True: {"agent": (500, 16), "query": (3000, 16), "rounds": 64, "regret": 50},
}
CHUNK = 1000  # rounds a turn
PEERS = {"exact": "limit", "scan": "crlib, 8-bit scan", "ivf": "crlib, inverted file"}


class Rounds:
    """An agent and its problem, a chunk of rounds at a call."""

    def __init__(self, n_actions: int, d: int, rounds: int, block: int) -> None:
        rng = np.random.default_rng(0)
        self.rows = rng.standard_normal((n_actions, d)).astype(np.float32)
        self.rows /= np.linalg.norm(self.rows, axis=1, keepdims=True)
        self.columns = np.ascontiguousarray(self.rows.T)
        self.theta = rng.standard_normal((SEEDS, d))
        # Nobody holds 10,000 contexts of 10 seeds ready for a benchmark of one: they come round.
        self.contexts = rng.standard_normal((SEEDS, min(rounds, CHUNK), d))
        self.noise = rng.standard_normal((SEEDS, min(rounds, CHUNK)))
        self.block, self.rounds = block, min(rounds, CHUNK)
        self.agent = LinearTS(self.rows, SEEDS)
        self.out = np.empty((SEEDS * block, n_actions), np.float32)
        self.queries = rng.standard_normal((SEEDS * block, d)).astype(np.float32)
        self.played: list[np.ndarray] = []

    def limit(self) -> None:
        """Products of as many draws with all actions."""
        for _ in range(0, self.rounds, self.block):
            np.matmul(self.queries, self.columns, out=self.out)

    def play(self) -> None:
        """Select and update, as often."""
        chunk = []
        for start in range(0, self.rounds - self.block + 1, self.block):
            part = slice(start, start + self.block)
            context = self.contexts[:, part]
            action = self.agent.select(context, rounds=self.block)
            weights = self.theta[:, None] * context
            mean = np.einsum("sbd,sbd->sb", self.rows[action], weights)
            self.agent.update(context, action, mean + self.noise[:, part])
            chunk.append(mean)
        self.played.append(np.concatenate(chunk, axis=1))

    def regret(self) -> np.ndarray:
        """Return the mean regret of a round, for each chunk that was played."""
        found = []
        weights = self.theta[:, None] * self.contexts
        best = np.stack([(w.astype(np.float32) @ self.columns).max(axis=1) for w in weights])
        for mean in self.played:
            found.append(float((best[:, : mean.shape[1]] - mean).mean()))
        return np.array(found)


def agent_rows(n_actions: int, d: int, rounds: int, block: int, goal: float) -> list[dict]:
    """Measure the agent over all its rounds, in turns with the limit."""
    game = Rounds(n_actions, d, rounds, block)
    seconds = take_turns_of({"limit": game.limit, "crlib": game.play}, max(1, rounds // CHUNK))
    regret = game.regret()
    name = f"linear TS, K = {n_actions:,}, d = {d}, {SEEDS} seeds, blocks of {block}"
    note = f"regret a round {regret[0]:.2f} at first, {regret[-1]:.2f} in the last chunk"
    return table(
        f"{name}, {game.rounds:,} rounds", "the products of all draws with all actions", seconds,
        {"crlib": goal}, {"crlib": note},
    )  # fmt: skip


def query_rows(n_actions: int, d: int, repeats: int) -> list[dict]:
    """Measure one query: 8-bit scan beside reading the rows, inverted file beside exact GEMV."""
    rows = clustered_rows(n_actions, d, 0)
    queries = np.random.default_rng(1).standard_normal((64, d)).astype(np.float32)
    indexes = {name: build(rows, name) for name in ("exact", "scan", "ivf")}  # type: ignore[arg-type]
    ratios = {name: score_ratio(index, rows, queries) for name, index in indexes.items()}
    runs: dict[str, Callable[[], Any]] = {
        "read": rows.sum,
        "gemv": lambda: rows @ queries[0],
        **{name: _one_query(index, queries) for name, index in indexes.items()},
    }
    seconds = take_turns_of(runs, repeats)
    score = {name: f"score {ratio:.4f} of the exact" for name, ratio in ratios.items()}
    size = f"K = {n_actions:,}, d = {d}, clustered"
    return table(
        f"one query, {size}, exact by 8-bit scan", "reading the float32 rows once",
        {"limit": seconds["read"], "crlib, 8-bit scan": seconds["scan"],
         "crlib, exact": seconds["exact"]},
        {"crlib, 8-bit scan": 0.7},
        {"crlib, 8-bit scan": score["scan"], "crlib, exact": score["exact"]},
    ) + table(
        f"one query, {size}, inverted file", "numpy's exact product of the query with all rows",
        {"limit": seconds["gemv"], "crlib, inverted file": seconds["ivf"]},
        {"crlib, inverted file": 0.01}, {"crlib, inverted file": score["ivf"]},
    )  # fmt: skip


def _one_query(index: Index, queries: np.ndarray) -> Callable[[], Any]:
    numbers = iter(range(1 << 30))
    return lambda: index.search(queries[[next(numbers) % len(queries)]])


def regret_rows(n_actions: int, d: int, rounds: int) -> list[dict]:
    """Play fixed contexts with each index; what an approximate argmax costs in regret."""
    rows = clustered_rows(n_actions, d, 0)
    theta = np.random.default_rng(2).standard_normal((d, SEEDS)) * np.sqrt(d)
    found = {}
    for name in ("exact", "scan", "ivf"):
        agent = LinearTS(rows, SEEDS, index=name, tau2=float(d))  # type: ignore[arg-type]
        bandit = SlateBandit(theta, slate=None, features=rows, contexts="fixed", n_contexts=10)
        found[name] = play(agent, bandit, rounds).sum(axis=1)
    case = f"regret of {rounds:,} rounds, fixed contexts, K = {n_actions:,}, d = {d}, clustered"
    return [
        result_row(
            case, "the regret with the exact argmax", PEERS[name],
            ratio=float(total.sum() / found["exact"].sum()),
            goal=None if name == "exact" else 1.10,
            note=f"mean regret {total.mean():.0f}, {SEEDS} paired seeds",
        )
        for name, total in found.items()
    ]  # fmt: skip


def table(
    case: str, limit: str, seconds: dict[str, list[float]], goals: dict[str, float],
    notes: dict[str, str],
) -> list[dict]:  # fmt: skip
    """Return rows of the result from each run's times."""
    median = {name: float(np.median(times)) for name, times in seconds.items()}
    return [
        result_row(
            case, limit, name, seconds=value, ratio=value / median["limit"], goal=goals.get(name),
            note=notes.get(name, f"{len(seconds[name])} runs"),
        )
        for name, value in median.items()
    ]  # fmt: skip


def main(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark and write build/bench/bandits.json."""
    size: dict[str, Any] = SIZES[quick]
    rows = agent_rows(*size["agent"], size["rounds"], 1, 2.0)
    rows += agent_rows(*size["agent"], size["rounds"], 32, 1.6)
    rows += query_rows(*size["query"], 3 if quick else 40)
    rows += regret_rows(size["query"][0] // 10, size["query"][1], size["regret"])
    command.print_rows(rows)
    return command.keep(BUILD / "bench", "bandits", rows)


if __name__ == "__main__":
    command.run(main, __doc__)
