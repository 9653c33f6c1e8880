"""Reasoning steps: solutions of mathematics problems as a library of steps that can be executed.

A step is a sentence and a schema: a calculation whose operands are roles. The roles are the
quantities of whatever problem it is applied to, by their place in the text, results of the steps
before, counted back from the last, and constants. So the schema of "Ann pays 3 * 4 = 12 dollars",
where 3 and 4 are the first two numbers of the problem, is "q1 * q2": applied to another problem it
multiplies that one's first two numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from crlib.data.calculations import OPERATIONS, StepError, number, postfix, tokens, written
from crlib.data.problems import Problem
from crlib.data.quantities import Quantity, quantities
from crlib.data.schemas import Schema, describe, execute, familiar, linked, ordered

Ints = NDArray[np.int64]


@dataclass
class Replay:
    """One solution, step by step.

    Attributes
    ----------
    steps : list of (str, tuple of str)
        Sentence and schema of each step that calculates.
    results : list of Fraction
    reason : str
        "" where executing the schemas on the problem's quantities ends with the reference answer,
        else what is in the way.
    counts : Counter
        Of steps: without a calculation, with one that only its words tell, and others.
    """

    steps: list[tuple[str, Schema]] = field(default_factory=list)
    results: list[Fraction] = field(default_factory=list)
    reason: str = ""
    counts: Counter[str] = field(default_factory=Counter)


def replay(problem: Problem, *, strict: bool = False) -> Replay:
    """Read a worked solution as schemas and execute them.

    A number of a calculation is bound to the first of these that has its value: a result that no
    step has used, the latest first; a quantity of the problem that none has used, in the order of
    the text, face value before share; then those used before, in the same order; else it is a
    constant. A quotient is one operand where it is a percentage of the problem (80/100 for 80%), or
    a quantity that its two numbers are not (3/4). A step without annotation counts where its
    sentence writes out one calculation that holds.

    Parameters
    ----------
    problem : Problem
    strict : bool
        Stop at a step that uses neither a quantity nor an earlier result, or a constant that not
        every reader knows (`crlib.data.schemas.COMMON`): such a number comes from nowhere.

    Returns
    -------
    Replay

    Raises
    ------
    ValueError
        If there are calculations, but not an entry for each step.
    """
    done = Replay()
    numbers = quantities(problem.question)
    used: set[str] = set()  # quantities by name, results by their absolute place
    calculations = problem.calculations or ((),) * len(problem.steps)
    if len(calculations) != len(problem.steps):
        raise ValueError(
            f"problem {problem.id!r} has {len(problem.steps)} steps and {len(calculations)} "
            "entries of calculations: give one for each step, () where it has none"
        )
    try:
        for text, noted in zip(problem.steps, calculations, strict=True):
            if len(noted) > 1:
                raise StepError("several calculations in one step")
            told = noted[0] if noted else written(text)
            if told is None:
                done.counts["steps without a calculation"] += 1
                continue
            done.counts["steps with an annotation" if noted else "steps read from the words"] += 1
            _add(done, text, told, numbers, used, strict)
        done.reason = _ending(done.results, number(problem.answer))
    except StepError as error:
        done.reason = str(error)
    return done


def _add(
    done: Replay, text: str, told: str, numbers: Sequence[Quantity], used: set[str], strict: bool
) -> None:
    left, mark, right = told.rpartition("=")
    if not mark or "=" in left:
        raise StepError("calculation has not one sign of equality")
    found = tokens(left)
    postfix(found)  # well-formed, before any number of it is bound
    schema = ordered(postfix(_bind(found, numbers, done.results, used)))
    value = execute(schema, numbers, done.results)
    if value != number(right):
        raise StepError("calculation does not hold exactly")
    done.counts["steps with an uncommon constant"] += not familiar(schema)
    done.counts["steps of constants alone"] += not linked(schema)
    if strict and not familiar(schema):
        raise StepError("a number that comes from nowhere")
    if strict and not linked(schema):
        raise StepError("a step of constants alone")
    done.steps.append((text, schema))
    done.results.append(value)


def _ending(results: Sequence[Fraction], answer: Fraction) -> str:
    if not results:
        return "no step calculates"
    if results[-1] == answer:
        return ""
    if answer in results:
        return "answer is an earlier result"
    return "no step calculates the answer"


def _bind(
    found: Sequence[str], numbers: Sequence[Quantity], results: Sequence[Fraction], used: set[str]
) -> list[str]:
    named = [(f"#{i}", value) for i, value in reversed(list(enumerate(results)))]
    for i, quantity in enumerate(numbers, 1):
        named.append((f"q{i}", quantity.value))
        if quantity.percent:
            named.append((f"p{i}", quantity.value / 100))

    def operand(value: Fraction) -> str | None:
        fitting = [name for name, held in named if held == value]
        return min(fitting, key=lambda name: name in used, default=None)  # the first of equals

    bound: list[str] = []
    place = 0
    while place < len(found):
        token, width, name = found[place], 1, None
        if token[0] in ".0123456789":
            name = operand(Fraction(token))
            # 3/4 or 80/100 may be one quantity, three quarters or 80%, which it multiplies.
            share = _quotient(found, place)
            if share is not None and (whole := operand(share)) is not None:
                below = operand(Fraction(found[place + 2]))
                if whole[0] == "p" or (whole[0] == "q" and None in (name, below)):
                    name, width = whole, 3
            if name is None:
                name = str(Fraction(token))
            else:
                used.add(name)
            if name[0] == "#":
                name = f"r{len(results) - int(name[1:])}"
        bound.append(name or token)
        place += width
    return bound


def _quotient(found: Sequence[str], place: int) -> Fraction | None:
    divides = found[place + 1 : place + 2] == ["/"] and found[place + 2] not in (*OPERATIONS, "(")
    if not divides or (place and found[place - 1] == "/") or not Fraction(found[place + 2]):
        return None
    return Fraction(found[place]) / Fraction(found[place + 2])


@dataclass(frozen=True)
class StepLibrary:
    """The K actions: distinct pairs of a sentence and a schema.

    Attributes
    ----------
    texts : tuple of K str
        The sentences, with the numbers of the problem that they come from.
    schemas : tuple of tuples of str
        The distinct schemas, the most frequent first.
    schema_of : ndarray of int64, shape (K,)
        Each step's schema.
    chains : dict of str to tuple of int
        Steps, by the id of the problem that they solve; of problems that replay.
    reasons : dict of str to tuple of str
        Ids of the problems that do not replay, by reason, the most frequent first.
    counts : dict of str to int
        Of problems, steps and kinds of steps.
    """

    texts: tuple[str, ...]
    schemas: tuple[Schema, ...]
    schema_of: Ints
    chains: dict[str, tuple[int, ...]]
    reasons: dict[str, tuple[str, ...]]
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.texts)

    def described(self) -> list[str]:
        """Return sentences with their schema in words, which is what tells where it is applied."""
        said = [describe(schema) for schema in self.schemas]
        return [f"{text} ({said[n]})" for text, n in zip(self.texts, self.schema_of, strict=True)]

    def with_schema(self) -> dict[Schema, int]:
        """Return the first step of each schema."""
        _, first = np.unique(self.schema_of, return_index=True)
        return {schema: int(step) for schema, step in zip(self.schemas, first, strict=True)}


def step_library(problems: Sequence[Problem], *, strict: bool = False) -> StepLibrary:
    """Make the library of all steps of all solutions.

    Steps of a solution that does not replay are taken as far as they could be read, as each is
    right by itself.

    Parameters
    ----------
    problems : sequence of Problem
        With worked solutions, such as GSM8K's training set or generated ones; distinct ids.
    strict : bool
        Without steps whose numbers come from nowhere: see `replay`.

    Returns
    -------
    StepLibrary

    Raises
    ------
    ValueError
        If ids repeat, or no step can be read.
    """
    if len({problem.id for problem in problems}) < len(problems):
        raise ValueError("two problems have the same id: give each its own")
    actions: dict[tuple[str, Schema], int] = {}
    chains: dict[str, tuple[int, ...]] = {}
    failed: dict[str, list[str]] = {}
    counts = Counter({"problems": len(problems)})
    for problem in problems:
        done = replay(problem, strict=strict)
        chain = tuple(actions.setdefault(step, len(actions)) for step in done.steps)
        counts.update(done.counts)
        if done.reason:
            failed.setdefault(done.reason, []).append(problem.id)
        else:
            chains[problem.id] = chain
    if not actions:
        raise ValueError(f"no step of {len(problems)} problems can be read: {list(failed)}")
    frequency = Counter(schema for _, schema in actions)
    schemas = sorted(frequency, key=lambda schema: (-frequency[schema], schema))
    rank = {schema: place for place, schema in enumerate(schemas)}
    counts["problems that replay"] = len(chains)
    return StepLibrary(
        tuple(text for text, _ in actions), tuple(schemas),
        np.array([rank[schema] for _, schema in actions], np.int64), chains,
        {why: tuple(ids) for why, ids in sorted(failed.items(), key=lambda one: -len(one[1]))},
        dict(counts) | {"steps": len(actions), "schemas": len(schemas)},
    )  # fmt: skip


def reference_chain(
    library: StepLibrary, problem: Problem, first: dict[Schema, int] | None = None
) -> tuple[int, ...]:
    """Return steps of the library that replay a problem's reference solution.

    They are the problem's own where the library was made of it; else for each step the first one
    of the library with the same schema.

    Parameters
    ----------
    library : StepLibrary
    problem : Problem
    first : dict, optional
        `StepLibrary.with_schema`, where it is at hand.

    Returns
    -------
    tuple of int
        Empty where the solution does not replay, or needs a schema that the library lacks.
    """
    own = library.chains.get(problem.id)
    if own is not None:
        return own
    done = replay(problem)
    known = library.with_schema() if first is None else first
    if done.reason or any(schema not in known for _, schema in done.steps):
        return ()
    return tuple(known[schema] for _, schema in done.steps)
