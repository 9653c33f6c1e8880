"""Actions and the feedback that comes with them: every source gives the same `ActionSet`."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from crlib import provenance
from crlib.data import hub
from crlib.data.actions import ActionSet, Feedback, Query, subset
from crlib.data.harvest import catalogue
from crlib.data.rewards import label_rows, some_rewards, usage_rewards, user_rewards
from crlib.data.sources import sources_frame

# Sets that are read from files: the module and the function that reads them.
READERS = {
    "toolbench": ("crlib.data.toolbench", "load_tools"),
    "toollens": ("crlib.data.toolbench", "load_tools"),
    "amazon-electronics": ("crlib.data.amazon", "load_amazon"),
    "amazon-games": ("crlib.data.amazon", "load_amazon"),
}
NAMES = ("python-api", *READERS)

__all__ = [
    "NAMES",
    "ActionSet",
    "Feedback",
    "Query",
    "catalogue",
    "label_rows",
    "load",
    "some_rewards",
    "sources_frame",
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
    download: bool = False,
) -> ActionSet:
    """Load an action set by name.

    Parameters
    ----------
    name : {"python-api", "toolbench", "toollens", "amazon-electronics", "amazon-games"}
        "python-api": documented public callables of the standard library and of the project's
        locked dependencies, harvested from the environment (no download), with queries, usage
        and related pairs read from the installed source files. The others are read from upstream
        files: see `crlib.data.toolbench.load_tools` and `crlib.data.amazon.load_amazon`, and
        `sources_frame` for what they are and how to get them.
    path : str or Path, optional
        Folder of the set's upstream files; by default the set's own below the folder that the
        environment variable CRLIB_DATA names. python-api takes none.
    limit : int, optional
        Number of actions K, at least 1: those that are used most, ties by a hash of seed and id.
        Most used are the callables in most source files (at most 2,500 a package), the APIs that
        most queries need, the items with the most ratings; `source["rule"]` says it. All by
        default.
    seed : int
        Decides ties.
    packages : sequence of str, optional
        Restrict the harvest of python-api to these import names.
    download : bool
        Fetch what is missing from the Hugging Face hub into that folder first, where the set is
        there; the size is printed before.

    Returns
    -------
    ActionSet
        python-api is harvested and cached at the first call (about a minute and a half), read
        afterwards.

    Raises
    ------
    ValueError
        For an unknown name or package, a `path` or `download` that is not taken, limit < 1,
        files that are missing, damaged or of no known layout, or a hub that does not answer.
    """
    from crlib.data.python_api import load_python_api

    if name not in NAMES:
        raise ValueError(f"no action set {name!r}; there are: {', '.join(NAMES)}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit = {limit}: expected at least 1, or None for all actions")
    if name != "python-api":
        if packages is not None:
            raise ValueError(f"{name} is read from files and takes no packages")
        if download:
            path = hub.download(name, folder=path)
        return _noted(_reader(name)(name, path=path, limit=limit, seed=seed))
    if path is not None:
        raise ValueError(f"{name} is harvested from the environment and takes no path")
    if download:
        raise ValueError(f"{name} is harvested from the environment and needs no download")
    return _noted(load_python_api(limit=limit, seed=seed, packages=packages))


def _reader(name: str) -> Callable[..., ActionSet]:
    """The function that reads a set's files; imported when asked for."""
    module, function = READERS[name]
    reader: Callable[..., ActionSet] = getattr(import_module(module), function)
    return reader


def _noted(actions: ActionSet) -> ActionSet:
    provenance.note_input(f"{actions.name}, {len(actions):,} actions", actions.content())
    return actions
