"""Tool tasks on an embedding: features of tools and queries, and small tasks with few tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib import extractors
from crlib.envs.tool_tasks import ToolTasks
from crlib.envs.tools import ToolBatch
from crlib.extractors.moments import blocks_of, gather_moments
from crlib.extractors.standardise import apply_standard, fit_standard
from crlib.metrics.validate import as_indices, as_matrix

Ints = NDArray[np.int64]
Features = tuple[NDArray[np.float32], NDArray[np.float32]]


def tool_features(
    tool_vectors: ArrayLike, query_vectors: ArrayLike, *, width: int = 128, whiten: bool = False
) -> Features:
    """Centre tools and queries and keep the tools' leading principal components.

    Mean and axes are the tools' alone: an agent knows its tools beforehand and its queries not.

    Parameters
    ----------
    tool_vectors : array_like, shape (K, d)
    query_vectors : array_like, shape (N, d)
        By the same model.
    width : int
        Components at most; fewer where d or K - 1 is smaller.
    whiten : bool
        Divide each component by the tools' standard deviation in it.

    Returns
    -------
    tools : ndarray of float32, shape (K, m)
    queries : ndarray of float32, shape (N, m)

    Raises
    ------
    ValueError
        If the dimensions differ.
    """
    tools, queries = (
        as_matrix(tool_vectors, "tool_vectors"),
        as_matrix(query_vectors, "queries", min_rows=1),
    )
    if tools.shape[1] != queries.shape[1]:
        raise ValueError(
            f"tool_vectors have {tools.shape[1]} dimensions and query_vectors {queries.shape[1]}: "
            "embed both with one model"
        )
    standard = fit_standard(
        gather_moments(blocks_of(tools)),
        pca=min(width, tools.shape[1], len(tools) - 1),
        whiten=whiten,
    )
    first, second = (apply_standard(standard, rows).astype(np.float32) for rows in (tools, queries))
    return first, second


def task_features(
    tools: Sequence[str],
    queries: Sequence[str],
    names: Iterable[str],
    width: int,
    *,
    ids: Sequence[str] | None = None,
) -> dict[tuple[str, str], Features]:
    """Encode tools and queries by each model; return their `tool_features`, raw and whitened.

    Parameters
    ----------
    tools : sequence of K str
        Texts.
    queries : sequence of N str
        Texts.
    names : iterable of str
        Models.
    width : int
        Components at most.
    ids : sequence of K str, optional
        The tools', for a model that is a file of embeddings.

    Returns
    -------
    dict of (name, "raw" or "whitened") to (tools, queries)
    """
    features = {}
    for name in names:
        vectors = extractors.encode(tools, name, ids=ids), extractors.encode(queries, name)
        for arm in ("raw", "whitened"):
            features[name, arm] = tool_features(*vectors, width=width, whiten=arm == "whitened")
    return features


def tool_batch(features: Features, tasks: ToolTasks, max_length: int) -> ToolBatch:
    """Return the environment of all queries of `tasks`, on features of `tool_features`."""
    return ToolBatch(*features, tasks.solutions, max_length=max_length)


def few_tools(
    solutions: Sequence[tuple[int, ...]],
    among: ArrayLike,
    *,
    n_tools: int,
    n_available: int,
    n_queries: int = 16,
    seed: int = 0,
) -> tuple[Ints, Ints]:
    """Draw a small task: some queries, the tools that they need, and random others.

    With the same seed a task of more tools asks the same queries and holds all tools of a smaller
    one.

    Parameters
    ----------
    solutions : sequence of N tuples of int
    among : array_like of int
        Queries to draw from.
    n_tools : int
        Tools on offer.
    n_available : int
        K, tools to draw from.
    n_queries : int
    seed : int

    Returns
    -------
    tools : ndarray of int64, shape (n_tools,)
        Rising.
    queries : ndarray of int64, shape (n_queries,)
        Rising.

    Raises
    ------
    ValueError
        If there are too few queries or tools, or more tools are needed than are to be on offer.
    """
    numbers = as_indices(among, len(solutions), "among")
    if n_queries > len(numbers) or n_tools > n_available:
        raise ValueError(
            f"{n_queries} queries and {n_tools} tools were asked for; there are {len(numbers)} "
            f"and {n_available}"
        )
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.choice(numbers, n_queries, replace=False))
    needed = np.unique([tool for query in queries for tool in solutions[query]])
    if len(needed) > n_tools:
        raise ValueError(f"the queries need {len(needed)} tools: raise n_tools = {n_tools}")
    others = np.setdiff1d(rng.permutation(n_available), needed, assume_unique=True)
    return np.sort(np.concatenate([needed, others[: n_tools - len(needed)]])), queries


def small_batch(
    features: Features,
    solutions: Sequence[tuple[int, ...]],
    tools: Ints,
    queries: Ints,
    max_length: int,
) -> ToolBatch:
    """Return the environment of a small task, its tools and queries numbered anew.

    Parameters
    ----------
    features : pair of ndarray
        Of all tools and all queries, as `tool_features` gives them.
    solutions : sequence of tuples of int
        Of all queries.
    tools, queries : ndarray of int64
        As `few_tools` gives them.
    max_length : int
    """
    place = {tool: i for i, tool in enumerate(tools.tolist())}
    own = [tuple(place[tool] for tool in solutions[query]) for query in queries]
    return ToolBatch(features[0][tools], features[1][queries], own, max_length=max_length)
