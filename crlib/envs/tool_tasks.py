"""Tasks for agents that call tools: an action set's queries, split by query and by API group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crlib.data.actions import ActionSet, Query
from crlib.data.queries import normalised

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ToolTasks:
    """Queries with their solutions, in three splits.

    Attributes
    ----------
    name : str
        Of the action set, all of whose K actions are the tools.
    texts : tuple of N str
        What is embedded of the queries.
    solutions : tuple of N tuples of int
        Tools, in order.
    train : ndarray of int64
        Numbers of the queries to learn from.
    unseen_queries : ndarray of int64
        Queries that were not learnt from; each of their tools is in a solution that was.
    unseen_tools : ndarray of int64
        Queries whose solution holds a tool of a group that no query of `train` needs.
    held_out : tuple of str
        These groups, in alphabetical order.
    counts : dict of str to int
        How many queries there were, what each filter left out, and how many are in each split.
    """

    name: str
    texts: tuple[str, ...]
    solutions: tuple[tuple[int, ...], ...]
    train: Ints
    unseen_queries: Ints
    unseen_tools: Ints
    held_out: tuple[str, ...]
    counts: dict[str, int]

    @property
    def splits(self) -> dict[str, Ints]:
        """The three splits by name."""
        names = ("train", "unseen_queries", "unseen_tools")
        return {name: getattr(self, name) for name in names}


def tool_tasks(
    actions: ActionSet,
    *,
    chains: bool = False,
    part: str = "",
    seen: bool = False,
    max_tools: int | None = None,
    new_solutions: bool = False,
    unseen_queries: float = 0.2,
    unseen_tools: float = 0.2,
    seed: int = 0,
) -> ToolTasks:
    """Build tasks from an action set's queries and split them.

    Groups are held out first: in random order each one whose queries do not bring the split above
    its share, so that a group which more queries need is never held out; where all are such, the
    one that the fewest queries need. Of the other queries some are then held out in random order,
    each only as long as all its tools stay in solutions to learn from. So `unseen_queries` asks
    for new words about known tools, `unseen_tools` for tools of which nothing but the embedding is
    known. All tools are actions throughout.

    Parameters
    ----------
    actions : ActionSet
    chains : bool
        Only queries whose solution spans two groups or more, the counterpart of ToolBench's I3.
    part : str
        Only queries whose source begins so: "G3" for ToolBench's own I3.
    seen : bool
        Whether to keep queries whose words stand in an action's text.
    max_tools : int, optional
        Only solutions of at most so many tools.
    new_solutions : bool
        Keep queries with the same set of tools in one split, so that `unseen_queries` asks for
        sets that were never a solution. Without it they may be other words for a known set, as
        most of ToolLens's are.
    unseen_queries, unseen_tools : float
        Shares of all queries to hold out, not to be exceeded but by a single group that must be;
        above 0, together below 1.
    seed : int

    Returns
    -------
    ToolTasks

    Raises
    ------
    ValueError
        If no query passes the filters, a share is out of range, or a split remains empty.
    """
    if not (unseen_queries > 0 and unseen_tools > 0 and unseen_queries + unseen_tools < 1):
        raise ValueError(
            f"unseen_queries = {unseen_queries}, unseen_tools = {unseen_tools}: expected shares "
            "above 0, together below 1"
        )
    queries, counts = _filtered(actions, chains, part, seen, max_tools)
    if not queries:
        raise ValueError(f"{actions.name}: no query passes the filters; counts: {counts}")
    solutions = tuple(query.solution for query in queries)
    rng = np.random.default_rng(seed)
    needs = [{actions.groups[tool] for tool in solution} for solution in solutions]
    drawn = _hold_out_groups(needs, int(unseen_tools * len(queries)), rng)
    foreign = np.array([not drawn.isdisjoint(groups) for groups in needs])
    rest = np.flatnonzero(~foreign)
    # With a group go those that are never needed without it.
    held_out = set().union(*needs) - set().union(*(needs[i] for i in rest))
    asked = _hold_out_queries(
        solutions, rest, int(unseen_queries * len(queries)), new_solutions, rng
    )
    train, tested = np.setdiff1d(rest, asked), np.flatnonzero(foreign)
    splits = {"train": train, "unseen_queries": asked, "unseen_tools": tested}
    for name, numbers in splits.items():
        if not numbers.size:
            raise ValueError(
                f"{actions.name}: of {len(queries)} queries none can be put into {name}; take more "
                "queries, or change the shares"
            )
    learnt = {frozenset(solutions[i]) for i in train}
    return ToolTasks(
        actions.name, tuple(query.text for query in queries), solutions, **splits,
        held_out=tuple(sorted(held_out)),
        counts=counts | {name: int(numbers.size) for name, numbers in splits.items()} | {
            "unseen queries whose set of tools is in train": sum(
                frozenset(solutions[i]) in learnt for i in asked
            ),
            "unseen tools: queries with no tool of a known group": sum(
                needs[i] <= held_out for i in tested
            ),
            "groups": len(set().union(*needs)),
            "groups held out": len(held_out),
            "tools": len(actions),
            "tools of train solutions": len({tool for i in train for tool in solutions[i]}),
        },
    )  # fmt: skip


def _filtered(
    actions: ActionSet, chains: bool, part: str, seen: bool, max_tools: int | None
) -> tuple[list[Query], dict[str, int]]:
    embedded = set() if seen else {normalised(text) for text in actions.texts}
    left = Counter[str]()
    kept: dict[str, Query] = {}
    for query in actions.feedback.queries:
        words = normalised(query.text)
        if not query.source.startswith(part):
            left["of another part"] += 1
        elif not seen and (query.seen or words in embedded):
            left["words of an action's text"] += 1
        elif max_tools is not None and len(query.solution) > max_tools:
            left["too many tools"] += 1
        elif chains and len({actions.groups[tool] for tool in query.solution}) < 2:
            left["all tools of one group"] += 1
        elif words in kept:  # two answers to one question; and a split could not part them
            left["same words as another query"] += 1
        else:
            kept[words] = query
    counts = {"queries": len(actions.feedback.queries), **left, "kept": len(kept)}
    return list(kept.values()), counts


def _hold_out_groups(needs: Sequence[set[str]], most: int, rng: np.random.Generator) -> set[str]:
    users: dict[str, set[int]] = {}
    for number, groups in enumerate(needs):
        for group in groups:
            users.setdefault(group, set()).add(number)
    held_out: set[str] = set()
    touched: set[int] = set()
    for group in rng.permutation(sorted(users)).tolist():
        if len(touched | users[group]) <= most:
            held_out.add(group)
            touched |= users[group]
    return held_out or {min(users, key=lambda group: (len(users[group]), group))}


def _hold_out_queries(
    solutions: Sequence[tuple[int, ...]], among: Ints, most: int, whole_sets: bool,
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    left = Counter(tool for number in among for tool in solutions[number])
    units: dict[object, list[int]] = {}
    for number in among.tolist():
        key = frozenset(solutions[number]) if whole_sets else number
        units.setdefault(key, []).append(number)
    chosen: list[int] = []
    members = list(units.values())
    for place in rng.permutation(len(members)):
        unit = members[place]
        used = Counter(tool for number in unit for tool in solutions[number])
        fits = len(chosen) + len(unit) <= most
        if fits and all(left[tool] > count for tool, count in used.items()):
            left -= used
            chosen += unit
    return np.sort(np.array(chosen, np.int64))
