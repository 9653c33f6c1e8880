"""Explorer of geometry: spectra, alignment and uniformity, coverage, and a map of the actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from crlib import data, extractors, metrics
from crlib.explore.panel import (
    COLOURS,
    LABEL,
    WIDE,
    Drawing,
    Messages,
    observe,
    table,
)
from crlib.extractors.options import POOLINGS
from crlib.extractors.standardise import standardise, unit_rows

Rows = NDArray[np.floating[Any]]
OWN = "the model's own"
SHOWN = 4000  # points of the map
SAMPLE = 200  # actions over which coverage is averaged


class GeometryExplorer:
    """Controls and figures; show `view` in a notebook.

    Parameters
    ----------
    actions : ActionSet
        As `crlib.data.load` gives them.
    models : sequence of str
        On offer; names of models, folders, or files of embeddings.
    seed : int
    """

    def __init__(
        self,
        actions: data.ActionSet,
        models: Sequence[str] = tuple(extractors.MODELS),
        *,
        seed: int = 0,
    ) -> None:
        self.actions, self.seed = actions, seed
        used = bool(actions.feedback.user_ids)
        self.rewards = data.usage_rewards(actions)[0] if used else np.empty((len(actions), 0))
        self.related = self.actions.feedback.related
        self.messages = Messages()
        first = [name for name in ("mlm-bert", "simcse") if name in models] or list(models[:1])
        common: dict[str, Any] = {"style": LABEL, "layout": WIDE}
        later = common | {"continuous_update": False}
        n_largest = max(2, len(self.actions) - 1)
        sizes = [k for k in (1, 3, 10, 30, 100, 300, 1000) if k < n_largest]
        self.models = widgets.SelectMultiple(
            options=list(models), value=first, rows=7, description="models", **common
        )
        self.layer = widgets.Dropdown(
            options=[OWN, "0", "1", "-1"], value=OWN, description="layer", **common
        )
        self.pooling = widgets.Dropdown(
            options=[OWN, *POOLINGS], value=OWN, description="pooling", **common
        )
        self.pca = widgets.IntSlider(
            value=0, min=0, max=128, step=4, description="PCA, 0 for all", **later
        )
        self.whiten = widgets.Checkbox(value=False, description="whiten", **common)
        self.k = widgets.SelectionSlider(
            options=sizes, value=sizes[-1], description="k, random actions", **later
        )
        self.t = widgets.FloatSlider(
            value=2.0, min=0.5, max=8.0, step=0.5, description="t of uniformity", **later
        )
        self.search = widgets.Text(
            placeholder="part of a name or a text", description="find on the map", **later
        )
        self.numbers = widgets.HTML()
        base = make_subplots(1, 2, subplot_titles=("spectrum", "alignment and uniformity"))
        base.update_xaxes(type="log", title="rank", row=1, col=1)
        base.update_yaxes(type="log", title="share of variance", row=1, col=1)
        base.update_xaxes(title="uniformity", row=1, col=2)
        base.update_yaxes(title="alignment loss", row=1, col=2)
        self.figure = Drawing(base, 380)
        plane = go.Figure().update_xaxes(title="first component")
        self.map = Drawing(plane.update_yaxes(title="second component"), 460)
        controls = [self.models, self.layer, self.pooling, self.pca, self.whiten, self.k, self.t]
        observe(controls, self.messages.guard(self.update))
        observe([self.search], self.messages.guard(self.draw_map, "Searching …"))
        self.view = widgets.VBox([
            widgets.HBox([
                widgets.VBox(controls[:3]), widgets.VBox([*controls[3:], self.search]),
            ], layout=widgets.Layout(flex_flow="row wrap")),
            self.messages.line, self.numbers, self.figure.box, self.map.box,
        ])  # fmt: skip
        self._rows = lru_cache(maxsize=32)(self._embedded)
        self.messages.guard(self.update)()

    def _embedded(self, model: str, layer: str, pooling: str) -> Rows:
        options: dict[str, Any] = {}
        if layer != OWN:
            options["layer"] = int(layer)
        if pooling != OWN:
            options["pooling"] = pooling
        return extractors.encode(
            self.actions.texts, model, ids=self.actions.ids, seed=self.seed, **options
        )

    def rows(self, model: str) -> Rows:
        """Return a model's rows as the controls ask for them."""
        rows = self._rows(model, self.layer.value, self.pooling.value)
        if not self.pca.value and not self.whiten.value:
            return rows
        kept = min(self.pca.value, rows.shape[1], len(rows) - 1) if self.pca.value else None
        return standardise(rows, pca=kept, whiten=self.whiten.value)

    def update(self) -> None:
        """Compute all numbers and draw all figures."""
        if not self.models.value:
            raise ValueError("choose at least one model")
        traces, places, lines = [], [], []
        rng = np.random.default_rng(self.seed)
        some = np.sort(rng.choice(len(self.actions), min(SAMPLE, len(self.actions)), replace=False))
        for name, colour in zip(self.models.value, COLOURS * 8, strict=False):
            rows = self.rows(name)
            unit = unit_rows(rows)
            values = metrics.spectrum(rows)
            uniform = metrics.uniformity_sampled(unit, self.t.value, rng=self.seed).value
            pairs = self.related
            aligned = metrics.alignment(unit[pairs[:, 0]], unit[pairs[:, 1]]) if len(pairs) else 0.0
            ratio = metrics.participation_ratio_interval(rows)
            covered = metrics.coverage_profile(rows, [1, self.k.value], rows=some).mean(axis=1)
            gap = np.nan
            if self.rewards.shape[1]:
                profile = metrics.reward_coverage_profile(
                    rows, self.rewards, [self.k.value], rows=some
                )
                gap = float(profile.mean())
            marker = {"color": colour, "size": 12}
            traces += [
                go.Scatter(x=np.arange(1, len(values) + 1), y=values / values.sum(), name=name,
                           line={"color": colour}),
                go.Scatter(x=[uniform], y=[aligned], name=name, mode="markers", marker=marker,
                           showlegend=False),
            ]  # fmt: skip
            places += [(1, 1), (1, 2)]
            lines.append((
                name, rows.shape[1], f"{ratio.estimate:.1f} [{ratio.low:.1f}, {ratio.high:.1f}]",
                f"{uniform:.3f}", f"{aligned:.3f}", f"{covered[1] / covered[0]:.3f}",
                "–" if np.isnan(gap) else f"{gap:.3f}",
            ))  # fmt: skip
        self.figure.redraw(traces, places)
        self.numbers.value = table(
            lines,
            ("model", "d", "effective dimension [95%]", "uniformity", "alignment loss",
             f"coverage, k = {self.k.value}", "reward coverage (1: useless)"),
            f"{len(self.actions):,} actions",
        )  # fmt: skip
        self.draw_map()

    def draw_map(self) -> None:
        """Draw the first two components of the first model; those found are large."""
        if not self.models.value:
            raise ValueError("choose at least one model")
        flat = standardise(self.rows(self.models.value[0]), pca=2)[:SHOWN]
        wanted = self.search.value.strip().lower()
        texts = [
            f"{name}\n{text}".lower()
            for name, text in zip(self.actions.ids[:SHOWN], self.actions.texts, strict=False)
        ]
        hit = np.array([bool(wanted) and wanted in text for text in texts])
        if wanted and not hit.any():
            self.messages.say(f"no action holds {self.search.value!r}")
        labels = [escape(name) for name in self.actions.ids[:SHOWN]]
        traces = [
            go.Scattergl(x=flat[~hit, 0], y=flat[~hit, 1], mode="markers", name="actions",
                         marker={"size": 4, "color": "#999999", "opacity": 0.6},
                         text=[n for n, h in zip(labels, hit, strict=True) if not h],
                         hovertemplate="%{text}<extra></extra>"),
            go.Scattergl(x=flat[hit, 0], y=flat[hit, 1], mode="markers", name="found",
                         marker={"size": 10, "color": COLOURS[1]},
                         text=[n for n, h in zip(labels, hit, strict=True) if h],
                         hovertemplate="%{text}<extra></extra>"),
        ]  # fmt: skip
        title = f"{escape(self.models.value[0])}: {int(hit.sum())} found"
        self.map.redraw(traces, title=title)
