"""Which data sets are on this machine, and what to set for those that are not; reads no rows."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from crlib.data import problems, sentence_pairs, toolbench
from crlib.data.files import VARIABLE, find_file, find_folder

Finder = Callable[[], Path]

# Data set to how each of its parts is found: a part is a file or a folder of its own.
FINDERS: dict[str, dict[str, Finder]] = {
    **{
        name: {"": partial(find_folder, name, folders, None)}
        for name, folders in toolbench.FOLDERS.items()
    },
    **{
        name: {
            split: partial(find_file, name, files, None)
            for (owner, split), files in problems.FILES.items()
            if owner == name
        }
        for name in problems.SOURCES
    },
    "sts-b": {
        split: partial(find_file, "sts-b", files, None)
        for split, files in sentence_pairs.FILES.items()
    },
}


def data_states() -> list[tuple[str, str, str]]:
    """Name, state and remedy of each data set.

    A data set of which only some parts are there is ready: the state names them.
    """
    found = [("python-api", "ready, harvested from the installed packages", "")]
    given = os.environ.get(VARIABLE)
    if given is not None and not Path(given).is_dir():
        what = f"{VARIABLE} = {given} is no folder; set it to the folder of all data sets"
        return found + [(name, "not found", what) for name in FINDERS]
    return found + [(name, *_state(name, parts)) for name, parts in FINDERS.items()]


def _state(name: str, parts: dict[str, Finder]) -> tuple[str, str]:
    places, missing, why = [], [], ""
    for part, find in parts.items():
        try:
            places.append(_below(find()))
        except ValueError as error:
            missing.append(part)
            why = str(error).removeprefix(f"{name}: ")
    if not places:
        return "not found", why
    return f"ready, {', '.join(places)}", f"without {', '.join(missing)}" if missing else ""


def _below(path: Path) -> str:
    """Path below the folder of all data sets, which is the user's own affair."""
    root = Path(os.environ[VARIABLE])
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
