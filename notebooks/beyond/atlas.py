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
# # Where the claims hold
#
# Every verdict of this book is given at one setting: so many actions, so many kept dimensions, so many
# labels, one temperature, one seed. This page asks how much of the verdict is the setting's. One parameter
# at a time is moved, all else stays as it is judged, and each point is judged by the same rule.
#
# Of {glue:text}`n_series` lines (a part of a claim, an axis, a matched pair) the verdict is the same at every
# value in {glue:text}`n_holds`. It becomes inconclusive away from where it is judged in {glue:text}`n_fades`;
# it is inconclusive where it is judged and decided elsewhere in {glue:text}`n_emerges`; it turns into its
# opposite in {glue:text}`n_flips`. In the other {glue:text}`n_idle` the parameter has no part in what is
# judged, and nothing moves. {glue:text}`n_points` runs, {glue:text}`minutes:.0f` minutes of computing,
# measured on {glue:text}`dates` at commit {glue:text}`commits`, on
# {glue:text}`machines`.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
table = ""

# %%
from crlib import claims, settings

p = settings.parameters("beyond/atlas", globals())
run = claims.Run("beyond/atlas", p)

# %% [markdown]
# ## Evidence
#
# The table of a sweep, the one that comes with the book or your own (`make sweep GRID=sweeps/atlas.yaml`,
# see [the page on sweeps](../cluster)). A point that was not run is not in the figure; there are
# {glue:text}`n_missing` of them.

# %%
from crlib import provenance
from crlib.sweep import atlas

points = atlas.read_table(p.table)
record = atlas.read_record(p.table)
frame = atlas.along_axes(points)
found = atlas.flips(frame)
runs = points.drop_duplicates("run")

# %%
kinds = found["kind"].value_counts()
run.number(
    n_series=len(found), n_points=int((runs["state"] == "done").sum()),
    n_holds=int(kinds.get("holds", 0)), n_fades=int(kinds.get("fades", 0)),
    n_flips=int(kinds.get("flips", 0)), n_emerges=int(kinds.get("emerges", 0)),
    n_idle=int(kinds.get("idle", 0)), n_missing=int((runs["state"] != "done").sum()),
    minutes=runs["seconds"].sum() / 60,
    dates=", ".join(sorted({date[:10] for date in points["date"].dropna()})),
    commits=", ".join(sorted({commit[:12] for commit in points["commit"].dropna()})),
    machines=provenance.machine_words(*record["machines"]),
)  # fmt: skip

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import atlas as plots

figures.show(plots.atlas(frame), "atlas", plots.atlas_alt(frame, found), data=frame, run=run)

# %% [markdown]
# Every line whose verdict is not the same everywhere, along the seeds too, which the figure leaves out:

# %% tags=["hide-input"]
moved = found[~found["kind"].isin(["holds", "idle"])].drop(columns="values")
moved.set_index("part").rename_axis(None) if len(moved) else "Every verdict is the same at all values."

# %% [markdown]
# ## Reading the figure
#
# The slider chooses a part of a claim and an axis. A line is a matched pair; a filled mark is supported, a
# cross not supported, an open mark inconclusive; the dotted line is where the chapter judges. A line that
# keeps its mark from end to end says that the verdict does not hang on the choice. A line that fades has its
# verdict where the chapter judges and not everywhere: look at which end, and whether the interval grew (fewer
# units) or the estimate came nearer to the threshold. A line that emerges would have been decided at another
# value; the chapter's stays inconclusive, since a value picked after the fact is no rule. One that flips says
# that the claim, as a sentence without a setting, has no truth value: it must name the setting.
#
# ## Limits
#
# - This page is exploratory. No rule was written for it, and of so many comparisons some would come out by
#   chance; a verdict here does not enter the ledger.
# - Neighbouring points share their data: fewer actions are a subset of more. They are no independent
#   replications, and a smooth line is no evidence of its own.
# - One axis at a time. Where two matter together, this does not see it; a grid of your own does.
# - For the effective dimension the number of actions is also the sample size $n$ of the estimate.
# - The fewer actions are the most used ones, not a random sample.
# - A seed changes the random subsets and which of equally used actions are taken: most actions stay, so that
#   agreeing seeds say that the draw does not matter, not that another catalogue would agree.
#
# ## Provenance

# %%
run.finish()
