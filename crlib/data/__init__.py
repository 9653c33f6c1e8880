"""Actions and the feedback that comes with them: every source gives the same `ActionSet`."""

from collections.abc import Sequence
from pathlib import Path

from crlib.data.actions import ActionSet, Feedback, Query, subset
from crlib.data.harvest import catalogue
from crlib.data.rewards import usage_rewards, user_rewards

NAMES = ("python-api", "toolbench", "toollens")

__all__ = [
    "NAMES",
    "ActionSet",
    "Feedback",
    "Query",
    "catalogue",
    "load",
    "subset",
    "usage_rewards",
    "user_rewards",
]


def load(
    name: str,
    *,
    path: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    packages: Sequence[str] | None = None,
) -> ActionSet:
    """Load an action set by name.

    Parameters
    ----------
    name : {"python-api", "toolbench", "toollens"}
        "python-api": documented public callables of the standard library and of the project's
        locked dependencies, harvested from the environment (no download), with queries, usage
        and related pairs read from the installed source files. The others: see
        `crlib.data.toolbench.load_tools`.
    path : str or Path, optional
        Upstream files, for sources that are read from disk; python-api takes none.
    limit : int, optional
        Number of actions K, at least 1: those that most source files call, at most 2,500 a
        package, ties by a hash of seed and id. All by default.
    seed : int
        Decides ties.
    packages : sequence of str, optional
        Restrict the harvest to these import names.

    Returns
    -------
    ActionSet
        Harvested and cached at the first call (about a minute and a half), read afterwards.

    Raises
    ------
    ValueError
        For an unknown name or package, a `path` that is not taken, or limit < 1.
    """
    from crlib.data.python_api import load_python_api
    from crlib.data.toolbench import load_tools

    if name not in NAMES:
        raise ValueError(f"no action set {name!r}; there are: {', '.join(NAMES)}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit = {limit}: expected at least 1, or None for all actions")
    if name != "python-api":
        if packages is not None:
            raise ValueError(f"{name} is read from files and takes no packages")
        return load_tools(name, path=path, limit=limit, seed=seed)
    if path is not None:
        raise ValueError(f"{name} is harvested from the environment and takes no path")
    return load_python_api(limit=limit, seed=seed, packages=packages)
