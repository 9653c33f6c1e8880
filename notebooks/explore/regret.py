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
# # What does a spectrum do to regret?
#
# The blue curve is the prediction and follows the sliders. *Simulate* plays linear Thompson sampling on eight reward functions drawn as the sliders say, beside it; it can be cancelled, and ends by itself when a slider moves.

# %%
from crlib.explore.regret import RegretExplorer

RegretExplorer().view
