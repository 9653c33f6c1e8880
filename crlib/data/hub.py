"""Downloads of data sets from the Hugging Face hub: only when asked, with the size told first."""

import os
from collections.abc import Sequence
from pathlib import Path

from crlib.data.files import VARIABLE
from crlib.data.sources import SOURCES, HubFile, how_to_get, size_text


def download(name: str, *, folder: str | Path | None = None, endpoint: str | None = None) -> Path:
    """Fetch a data set's files; those that are there already are left alone.

    Parameters
    ----------
    name : str
        A key of `crlib.data.sources.SOURCES`.
    folder : str or Path, optional
        Where the files go; by default the set's own folder below the one that CRLIB_DATA names.
    endpoint : str, optional
        Address of the hub; the client's own by default.

    Returns
    -------
    Path
        The folder, which the set's loader takes as `path`.

    Raises
    ------
    ValueError
        For an unknown set, one that its authors publish elsewhere, no folder to write to, or a
        hub that does not answer. A file is whole or absent.
    """
    if name not in SOURCES:
        raise ValueError(f"no data set {name!r} to download; there are: {', '.join(SOURCES)}")
    source = SOURCES[name]
    if not source.files:
        raise ValueError(f"{name} is not on the hub; get it by hand: {how_to_get(name)}")
    given = os.environ.get(VARIABLE)
    if folder is None and given is None:
        raise ValueError(f"{name}: no folder to write to; pass folder= (path=) or set {VARIABLE}")
    target = Path(folder) if folder is not None else Path(str(given)) / source.folder
    missing = [file for file in source.files if not (target / file.path).is_file()]
    if not missing:
        return target
    from huggingface_hub import hf_hub_download

    _tell_size(name, missing, endpoint)
    for file in missing:
        try:
            hf_hub_download(
                file.repo, file.path, repo_type="dataset", local_dir=target, endpoint=endpoint
            )
        except Exception as error:  # the client passes on errors of the HTTP library below it
            raise _failed(name, file, error) from error
    return target


def _tell_size(name: str, files: Sequence[HubFile], endpoint: str | None) -> None:
    # The hub's figure where it can be had; a hub that refuses the question may still serve files.
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    total, told, failure = 0.0, "by the hub", None
    for file in files:
        found: Sequence[object] = ()
        if failure is None:
            try:
                found = HfApi(endpoint=endpoint).get_paths_info(
                    file.repo, [file.path], repo_type="dataset"
                )
            except HfHubHTTPError:
                pass
            except Exception as error:  # as above: nothing answers, so nothing can be fetched
                failure = _failed(name, file, error)
        size = getattr(found[0], "size", None) if found else None
        total += file.megabytes if size is None else size / 1e6
        told = told if size is not None else "as far as known"
    listed = ", ".join(f"{file.repo}/{file.path}" for file in files)
    print(f"{name}: {size_text(total)} {told} to be downloaded: {listed}", flush=True)
    if failure is not None:
        raise failure


def _failed(name: str, file: HubFile, error: Exception) -> ValueError:
    reason = (str(error).splitlines() or [""])[0] or type(error).__name__
    return ValueError(
        f"{name}: {file.path} of {file.repo} could not be fetched ({reason}); try again where "
        f"there is a network, or by hand: {how_to_get(name)}"
    )
