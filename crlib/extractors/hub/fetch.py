"""What the hub is asked for, and its refusals in one sentence."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crlib.extractors.hub.specs import HUB_MODELS, HubSpec
from crlib.io import sha256_file

# The hub's errors come inside those of the loaders; the first of these that is found counts.
REFUSALS = {
    "GatedRepoError": "is gated: accept its terms at its page on the hub ({repo}), then log in "
    "with `hf auth login`",
    "RevisionNotFoundError": "has no such revision on the hub ({repo}); check revision",
    "RepositoryNotFoundError": "is not known to the hub ({repo}); check its id, and log in if it "
    "is private",
    "HFValidationError": "is neither a folder nor an id on the hub ({repo}); expected org/name",
}


@contextmanager
def explained(name: str, repo: str, *, size: str = "") -> Iterator[None]:
    """Turn the errors of whatever loads from a hub id or a folder into one sentence.

    Raises
    ------
    ValueError
        Says which model, why not, what to do, and what can be used meanwhile.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        causes = _causes(error)
        where = f"{repo}, {size}" if size else repo
        refused = [REFUSALS[cause].format(repo=repo) for cause in REFUSALS if cause in causes]
        if refused:
            what = refused[0]
        elif "LocalEntryNotFoundError" in causes or (
            isinstance(error, OSError) and not Path(repo).exists()
        ):
            what = (
                f"is not on this machine and the hub did not answer ({where}); load it "
                "where there is a network, or give a folder that holds it"
            )
        else:
            what = f"cannot be read: {str(error).splitlines()[0]}"
        raise ValueError(
            f"{name} {what}. Meanwhile every model of `crlib doctor` that is ready can be used"
        ) from error


def download_size(spec: HubSpec) -> str:
    """About how much a model's files hold, for a message; empty where unknown."""
    # The files are what they are, whatever the weights become in memory.
    stored = HUB_MODELS.get(spec.name, spec)
    return f"{stored.gigabytes:.1f} GB" if stored.parameters else ""


def _causes(error: BaseException) -> set[str]:
    found: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:
        found.add(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return found


def revision_of(repo: str, revision: str | None, *, name: str = "", size: str = "") -> str:
    """The commit of a hub id, or a hash of all files of a local folder.

    What is in the hub's cache on this machine is asked first; only a model that is not there yet
    makes a call, and it has to be downloaded anyhow.

    Raises
    ------
    ValueError
        When the model is neither here nor to be reached; see `explained`, also for `name`, `size`.
    """
    folder = Path(repo)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.relative_to(folder)} {sha256_file(file)}\n".encode())
        return f"files {digest.hexdigest()}"
    with explained(name or repo, repo, size=size):
        return _configuration(repo, revision).parent.name


def _configuration(repo: str, revision: str | None) -> Path:
    """Path in the cache, whose folder is named after the commit."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    # A model has the first file, an adapter the second.
    names = ("config.json", "adapter_config.json")
    missing: EntryNotFoundError | None = None
    for local, name in [(local, name) for local in (True, False) for name in names]:
        try:
            return Path(hf_hub_download(repo, name, revision=revision, local_files_only=local))
        except EntryNotFoundError as error:
            missing = error
    assert missing is not None
    raise missing
