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
# # A few labels rank embeddings better than geometry does
#
# ## Claim
#
# Whoever has a massive action space and several embeddings of it wants to know which one to give to an
# agent, before an agent has played. The paper suggests to look at their geometry. The alternative is to
# look at a few hundred rewards, which logs usually hold.
#
# Embeddings are ranked within each task, once by a score and once by the regret that Thompson sampling
# then really had on them. Two parts are judged over tasks:
#
# 1. **labels**: the mean Spearman correlation of leave-one-out $R^2$, from {glue:text}`n_labels` labels,
#    with small regret is above 0.6;
# 2. **geometry**: that of the participation ratio, which needs no labels, is below 0.3.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# Over {glue:text}`n_variants` embeddings and {glue:text}`n_tasks` tasks, leave-one-out $R^2$ had a mean
# rank correlation of {glue:text}`rank_labels:.2f` with small regret and the participation ratio one of
# {glue:text}`rank_pr:.2f`. Who takes the embedding of the largest $R^2$ loses {glue:text}`lost_labels:.1%`
# more than with the best one of each task, with the largest participation ratio
# {glue:text}`lost_pr:.1%`, with one at random {glue:text}`lost_random:.1%`.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
n_labels = 300
horizon = 2000
slate = 200
n_rewards = 24
k = 1000

# %%
from crlib import claims, settings

p = settings.parameters("beyond/few_labels", globals())
run = claims.Run("beyond/few_labels", p)

# %% [markdown]
# ## Theory
#
# **What decides regret.** A linear agent after $t$ rounds is a ridge regression; on random actions its
# error follows from the eigenvalues $\lambda_i$ and the energies $w_i^2$ alone
# {cite:p}`canatar2021spectral,simon2023eigenlearning`. With $L_i = \lambda_i/(\lambda_i+\kappa_t)$, where
# $\kappa_t$ solves $t = \sum_i L_i + \sigma^2/\kappa_t$, its score correlates with the reward by
#
# $$
# \mathrm{corr}_t = \frac{\sum_i L_iw_i^2}{\sqrt{V\bigl[\sum_i L_i^2w_i^2 + \frac{E_t}{t}\sum_i L_i^2
#   + \sum_i\lambda_i(1-L_i)\bigr]}}, \qquad
# E_t = \frac{t}{t-\sum_i L_i^2}\Bigl(\sum_i(1-L_i)^2w_i^2 + V - \sum_i w_i^2 + \sigma^2\Bigr),
# $$
#
# and its predicted regret is $\hat R_T = \sum_t a\,(1-\mathrm{corr}_t)$, with $a$ the gap between the best
# of a slate and the mean. Without the $w_i^2$ nothing is predicted: two embeddings of equal spectrum, one
# of which holds all of the reward ($\sum w_i^2 = V$) and one nothing, have correlation near one and zero.
#
# **Why $R^2$ should do.** As $t$ grows $L_i \to 1$, and the correlation goes to $\sqrt{\sum_i w_i^2/V}$: the
# root of the best linear $R^2$ there is. Leave-one-out $R^2$ from $n$ labels is what is left of it at $t = n$.

# %%
import sympy as sp

lam, kappa, V, sigma = sp.symbols("lambda kappa V sigma", positive=True)
w1, w2, t = sp.symbols("w1 w2 t", positive=True)
L = lam / (lam + kappa)
energy = w1**2 + w2**2
assert sp.limit(L, kappa, 0) == 1
error = V - energy + sigma**2  # E_t for L = 1, t large
corr = energy / sp.sqrt(V * (energy + error * 2 / t))
assert sp.simplify(sp.limit(corr, t, sp.oo) - sp.sqrt(energy / V)) == 0

# %% [markdown]
# The limit is all that SymPy adds here. That the formula predicts a bandit's regret is an approximation
# (Gaussian scores, actions as if drawn at random); how good it is, the regret chapter's dotted curves show.
#
# ## Evidence
#
# Embeddings: every trained model; the six twins also after their first layer, and with the maximum of
# their token states instead of the mean. A task is a package's use of the actions.

# %%
import numpy as np

from crlib import data, extractors, metrics

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
all_rewards, communities = data.usage_rewards(actions)
rewards = data.some_rewards(all_rewards, p.n_rewards, seed=p.seed)
n_tasks, slate = rewards.shape[1], min(p.slate, len(actions))
variants = extractors.variants_for(p.model) if n_tasks else ()

# %%
vectors = {
    variant.name: extractors.encode(actions.texts, variant.model, ids=actions.ids, **variant.options)
    for variant in variants
}

# %%
from crlib.envs.arms import regret_of

options = {"horizon": p.horizon, "slate": slate, "seed": p.seed}
regret = np.array([regret_of(X, rewards, "raw", **options)[:, -1] for X in vectors.values()])

# %% [markdown]
# **Scores.** From labels: leave-one-out $R^2$, and for comparison what the formula $\hat R_T$ says when it
# is told all rewards. From geometry alone: the participation ratio, uniformity, and relative coverage
# $\rho(k)/\rho(1)$, each with the sign that the paper gives it.

# %%
few = min(p.n_labels, len(actions))
labelled = [data.label_rows(column, few, seed=p.seed + i) for i, column in enumerate(rewards.T)]
some = np.random.default_rng(p.seed).choice(len(actions), min(300, len(actions)), replace=False)
ks = [1, min(p.k, len(actions) - 1)]
covered = {name: metrics.coverage_profile(X, ks, rows=some).mean(axis=1) for name, X in vectors.items()}

# %%
scores = {
    "R2 from labels": [[metrics.loo_r2(X[rows], column[rows]) for rows, column in zip(
        labelled, rewards.T, strict=True)] for X in vectors.values()],
    "predicted regret, all rewards": [
        -metrics.predicted_regret(X, rewards, p.horizon, slate) for X in vectors.values()],
    "participation ratio": [[metrics.participation_ratio(X)] * n_tasks for X in vectors.values()],
    "uniformity": [[-metrics.uniformity_sampled(X, rng=p.seed).value] * n_tasks for X in vectors.values()],
    "relative coverage": [[-c[1] / c[0]] * n_tasks for c in covered.values()],
}  # fmt: skip

# %%
from crlib.plots import few_labels as plots

ranks = {
    name: plots.rank_correlations(np.array(values), -regret) if n_tasks else np.zeros(0)
    for name, values in scores.items()
}
zeros, judged = np.zeros(n_tasks), n_tasks >= 10 and len(vectors) >= 16
for part, name in {"N1.labels": "R2 from labels", "N1.geometry": "participation ratio"}.items():
    if judged:
        run.record(part, "all embeddings", metrics.paired_bootstrap(ranks[name], zeros, rng=p.seed))

# %% tags=["hide-input"]
import pandas as pd

rows = []
for name, values in ranks.items() if n_tasks >= 2 else ():
    found = metrics.paired_bootstrap(values, zeros, rng=p.seed)
    rows.append({"score": name, "arm": "mean over tasks", "family": "control", "rank": found.estimate,
                 "low": found.low, "high": found.high})  # fmt: skip
table = pd.DataFrame(rows)

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import regret as marks

figures.show(
    marks.marks(table, value="rank", row="score", title="Spearman correlation with small regret", line=0.0),
    "rank-correlations", marks.marks_alt(table, value="rank", row="score", what="Mean rank correlation"),
    data=table, run=run,
) if rows else "Fewer than two tasks: no figure."  # fmt: skip

# %% [markdown]
# Every embedding by itself: mean normalised regret over tasks, beside the two judged scores.

# %% tags=["hide-input"]
z = metrics.standardised_rewards(rewards, len(actions)) if n_tasks else rewards
gap = metrics.best_mean_gap(z, slate) * p.horizon if n_tasks else 1.0
by_variant = pd.DataFrame([
    {"embedding": variant.name, "model": variant.model,
     "family": extractors.spec_of(variant.model).family, "normalised regret": lost.mean(),
     "R2 from labels": np.mean(r2), "participation ratio": pr[0]}
    for variant, lost, r2, pr in zip(
        variants, regret / gap, scores["R2 from labels"], scores["participation ratio"], strict=True)
])  # fmt: skip

# %% tags=["hide-input"]
figures.show(
    plots.scatter(by_variant), "regret-against-scores", plots.scatter_alt(by_variant),
    data=by_variant, run=run,
) if len(by_variant) else "No embedding to show."  # fmt: skip

# %%
best = regret.min(axis=0) if n_tasks else np.ones(1)
picked = {name: plots.regret_of_choice(np.array(values), regret) for name, values in scores.items()}
run.number(
    n_labels=few, n_variants=len(vectors), n_tasks=n_tasks, n_actions=len(actions), horizon=p.horizon,
    rank_labels=float(np.mean(ranks["R2 from labels"])) if n_tasks else 0.0,
    rank_pr=float(np.mean(ranks["participation ratio"])) if n_tasks else 0.0,
    rank_formula=float(np.mean(ranks["predicted regret, all rewards"])) if n_tasks else 0.0,
    lost_labels=float(np.mean(picked["R2 from labels"] / best - 1)),
    lost_pr=float(np.mean(picked["participation ratio"] / best - 1)),
    lost_random=float(np.mean(regret.mean(axis=0) / best - 1)) if n_tasks else 0.0,
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# In the first figure 1 is a perfect ranking, 0 none, and a score left of zero ranks embeddings the wrong
# way round. The formula that is told all rewards, at {glue:text}`rank_formula:.2f`, is what labels could
# give at best if regret were what the formula says; it is no method, since who knows all rewards needs no
# agent. In the second figure a score that ranks well puts the marks on a falling line.
#
# A rank correlation is not money. The sentence under the verdict says what each choice loses: where all
# embeddings are nearly as good, the best ranking is worth little.
#
# ## Limits
#
# - Labels are noise-free counts here. With noisy labels $R^2$ falls for every embedding, and their order
#   becomes less sure.
# - Half of the labels are of actions in use, as in logs. An $R^2$ from such labels is no estimate of the
#   one over all actions; it is used to rank and for nothing else.
# - Layers and poolings of one model are not independent embeddings, and tasks overlap.
# - The ranking is for the linear agent with a fixed prior, over {glue:text}`n_actions` actions; another
#   agent may rank otherwise (see the chapter on recommendation).
#
# ## Provenance

# %%
run.finish()
