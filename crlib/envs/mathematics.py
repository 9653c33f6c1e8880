"""Mathematics problems: an agent chooses steps of a library, each of which is executed.

`MathBatch` plays many problems at once and has what `crlib.agents.rollouts.Chains` asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.data.answers import read_answer
from crlib.data.calculations import StepError
from crlib.data.mathematics import StepLibrary, reference_chain
from crlib.data.problems import Problem
from crlib.data.quantities import Quantity, quantities
from crlib.data.schemas import Needs, Schema, execute
from crlib.metrics.validate import as_indices, as_matrix

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass
class MathState:
    """What an agent sees of B episodes; a step gives the arrays anew.

    `crlib.agents.a2c.A2C` reads the first four alone, so it does not know which steps failed.

    Attributes
    ----------
    query : ndarray, shape (B, d)
        Embeddings of the problems.
    chain : ndarray of int64, shape (B, L)
        Numbers of the steps chosen so far, in order, then -1.
    length : ndarray of int64, shape (B,)
        How many were chosen.
    done : ndarray of bool, shape (B,)
    valid : ndarray of bool, shape (B, L)
        Which of them could be executed.
    """

    query: Floats
    chain: Ints
    length: Ints
    done: Bools
    valid: Bools


class MathBatch:
    """Episodes of many problems at once.

    An action is a step's number, or K for "stop". Choosing a step executes its schema on the
    quantities of the problem's text and on the results so far (`crlib.data.mathematics.execute`):
    whatever problem the step comes from, it refers to the first, second, ... quantity and to the
    last result, the one before it, and so on. A step that cannot be executed (no such quantity or
    result, no percentage, division by zero, more than 15 digits) is invalid: it leaves no result,
    but takes its place in the chain. An episode ends when the agent stops or after `max_length`
    steps. The last result is then the agent's answer; it is worth one if it equals the reference,
    as exact fractions. A right result that the agent does not stop at is no success.

    Parameters
    ----------
    library : StepLibrary
    problems : sequence of N Problem
    step_vectors : array_like, shape (K, d)
        Embeddings of the steps, such as of `StepLibrary.described`.
    query_vectors : array_like, shape (N, d)
        Embeddings of the problems' questions.
    max_length : int
        L, steps of an episode at most.
    step_cost, invalid_cost : float
        Of each step, and of an invalid one besides; at least 0.
    partial : float
        Worth of a result that is the next of the reference solution's not yet found, at least 0.
        It rewards sound beginnings, and never enters success.
    seed : int
        Decides `draw`.

    Attributes
    ----------
    tool_vectors : ndarray, shape (K, d)
        The step vectors, by the name that the protocol of chains gives them.
    solutions : list of tuples of int
        Steps that replay each problem's reference solution; () where the library has none, or
        none of at most L steps. An agent sees them in imitation only.
    milestones : list of lists of Fraction
        Results of these solutions, in order.
    targets : list of Fraction or None
        Reference answers; None where it is no rational number and no chain can give it.

    Raises
    ------
    ValueError
        If sizes do not fit, there is no problem, or a number is out of range.
    """

    def __init__(
        self,
        library: StepLibrary,
        problems: Sequence[Problem],
        step_vectors: ArrayLike,
        query_vectors: ArrayLike,
        max_length: int = 6,
        step_cost: float = 0.05,
        invalid_cost: float = 0.05,
        partial: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.library, self.problems = library, tuple(problems)
        self.tool_vectors = as_matrix(step_vectors, "step_vectors", min_rows=1)
        self.query_vectors = as_matrix(query_vectors, "query_vectors", min_rows=1)
        (self.n_tools, width), (self.n_queries, other) = (
            self.tool_vectors.shape, self.query_vectors.shape
        )  # fmt: skip
        if self.n_tools != len(library) or self.n_queries != len(problems):
            raise ValueError(
                f"{self.n_tools} step_vectors for {len(library)} steps and {self.n_queries} "
                f"query_vectors for {len(problems)} problems: expected one each"
            )
        if width != other:
            raise ValueError(
                f"step_vectors have {width} dimensions and query_vectors {other}: embed both with "
                "one model"
            )
        if max_length < 1:
            raise ValueError(f"max_length = {max_length}: expected at least 1")
        for name, cost in (
            ("step_cost", step_cost), ("invalid_cost", invalid_cost), ("partial", partial)
        ):  # fmt: skip
            if not 0 <= cost < np.inf:
                raise ValueError(f"{name} = {cost}: expected a number of at least 0")
        self.max_length, self.step_cost = max_length, step_cost
        self.invalid_cost, self.partial = invalid_cost, partial
        self.stop = self.n_tools
        self.numbers = [quantities(problem.question) for problem in problems]
        self.targets = [read_answer(problem.answer).value for problem in problems]
        first = library.with_schema()
        chains = [reference_chain(library, problem, first) for problem in problems]
        self.solutions = [chain if len(chain) <= max_length else () for chain in chains]
        self.milestones = [
            self._results(chain, numbers)
            for chain, numbers in zip(self.solutions, self.numbers, strict=True)
        ]
        self._needs = Needs(library.schemas)
        self._rng = np.random.default_rng(seed)
        self._state: MathState | None = None

    def _results(self, chain: tuple[int, ...], numbers: Sequence[Quantity]) -> list[Fraction]:
        results: list[Fraction] = []
        for step in chain:
            results.append(execute(self.schema(step), numbers, results))
        return results

    def schema(self, step: int) -> Schema:
        """Return the schema of a step."""
        return self.library.schemas[self.library.schema_of[step]]

    @property
    def state(self) -> MathState:
        """The state that `reset` returned, brought up to date by every step."""
        if self._state is None:
            raise ValueError("no episode has begun: call reset first")
        return self._state

    @property
    def results(self) -> list[list[Fraction]]:
        """Results of the valid steps so far, of each episode."""
        return [list(results) for results in self._found]

    def draw(self, n: int, among: ArrayLike | None = None) -> Ints:
        """Return n random problem numbers, with replacement; from `among` where it is given."""
        numbers = (
            np.arange(self.n_queries)
            if among is None
            else as_indices(among, self.n_queries, "among")
        )
        return self._rng.choice(numbers, size=n)

    def reset(self, query_numbers: ArrayLike) -> MathState:
        """Begin an episode of each of B problems.

        Parameters
        ----------
        query_numbers : array_like of int, shape (B,)

        Returns
        -------
        MathState
        """
        self._asked = as_indices(query_numbers, self.n_queries, "query_numbers")
        n = self._asked.size
        self._found: list[list[Fraction]] = [[] for _ in range(n)]
        self._ahead = [list(self.milestones[i]) for i in self._asked]
        self._invalid, self._success = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        self._state = MathState(
            query=self.query_vectors[self._asked],
            chain=np.full((n, self.max_length), -1, np.int64),
            length=np.zeros(n, np.int64),
            done=np.zeros(n, np.bool_),
            valid=np.zeros((n, self.max_length), np.bool_),
        )
        return self._state

    def applicable(self) -> Bools:
        """Which steps find in each episode what their operands name, shape (B, K).

        Whether a division by zero or a long number comes out is not foreseen.
        """
        rows = [
            self._needs.met(self.numbers[i], len(found))
            for i, found in zip(self._asked, self._found, strict=True)
        ]
        return np.stack(rows)[:, self.library.schema_of]

    def executes(self, row: int, step: int) -> bool:
        """Whether a step leaves a result in an episode as it stands."""
        try:
            execute(self.schema(step), self.numbers[self._asked[row]], self._found[row])
        except StepError:
            return False
        return True

    def step(self, actions: ArrayLike) -> tuple[NDArray[np.float64], Bools, dict[str, Any]]:
        """Take one action in every episode; those that are done ignore it.

        Parameters
        ----------
        actions : array_like of int, shape (B,)
            0 to K.

        Returns
        -------
        reward : ndarray of float64, shape (B,)
            0 where the episode was done before.
        done : ndarray of bool, shape (B,)
        info : dict of ndarray, shape (B,)
            "success": whether the episode ended on the reference answer; "invalid": invalid steps
            so far; "results": results so far.

        Raises
        ------
        ValueError
            If no episode has begun, or actions do not fit.
        """
        state = self.state
        chosen, live = np.asarray(actions), ~state.done
        if chosen.shape != live.shape or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"actions are {chosen.dtype} of shape {chosen.shape}: expected {live.size} whole "
                "numbers, one an episode"
            )
        if (live & ((chosen < 0) | (chosen > self.stop))).any():
            raise ValueError(f"actions must lie in 0 to K = {self.stop} (stop)")
        taken = live & (chosen != self.stop)
        rows = np.flatnonzero(taken)
        places = state.length[rows]
        chain, valid, reward = state.chain.copy(), state.valid.copy(), -self.step_cost * taken
        chain[rows, places] = chosen[rows]
        for row, place in zip(rows.tolist(), places.tolist(), strict=True):
            valid[row, place] = self._apply(row, int(chosen[row]), reward)
        state.chain, state.valid, state.length = chain, valid, state.length + taken
        ended = live & (~taken | (state.length == self.max_length))
        for row in np.flatnonzero(ended).tolist():
            target, found = self.targets[self._asked[row]], self._found[row]
            self._success[row] = bool(found) and found[-1] == target
        state.done = state.done | ended
        info = {
            "success": self._success.copy(),
            "invalid": self._invalid.copy(),
            "results": np.array([len(found) for found in self._found]),
        }
        return reward + (ended & self._success), state.done, info

    def _apply(self, row: int, step: int, reward: NDArray[np.float64]) -> bool:
        found = self._found[row]
        try:
            value = execute(self.schema(step), self.numbers[self._asked[row]], found)
        except StepError:
            self._invalid[row] += 1
            reward[row] -= self.invalid_cost
            return False
        found.append(value)
        if self._ahead[row] and value == self._ahead[row][0]:
            self._ahead[row].pop(0)
            reward[row] += self.partial
        return True
