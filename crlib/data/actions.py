"""An action set: what can be done, and the feedback that real use gives on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crlib import io


@dataclass(frozen=True)
class Query:
    """A need in words and the actions that meet it.

    Attributes
    ----------
    text : str
        The words, with the answers' own names taken out.
    solution : tuple of int
        Indices of the actions, in the order of their first call.
    origin : {"doctest", "function", "instruction"}
        A documented example, the body of a documented function, or an instruction written for it.
    source : str
        Where it was found, a dotted name.
    group : str
        Package of the source.
    seen : bool
        Whether the words equal some action's summary, and so stand in an embedded text.
    """

    text: str
    solution: tuple[int, ...]
    origin: str
    source: str
    group: str
    seen: bool


@dataclass(frozen=True)
class Feedback:
    """What is known of the actions' use; none of it comes from an embedding.

    Attributes
    ----------
    queries : tuple of Query
    users : scipy.sparse.csr_array, shape (U, K)
        1 where a user chose an action: a source file calls it, or a customer rates it 4 or 5.
    user_ids : tuple of str
        Dotted names of the source files, or the customers' ids.
    user_groups : tuple of str
        Package of each file; of customers, the action set's name.
    related : ndarray of int64, shape (P, 2)
        Pairs (i < j) of actions of which one names the other under See Also; unique.
    ratings : scipy.sparse.csr_array, shape (U, K)
        What users said of actions, 1 to 5, nothing stored where they said nothing; (0, 0) where
        there are no ratings.
    """

    queries: tuple[Query, ...] = ()
    users: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0), dtype=np.int8))
    user_ids: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    related: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    ratings: sparse.csr_array = field(
        default_factory=lambda: sparse.csr_array((0, 0), dtype=np.float32)
    )


@dataclass(frozen=True)
class ActionSet:
    """Actions with texts and feedback, the one form that every source is brought into.

    Attributes
    ----------
    name : str
    ids : tuple of str
        Unique.
    texts : tuple of str
        What is embedded.
    groups : tuple of str
        Package, category or the like.
    feedback : Feedback
    source : dict
        Provenance: counts, versions, failures, hash.
    """

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[str, ...]
    feedback: Feedback
    source: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def content(self) -> Iterator[bytes]:
        """All that results can depend on, as bytes to be hashed."""
        for words in zip(self.ids, self.texts, self.groups, strict=True):
            yield "\0".join(words).encode("utf-8", "surrogatepass")
        for query in self.feedback.queries:
            yield repr((query.text, query.solution, query.group, query.seen)).encode()
        for table in (self.feedback.users, self.feedback.ratings):
            stored = table.tocoo()
            yield from (part.tobytes() for part in (stored.row, stored.col, stored.data))
        yield self.feedback.related.tobytes()


def most_first(count: int, name: str, seed: int) -> tuple[int, str]:
    """Key that sorts by falling count, ties by a hash of seed and name."""
    return -count, io.sha256_text(f"{seed}:{name}")


def subset(actions: ActionSet, chosen: Sequence[int], *, min_items: int = 1) -> ActionSet:
    """Keep some of the actions, and of the feedback what is wholly about them.

    Parameters
    ----------
    actions : ActionSet
    chosen : sequence of int
        Distinct indices; their order becomes the new order.
    min_items : int
        A user stays who chose at least so many of the kept actions; ratings alone do not count.

    Returns
    -------
    ActionSet
        A query stays when all of its solution does, a related pair when both ends do.

    Raises
    ------
    ValueError
        When an index repeats or does not exist.
    """
    index = np.asarray(chosen, dtype=np.int64)
    if index.size != np.unique(index).size or np.any((index < 0) | (index >= len(actions))):
        raise ValueError(f"chosen: expected distinct indices from 0 to {len(actions) - 1}")
    position = np.full(len(actions), -1, dtype=np.int64)
    position[index] = np.arange(index.size)
    feedback = actions.feedback
    queries = tuple(
        Query(q.text, tuple(int(position[i]) for i in q.solution), q.origin, q.source, q.group,
              q.seen)
        for q in feedback.queries
        if all(position[i] >= 0 for i in q.solution)
    )  # fmt: skip
    users = sparse.csr_array(feedback.users[:, index])
    staying = np.flatnonzero(np.asarray((users != 0).sum(axis=1)).ravel() >= min_items)
    ratings = feedback.ratings
    if ratings.shape == feedback.users.shape:
        ratings = sparse.csr_array(sparse.csr_array(ratings[:, index])[staying])
    related = position[feedback.related]
    related = np.sort(related[(related >= 0).all(axis=1)], axis=1)
    return ActionSet(
        name=actions.name,
        ids=tuple(actions.ids[i] for i in index),
        texts=tuple(actions.texts[i] for i in index),
        groups=tuple(actions.groups[i] for i in index),
        feedback=Feedback(
            queries=queries,
            users=sparse.csr_array(users[staying]),
            user_ids=tuple(feedback.user_ids[i] for i in staying),
            user_groups=tuple(feedback.user_groups[i] for i in staying),
            related=related[np.lexsort((related[:, 1], related[:, 0]))],
            ratings=ratings,
        ),
        source=actions.source,
    )
