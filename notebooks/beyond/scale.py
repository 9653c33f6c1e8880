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
# # What a million actions cost
#
# An agent that draws one parameter vector a round and plays the action of largest inner product does two
# things: it updates a posterior, whose cost does not depend on the number of actions $K$, and it searches,
# whose cost does. This page measures both from {glue:text}`k_least:,.0f` to {glue:text}`k_most:,.0f`
# actions, for three searches: *exact* (one matrix product), *scan* (codes of 8 bits, the best few
# decided in full precision) and *ivf* (an inverted file, which looks into a few cells only).
#
# From $K$ of {glue:text}`k_from:,.0f` on, time a round grows as $K$ to the power
# {glue:text}`exponent_exact:.2f` (exact), {glue:text}`exponent_scan:.2f` (scan) and
# {glue:text}`exponent_ivf:.2f` (ivf). At the largest $K$ the agent plays {glue:text}`fast_exact:.0f`,
# {glue:text}`fast_scan:.0f` and {glue:text}`fast_ivf:.0f` rounds a second,
# {glue:text}`replications` replications each, on one thread.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
ks = [1000, 10000, 100000, 1000000]
width = 64
rounds = 300
replications = 4

# %%
from crlib import claims, settings

p = settings.parameters("beyond/scale", globals())
run = claims.Run("beyond/scale", p)

# %% [markdown]
# ## Theory
#
# The exact product reads $4Kd$ bytes and does $2Kd$ operations for each query. Codes of 8 bits are a
# quarter of the bytes. An inverted file of $\sqrt K$ cells or so, of which a fixed number is looked into,
# reads of the order of $\sqrt K\,d$: the exponent falls from one to about a half. What it misses it misses
# in every round, so that its regret has a linear part: with score ratio $s$ it loses at least a share
# $1 - s$ of the best score for ever, however well the parameters are known.

# %%
import sympy as sp

K, d, cells, looked = sp.symbols("K d c l", positive=True)
work = cells * d + looked * K / cells * d  # the centres, then the cells looked into
best = sp.solve(sp.diff(work, cells), cells)[0]
assert best == sp.sqrt(K) * sp.sqrt(looked)
assert sp.simplify(work.subs(cells, best) - 2 * d * sp.sqrt(K * looked)) == 0

# %% [markdown]
# ## Evidence
#
# Actions gather around centres, as embedded texts do, {glue:text}`width` dimensions. Ten fixed contexts
# take turns and all $K$ actions are on offer in each, so an action that a search misses is missed for
# ever. Time is that of the agent alone, on one thread. Rows of more than two million actions are mapped
# from disk.

# %%
from crlib.envs.cost import costs
from crlib.settings import BUILD

rows = [
    row
    for n_actions in p.ks
    for row in costs(
        n_actions, p.width, ("exact", "scan", "ivf"), rounds=p.rounds,
        replications=p.replications, seed=p.seed, folder=BUILD / "scale",
    )
]  # fmt: skip

# %% tags=["hide-input"]
import pandas as pd

from crlib import figures
from crlib.plots import scale as plots

frame = pd.DataFrame(rows)
figures.show(
    plots.curves(frame, "rounds_per_second", "rounds a second"), "rounds-a-second",
    plots.curves_alt(frame, "rounds_per_second", "Rounds a second"), data=frame, run=run,
)  # fmt: skip

# %% [markdown]
# Memory of the index in gigabytes, the score it finds as a share of the exact one, and regret after
# {glue:text}`rounds` rounds over that of the exact search:

# %% tags=["hide-input"]
names = {"rounds_per_second": "rounds/s", "gigabytes": "GB", "score_ratio": "score",
         "regret_ratio": "regret ratio"}  # fmt: skip
table = frame.assign(K=frame["K"].map("{:,}".format)).rename(columns=names).set_index(["K", "index"])
table[list(names.values())].round({"rounds/s": 0, "GB": 3, "score": 4, "regret ratio": 3})

# %%
fits = {name: plots.exponent(frame, name, least=p.ks[0] * 10) for name in ("exact", "scan", "ivf")}
fast = frame[frame["K"] == max(p.ks)].set_index("index")["rounds_per_second"]
run.number(
    exponent_exact=fits["exact"], exponent_scan=fits["scan"], exponent_ivf=fits["ivf"],
    fast_exact=fast["exact"], fast_scan=fast["scan"], fast_ivf=fast["ivf"],
)

# %%
run.number(
    k_least=min(p.ks), k_most=max(p.ks), k_from=p.ks[0] * 10, width=p.width, rounds=p.rounds,
    replications=p.replications,
    score_ivf=frame.loc[frame["index"] == "ivf", "score_ratio"].min(),
    regret_ivf=frame.loc[frame["index"] == "ivf", "regret_ratio"].max(),
    costs=frame.to_dict("records"),
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# Both axes are logarithmic: a falling straight line of slope one is a cost that grows as $K$. On the left
# all curves are flat, as the posterior and the calls themselves cost more than any search. Read speed
# beside regret: over these $K$ the inverted file finds at least {glue:text}`score_ivf:.3f` of the exact
# score and loses at most {glue:text}`regret_ivf:.2f` times the regret. Up to a hundred thousand actions the
# exact search is the default, since nothing is gained by missing something; `LinearTS(index="auto")`
# takes the scan above, and the inverted file above two million. How many cells that file looks into is
# chosen when it is built, so that it finds a given share of the exact score: where speed does not grow
# with $K$ as the theory says, that is why.
#
# ## Limits
#
# - Times are of this machine and one thread. Processor time leaves out waiting for a disk, which a map
#   larger than memory would add.
# - The centres stand for what is alike among the catalogue's embedded texts; `clustered_rows` says how.
# - Actions that spread evenly over the sphere, in many dimensions, have no cells worth looking into: there
#   an inverted file loses much more. `crlib.agents.index.score_ratio` tells for your own rows.
# - A hundred million actions: this page's exponents say what a search would cost; the rows alone are
#   25 GB in 64 dimensions, or 6 GB as codes.
#
# ## Provenance

# %%
run.finish()
