"""Explorer of regret: what a spectrum, a reward and a prior predict, beside simulated bandits."""

from __future__ import annotations

import threading
from typing import Any, get_args

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from crlib import metrics
from crlib.agents.thompson import LinearTS
from crlib.envs.slates import SlateBandit, play
from crlib.envs.spectra import Energy, features_with, rewards_with, spectrum_with_pr
from crlib.explore.panel import COLOURS, LABEL, WIDE, Drawing, Messages, observe
from crlib.metrics.eigenbasis import Eigenbasis

WIDTH = 128  # dimensions of the made embeddings
REPLICATIONS = 8
BLOCK = 250  # rounds between two looks at the button that cancels
POINTS = 60


class RegretExplorer:
    """Controls and figure; show `view` in a notebook.

    The whitened scores of K actions are drawn once; a spectrum only scales their columns, so that
    the prediction follows a slider at once. The simulation runs beside it until it is cancelled.

    Parameters
    ----------
    n_actions : int
        K, above 128.
    seed : int
    """

    def __init__(self, *, n_actions: int = 10_000, seed: int = 0) -> None:
        self.seed, self.n_actions = seed, n_actions
        self.scores = features_with(np.ones(WIDTH), n_actions, seed).astype(np.float64)
        self.messages = Messages()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        common: dict[str, Any] = {"style": LABEL, "layout": WIDE}
        later = common | {"continuous_update": False}
        self.pr = widgets.FloatSlider(
            value=50, min=2, max=WIDTH - 1, step=1, description="effective dimension", **later
        )
        self.energy = widgets.Dropdown(
            options=list(get_args(Energy)), value="isotropic", description="reward's energy",
            **common,
        )  # fmt: skip
        self.unexplained = widgets.FloatSlider(
            value=0.0, min=0.0, max=0.9, step=0.1, description="not in the embedding", **later
        )
        self.prior = widgets.FloatLogSlider(
            value=1.0, min=-2, max=2, step=0.5, description="prior's variance", **later
        )
        self.noise = widgets.FloatSlider(
            value=1.0, min=0.1, max=3.0, step=0.1, description="noise", **later
        )
        self.slate = widgets.SelectionSlider(
            options=[k for k in (10, 50, 200, 1000, n_actions) if k <= n_actions],
            value=min(200, n_actions), description="actions on offer", **later,
        )  # fmt: skip
        self.horizon = widgets.SelectionSlider(
            options=[500, 1000, 2000, 5000, 10000], value=2000, description="rounds T", **later
        )
        self.run = widgets.Button(description="Simulate", tooltip="play Thompson sampling")
        self.cancel = widgets.Button(
            description="Cancel", tooltip="stop the simulation", disabled=True
        )
        self.progress = widgets.IntProgress(description="rounds", min=0, max=1, style=LABEL)
        self.numbers = widgets.HTML()
        base = go.Figure().update_xaxes(title="round")
        base.update_yaxes(title="regret, in standard deviations of the reward")
        self.figure = Drawing(base, 420)
        self.simulated: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
        self.controls = [
            self.pr, self.energy, self.unexplained, self.prior, self.noise, self.slate,
            self.horizon,
        ]  # fmt: skip
        observe(self.controls, self.messages.guard(self.update))
        self.run.on_click(self.messages.guard(self.start, "Starting …"))
        self.cancel.on_click(self.messages.guard(lambda: self._stop.set(), "Cancelling …"))
        self.view = widgets.VBox([
            widgets.HBox([widgets.VBox(self.controls[:4]), widgets.VBox(self.controls[4:])],
                         layout=widgets.Layout(flex_flow="row wrap")),
            widgets.HBox([self.run, self.cancel, self.progress]),
            self.messages.line, self.numbers, self.figure.box,
        ])  # fmt: skip
        self.messages.guard(self.update)()

    def problem(self) -> tuple[Eigenbasis, NDArray[np.float64]]:
        """Return the embedding and the rewards that the controls ask for."""
        spectrum = spectrum_with_pr(WIDTH, self.pr.value)
        basis = Eigenbasis(spectrum, self.scores)
        rewards = rewards_with(
            self.scores * np.sqrt(spectrum), self.energy.value, REPLICATIONS, self.seed
        )
        if self.unexplained.value:
            lost = self.unexplained.value
            other = np.random.default_rng([self.seed, 1]).standard_normal(rewards.shape)
            other -= self.scores @ (self.scores.T @ other) / self.n_actions
            other = (other - other.mean(axis=0)) / other.std(axis=0)
            rewards = np.sqrt(1 - lost) * rewards + np.sqrt(lost) * other
        return basis, rewards

    def update(self) -> None:
        """Predict regret and draw it; what was simulated before was for other settings."""
        self._stop.set()
        self.simulated = None
        basis, rewards = self.problem()
        rounds = np.unique(np.geomspace(1, self.horizon.value, POINTS).astype(np.int64))
        curves = metrics.predicted_curve(
            basis, rewards, rounds, self.slate.value, noise=self.noise.value
        )
        self.predicted = rounds, np.asarray(curves).mean(axis=1)
        chance = np.mean(metrics.best_mean_gap(rewards, self.slate.value))
        self.chance = float(chance)
        self.draw()

    def draw(self) -> None:
        """Draw what is predicted, what was simulated so far, and choosing at random."""
        rounds, values = self.predicted
        traces = [
            go.Scatter(x=rounds, y=values, name="predicted", line={"color": COLOURS[0]}),
            go.Scatter(x=rounds, y=self.chance * rounds, name="choosing at random",
                       line={"color": "#999999", "dash": "dot"}),
        ]  # fmt: skip
        said = f"predicted regret after {rounds[-1]:,} rounds: {values[-1]:,.0f}"
        if self.simulated is not None and self.simulated[0].size:
            traces.append(go.Scatter(x=self.simulated[0], y=self.simulated[1], name="simulated",
                                     line={"color": COLOURS[1]}))  # fmt: skip
            said += f"; simulated after {self.simulated[0][-1]:,}: {self.simulated[1][-1]:,.0f}"
        self.figure.redraw(traces)
        share = values[-1] / (self.chance * rounds[-1])
        self.numbers.value = (
            f"<p>{said}; choosing at random {self.chance * rounds[-1]:,.0f} "
            f"({100 * share:.0f}% of it are predicted). The formula's prior has variance 1; the "
            "simulation takes the one above.</p>"
        )

    def start(self) -> None:
        """Begin to simulate, in a thread of its own."""
        self.stop()
        self._stop = threading.Event()
        self.run.disabled, self.cancel.disabled = True, False
        self._thread = threading.Thread(target=self.messages.guard(self.simulate, "Simulating …"))
        self._thread.start()

    def stop(self) -> None:
        """Cancel a simulation and wait for it to end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def simulate(self) -> None:
        """Play linear Thompson sampling until the horizon, or until it is cancelled."""
        try:
            self._simulate()
        finally:
            self.run.disabled, self.cancel.disabled = False, True

    def _simulate(self) -> None:
        basis, rewards = self.problem()
        horizon = self.horizon.value
        agent = LinearTS(
            basis.rows.astype(np.float32), REPLICATIONS, tau2=self.prior.value,
            sigma2=self.noise.value**2, dtype=np.float32, seed=self.seed,
        )  # fmt: skip
        bandit = SlateBandit(rewards, slate=self.slate.value, noise=self.noise.value,
                             seed=self.seed)  # fmt: skip
        self.progress.max, self.progress.value = horizon, 0
        total, stop = np.zeros(0), self._stop
        while total.size < horizon:
            block: Any = "growing" if not total.size else 32
            lost = play(agent, bandit, min(BLOCK, horizon - total.size), block=block).mean(axis=0)
            if stop.is_set():  # the controls may stand for another problem by now
                return
            total = np.concatenate([total, np.cumsum(lost) + (total[-1] if total.size else 0.0)])
            at = np.unique(np.geomspace(1, total.size, POINTS).astype(np.int64))
            self.simulated = at, total[at - 1]
            self.progress.value = total.size
            self.draw()
