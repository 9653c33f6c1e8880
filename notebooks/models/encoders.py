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
# # The six models
#
# The paper compares six encoders in three pairs. Two more stand beside them here: the Instruct model that
# LLM2Vec starts from, without which nobody can tell its adapters' doing from instruction tuning's, and
# CLIP, for actions that are pictures.
#
# This page says what each is and how it is really loaded, which is where comparisons of embeddings go
# wrong without anybody noticing. Beside the effective dimension that the paper states stand the one of
# the twin that plays the model's part in the default run, and the model's own where it was run.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""

# %%
from crlib import claims, settings

p = settings.parameters("models/encoders", globals())
run = claims.Run("models/encoders", p)

# %% [markdown]
# ## What they are
#
# Sizes are those of the weights in memory, parameters times bytes; gated models ask to accept terms first.
# STS-B is the published score on the STS Benchmark (Spearman, times a hundred; BERT with the mean of its
# last states), for a check after loading: no score was measured here.

# %% tags=["hide-input"]
from crlib import data, extractors, metrics
from crlib.plots import encoders as plots

plots.identity_table(extractors.HUB_MODELS.values())

# %% [markdown]
# ## How they are loaded
#
# One loader serves all of them, through sentence-transformers, without running any code from the hub. Every
# entry of this table is a way to be wrong:
#
# - a masked language model's pooler is random weights, so token states are pooled before it;
# - unsupervised SimCSE is its first token *before* the pooler; loaded by its bare name a library may take
#   the mean of all tokens without a word;
# - LLaMA has no padding token, so the end of text stands in, behind the attention mask;
# - LLM2Vec is two adapters merged one after the other, then made to look both ways *after* loading, as the
#   same setting given before is ignored; its prompt is seen and not pooled;
# - an adapter whose tensors do not fit is refused: the usual loader warns, and embeds with the model as it
#   was.

# %% tags=["hide-input"]
plots.loading_table(extractors.HUB_MODELS.values())

# %% [markdown]
# ## Effective dimension: stated, twin, measured
#
# Over {glue:text}`n_actions:,.0f` actions, centred and unbiased. The twins are 128 wide; their numbers say
# what an objective does to a small encoder, and cannot be compared with the paper's in size.

# %%
actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
models = extractors.models_for(p.model)
measured = {}
for name in models:
    X = extractors.encode(actions.texts, name, ids=actions.ids)
    measured[name] = metrics.participation_ratio_interval(X)
run.number(n_actions=len(actions), measured={name: vars(found) for name, found in measured.items()})

# %% tags=["hide-input"]
plots.dimension_table(extractors.HUB_MODELS.values(), extractors.MODELS.values(), measured)

# %% [markdown]
# ## How to run them
#
# On a machine that reaches the hub, `crlib doctor` says which of them it can hold. One chapter with one of
# them, or this page with all six:
#
# ```bash
# papermill notebooks/theory/effective_dimension.ipynb out.ipynb -p model jina-v3
# papermill notebooks/models/encoders.ipynb out.ipynb -p model paper
# ```
#
# A folder that holds a copy, any other hub id, and a file of embeddings made elsewhere serve as well.
#
# ## Limits
#
# - "Not run" means that nobody ran it on the machine that built this page. No number of the paper's own
#   encoders here is a measurement unless its column says so.
# - Licences and sizes are as known when this page was written; a model's own page is right where they differ.
# - The loader is proven on tiny random checkpoints of every architecture, against the same model written
#   out step by step. That the published weights then give the published scores is for a machine with a
#   network to confirm; the STS Benchmark is the usual yardstick.
#
# ## Provenance

# %%
run.finish()
