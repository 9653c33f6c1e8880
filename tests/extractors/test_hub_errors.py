"""What the hub refuses is said in one sentence, with what to do."""

import httpx2
import pytest
from hub_models import spec_for
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from crlib.extractors import HUB_MODELS, encode
from crlib.extractors.hub import loading


def response(status: int) -> httpx2.Response:
    return httpx2.Response(status, request=httpx2.Request("GET", "https://huggingface.co/x"))


ERRORS = {
    "gated": (
        lambda: GatedRepoError("403", response=response(403)),
        r"llama-3-8b is gated: accept its terms at its page on the hub "
        r"\(meta-llama/Meta-Llama-3-8B\), then log in",
    ),
    "offline": (
        lambda: LocalEntryNotFoundError("not in the cache"),
        r"llama-3-8b is not on this machine and the hub did not answer "
        r"\(meta-llama/Meta-Llama-3-8B, 16\.1 GB\); load it where there is a network",
    ),
    "unknown": (
        lambda: RepositoryNotFoundError("404", response=response(404)),
        r"llama-3-8b is not known to the hub \(meta-llama/Meta-Llama-3-8B\)",
    ),
    "revision": (
        lambda: RevisionNotFoundError("404", response=response(404)),
        r"llama-3-8b has no such revision on the hub",
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_the_cause_inside_the_loaders_error_counts(monkeypatch, kind):
    make, message = ERRORS[kind]

    def loader(*_, **__):
        # As transformers does it: a general error, with the hub's own as its cause.
        try:
            raise make()
        except OSError as error:
            raise OSError("We could not load the model") from error

    monkeypatch.setattr(loading, "Transformer", loader)
    with pytest.raises(ValueError, match=message) as raised:
        loading.load_hub(HUB_MODELS["llama-3-8b"], device="cpu")
    assert "every model of `crlib doctor` that is ready can be used" in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gated", r"is gated: accept its terms at its page on the hub \(some/adapter\)"),
        ("offline", r"is not on this machine and the hub did not answer \(some/adapter\)"),
    ],
)
def test_an_adapter_is_named_when_it_is_the_one_refused(checkpoints, monkeypatch, kind, message):
    def download(*_, **__):
        raise ERRORS[kind][0]()

    monkeypatch.setattr("peft.config.hf_hub_download", download)
    spec = spec_for(checkpoints / "llama", adapters=("some/adapter",))
    with pytest.raises(ValueError, match=message):
        loading.load_hub(spec, device="cpu")


@pytest.mark.parametrize("kind", ERRORS)
def test_encode_says_so_before_anything_is_loaded(monkeypatch, vectors, kind):
    make, message = ERRORS[kind]

    def download(repo, name, *, revision, local_files_only):
        if local_files_only:
            raise LocalEntryNotFoundError("not in the cache")
        raise make()

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(ValueError, match=message):
        encode(["a text"], "llama-3-8b", cache_dir=vectors)
    assert not vectors.exists()


def test_what_is_no_id_is_said(vectors):
    with pytest.raises(ValueError, match="is neither a folder nor an id on the hub"):
        encode(["a text"], "no/such/folder", cache_dir=vectors)


def test_a_folder_that_is_not_there_is_said(vectors):
    with pytest.raises(ValueError, match=r"\./no/folder is missing; expected a folder"):
        encode(["a text"], "./no/folder", cache_dir=vectors)
