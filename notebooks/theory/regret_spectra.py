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
# # What a spectrum alone does to regret
#
# The paper compares an effective dimension of 50 with one of 200 and reports linear against sublinear
# regret. Real embeddings differ in more than that. Here they do not: the embeddings are made to order,
# {glue:text}`n_made:,.0f` actions in {glue:text}`width` dimensions, and nothing differs but the spectrum and
# the place of the reward's energy along it. This page has no claim of its own; it is the check that the
# verdicts of the [regret chapter](regret) are not an artefact of our embeddings.
#
# With all of the reward in the embedding the linear share of regret runs from
# {glue:text}`controlled_low:.2f` to {glue:text}`controlled_high:.2f`, at *both* effective dimensions. With
# half of the reward's variance outside of it, from {glue:text}`lost_low:.2f` to {glue:text}`lost_high:.2f`,
# again at both. Linear regret is a sign of a reward that the embedding does not hold.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
horizon = 10000
slate = 200
prs = [50, 200]
width = 256
draws = 20

# %%
from crlib import claims, settings

p = settings.parameters("theory/regret_spectra", globals())
run = claims.Run("theory/regret_spectra", p)

# %% [markdown]
# ## Theory
#
# **Why the place of the energy matters.** A direction of eigenvalue $\lambda_i$ is learnt to the extent
# $L_i = \lambda_i/(\lambda_i+\kappa_t)$ after $t$ rounds. A reward in the loud directions is known early, one
# in the quiet ones late: an anisotropic embedding is better for the first and worse for the second, and an
# isotropic one is indifferent.
#
# **Why a part outside costs a constant rate.** If a share $\nu$ of the reward's variance is explained by no
# linear function, the best linear score correlates with the reward by $\sqrt{1-\nu}$ at most. Were scores
# and rewards jointly Gaussian, the best-scored action of a slate would fall short of the best by a share
# $1 - \sqrt{1-\nu}$ in every round, whatever the spectrum: {glue:text}`floor:.2f` for a half. That is a
# rate that no learning lowers.

# %%
import sympy as sp

held, lost = sp.symbols("a b", positive=True)  # variances of the linear part and of the rest
correlation = held / sp.sqrt(held * (held + lost))  # of the linear part with the reward
share = lost / (held + lost)
assert sp.simplify(correlation - sp.sqrt(1 - share)) == 0
lam, kappa = sp.symbols("lambda kappa", positive=True)
assert sp.simplify(sp.diff(lam / (lam + kappa), lam)).is_positive  # louder is learnt earlier
run.number(floor=float(1 - sp.sqrt(sp.Rational(1, 2))))

# %% [markdown]
# ## Evidence
#
# The participation ratio is exactly
# {glue:text}`pr_first:.0f` or {glue:text}`pr_last:.0f`, and {glue:text}`draws` reward functions whose energy lies
# where we say: on the leading tenth of the directions (*top*), wherever the variance is (*isotropic*),
# evenly over all directions (*flat*), or on the last tenth (*bottom*). In one more setting half of the
# isotropic reward's variance is *unexplained*: no linear function of the embedding holds it. Nothing else
# differs. Whitening makes the two embeddings the same problem, so it is run on one.

# %%
from crlib.envs.arms import ARMS, regret_of
from crlib.envs.spectra import features_with, rewards_with, spectrum_with_pr

n_made = max(10 * p.width, min(10_000, p.horizon))
made = {pr: features_with(spectrum_with_pr(p.width, pr), n_made, p.seed) for pr in p.prs}
places = {"top": 0.0, "isotropic": 0.0, "flat": 0.0, "bottom": 0.0, "isotropic, half unexplained": 0.5}

# %%
controlled = [
    {"pr": pr, "energy": place, "arm": arm, "curve": regret_of(
        X, rewards_with(X, place.split(",")[0], p.draws, p.seed, unexplained=share), arm,
        horizon=p.horizon, slate=min(p.slate, n_made), seed=p.seed)}
    for pr, X in made.items()
    for place, share in places.items()
    for arm in (ARMS if pr == p.prs[0] and not share else ("raw", "eb"))
]  # fmt: skip

# %% tags=["hide-input"]
import numpy as np

from crlib import metrics

rows = []
for cell in controlled:
    values = metrics.linear_share(cell["curve"])
    found = metrics.paired_bootstrap(values, np.zeros(p.draws), rng=p.seed)
    rows.append({
        "setting": f"PR {cell['pr']:g}, {cell['energy']}", "arm": cell["arm"],
        "family": "reconstruction" if cell["pr"] == p.prs[0] else "contrastive",
        "pr": cell["pr"], "lost": "unexplained" in cell["energy"], "share": found.estimate,
        "low": found.low, "high": found.high, "regret": cell["curve"][:, -1].mean(),
    })  # fmt: skip

# %% tags=["hide-input"]
import pandas as pd

from crlib import figures
from crlib.plots import regret as plots

spectra = pd.DataFrame(rows)
figures.show(
    plots.marks(spectra, value="share", row="setting", title="linear share (bars: 95%)", line=0.25),
    "controlled-spectra",
    plots.marks_alt(spectra, value="share", row="setting", what="Linear share by setting"),
    data=spectra, run=run,
)  # fmt: skip

# %% [markdown]
# The regrets themselves, after {glue:text}`horizon` rounds, in standard deviations of the reward:

# %% tags=["hide-input"]
spectra.pivot(index="setting", columns="arm", values="regret").loc[
    list(dict.fromkeys(spectra["setting"])), list(dict.fromkeys(spectra["arm"]))
].rename_axis(None).round(0)

# %%
fixed = spectra[(spectra["arm"] == "raw") & ~spectra["lost"]]
lost = spectra[(spectra["arm"] == "raw") & spectra["lost"]]
by_pr = fixed.groupby("pr")["regret"]
most, least = fixed.loc[fixed["regret"].idxmax()], fixed.loc[fixed["regret"].idxmin()]
run.number(
    horizon=p.horizon, controlled_low=fixed["share"].min(), controlled_high=fixed["share"].max(),
    lost_low=lost["share"].min(), lost_high=lost["share"].max(), n_made=n_made, width=p.width,
    draws=p.draws, pr_first=p.prs[0], pr_last=p.prs[-1], most_setting=most["setting"],
    least_setting=least["setting"], mean_first=by_pr.mean()[p.prs[0]], mean_last=by_pr.mean()[p.prs[-1]],
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# Each setting has a mark for each arm: a filled circle for the raw embedding with a prior fixed at
# variance 1, a square for the whitened one, a diamond for the raw one with a prior fitted to the evidence.
# Right of the dotted line the regret chapter calls regret linear.
#
# The table has the regrets. Averaged over the four places with all of the reward inside,
# {glue:text}`mean_first:.0f` at an effective dimension of {glue:text}`pr_first:.0f` and
# {glue:text}`mean_last:.0f` at {glue:text}`pr_last:.0f`; the least belongs to {glue:text}`least_setting`
# and the most to {glue:text}`most_setting`. Compare rows of one colour before you compare the colours.
#
# ## Limits
#
# - Gaussian features and linear rewards: the best case of a linear agent. Real rewards are sparse, and
#   their best actions are further out than a Gaussian's.
# - A linear share of zero is about the first {glue:text}`horizon:,.0f` rounds, fitted by four terms.
# - {glue:text}`draws` reward functions a setting; slates and noise are the same for all settings.
#
# ## Provenance

# %%
run.finish()
