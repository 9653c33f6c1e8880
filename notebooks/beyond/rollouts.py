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
# # Contrastive embeddings learn tools from fewer roll-outs
#
# ## Claim
#
# An actor-critic that sees nothing but rewards must first meet one. The more tools are on offer the rarer that
# is, and an embedding should help: a rewarded tool makes its neighbours more probable. The paper counts *roll-outs to
# threshold*; the claim is that contrastive embeddings need fewer.
#
# Judged for every matched pair of models is the **area of the learning curve**, the mean success of all roll-outs of
# a training, on tasks of {glue:text}`n_queries` queries with {glue:text}`k` tools on offer; it is supported when the whole
# interval of the difference, contrastive minus reconstruction, lies above zero. Roll-outs to a success of
# {glue:text}`threshold:.2f` are shown beside it: runs that never get there are counted as such, not left out.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# With {glue:text}`k` tools the mean area ran from {glue:text}`least_area:.3f` ({glue:text}`least_model`) to
# {glue:text}`most_area:.3f` ({glue:text}`most_model`), on random directions it was {glue:text}`noise_area:.3f`.
# With {glue:text}`k_low` tools {glue:text}`met_low` of {glue:text}`runs_low` runs reached the threshold, with
# {glue:text}`k_high` tools {glue:text}`met_high` of {glue:text}`runs_high`.
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
chains = True
part = ""
seen = False
max_length = 5
components = 128
size = "small"
ks = [64, 256, 1024]
k = 256
n_tasks = 10
n_queries = 16
updates = 120
batch = 32
threshold = 0.25

# %%
from crlib import claims, settings

p = settings.parameters("beyond/rollouts", globals())
run = claims.Run("beyond/rollouts", p)

# %% [markdown]
# ## Theory
#
# **The wait for a reward.** A policy that knows nothing calls one of $s$ needed tools out of $K$ with probability $s/K$, so the
# first reward comes after $K/s$ calls on average, and to meet each of the $s$ once takes
# $K\,(1 + \tfrac12 + \dots + \tfrac1s)$ calls, the coupon collector's number. It grows with $K$ and the
# embedding has no part in it.

# %%
import sympy as sp

K, s = sp.symbols("K s", positive=True, integer=True)
wait = sp.summation(K / s, (s, 1, 3))
assert sp.simplify(wait - K * (1 + sp.Rational(1, 2) + sp.Rational(1, 3))) == 0

# %% [markdown]
# **What comes behind it.** One step of size $\eta$ along $A\nabla\log\pi(a)$ moves the proto-action by
# $\eta A(x_a - \bar x)$ and so the score of tool $b$ by $\eta A\,(x_a - \bar x)\cdot x_b$. Where embeddings are
# orthogonal, one-hot or nearly so as random directions are, only the rewarded tool gains: every tool must be found alone. Where
# they have low dimension or clusters, a whole neighbourhood gains, which is right only as far as
# neighbours are needed together.

# %%
eta, A = sp.symbols("eta A")
x = sp.eye(4)  # four tools, one-hot
policy = sp.ones(4, 1) / 4
moved = eta * A * x * (x[0, :].T - x.T * policy)
assert moved[0] == sp.Rational(3, 4) * eta * A
assert all(moved[b] == -eta * A / 4 for b in range(1, 4))

# %% [markdown]
# ## Evidence
#
# A task is {glue:text}`n_queries` training queries of the chapter on tools, the tools that they need, and random others. A task with
# more tools asks the same queries and holds all tools of the smaller one, so that only the crowd around
# them grows. Each task is learnt once on each embedding, from the same seed.

# %%
from crlib import data, extractors
from crlib.envs.tool_arms import few_tools, task_features
from crlib.envs.tool_tasks import tool_tasks

actions = data.load(p.dataset, limit=p.limit, seed=p.seed, packages=p.package_list)
tasks = tool_tasks(actions, chains=p.chains, part=p.part, seen=p.seen, max_tools=p.max_length,
                   seed=p.seed)  # fmt: skip
pairs = extractors.pairs_for(p.model)
families = {name: extractors.spec_of(name).family for pair in pairs for name in pair.models}
families["gaussian"] = extractors.spec_of("gaussian").family
features = task_features(actions.texts, tasks.texts, families, p.components, ids=actions.ids)

# %% [markdown]
# All embeddings raw and whitened at the judged number of tools; at the others raw, for the pair
# {glue:text}`ladder_pair` and for random directions. Two other agents stand beside it, not judged, on the contrastive model of this
# pair: a *plain* head with an output for each tool, and *Wolpertinger* {cite:p}`dulacarnold2015wolpertinger`, whose critic
# chooses among the tools nearest to its proto-action.

# %%
from crlib.envs.tool_arms import small_batch

draw = {"n_available": len(actions), "n_queries": p.n_queries}
parts = {
    (size, i): few_tools(tasks.solutions, tasks.train, n_tools=size, seed=p.seed + i, **draw)
    for size in sorted({*p.ks, p.k}) for i in range(p.n_tasks)
}  # fmt: skip
ladder = {*(pairs[-1].models if pairs else ()), "gaussian"}
wanted = {(name, arm, p.k) for name, arm in features}
wanted |= {(name, "raw", size) for name in ladder for size in p.ks}
others = [(name, agent, size) for name in ladder - {"gaussian"} if families[name] == "contrastive"
          for agent in ("plain", "wolpertinger") for size in sorted({*p.ks, p.k})]  # fmt: skip

# %%
import numpy as np

from crlib.agents.practice import learning_curves

options = {"updates": p.updates, "batch": p.batch, "size": p.size, "seed": p.seed}
envs = {
    (name, arm, size): [
        small_batch(features[name, arm], tasks.solutions, *parts[size, i], p.max_length)
        for i in range(p.n_tasks)
    ]
    for name, arm, size in sorted(wanted)
}
curves = {key: learning_curves(small, **options) for key, small in envs.items()}

# %%
for name, agent, size in others:
    small = envs[name, "raw", size][: (p.n_tasks + 1) // 2]  # half of the tasks: they take longer
    curves[name, agent, size] = learning_curves(small, agent=agent, **options)

# %%
from crlib import metrics

areas = {key: curve.mean(axis=1) for key, curve in curves.items()}
window = min(10, p.updates)
spent = p.batch * np.arange(window, p.updates + 1)
reached = {
    key: metrics.rollouts_to_threshold(metrics.recent_mean(curve, window), p.threshold, t=spent)
    for key, curve in curves.items()
}
for pair in pairs if p.n_tasks >= 10 else ():
    old, new = (areas[name, "raw", p.k] for name in pair.models)
    run.record("N3.area", pair.name, metrics.paired_bootstrap(new, old, rng=p.seed))

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import rollouts as plots

drawn = {key: c for key, c in curves.items() if key[0] in ladder and key[1] != "whitened"}
frame = plots.curve_frame(drawn, families, batch=p.batch, window=window)
figures.show(plots.curves(frame), "curves", plots.curves_alt(frame), data=frame, run=run)

# %% tags=["hide-input"]
from crlib.plots import regret as shared

effects = plots.effect_frame(areas, pairs, p.k, seed=p.seed)
figures.show(
    shared.marks(effects, value="effect", row="pair", line=0.0,
                 title="difference of the area of the learning curve<br>(right: contrastive learns faster)"),
    "differences", shared.marks_alt(effects, value="effect", row="pair", what="Difference of area"),
    data=effects, run=run,
) if len(effects) else "No matched pair: nothing to compare."  # fmt: skip

# %% [markdown]
# Area, runs that reached the threshold in their last {glue:text}`window` updates, and the median of the roll-outs that it
# took; – where half of the runs or more never did:

# %% tags=["hide-input"]
plots.table(areas, reached)

# %%
at_k = {name: float(areas[name, "raw", p.k].mean()) for name in families if name != "gaussian"}
least, most = min(at_k, key=at_k.get, default="none"), max(at_k, key=at_k.get, default="none")

# %%
met = {
    size: [found.rollouts for (_, arm, k), found in reached.items() if k == size and arm == "raw"]
    for size in (min(p.ks), max(p.ks))
}

# %%
n_met = {size: (int(np.isfinite(np.concatenate(each)).sum()), sum(map(len, each)))
         for size, each in met.items()}  # fmt: skip
run.number(
    dataset=p.dataset, n_actions=len(actions), k=p.k, n_queries=p.n_queries, n_tasks=p.n_tasks,
    threshold=p.threshold, window=window, ladder_pair=pairs[-1].name if pairs else "none",
    least_area=at_k.get(least, 0.0), most_area=at_k.get(most, 0.0), least_model=least, most_model=most,
    noise_area=float(areas["gaussian", "raw", p.k].mean()), k_low=min(p.ks), k_high=max(p.ks),
    met_low=n_met[min(p.ks)][0], runs_low=n_met[min(p.ks)][1], n_rollouts=p.updates * p.batch,
    met_high=n_met[max(p.ks)][0], runs_high=n_met[max(p.ks)][1],
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# In the first figure a curve is the success of recent roll-outs, the mean over tasks, against roll-outs so far; the slider
# changes the number of tools on offer. Follow one embedding through the slider: its curve starts later and rises more slowly, which is the wait for
# rewards. Then compare the embeddings at one number of tools with *gaussian*, whose directions hold nothing but which tool is
# which: what it reaches is what remembering alone can do.
#
# In the second figure a mark on the right says that the contrastive model learnt faster, raw or whitened.
#
# ## Limits
#
# - This page is about the data set {glue:text}`dataset` and about queries that are learnt and asked again; whether what was
#   learnt serves other queries is the chapter on tools.
# - {glue:text}`n_rollouts` roll-outs are few. Runs that do not reach the threshold in them might do so later, which is why they are
#   counted as censored and not as failures.
# - The plain head and Wolpertinger take longer to learn. To save time they play the first half of the tasks only, so their
#   curves, areas and counts are not over the same tasks as the others'.
# - One agent, one set of rates, set on the off-the-shelf MiniLM, which is in no pair; another agent explores otherwise.
# - {glue:text}`n_tasks` tasks give wide intervals.
#
# ## Provenance

# %%
run.finish()
