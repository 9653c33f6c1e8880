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
# # Which geometry does an embedding have?
#
# Choose models and how they are read; every number and figure follows. The first model is drawn on the map, where *find* marks the actions whose name or text holds what you type. For your own actions, pass an `ActionSet` and the names of your models or files of embeddings to `GeometryExplorer`. Geometry alone does not say which embedding causes less regret: see the chapter on few labels.

# %% tags=["parameters"]
limit = 2000
packages = "all"

# %%
from crlib import data
from crlib.explore.geometry import GeometryExplorer

chosen = None if packages == "all" else packages.split(",")
actions = data.load("python-api", limit=limit, packages=chosen)
GeometryExplorer(actions).view
