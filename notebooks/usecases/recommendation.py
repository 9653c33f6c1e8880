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
# # Contrastive embeddings recommend with less regret
#
# ## Claim
#
# The paper's first use case is recommendation: ten thousand items of Amazon Electronics, ten thousand
# rounds, Neural Thompson sampling. It reports less regret on contrastive embeddings of the items' texts.
#
# By default the items are documented Python functions and classes, and a user is a source file: what it
# calls is what it takes. With `dataset = "amazon-electronics"` they are the paper's. One part is judged for every matched pair of models: the difference in log
# normalised **regret** of Neural Thompson sampling, contrastive minus reconstruction, paired over users,
# is supported when its whole interval lies below zero.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# Over {glue:text}`n_users` users the contrastive model lost less in {glue:text}`n_less` of
# {glue:text}`n_pairs` matched pairs. Normalised regret, 0 for an oracle and 1 for choosing at random, ran
# from {glue:text}`neural_low:.2f` ({glue:text}`neural_low_model`) to {glue:text}`neural_high:.2f`
# ({glue:text}`neural_high_model`) with the neural agent, and from {glue:text}`linear_low:.2f` to
# {glue:text}`linear_high:.2f` with a linear one that costs a fraction of it.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
dataset = "python-api"
horizon = 10000
slate = 200
n_users = 20
min_items = 20
hidden = 16
components = 128

# %%
from crlib import claims, settings

p = settings.parameters("usecases/recommendation", globals())
run = claims.Run("usecases/recommendation", p)

# %% [markdown]
# ## Theory
#
# **The paper's agent.** Neural Thompson sampling {cite:p}`zhang2021neural` scores item $a$ by a network
# $f(x_a) = \sqrt m\,v\cdot\mathrm{relu}(Wx_a)$ of width $m$, and draws its reward from
# $\mathcal N\bigl(f(x_a),\ \nu^2\lambda\,g_a^\top U^{-1}g_a/m\bigr)$, with $g_a$ the gradient of $f$ by all
# weights at $x_a$ and $U = \lambda I + \sum g g^\top/m$ over the items played. Here $\nu = \lambda = 1$ and $U$
# is kept as its diagonal, as the authors do; the network is trained at doubling rounds.
#
# **No gradient need be written out.** For two layers $\partial f/\partial W_{ij} = \sqrt m\,v_i[h_i > 0]x_j$
# and $\partial f/\partial v_i = \sqrt m\,h_i$. With a diagonal $U$ the variance is a sum that two matrix
# products give for a whole slate:
# $\sum_i v_i^2[h_i>0]\sum_j x_j^2/U_{ij} + \sum_i h_i^2/U_i$. SymPy checks it against the definition.

# %%
import sympy as sp

x, W = sp.Matrix(sp.symbols("x1:3")), sp.Matrix(2, 2, sp.symbols("w1:5"))
v, U = sp.Matrix(sp.symbols("v1:3")), sp.symbols("u1:7", positive=True)
width, on = 2, [1, 0]  # the first unit is active, the second is not
h = [(W[i, :] * x)[0] * on[i] for i in range(2)]
f = sp.sqrt(width) * sum(v[i] * h[i] for i in range(2))
weights = [*W, *v]
definition = sum(sp.diff(f, w) ** 2 / u for w, u in zip(weights, U, strict=True)) / width
stated = sum(v[i] ** 2 * on[i] * sum(x[j] ** 2 / U[2 * i + j] for j in range(2)) for i in range(2))
assert sp.expand(definition - stated - sum(h[i] ** 2 / U[4 + i] for i in range(2))) == 0

# %% [markdown]
# **What an embedding can do here.** Users take few of many items. The best of a slate of $m$ random items is
# worth $1 - (1-q)^m$ on average if a share $q$ is taken, whatever the embedding; what an agent gets of it
# depends on whether items that one user takes lie together. That is a property of users and embedding,
# and no spectrum shows it.

# %%
share, size = sp.symbols("q m", positive=True)
assert sp.limit((1 - (1 - share) ** size) / (size * share), share, 0) == 1

# %% [markdown]
# ## Evidence
#
# The users, one of each community (package) where there are several, drawn by the seed; no model has seen
# who takes what. All
# embeddings are reduced to the same number of principal components, {glue:text}`components`, as the paper
# does, then centred and scaled to trace 1.

# %%
import numpy as np

from crlib import data, extractors, metrics

actions = data.load(p.dataset, limit=p.limit, seed=p.seed, packages=p.package_list)
rewards, users = data.user_rewards(actions, p.n_users, min_items=p.min_items, seed=p.seed)
n_users, slate = len(users), min(p.slate, len(actions))
pairs = extractors.pairs_for(p.model) if n_users >= 2 else ()
paired = [name for pair in pairs for name in pair.models]
families = {name: extractors.spec_of(name).family for name in (*paired, "gaussian")}

# %%
from crlib.envs.arms import ARMS, common_width, neural_regret_of, regret_of

vectors = {
    name: common_width(extractors.encode(actions.texts, name, ids=actions.ids), p.components)
    for name in (families if n_users >= 2 else ())
}
options = {"horizon": p.horizon, "slate": slate, "seed": p.seed}
curves = {
    (name, "neural"): neural_regret_of(X, rewards, width=p.hidden, **options)
    for name, X in vectors.items()
}

# %% [markdown]
# Beside the neural agent, not judged: linear Thompson sampling in the three arms of the regret chapter,
# and what needs no model at all: an agent that knows items by their numbers only (*tabular*).

# %%
curves |= {
    (name, arm): regret_of(vectors[name], rewards, arm, **options) for name in paired for arm in ARMS
}
z = metrics.standardised_rewards(rewards, len(actions)) if n_users else rewards
gap = metrics.best_mean_gap(z, slate) if n_users >= 2 else np.ones(1)
normalised = {key: metrics.normalised_regret(curve, gap) for key, curve in curves.items()}
for pair in pairs if n_users >= 10 else ():
    old, new = (np.log(normalised[name, "neural"]) for name in pair.models)
    run.record("U1.regret", pair.name, metrics.paired_bootstrap(new, old, rng=p.seed))

# %%
from crlib.agents.baselines import RandomAgent, TabularTS
from crlib.envs.arms import baseline_regret_of

blind = {
    "random": baseline_regret_of(RandomAgent, rewards, **options) if n_users >= 2 else [],
    "tabular": baseline_regret_of(TabularTS, rewards, **options) if n_users >= 2 else [],
}
without = {name: float(np.mean(metrics.normalised_regret(c, gap))) for name, c in blind.items() if len(c)}

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import regret as plots

if n_users >= 2:
    frame = plots.curve_frame(curves, families)
figures.show(
    plots.curves(frame, pairs, arm="neural"), "regret",
    plots.curves_alt(frame, pairs, arm="neural"), data=frame, run=run,
) if n_users >= 2 else "Fewer than two users with enough items: no bandit, no figure."  # fmt: skip

# %% tags=["hide-input"]
import pandas as pd

rows = []
for pair in pairs:
    for arm in ("neural", *ARMS):
        old, new = (np.log(normalised[name, arm]) for name in pair.models)
        found = metrics.paired_bootstrap(new, old, rng=p.seed)
        rows.append({"pair": pair.name, "arm": arm, "family": "contrastive", "effect": found.estimate,
                     "low": found.low, "high": found.high})  # fmt: skip
effects = pd.DataFrame(rows)

# %% tags=["hide-input"]
figures.show(
    plots.marks(effects, value="effect", row="pair", line=0.0,
                title="difference of log regret<br>(left: contrastive loses less)"),
    "differences", plots.marks_alt(effects, value="effect", row="pair", what="Difference of log regret"),
    data=effects, run=run,
) if rows else "No matched pair or no users: nothing to compare."  # fmt: skip

# %% [markdown]
# Normalised regret of each model and agent, the mean over users:

# %% tags=["hide-input"]
table = pd.DataFrame([
    {"model": name, "agent": arm, "regret": values.mean()} for (name, arm), values in normalised.items()
])  # fmt: skip
table = table.pivot(index="model", columns="agent", values="regret") if len(table) else table
shown = ["neural", *(arm for arm in ARMS if arm in table)]
table = table.loc[list(vectors), shown] if len(table) else table
table.rename_axis(None).rename_axis(None, axis=1).map("{:.3f}".format).replace("nan", "–")

# %%
judged = {name: float(normalised[name, "neural"].mean()) for name in paired} or {"none": 0.0}
linear = [float(normalised[name, arm].mean()) for name in paired for arm in ARMS] or [0.0]
run.number(
    dataset=p.dataset, n_users=n_users, n_pairs=len(pairs), n_actions=len(actions), horizon=p.horizon, slate=slate,
    n_less=sum(e.id == "U1.regret" and e.estimate < 0 for e in run.evidence), components=p.components,
    neural_low=min(judged.values()), neural_low_model=min(judged, key=judged.get),
    neural_high=max(judged.values()), neural_high_model=max(judged, key=judged.get),
    linear_low=min(linear), linear_high=max(linear), tabular=without.get("tabular", 1.0),
    noise_regret=float(np.mean(normalised.get(("gaussian", "neural"), 1.0))),
    random=without.get("random", 1.0), taken=float(np.median((rewards > 0).sum(0))) if n_users else 0.0,
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# In the first figure, regret a round, low is good and flat is linear; the slider goes through the matched pairs, and the grey line is the same
# agent on noise, which can only remember single items. Agents without any embedding reach a normalised
# regret of {glue:text}`tabular:.2f` (tabular) and {glue:text}`random:.2f` (random); on noise the neural
# agent reaches {glue:text}`noise_regret:.2f`. An embedding is worth what it gains on these.
#
# In the second figure a mark left of the line says that the contrastive model lost less, for the neural
# agent and for the three linear arms. Where all four lie on one side, the agent does not matter; where
# they lie on both, a ranking of embeddings by one agent's regret says as much about the agent.
#
# ## Limits
#
# - This page is about the data set {glue:text}`dataset`. A source file is no customer: it takes a median of {glue:text}`taken:.0f` of {glue:text}`n_actions` items
#   for a reason, and once; it is never bored by a repeated recommendation. Amazon's ratings take its place
#   in the paper profile.
# - Rewards are all or nothing and rare. Standardised, one taken item is worth as much as many that are not.
# - Twenty users give wide intervals; they are from different packages, which keeps them independent.
# - The neural agent's width and scale of exploration are fixed beforehand and were not searched.
# - The twins show a mechanism; they are no evidence about the paper's own encoders.
#
# ## Provenance

# %%
run.finish()
