"""Tasks for agents that reason: problems split into those to learn from and three others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crlib.data.mathematics import StepLibrary, reference_chain, step_library
from crlib.data.problems import Problem

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MathTasks:
    """Problems and the library of steps, in splits.

    Attributes
    ----------
    problems : tuple of N Problem
    library : StepLibrary
        Of the solutions of `train` and `library_only`, never of a problem that is tested.
    train : ndarray of int64
        Numbers of the problems to learn from; each replays, and not in too many steps.
    unseen_problems : ndarray of int64
        Problems of the families that were learnt from.
    unseen_families : ndarray of int64
        Problems of families of which no problem was learnt from.
    library_only : ndarray of int64
        Other problems of these families: they give steps, but nobody learns from them. So of the
        steps that solve an unseen family nothing but the embedding is known.
    held_out : tuple of str
        These families, in alphabetical order.
    counts : dict of str to int
        Of problems in each split, and how far the library reaches.
    """

    problems: tuple[Problem, ...]
    library: StepLibrary
    train: Ints
    unseen_problems: Ints
    unseen_families: Ints
    library_only: Ints
    held_out: tuple[str, ...]
    counts: dict[str, int]

    @property
    def splits(self) -> dict[str, Ints]:
        """The splits that are played, by name, without the empty ones."""
        names = ("train", "unseen_problems", "unseen_families")
        return {name: getattr(self, name) for name in names if getattr(self, name).size}


def math_tasks(
    problems: Sequence[Problem],
    *,
    test: Sequence[Problem] = (),
    unseen_problems: float = 0.2,
    held_out: int = 0,
    max_length: int = 6,
    strict: bool = False,
    seed: int = 0,
) -> MathTasks:
    """Split problems and make the library of steps.

    Families are held out at random; half of their problems give steps, the other half are tested.
    Of the others a share is held out, in which solutions may be new; the test problems, where
    given, join these. Problems to learn from that do not replay, or only in too many steps, are
    left out there, though their steps stay in the library; tested problems all stay.

    Parameters
    ----------
    problems : sequence of Problem
        With distinct ids; the family is the subject.
    test : sequence of Problem
        Such as GSM8K's test set or MATH-500.
    unseen_problems : float
        Share of the problems outside of the families held out, from 0 to below 1.
    held_out : int
        Families.
    max_length : int
        Steps of an episode.
    strict : bool
        As of `crlib.data.mathematics.step_library`.
    seed : int

    Returns
    -------
    MathTasks

    Raises
    ------
    ValueError
        If a number is out of range, too few families are there, no problem remains to learn from,
        or none to test.
    """
    families = sorted({problem.subject for problem in problems})
    if not 0 <= unseen_problems < 1 or max_length < 1:
        raise ValueError(
            f"unseen_problems = {unseen_problems}, max_length = {max_length}: expected a share "
            "from 0 to below 1, and at least 1"
        )
    if not 0 <= held_out < max(1, len(families)):
        raise ValueError(
            f"held_out = {held_out}: expected less than the {len(families)} families of problems"
        )
    known = {problem.question for problem in problems}
    fresh = [problem for problem in test if problem.question not in known]
    rng = np.random.default_rng(seed)
    away = set(rng.permutation(families)[:held_out].tolist())
    foreign = np.array([problem.subject in away for problem in problems], np.bool_)
    others, mine = (
        rng.permutation(np.flatnonzero(foreign)),
        rng.permutation(np.flatnonzero(~foreign)),
    )
    aside = int(unseen_problems * mine.size)
    library_only, tested = others[::2], others[1::2]
    whole = (*problems, *fresh)
    library = step_library(
        [problems[i] for i in np.sort(np.r_[mine[aside:], library_only])], strict=strict
    )
    lengths = {key: len(chain) for key, chain in library.chains.items()}
    usable = [1 <= lengths.get(whole[i].id, 0) <= max_length for i in mine[aside:]]
    train = mine[aside:][np.array(usable, np.bool_)]
    unseen = np.r_[mine[:aside], len(problems) + np.arange(len(fresh))]
    if not train.size or not unseen.size + tested.size:
        raise ValueError(
            f"{train.size} problems to learn from and {unseen.size + tested.size} to test: take "
            "more problems, or change the share"
        )
    first = library.with_schema()
    counts = Counter({
        "train": train.size, "unseen problems": unseen.size, "unseen families": tested.size,
        "library only": library_only.size, "steps": len(library),
        "schemas": len(library.schemas), "test problems left out: also among the others":
            len(test) - len(fresh),
        "left out of train: not replayed, or too long": len(usable) - train.size,
    })  # fmt: skip
    for name, numbers in (("unseen problems", unseen), ("unseen families", tested)):
        counts[f"{name}: the library has the reference's schemas"] = sum(
            0 < len(reference_chain(library, whole[i], first)) <= max_length for i in numbers
        )
    return MathTasks(
        whole, library,
        train=_numbers(train), unseen_problems=_numbers(unseen),
        unseen_families=_numbers(tested), library_only=_numbers(library_only),
        held_out=tuple(sorted(away)), counts=dict(counts),
    )  # fmt: skip


def _numbers(part: NDArray[np.integer]) -> Ints:
    return np.sort(part).astype(np.int64)
