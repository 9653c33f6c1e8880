# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What makes the difference is information, not geometry
#
# ## Claim
#
# Two embeddings differ in two ways at once. They differ in *geometry*: how loud each direction is, which is
# their spectrum. And they differ in *information*: which actions they can tell apart along which direction,
# which is all else. The paper holds geometry responsible for regret. To take the two apart, each embedding
# is given the other's eigenvalues, and all four combinations are played.
#
# One part is judged for every matched pair: the **geometry** effect, on the logarithm of regret, lies
# wholly within the margin of a twentieth either way.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# In {glue:text}`n_pairs` matched pairs the effect of geometry on log regret ran from
# {glue:text}`geometry_low:.3f` to {glue:text}`geometry_high:.3f`, that of information from
# {glue:text}`information_low:.3f` to {glue:text}`information_high:.3f`, contrastive minus reconstruction.
# The larger of the two was information in {glue:text}`n_information` of them. The prediction that needs no
# bandit run has the sign of the measured effect in {glue:text}`n_signs` of {glue:text}`n_effects`.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
horizon = 5000
slate = 200
n_rewards = 24

# %%
from crlib import claims, settings

p = settings.parameters("beyond/geometry_or_information", globals())
run = claims.Run("beyond/geometry_or_information", p)

# %% [markdown]
# ## Theory
#
# **The transplant.** Write a centred embedding in its principal axes, $x = \sum_i \sqrt{\lambda_i}\,z_i u_i$,
# with scores $z_i$ of variance 1. The scores are its information, the $\lambda_i$ its geometry. Giving it
# another's spectrum replaces $\lambda_i$ by $\mu_i$, largest to largest, and leaves every $z_i$ as it is.
# A rotation changes nothing for an agent whose prior is isotropic.
#
# **The split.** Let $\ell_{ig}$ be the log regret with information $i$ and geometry $g$, each 0 for the
# reconstruction and 1 for the contrastive model. With
#
# $$
# G = \tfrac12\bigl[(\ell_{01}-\ell_{00}) + (\ell_{11}-\ell_{10})\bigr], \qquad
# I = \tfrac12\bigl[(\ell_{10}-\ell_{00}) + (\ell_{11}-\ell_{01})\bigr],
# $$
#
# $G + I = \ell_{11} - \ell_{00}$: the two effects add up to the whole difference, whatever the interaction.
# It is the Shapley value of a game of two players, and no other split is symmetric and complete.

# %%
import sympy as sp

l00, l01, l10, l11 = sp.symbols("l00 l01 l10 l11")
geometry = ((l01 - l00) + (l11 - l10)) / 2
information = ((l10 - l00) + (l11 - l01)) / 2
assert sp.expand(geometry + information - (l11 - l00)) == 0

# %% [markdown]
# **What to expect.** A linear agent after $t$ rounds is a ridge regression. Its score correlates with the
# reward by a formula {cite:p}`canatar2021spectral,simon2023eigenlearning` that holds eigenvalues and energies $w_i^2$ only, through
# $L_i = \lambda_i/(\lambda_i+\kappa_t)$: each direction counts by $L_i w_i^2$. Raising $\lambda_i$ where
# $w_i^2$ is large helps, elsewhere it costs; multiplying $w^2$ by a factor helps at every spectrum. So
# geometry is worth something exactly as far as loud directions are the rewarding ones, which is no property
# of a spectrum.

# %%
value, kappa, energy, variance = sp.symbols("lambda kappa w2 V", positive=True)
learned = value / (value + kappa)
assert sp.simplify(sp.diff(learned, value) - kappa / (value + kappa) ** 2) == 0
assert sp.diff(learned * energy, energy) == learned  # more energy is better, at every spectrum

# %% [markdown]
# The transplant itself is checked on vectors: an embedding given its own spectrum keeps all its distances
# up to scale, and one given another's has exactly that spectrum and exactly its own scores.

# %%
import numpy as np

from crlib import metrics

rng = np.random.default_rng(p.seed)
X, other = rng.standard_normal((60, 5)) * [3, 2, 1, 0.5, 0.2], np.array([5, 1, 1, 1, 1]) / 9
same = metrics.spectrum_transplant(X, metrics.eigenbasis(X).eigenvalues)
ratio = np.linalg.norm(same[1:] - same[0], axis=1) / np.linalg.norm(X[1:] - X[0], axis=1)
moved = metrics.eigenbasis(metrics.spectrum_transplant(X, other))
assert np.allclose(ratio, ratio[0])
assert np.allclose(moved.eigenvalues, other)

# %% [markdown]
# ## Evidence
#
# Actions, reward functions, slates and noise are those of the regret chapter; the agent is the raw arm,
# with its prior fixed. All four cells of a pair meet the same rounds.

# %%
from crlib import data, extractors

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
all_rewards, communities = data.usage_rewards(actions)
rewards = data.some_rewards(all_rewards, p.n_rewards, seed=p.seed)
n_used, slate = rewards.shape[1], min(p.slate, len(actions))
pairs = extractors.pairs_for(p.model) if n_used >= 2 else ()

# %%
paired = dict.fromkeys(name for pair in pairs for name in pair.models)
bases = {
    name: metrics.eigenbasis(extractors.encode(actions.texts, name, ids=actions.ids)) for name in paired
}
cells = {
    (pair.name, i, g): metrics.spectrum_transplant(bases[info], bases[shape].eigenvalues)
    for pair in pairs
    for i, info in enumerate(pair.models)
    for g, shape in enumerate(pair.models)
}

# %%
from crlib.envs.arms import regret_of

options = {"horizon": p.horizon, "slate": slate, "seed": p.seed}
played = {key: np.log(regret_of(X, rewards, "raw", **options)[:, -1]) for key, X in cells.items()}
stated = {
    key: np.log(metrics.predicted_regret(X, rewards, p.horizon, slate)) for key, X in cells.items()
}

# %%
effects = {}
for pair in pairs:
    for how, logs in {"measured": played, "predicted": stated}.items():
        square = np.array([[logs[pair.name, i, g] for g in (0, 1)] for i in (0, 1)])
        effects[pair.name, how] = metrics.transplant_effects(square, rng=p.seed)
    if n_used >= 10:
        run.record("N2.geometry", pair.name, effects[pair.name, "measured"].geometry)

# %% tags=["hide-input"]
import pandas as pd

from crlib.plots import regret as plots

frame = pd.DataFrame([
    {"pair": name, "arm": part + (", predicted" if how == "predicted" else ""), "effect": (e := getattr(found, part)).estimate,
     "low": e.low, "high": e.high, "family": plots.EFFECT_COLOURS[part]}
    for (name, how), found in effects.items()
    for part in ("geometry", "information", "interaction")
    if part != "interaction" or how == "measured"
])  # fmt: skip

# %% tags=["hide-input"]
from crlib import figures

figures.show(
    plots.marks(frame, value="effect", row="pair", title="effect on log regret", line=0.0),
    "effects", plots.marks_alt(frame, value="effect", row="pair", what="Effects on log regret"),
    data=frame, run=run,
) if len(frame) else "No reward functions, or no matched pair: nothing to split."  # fmt: skip

# %% [markdown]
# Mean regret of the four combinations; the rows are information, the columns geometry:

# %% tags=["hide-input"]
table = pd.DataFrame([
    {"pair": pair.name, "information": pair.models[i],
     **{f"{kind} spectrum": np.exp(played[pair.name, i, g]).mean()
        for g, kind in enumerate(("reconstruction", "contrastive"))}}
    for pair in pairs for i in (0, 1)
])  # fmt: skip
table.set_index(["pair", "information"]).round(0) if len(table) else "not run"

# %%
measured = [found for (_, how), found in effects.items() if how == "measured"]
guessed = [found for (_, how), found in effects.items() if how == "predicted"]
g = [found.geometry.estimate for found in measured] or [0.0]
i = [found.information.estimate for found in measured] or [0.0]
g_hat = [found.geometry.estimate for found in guessed] or [0.0]
i_hat = [found.information.estimate for found in guessed] or [0.0]
run.number(
    n_pairs=len(pairs), n_used=n_used, geometry_low=min(g), geometry_high=max(g),
    information_low=min(i), information_high=max(i), n_actions=len(actions), horizon=p.horizon,
    n_information=int(np.sum(np.abs(i) > np.abs(g))), n_effects=2 * len(measured),
    n_signs=int(np.sum(np.sign(g) == np.sign(g_hat)) + np.sum(np.sign(i) == np.sign(i_hat))),
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# Left of the line, the contrastive side of the swap loses less. A geometry effect is what changes when the
# actions are told apart exactly as before and only the loudness of the directions is replaced; an
# information effect is what changes when the spectrum stays and the content is replaced. Predicted marks
# use the formula and no bandit run: where they lie upon the measured ones, the formula knows enough.
# The interaction says whether a spectrum suits one content better than the other; with a large one,
# "the effect of geometry" depends on whose content it is, and the mean of the two is a convention.
#
# ## Limits
#
# - The largest eigenvalue goes to the loudest direction of the other model. That keeps each model's own
#   order of directions, which is itself information about what its training found important.
# - The margin of a twentieth is a convention, fixed before measuring. An effect inside it is negligible
#   for this agent, these rewards and {glue:text}`horizon` rounds.
# - The agent's prior is isotropic and fixed. An agent that fits its prior, direction by direction, would
#   undo any spectrum: for it, geometry has no effect by construction.
# - Linear agents only; the twins show a mechanism and are no evidence about the paper's own encoders.
#
# ## Provenance

# %%
run.finish()
