"""Queries and their solutions, from doctest examples and from documented functions."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crlib.data.actions import Query
from crlib.data.calls import Scope, snippet_calls

SHORTEST, LONGEST = 2, 5  # calls of a chain
GENERIC = 150  # a tool that more documented functions call says nothing about any of them
FEWEST_WORDS = 5
HOLE = "…"

Candidate = tuple[str, list[int], str, str, str]  # text, solution, origin, source, group


def normalised(text: str) -> str:
    """Lower-case letters and digits only: equal for texts that say the same words."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def name_words(name: str) -> list[str]:
    """Words of an identifier: "toDateString" and "to_date_string" give to, date, string."""
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)


def name_pattern(identifier: str) -> re.Pattern[str]:
    """Matches an action's own name in a sentence, as written, spaced, hyphenated or plural."""
    last = identifier.rsplit(".", 1)[-1]
    spaced = r"[\W_]*".join(re.escape(word) for word in name_words(last)) or re.escape(last)
    return re.compile(rf"(?<![a-z0-9])(?:{re.escape(last)}|{spaced})(?:e?s)?(?![a-z0-9])", re.I)


def redact(text: str, identifiers: Iterable[str]) -> str:
    """Take the names of the answers out of a query."""
    for identifier in identifiers:
        text = name_pattern(identifier).sub(HOLE, text)
    return re.sub(rf"{HOLE}(\W*{HOLE})+", HOLE, text).strip()


def doctest_candidates(frame: Any, index: Mapping[str, int]) -> Iterable[Candidate]:
    """Prose before a doctest block, and the actions that the block calls.

    Parameters
    ----------
    frame : pandas.DataFrame
        The catalogue: columns id, package, examples.
    index : mapping of str to int
        Dotted name (aliases too) to action.
    """
    roots = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "nx": "networkx"}
    for name, package, blocks in zip(frame["id"], frame["package"], frame["examples"], strict=True):
        scope, own = Scope({**roots, package: package}), index.get(name, -1)
        for block in blocks:
            try:
                calls = snippet_calls(block["code"], scope)
            except SyntaxError:
                continue
            solution = list(dict.fromkeys(index[path] for path in calls if path in index))
            solution = [action for action in solution if action != own]
            if block["prose"]:
                yield block["prose"], solution, "doctest", name, package


def function_candidates(files: Mapping[str, Any], index: Mapping[str, int]) -> Iterable[Candidate]:
    """First paragraph of a function's docstring, and the actions that its body calls."""
    for module, found in files.items():
        for item in found["functions"]:
            own = index.get(item["name"], -1)
            solution = list(dict.fromkeys(index[path] for path in item["calls"] if path in index))
            solution = [action for action in solution if action != own]
            yield item["summary"], solution, "function", item["name"], module.split(".")[0]


def build_queries(
    candidates: Sequence[Candidate],
    ids: Sequence[str],
    modules: Sequence[str],
    summaries: Sequence[str],
) -> tuple[tuple[Query, ...], dict[str, int]]:
    """Choose queries: chains of 2 to 5 specific calls over two modules or more, no name leaked.

    Parameters
    ----------
    candidates : sequence of Candidate
    ids, modules, summaries : sequences of str, shape (K,)
        Of the actions.

    Returns
    -------
    queries : tuple of Query
        Distinct texts, sorted by source and text.
    counts : dict of str to int
        How many candidates each rule left out, in the order of the rules.
    """
    users = Counter(action for _, solution, *_ in candidates for action in set(solution))
    generic = {action for action, count in users.items() if count > GENERIC}
    known = {normalised(text) for text in summaries}
    left = Counter[str]()
    chosen: dict[str, Query] = {}
    for text, found, origin, source, group in sorted(candidates, key=lambda c: (c[3], c[0])):
        solution = [action for action in found if action not in generic]
        if not SHORTEST <= len(solution) <= LONGEST:
            left["not 2 to 5 specific calls"] += 1
        elif len({modules[action] for action in solution}) < 2:
            left["all calls in one module"] += 1
        else:
            query = redact(text, (ids[action] for action in solution))
            words = re.findall(r"[A-Za-z]{2,}", query)
            if len(words) < FEWEST_WORDS or len(query) > 400:
                left["too short or too long once the names are out"] += 1
            elif normalised(query) in chosen:
                left["same words as another query"] += 1
            else:
                key = normalised(query)
                seen = key in known or normalised(text) in known
                chosen[key] = Query(query, tuple(solution), origin, source, group, seen)
    counts = {"candidates": len(candidates), "generic tools": len(generic), **left,
              "kept": len(chosen)}  # fmt: skip
    return tuple(chosen.values()), counts
