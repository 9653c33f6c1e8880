"""What an agent is asked each round: which actions, in which context; and checks on what it saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.metrics.validate import as_float

Actions = NDArray[np.int64]


def as_slate(slate: ArrayLike | None, S: int, K: int) -> Actions | None:
    """Return a slate as (S, m) action numbers, None (all actions) as None.

    Parameters
    ----------
    slate : array_like of int, shape (S, m), or (m,) for one that all replications share, or None
    S, K : int
        Numbers of replications and actions.

    Returns
    -------
    ndarray of int64, shape (S, m), or None

    Raises
    ------
    ValueError
        If it has another shape, or numbers outside [0, K).
    """
    if slate is None:
        return None
    array = np.asarray(slate)
    if array.ndim == 1:
        array = np.broadcast_to(array, (S, array.size))
    if array.ndim != 2 or array.shape[0] != S or array.size == 0 or array.dtype.kind not in "iu":
        raise ValueError(
            f"slate has shape {array.shape} and type {array.dtype}: pass action numbers, "
            f"shape ({S}, m) of whole numbers"
        )
    _check_range(array, K, "slate")
    return array if array.dtype == np.int64 else array.astype(np.int64)


def as_context(context: ArrayLike | None, S: int, d: int) -> NDArray[np.float64] | None:
    """Return a context as finite (S, d) float64, None as None.

    Parameters
    ----------
    context : array_like, shape (S, d), or None
    S, d : int
        Numbers of replications and dimensions.

    Returns
    -------
    ndarray of float64, shape (S, d), or None

    Raises
    ------
    ValueError
        If it has another shape or is not finite.
    """
    if context is None:
        return None
    array = as_float(context, "context")
    if array.shape != (S, d):
        raise ValueError(f"context has shape {array.shape}: pass one row a replication, ({S}, {d})")
    return array.astype(np.float64)


def as_outcome(
    action: ArrayLike, reward: ArrayLike, S: int, K: int
) -> tuple[Actions, NDArray[np.float64]]:
    """Return the played actions and their rewards, one a replication.

    Parameters
    ----------
    action : array_like of int, shape (S,)
    reward : array_like, shape (S,)
    S, K : int
        Numbers of replications and actions.

    Returns
    -------
    actions : ndarray of int64, shape (S,)
    rewards : ndarray of float64, shape (S,)

    Raises
    ------
    ValueError
        If a shape differs, an action does not exist or a reward is not finite.
    """
    actions = np.asarray(action)
    if actions.shape != (S,) or actions.dtype.kind not in "iu":
        raise ValueError(
            f"action has shape {actions.shape} and type {actions.dtype}: pass {S} whole numbers, "
            "one a replication"
        )
    _check_range(actions, K, "action")
    rewards = as_float(reward, "reward")
    if rewards.shape != (S,):
        raise ValueError(f"reward has shape {rewards.shape}: pass {S} numbers, one a replication")
    return actions.astype(np.int64), rewards.astype(np.float64)


def arm_features(
    rows: NDArray[np.floating], S: int, context: NDArray[np.float64] | None, slate: Actions | None
) -> NDArray[np.float64]:
    """Return phi = context * a of every candidate (a alone without a context).

    Parameters
    ----------
    rows : ndarray, shape (K, d)
    S : int
        Number of replications.
    context : ndarray, shape (S, d), or None
    slate : ndarray of int64, shape (S, m), or None
        All K actions without one.

    Returns
    -------
    ndarray of float64, shape (S, m or K, d)
    """
    phi = (rows[None] if slate is None else rows[slate]).astype(np.float64)
    if context is not None:
        return phi * context[:, None, :]
    return np.broadcast_to(phi, (S, *phi.shape[1:]))


def doubles(round_: int, first: int) -> bool:
    """Whether a round is `first`, or 2, 4, 8... times as many."""
    times, rest = divmod(round_, first)
    return rest == 0 and times > 0 and times & (times - 1) == 0


def _check_range(actions: NDArray[np.integer], K: int, name: str) -> None:
    if actions.min() < 0 or actions.max() >= K:
        raise ValueError(
            f"{name} must lie in [0, {K}), not [{actions.min()}, {actions.max()}]: pass row numbers"
        )
