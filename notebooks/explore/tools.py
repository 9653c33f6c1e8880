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
# # Which tools does a query call?
#
# Type a query and press Enter, or take one that the agent never learnt from. The first time an embedding is chosen an agent learns on it, for some seconds. The queries are what documentation says of functions, the truth is what their code calls.

# %% tags=["parameters"]
limit = 2000
packages = "all"

# %%
from crlib import data
from crlib.explore.tools import ToolExplorer

chosen = None if packages == "all" else packages.split(",")
actions = data.load("python-api", limit=limit, packages=chosen)
ToolExplorer(actions).view
