"""A ranking as one page of HTML that needs nothing else: no script, no font, no address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import ArrayLike

from crlib import provenance
from crlib.extractors.standardise import unit_rows
from crlib.io import write_text
from crlib.metrics.validate import as_matrix
from crlib.ranking.rank import MEAN, NOISE, Ranking
from crlib.ranking.terminal import cell, columns_of, first_cell, of_task

TEMPLATE = Path(__file__).with_name("report.html.j2")
HEADLINES = {
    "clear": "One embedding is better than the others",
    "tied": "No difference can be told between the best embeddings",
    "alone": "The embedding says something about the rewards",
    "nothing": "Nothing can be concluded from these labels",
    "geometry": "No labels, no ranking",
}
WIDTH, LEFT, ROW = 720, 190, 30  # of the drawing, in pixels


def write_report(
    path: str | Path,
    ranking: Ranking,
    *,
    files: Mapping[str, str] | None = None,
    command: str = "",
    models: Mapping[str, str] | None = None,
) -> None:
    """Write the report, wholly or not at all.

    Whatever comes from data (names, paths) is escaped. The same ranking gives the same bytes.

    Parameters
    ----------
    path : str or Path
    ranking : Ranking
    files : mapping of str to str, optional
        Name of an input to its SHA-256.
    command : str
        That made it.
    models : mapping of str to str, optional
        Name of an embedding to its model or file.
    """
    columns = columns_of(ranking)
    rows = [
        {"name": row["embedding"], "model": (models or {}).get(str(row["embedding"]), ""),
         "control": row["control"], "best": row["embedding"] == ranking.advice.best,
         "width": row["width"] or "", "cells": [cell(row, score) for score in columns],
         "first": first_cell(row)}
        for row in ranking.table.to_dict("records")
    ]  # fmt: skip
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    versions = provenance.versions() | {
        "crlib": provenance.commit() + (" with changes" if provenance.is_dirty() else "")
    }
    page = template.render(
        headline=HEADLINES[ranking.advice.verdict], advice=ranking.advice, rows=rows,
        headings=list(columns.values()), settings=ranking.settings, drawing=drawing(ranking),
        labelled=bool(ranking.scores), tasks=_tasks(ranking), files=files or {}, command=command,
        versions=versions,
    )  # fmt: skip
    write_text(path, page)


def drawing(ranking: Ranking) -> dict[str, Any] | None:
    """Positions of the marks of the figure: R^2 with its interval, a row an embedding.

    Returns
    -------
    dict or None
        width, height, left, zero, ticks, marks; None without labels.
    """
    table = ranking.table[ranking.table["embedding"] != MEAN]
    if not ranking.scores:
        return None
    low, high = min(0.0, table["r2_low"].min()), max(0.05, table["r2_high"].max())
    # R^2 has no lower end: a wild one must not squeeze the rest.
    low = max(low, -1.0)

    def at(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 20) * (max(value, low) - low) / (high - low), 1)

    marks = [
        {"name": row["embedding"], "y": ROW * number + 24, "x": at(row["r2"]),
         "low": at(row["r2_low"]), "high": at(row["r2_high"]), "control": row["control"]}
        for number, row in enumerate(table.to_dict("records"))
    ]  # fmt: skip
    step = 10 ** np.floor(np.log10(high - low))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 8)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return {
        "width": WIDTH, "height": ROW * len(marks) + 56, "left": LEFT, "zero": at(0.0),
        "bottom": ROW * len(marks) + 10, "marks": marks,
        "ticks": [{"x": at(float(tick)), "text": f"{tick + 0.0:.4g}"} for tick in ticks],
    }  # fmt: skip


def _tasks(ranking: Ranking) -> list[dict[str, Any]]:
    """Each task with the embedding that is first in it; only where there are several."""
    if ranking.tasks["task"].nunique() < 2:
        return []
    own = ranking.tasks[ranking.tasks["embedding"] != NOISE]
    return [
        {"task": task, "labels": int(rows["labels"].iloc[0]),
         "best": rows["embedding"].iloc[int(rows["r2"].to_numpy().argmax())],
         "r2": [of_task(row) for row in rows.to_dict("records")],
         "names": rows["embedding"].tolist()}
        for task, rows in own.groupby("task", sort=False)
    ]  # fmt: skip


def sha256_rows(X: ArrayLike) -> str:
    """SHA-256 of an embedding as it was compared: unit rows in float32."""
    return hashlib.sha256(np.ascontiguousarray(unit_rows(as_matrix(X))).tobytes()).hexdigest()
