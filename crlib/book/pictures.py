"""A run's figures as files for papers and slides: PDF, PNG and SVG beside their data."""

import copy
import math
import shutil
from pathlib import Path
from typing import Any

import kaleido
import plotly.graph_objects as go
from pypdf import PdfWriter

from crlib import io
from crlib.figures import PICTURES

# As wide as lets letters be read in a column of a paper; a figure's own height is for a screen.
WIDTH, HEIGHT, SCREEN = 560, 440, 700


def browser() -> str | None:
    """The Chromium that draws the pictures, None where there is none."""
    return next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )


def still(drawing: dict[str, Any]) -> dict[str, Any]:
    """A drawing as it stands on paper: no slider or button, the slider's position as a title.

    Parameters
    ----------
    drawing : dict
        A plotly figure: data and layout.

    Returns
    -------
    dict
        A figure of fixed size; the argument stays as it was.
    """
    figure = copy.deepcopy(drawing)
    layout = figure.setdefault("layout", {})
    said = []
    for slider in layout.pop("sliders", None) or []:
        steps = slider.get("steps") or []
        if steps:
            prefix = (slider.get("currentvalue") or {}).get("prefix", "")
            said.append(f"{prefix}{steps[slider.get('active', 0)]['label']}")
    layout.pop("updatemenus", None)
    layout["width"] = WIDTH
    layout["height"] = round((layout.get("height") or HEIGHT) * (1 + WIDTH / SCREEN) / 2)
    if said:
        # The title stands above the legend, and both above what is drawn.
        layout["title"] = {"text": "; ".join(said), "font": {"size": 14}, "x": 0.02,
                           "y": 1, "yanchor": "top", "pad": {"t": 8}}  # fmt: skip
        rows = legend_rows(figure) if layout.get("showlegend", True) else 0
        margin = layout.get("margin") or {}
        layout["margin"] = {**margin, "t": max(margin.get("t", 24), 40) + 20 * rows}
        layout["height"] += 20 * max(rows - 1, 0)
    return figure


def legend_rows(figure: dict[str, Any]) -> int:
    """How many rows a legend above the drawing takes at the most, by the length of its names."""
    names = {
        trace["name"] for trace in figure.get("data", [])
        if trace.get("name") and trace.get("visible", True) is True
        and trace.get("showlegend", True)
    }  # fmt: skip
    if not names:
        return 0
    columns = (WIDTH - 100) // (44 + 8 * max(map(len, names)))
    return math.ceil(len(names) / max(columns, 1))


def write_pictures(folder: Path) -> list[Path]:
    """Draw the figures of a run.

    Parameters
    ----------
    folder : Path
        Holds the drawings, `<name>.json`, and their alt texts, `<name>.provenance.json`, as
        `crlib.figures.show` left them.

    Returns
    -------
    list of Path
        The pictures, three a figure; none where there is no browser.

    Raises
    ------
    RuntimeError
        When the browser could not draw one; none is left half-written.
    """
    drawings = [
        path for path in sorted(folder.glob("*.json")) if not path.stem.endswith(".provenance")
    ]
    if not drawings or browser() is None:
        return []
    written: list[Path] = []
    jobs: list[dict[str, Any]] = []
    for path in drawings:
        figure = go.Figure(still(io.read_json(path)))
        for form in PICTURES:
            written.append(path.with_suffix(f".{form}"))
            jobs.append(
                {
                    "fig": figure,
                    "path": str(path.with_suffix(f".new.{form}")),
                    "opts": {"format": form, "scale": 2 if form == "png" else 1},
                }
            )
    try:
        # Formulas stand in the text, none in a figure: MathJax would be fetched.
        kaleido.write_fig_from_object_sync(jobs, kopts={"mathjax": False})
        for job, target in zip(jobs, written, strict=True):
            with io.atomic_path(target) as temporary:
                _settle(Path(job["path"]), temporary, target.with_suffix(".provenance.json"))
    except Exception as error:
        raise RuntimeError(f"figures of {folder.parent.name}: {error}") from error
    finally:
        for job in jobs:
            Path(job["path"]).unlink(missing_ok=True)
    return written


def _settle(source: Path, target: Path, provenance: Path) -> None:
    """Copy a picture; a PDF's record says what it shows, not which browser drew it and when."""
    if source.suffix != ".pdf":
        target.write_bytes(source.read_bytes())
        return
    writer = PdfWriter(clone_from=source)
    record = io.read_json(provenance)
    writer.metadata = {"/Title": record["figure"], "/Subject": record["alt"]}
    writer.write(target)
