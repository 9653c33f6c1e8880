"""Mathematics problems: an agent chooses steps of a library, each of which is executed.

`MathBatch` plays many problems at once and has what `crlib.agents.rollouts.Chains` asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crlib.data.answers import read_answer
from crlib.data.calculations import StepError
from crlib.data.mathematics import StepLibrary, reference_chain
from crlib.data.problems import Problem
from crlib.data.quantities import Quantity, quantities
from crlib.data.schemas import Needs, Schema, execute
from crlib.envs.chain_batch import Bools, ChainBatch, ChainState, Ints, Rewards, check_costs


@dataclass
class MathState(ChainState):
    """What an agent sees of B episodes, and which steps failed, which no learner reads.

    Attributes
    ----------
    valid : ndarray of bool, shape (B, L)
        Which of the chain's steps could be executed.
    """

    valid: Bools


class MathBatch(ChainBatch[MathState]):
    """Episodes of many problems at once.

    An action is a step's number, or K for "stop". Choosing a step executes its schema on the
    quantities of the problem's text and on the results so far (`crlib.data.mathematics.execute`):
    whatever problem the step comes from, it refers to the first, second, ... quantity and to the
    last result, the one before it, and so on. A step that cannot be executed (no such quantity or
    result, no percentage, division by zero, more than 15 digits) is invalid: it leaves no result,
    but takes its place in the chain. An episode ends when the agent stops or after `max_length`
    steps. The last result is then the agent's answer; it is worth one if it equals the reference,
    as exact fractions. A right result that the agent does not stop at is no success.

    A step's info tells "success": whether the episode ended on the reference answer; "invalid":
    invalid steps so far; "results": results so far.

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
        super().__init__(
            step_vectors, query_vectors, max_length, step_cost, seed, name="step_vectors"
        )
        if self.n_tools != len(library) or self.n_queries != len(problems):
            raise ValueError(
                f"{self.n_tools} step_vectors for {len(library)} steps and {self.n_queries} "
                f"query_vectors for {len(problems)} problems: expected one each"
            )
        check_costs(invalid_cost=invalid_cost, partial=partial)
        self.library, self.problems = library, tuple(problems)
        self.invalid_cost, self.partial = invalid_cost, partial
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

    def _results(self, chain: tuple[int, ...], numbers: Sequence[Quantity]) -> list[Fraction]:
        results: list[Fraction] = []
        for step in chain:
            results.append(execute(self.schema(step), numbers, results))
        return results

    def schema(self, step: int) -> Schema:
        """Return the schema of a step."""
        return self.library.schemas[self.library.schema_of[step]]

    @property
    def results(self) -> list[list[Fraction]]:
        """Results of the valid steps so far, of each episode."""
        return [list(results) for results in self._found]

    def _begin(self, numbers: Ints, state: ChainState) -> MathState:
        self._asked, n = numbers, numbers.size
        self._found: list[list[Fraction]] = [[] for _ in range(n)]
        self._ahead = [list(self.milestones[i]) for i in numbers]
        self._invalid, self._success = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        return MathState(**vars(state), valid=np.zeros((n, self.max_length), np.bool_))

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

    def _outcome(
        self, chosen: Ints, taken: Bools, ended: Bools
    ) -> tuple[Rewards, Bools, dict[str, Any]]:
        state = self.state
        valid, reward = state.valid.copy(), -self.step_cost * taken
        for row in np.flatnonzero(taken).tolist():
            valid[row, state.length[row] - 1] = self._apply(row, int(chosen[row]), reward)
        state.valid = valid
        for row in np.flatnonzero(ended).tolist():
            target, found = self.targets[self._asked[row]], self._found[row]
            self._success[row] = bool(found) and found[-1] == target
        info = {
            "success": self._success.copy(),
            "invalid": self._invalid.copy(),
            "results": np.array([len(found) for found in self._found]),
        }
        return reward + (ended & self._success), ended, info

    def _apply(self, row: int, step: int, reward: Rewards) -> bool:
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
