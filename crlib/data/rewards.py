"""Reward functions from real use: what a community of source files calls, or a single one."""

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


def user_rewards(
    actions: ActionSet, n_users: int, *, min_items: int = 20, seed: int = 0
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the reward functions of single users, at most one of each community.

    r(a) = 1 where the user (a source file, a customer) uses the action, else 0. Communities are
    drawn without replacement and then a user of each, so that no package speaks twice. Where all
    users are of one community, as customers are, they are drawn themselves.

    Parameters
    ----------
    actions : ActionSet
        With `feedback.users`, `user_ids` and `user_groups`.
    n_users : int
        How many at most; fewer where there are fewer communities.
    min_items : int
        A user counts with at least so many of the actions.
    seed : int

    Returns
    -------
    rewards : ndarray of float64, shape (K, m)
    names : tuple of str
        The m users.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    for name, value in (("n_users", n_users), ("min_items", min_items)):
        if value < 1:
            raise ValueError(f"{name} = {value} must be at least 1")
    feedback, rng = actions.feedback, np.random.default_rng(seed)
    used = sparse.csr_array(feedback.users != 0)
    enough = np.diff(used.indptr) >= min_items
    groups = np.asarray(feedback.user_groups, dtype=str)
    if len(np.unique(groups)) == 1:
        rows = rng.permutation(np.flatnonzero(enough))[:n_users].tolist()
    else:
        drawn = rng.permutation(np.unique(groups[enough]))[:n_users]
        rows = [int(rng.choice(np.flatnonzero(enough & (groups == name)))) for name in drawn]
    rewards = np.zeros((len(actions.ids), len(rows)))
    for column, row in enumerate(rows):
        rewards[used.indices[used.indptr[row] : used.indptr[row + 1]], column] = 1
    return rewards, tuple(feedback.user_ids[i] for i in rows)


def some_rewards(rewards: NDArray[np.floating], n: int, *, seed: int = 0) -> NDArray[np.floating]:
    """Draw n of the reward functions, in their order; all where there are no more.

    Parameters
    ----------
    rewards : ndarray, shape (K, m)
    n : int
    seed : int

    Returns
    -------
    ndarray, shape (K, min(n, m))
    """
    m = rewards.shape[1]
    chosen = np.random.default_rng(seed).choice(m, min(n, m), replace=False)
    return rewards[:, np.sort(chosen)]


def label_rows(rewards: NDArray[np.floating], n_labels: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose actions to label: half of those with a reward of their own, the rest from all others.

    Most actions of a massive space have the same reward, nothing; a few hundred drawn at random
    would hardly meet another. Logs do, because they are of actions that somebody took.

    Parameters
    ----------
    rewards : ndarray, shape (K,)
        The most frequent value counts as "nothing".
    n_labels : int
        2 to K.
    seed : int

    Returns
    -------
    ndarray of int64, shape (n_labels,)
        Distinct, ascending.

    Raises
    ------
    ValueError
        If `n_labels` is out of range.
    """
    n_actions = len(rewards)
    if not 2 <= n_labels <= n_actions:
        raise ValueError(f"n_labels = {n_labels}: expected 2 to K = {n_actions}")
    values, counts = np.unique(rewards, return_counts=True)
    order = np.random.default_rng(seed).permutation(n_actions)
    taken = order[rewards[order] != values[counts.argmax()]][: n_labels // 2]
    others = order[~np.isin(order, taken)]
    return np.sort(np.concatenate([taken, others[: n_labels - len(taken)]]))
