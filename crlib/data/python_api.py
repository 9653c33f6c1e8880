"""The action set that needs no download: documented public Python callables and their use."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crlib.data.actions import ActionSet, most_first, subset
from crlib.data.feedback import MIN_ITEMS, load_feedback
from crlib.data.harvest import PACKAGES, catalogue

PER_PACKAGE = 2_500  # so that no package makes up most of a limited set


def most_used(actions: ActionSet, limit: int, seed: int) -> list[int]:
    """Indices of the actions that most source files call, at most `PER_PACKAGE` a package.

    Ties, the actions that no file calls included, are ordered by a hash of seed and id. When the
    cap leaves fewer than `limit`, the rest is filled up in the same order without it.
    """
    files = np.asarray(actions.feedback.users.sum(axis=0)).ravel()
    order = sorted(
        range(len(actions)), key=lambda i: most_first(int(files[i]), actions.ids[i], seed)
    )
    taken: Counter[str] = Counter()
    chosen, passed_over = [], []
    for i in order:
        if taken[actions.groups[i]] < PER_PACKAGE:
            taken[actions.groups[i]] += 1
            chosen.append(i)
        else:
            passed_over.append(i)
    return sorted([*chosen, *passed_over][:limit])


def load_python_api(
    *, limit: int | None = None, seed: int = 0, packages: Sequence[str] | None = None
) -> ActionSet:
    """Load the action set; see `crlib.data.load`."""
    names = tuple(packages) if packages is not None else PACKAGES
    frame = catalogue(names)
    feedback, counts = load_feedback(frame, names)
    source = {str(key): value for key, value in frame.attrs.items()}
    whole = ActionSet(
        name="python-api",
        ids=tuple(frame["id"]),
        texts=tuple(frame["text"]),
        groups=tuple(frame["package"]),
        feedback=feedback,
        source={**source, "feedback": counts, "packages": names},
    )
    if limit is None or limit >= len(whole):
        return whole
    rule = (f"callables that most source files call, at most {PER_PACKAGE} a package, ties by a "
            f"hash of seed {seed} and id")  # fmt: skip
    chosen = subset(whole, most_used(whole, limit, seed), min_items=MIN_ITEMS)
    return replace(chosen, source=chosen.source | {"rule": rule})
