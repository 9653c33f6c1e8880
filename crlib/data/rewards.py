"""Reward functions from real use: what a community of source files calls, and how widely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

if TYPE_CHECKING:
    from crlib.data.actions import ActionSet


def usage_rewards(
    actions: ActionSet, min_actions: int = 50, *, own: bool = True
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return one reward function for each package whose source files call enough actions.

    r(a) = log(1 + number of the package's source files that call a). No embedding has a part in
    it: it is counted in source code.

    Parameters
    ----------
    actions : ActionSet
        With `feedback.users` (files x actions, 0 or 1) and `feedback.user_groups` (a file's
        package).
    min_actions : int
        A package counts when its files together call at least so many of the actions.
    own : bool
        Whether calls to actions of the package itself count. Without them the reward says what a
        community takes from others.

    Returns
    -------
    rewards : ndarray of float64, shape (K, m)
        At least 0; m may be 0.
    names : tuple of str
        The m packages, in alphabetical order.

    Raises
    ------
    ValueError
        If `min_actions` < 1 or the feedback does not fit the actions.
    """
    users, files = actions.feedback.users, actions.feedback.user_groups
    n_actions = len(actions.ids)
    if min_actions < 1:
        raise ValueError(f"min_actions = {min_actions} must be at least 1")
    if users.shape != (len(files), n_actions):
        raise ValueError(
            f"feedback.users has shape {users.shape}: expected {len(files)} files x {n_actions} "
            "actions"
        )
    packages, member = np.unique(np.asarray(files, dtype=str), return_inverse=True)
    community = sparse.csr_array(
        (np.ones(len(files)), (member, np.arange(len(files)))), shape=(packages.size, len(files))
    )
    counts = np.asarray((community @ (users != 0).astype(np.float64)).todense())
    if not own:
        counts[packages[:, None] == np.asarray(actions.groups, dtype=str)] = 0
    enough = np.count_nonzero(counts, axis=1) >= min_actions
    return np.log1p(counts[enough]).T, tuple(packages[enough].tolist())
