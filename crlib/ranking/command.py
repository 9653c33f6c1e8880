"""What `crlib rank` does: read files, embed, rank, write the report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from crlib.io import sha256_file
from crlib.ranking.rank import MEAN, NOISE, Ranking, rank_embeddings
from crlib.ranking.report import sha256_rows, write_report
from crlib.ranking.tables import Actions, named_models, read_actions, read_rewards


def embed_all(
    actions: Actions, models: dict[str, str], *, progress: bool = False
) -> dict[str, np.ndarray]:
    """Embed actions with each model.

    Parameters
    ----------
    actions : Actions
    models : dict of str to str
        Name to model, as `crlib.extractors.encode` takes it.
    progress : bool

    Returns
    -------
    dict of str to (K, d) float32 array
        Unit rows.

    Raises
    ------
    ValueError
        When a name is a control's or a model cannot be had; the message names the embedding.
    """
    from crlib.extractors.encoding import encode
    from crlib.extractors.names import spec_of

    for name, model in models.items():  # every name first: a typo must not cost an hour
        if name in (NOISE, MEAN):
            raise ValueError(f"embeddings: the name {name!r} is a control's, choose another")
        try:
            spec_of(model)
        except ValueError as error:
            raise ValueError(f"embedding {name!r}: {error}") from None
    found = {}
    for name, model in models.items():
        try:
            found[name] = encode(actions.texts, model, ids=actions.ids, progress=progress)
        except ValueError as error:
            raise ValueError(f"embedding {name!r}: {error}") from None
    return found


def rank_files(
    actions: Path,
    embeddings: Sequence[str],
    rewards: Path | None,
    out: Path | None = None,
    *,
    horizon: int = 2_000,
    slate: int = 200,
    seed: int = 0,
    progress: bool = True,
) -> Ranking:
    """Rank the embeddings that are named, on files.

    Parameters
    ----------
    actions, rewards : Path
        See `crlib.ranking.read_actions` and `crlib.ranking.read_rewards`.
    embeddings : sequence of str
        See `crlib.ranking.tables.named_models`.
    out : Path, optional
        Where the report goes.
    horizon, slate, seed
        See `crlib.ranking.rank_embeddings`.
    progress : bool

    Raises
    ------
    ValueError
        For any fault in the files or the embeddings; nothing is written then.
    """
    models = named_models(embeddings)
    if not models:
        raise ValueError("embeddings: name at least one, as --embeddings name=model")
    if out is not None and out.is_dir():
        raise ValueError(f"out = {out} is a folder; expected a file, as report.html")
    table = read_actions(actions)
    labels = None if rewards is None else read_rewards(rewards, table.ids)
    rows = embed_all(table, models, progress=progress)
    ranking = rank_embeddings(
        rows, None if labels is None else labels.values,
        tasks=None if labels is None else labels.tasks,
        horizon=horizon, slate=slate, seed=seed, progress=progress,
    )  # fmt: skip
    if out is not None:
        files = {"actions": sha256_file(actions)}
        if rewards is not None:
            files["rewards"] = sha256_file(rewards)
        files |= {f"embedding {name}": sha256_rows(X) for name, X in rows.items()}
        command = shlex.join(["crlib", *sys.argv[1:]])
        try:
            write_report(out, ranking, files=files, command=command, models=models)
        except OSError as error:
            raise ValueError(
                f"out = {out}: {error.strerror}; choose a folder to write to"
            ) from None
        Console(stderr=True).print(f"report: {escape(str(out))}")
    return ranking
