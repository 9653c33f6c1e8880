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
# # The data sets
#
# The chapters run on an action space that every reader has. The paper's own data sets are read from files
# in the formats that their authors publish; nothing is fetched unless it is asked for, and no script that
# comes with a data set is run.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
limit = 12000
packages = "all"
seed = 0
out_dir = ""

# %%
from crlib import claims, settings

p = settings.parameters("data/sources", globals())
run = claims.Run("data/sources", p)

# %% [markdown]
# ## What there is
#
# "Found" and "not found" are about the machine that built this page: files are looked for below the folder
# that the environment variable `CRLIB_DATA` names, or at `path=`.

# %% tags=["hide-input"]
from crlib import data
from crlib.plots import python_api as plots

sets = data.sources_frame()
run.number(n_sets=len(sets), found={row.set: row.state for row in sets.itertuples()})
plots.table(
    list(sets[["set", "what it is", "size", "state"]].itertuples(index=False)),
    ["set", "what it is", "size", "state"],
)

# %% [markdown]
# ## Licences, and what to cite

# %% tags=["hide-input"]
plots.table(
    list(sets[["set", "licence", "citation"]].itertuples(index=False)), ["set", "licence", "citation"]
)

# %% [markdown]
# ## How to get them

# %% tags=["hide-input"]
plots.table(list(sets[["set", "how to get it"]].itertuples(index=False)), ["set", "how to get it"])

# %% [markdown]
# ```python
# from crlib import data
#
# actions = data.load("amazon-electronics", path="Electronics", limit=10_000)
# tools = data.load("toollens", download=True)  # says the size before it fetches anything
# print(actions.source)  # files, hashes, rows, and what was left out and why
# ```
#
# ## What is read, and what is left out
#
# - **Amazon.** Item metadata and ratings of the releases of 2023 (JSON lines, parquet, the 5-core CSV and
#   its splits), 2018 and 2014 (whose metadata are Python literals, parsed and never evaluated). The layout
#   is told from the content. A user takes an item with a rating of four or five.
# - **ToolBench.** The tool tree, the instruction files G1 to G3, the retrieval folders, and the BEIR layout
#   of ToolBenchG3 and ToolLens.
# - **Mathematics and sentences.** GSM8K, MATH-500 and the STS Benchmark, as JSON lines, parquet or TSV.
#
# A row that does not fit is left out and counted under its reason; the number and the first line of each
# reason stand in `source`. A file of which no row fits is refused.
#
# ## The subsets
#
# `limit` keeps the actions with the most feedback (ratings, queries, or files that call them), ties broken
# by a hash of seed and id. That rule stands in `source["rule"]`; the paper's sizes are 10,000 items of
# Electronics and 16,000 APIs.
#
# ## Limits
#
# - Keeping the most popular items makes a catalogue denser than a random sample of the same size would be.
# - Licences are as known when this page was written; the authors' own pages are right where they differ.
# - The loaders are tested on real files of ToolBench, ToolLens, GSM8K, MATH-500, the STS Benchmark and
#   two of Amazon's 2018 categories; the formats of 2014 and 2023 and the tool tree on files made
#   after their description. No download from the hub was made here.
#
# ## Provenance

# %%
run.finish()
