"""Tools as actions: ToolBench (Qin et al. 2023) and ToolLens (Qu et al. 2024), in four layouts.

An action is an API; a query's solution are the APIs that its ground truth names. Layouts, told by
the files in the folder: instruction files (``G1_query.json``: a JSON array), ToolBench's retrieval
folder (``corpus.tsv``, ``*.query.txt``, ``qrels.*.tsv``), BEIR (``corpus.jsonl``,
``queries.jsonl``, ``qrels/*.tsv``), and the tree of all tools (`crlib.data.tool_tree`), with the
instruction files beside it.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from crlib.data.actions import ActionSet, Feedback, Query, most_first, subset
from crlib.data.files import BadRow, find_folder, json_object, read_lines, read_rows, text_of
from crlib.data.sources import SOURCES
from crlib.data.tool_tree import Api, find_tree, join_tree, read_tree

FOLDERS = {name: SOURCES[name].expected for name in ("toolbench", "toollens")}
FIELDS = re.compile(
    r"category_name:(?P<category>.*?), tool_name:(?P<tool>.*?), api_name:(?P<api>.*?), "
    r"api_description:(?P<description>.*?), required_params: ",
    re.DOTALL,
)


def load_tools(
    name: str, *, path: str | Path | None = None, limit: int | None = None, seed: int = 0
) -> ActionSet:
    """Read an action set of tools from its upstream files.

    Parameters
    ----------
    name : {"toolbench", "toollens"}
    path : str or Path, optional
        Folder of one of the layouts; by default below the folder that CRLIB_DATA names.
    limit : int, optional
        Keep so many APIs: those that most queries need, ties by a hash of seed and id.
    seed : int

    Returns
    -------
    ActionSet
        `source` counts what was left out, by file and reason. Queries are as upstream wrote them:
        some name their tools.

    Raises
    ------
    ValueError
        For an unknown name, a missing folder, one of no known layout, or a damaged file.
    """
    if name not in FOLDERS:
        raise ValueError(f"no set of tools {name!r}; there are: {', '.join(FOLDERS)}")
    folder = find_folder(name, FOLDERS[name], path)
    if (folder / "corpus.jsonl").is_file():
        apis, needs, source = _beir(folder)
    elif (folder / "corpus.tsv").is_file():
        apis, needs, source = _retrieval(folder)
    elif tree := find_tree(folder):
        apis, needs, source = _tree(tree, _instruction_files(folder))
    elif files := _instruction_files(folder):
        apis, needs, source = _instructions(files)
    else:
        raise ValueError(
            f"{name}: {folder} holds neither corpus.jsonl, corpus.tsv, toolenv/tools nor "
            "instruction files *.json"
        )
    whole = _assemble(name, apis, needs, source | SOURCES[name].provenance)
    if limit is None or limit >= len(whole):
        return replace(whole, source=whole.source | {"rule": "all APIs"})
    needed = Counter(action for query in whole.feedback.queries for action in query.solution)
    order = sorted(range(len(whole)), key=lambda i: most_first(needed[i], whole.ids[i], seed))
    rule = f"APIs that most queries need, ties by a hash of seed {seed} and id"
    chosen = subset(whole, sorted(order[:limit]))
    return replace(chosen, source=whole.source | {"rule": rule})


Need = tuple[str, list[str], str]  # words, ids of the APIs in order, where it was found


def _assemble(
    name: str, apis: Iterable[Api], needs: Iterable[Need], source: dict[str, Any]
) -> ActionSet:
    distinct: dict[str, Api] = {}
    for api in apis:
        distinct.setdefault(api.id, api)
    position = {key: i for i, key in enumerate(distinct)}
    values = list(distinct.values())
    left_out: Counter[str] = Counter()
    queries: dict[tuple[str, tuple[int, ...]], Query] = {}
    for words, names, where in needs:
        solution = tuple(dict.fromkeys(position[key] for key in names if key in position))
        if not solution or not all(key in position for key in names):
            left_out["query needs an API that is not described"] += 1
        elif (words, solution) in queries:
            left_out["query repeats an earlier one"] += 1
        else:
            group = values[solution[0]].category
            queries[words, solution] = Query(words, solution, "instruction", where, group, False)
    return ActionSet(
        name=name,
        ids=tuple(distinct),
        texts=tuple(api.text for api in values),
        groups=tuple(api.category for api in values),
        feedback=Feedback(
            queries=tuple(queries.values()), users=sparse.csr_array((0, len(values)), dtype=np.int8)
        ),
        source=source | {"queries_left_out": dict(left_out), "apis": len(values)},
    )


def _api(row: dict[str, Any]) -> Api:
    category, tool, api = (text_of(row, f"{key}_name") for key in ("category", "tool", "api"))
    description = row.get("api_description") or ""
    if not isinstance(description, str):
        raise BadRow("api_description is no text")
    return Api(category, tool, api, description.strip())


def _instruction_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.json"), *(folder / "instruction").glob("*.json")])


def _tree(tree: Path, files: list[Path]) -> tuple[list[Api], list[Need], dict[str, Any]]:
    apis, told = read_tree(tree)
    found, needs, source = _instructions(files)
    apis, needs, added = join_tree(apis, found, needs)
    return apis, needs, source | {"tree": told, "only_in_instructions": added}


def _instructions(files: list[Path]) -> tuple[list[Api], list[Need], dict[str, Any]]:
    apis: list[Api] = []
    needs: list[Need] = []
    left_out: Counter[str] = Counter()
    for file in files:
        try:
            rows = json.loads("\n".join(read_lines(file)))
        except json.JSONDecodeError as error:
            raise ValueError(f"{file} is no JSON: {error}") from error
        if not isinstance(rows, list):
            raise ValueError(f"{file}: expected a JSON array of instructions")
        for number, row in enumerate(rows):
            try:
                found, need = _instruction(row, f"{file.stem}/{number}")
            except BadRow as error:
                left_out[f"{file.name}: {error}"] += 1
                continue
            apis += found
            needs.append(need)
    return apis, needs, {"files": [file.name for file in files], "left_out": dict(left_out)}


def _instruction(row: Any, where: str) -> tuple[list[Api], Need]:
    if not isinstance(row, dict) or not isinstance(row.get("api_list"), list):
        raise BadRow("no instruction with an api_list")
    query = row.get("query")
    words = " ".join(query) if isinstance(query, list) else query  # rare upstream rows are lists
    if not isinstance(words, str) or not words.strip():
        raise BadRow("query is missing, empty or no text")
    apis = [_api(item) for item in row["api_list"] if isinstance(item, dict)]
    by_name = {(api.tool, api.api): api.id for api in apis}
    relevant = row.get("relevant APIs")
    if not isinstance(relevant, list) or not relevant:
        raise BadRow("no relevant APIs")
    names = [
        by_name.get((str(pair[0]), str(pair[1])), "")
        if isinstance(pair, list) and len(pair) == 2
        else ""  # named in no way that the files use: the query is left out, and counted
        for pair in relevant
    ]
    return apis, (words.strip(), names, where)


def _beir(folder: Path) -> tuple[list[Api], list[Need], dict[str, Any]]:
    found, source = read_rows(folder / "corpus.jsonl", _document, key=lambda item: item[0])
    words: dict[str, str] = {}
    for file in sorted(folder.glob("queries.jsonl*")):
        rows, source["queries"] = read_rows(file, _words, key=lambda item: item[0])
        words = dict(rows)
    pairs = [
        pair for file in sorted((folder / "qrels").glob("*.tsv")) for pair in _judged(file, 0, 1)
    ]
    return _matched(dict(found), words, pairs, source, folder.name)


def _document(line: str) -> tuple[str, Api]:
    row = json_object(line)
    match = FIELDS.match(text_of(row, "text"))
    if match is None:
        raise BadRow("text does not name category, tool, API and description")
    return text_of(row, "_id"), Api(
        **{key: text.strip() for key, text in match.groupdict().items()}
    )


def _words(line: str) -> tuple[str, str]:
    row = json_object(line)
    return text_of(row, "_id"), text_of(row, "text")


def _judged(file: Path, query: int, document: int) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in read_lines(file) if line.strip()]
    rows = [row for row in rows if row[0] != "query-id"]
    if any(len(row) <= max(query, document) for row in rows):
        raise ValueError(f"{file}: expected at least {max(query, document) + 1} columns in a row")
    return [(row[query], row[document]) for row in rows]


def _retrieval(folder: Path) -> tuple[list[Api], list[Need], dict[str, Any]]:
    documents: dict[str, Api] = {}
    left_out: Counter[str] = Counter()
    reader = csv.reader(read_lines(folder / "corpus.tsv"), delimiter="\t")
    for row in reader:
        if row[:1] == ["docid"] or not row:
            continue
        try:
            documents[row[0]] = _api(json_object(row[1] if len(row) > 1 else ""))
        except BadRow as error:
            left_out[str(error)] += 1
    words: dict[str, str] = {}
    for file in sorted(folder.glob("*.query.txt")):
        cells = (line.split("\t", 1) for line in read_lines(file) if "\t" in line)
        words |= {key: text.strip() for key, text in cells}
    pairs = [pair for file in sorted(folder.glob("qrels.*.tsv")) for pair in _judged(file, 0, 2)]
    return _matched(documents, words, pairs, {"left_out": dict(left_out)}, folder.name)


def _matched(
    documents: dict[str, Api], words: dict[str, str], pairs: list[tuple[str, str]],
    source: dict[str, Any], where: str,
) -> tuple[list[Api], list[Need], dict[str, Any]]:  # fmt: skip
    needed: dict[str, list[str]] = {}
    for query, document in pairs:
        known = documents.get(document)
        needed.setdefault(query, []).append(known.id if known else "")
    unknown = sum(query not in words for query in needed)
    needs = [
        (words[query], names, f"{where}/{query}") for query, names in needed.items()
        if query in words
    ]  # fmt: skip
    return list(documents.values()), needs, source | {"judged_without_words": unknown}
