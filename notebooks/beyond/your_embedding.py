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
# # Which embedding for my actions?
#
# ## Question
#
# You have actions, a few embeddings of them, and a few hundred rewards from a log. Which embedding do you
# give to the agent? And how far can so few labels be trusted? This page asks it of your own files, or,
# without any, of a data set that no other page uses, and then checks whether the answer was a good one.
# It has no claim of its own: that labels rank embeddings is judged in [its chapter](few_labels).
#
# In a terminal the first half of this page is one command:
#
# ```bash
# crlib rank --actions actions.csv --embeddings mine=vectors.npy minilm --rewards labels.csv --out report.html
# ```
#
# ## Answer
#
# From {glue:text}`n_labels` labelled actions of {glue:text}`n_actions:,.0f`, in {glue:text}`n_tasks` tasks:
#
# > {glue:text}`advice`
#
# Then each task chose its own embedding, and linear Thompson sampling played the {glue:text}`n_held_out:,.0f`
# actions that had no label. The normalised regret (an oracle has none, chance has one) was
#
# - {glue:text}`regret_best:.3f` with the best embedding of each task, which nobody knows beforehand;
# - **{glue:text}`regret_labels:.3f`** with the one of the largest leave-one-out $R^2$;
# - {glue:text}`regret_dimension:.3f` with the one of the largest effective dimension;
# - {glue:text}`regret_any:.3f` with any of them, on average.
#
# Choosing by labels gained {glue:text}`over_any` over any, and {glue:text}`over_dimension` over the
# effective dimension.
#
# ## Parameters
#
# With `actions` and `rewards`, files as `crlib rank` takes them, the page is about them; `embeddings` is a
# list separated by spaces, of models or of `name=path`. For example
#
# ```bash
# papermill notebooks/beyond/your_embedding.ipynb out.ipynb -p actions actions.csv -p rewards labels.csv \
#   -p embeddings "mine=vectors.npy minilm" -p n_labels 150
# ```
#
# Labels beyond `n_labels`, and at least half of them, are held out for the check.

# %% tags=["parameters"]
profile = "laptop"
limit = 1500
packages = (
    "bleach,debugpy,formulaic,git,ipykernel,jedi,jupyter_server,jupyterlab_server,"
    "jupytext,markdown_it,mistune,mypy,myst_nb,myst_parser,parso,pexpect,"
    "prometheus_client,prompt_toolkit,pulp,pybtex,setuptools,simplejson,smart_open,"
    "tenacity,urllib3,voila"
)
seed = 0
out_dir = ""
embeddings = "mlm-bert mlm-roberta clm-llama simcse supervised-jina llm2vec minilm lsa"
actions = ""
rewards = ""
n_labels = 300
horizon = 1000
slate = 100
min_actions = 50
n_resamples = 100

# %%
from crlib import claims, settings

p = settings.parameters("beyond/your_embedding", globals())
run = claims.Run("beyond/your_embedding", p)

# %% [markdown]
# ## Theory
#
# **The score.** A ridge regression is fitted to all labels but one and asked for that one:
#
# $$
# R^2_\mathrm{LOO} = 1 - \frac{\sum_i e_i^2}{\sum_i (r_i - \bar r_{-i})^2}, \qquad
# e_i = r_i - f_{-i}(x_i) = \frac{r_i - f(x_i)}{1 - h_{ii}},
# $$
#
# with the leverage $h_{ii}$, so that nothing is refitted (Allen's PRESS). The mean reward has 0; an
# embedding at or below 0 tells a linear agent nothing that it would not know without.
#
# **The doubt.** All embeddings are scored again on the same four fifths of the labels, drawn without
# replacement, {glue:text}`n_resamples` times. With $m$ of $n$ labels the variance of a mean around that of
# all $n$ is $\sigma^2(1/m - 1/n)$, and the one sought is $\sigma^2/n$: the spread is scaled by
# $\sqrt{m/(n-m)}$, which is two. A bootstrap with replacement will not do: a left-out label whose copy
# stays is not left out.

# %%
import sympy as sp

r, hat, h, n, m = sp.symbols("r f h n m", positive=True)
# The fit to all labels would not change were r_i replaced by what the others predict for it.
without = sp.solve(sp.Eq(sp.Symbol("x"), hat + h * (sp.Symbol("x") - r)), sp.Symbol("x"))[0]
assert sp.simplify((r - without) - (r - hat) / (1 - h)) == 0
scale = sp.sqrt((1 / n) / (1 / m - 1 / n))
assert sp.simplify(scale - sp.sqrt(m / (n - m))) == 0
assert scale.subs(m, sp.Rational(4, 5) * n).simplify() == 2

# %% [markdown]
# SymPy checks the two identities. That the scaled spread gives intervals that hold what they promise is
# an approximation; a test of this project compares it with the spread over fresh samples of labels.
#
# ## Evidence
#
# Without files of your own the actions are documented callables, those that most files call, of
# {glue:text}`n_packages` installed packages. By default these are packages that the other pages leave out,
# and on whose texts the twins were not trained. A task is one package's use of them.

# %%
from crlib import ranking
from crlib.ranking import check
from crlib.ranking.command import embed_all

case = check.load_case(p)
vectors = embed_all(case.actions, case.models)
found = ranking.rank_embeddings(
    vectors, case.labelled, tasks=case.rewards.tasks, horizon=p.horizon, slate=p.slate,
    n_resamples=p.n_resamples, seed=p.seed,
)  # fmt: skip

# %% tags=["hide-input"]
from crlib.plots.python_api import table as listed
from crlib.ranking.terminal import table_cells

listed(*table_cells(found))

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import regret as marks

shown = check.drawn(found)
figures.show(
    marks.marks(shown, value="r2", row="embedding", title="leave-one-out R squared (bars: 95%)", line=0.0),
    "r2-by-embedding",
    marks.marks_alt(shown, value="r2", row="embedding", what="Leave-one-out R squared, mean over tasks"),
    data=shown, run=run,
)  # fmt: skip

# %% [markdown]
# **Was it a good choice?** The agent plays the held-out actions with each embedding, {glue:text}`horizon:,.0f`
# rounds of {glue:text}`slate` actions on offer, and each way of choosing gets the regret of what it chose.

# %%
regret = check.held_out_regret(
    vectors, case.rewards.values, case.held_out, horizon=p.horizon, slate=p.slate, seed=p.seed
)
choices = check.strategies(found, regret, seed=p.seed)
sure = check.calibration(found, regret)

# %% tags=["hide-input"]
figures.show(
    marks.marks(choices, value="regret", row="choice", title="normalised regret on held-out actions (bars: 95%)"),
    "regret-of-choices",
    marks.marks_alt(choices, value="regret", row="choice", what="Normalised regret on held-out actions"),
    data=choices, run=run,
)  # fmt: skip

# %%
by_choice = choices.set_index("choice")
picked = by_choice.loc["by labels, LOO R²"]
run.number(
    n_labels=found.settings["labels"], n_actions=len(case.actions), n_tasks=len(case.rewards.tasks),
    n_held_out=len(case.held_out), n_packages=len(p.package_list or ()), n_resamples=p.n_resamples,
    horizon=p.horizon, slate=min(p.slate, len(case.held_out)), advice=found.advice.text,
    regret_best=by_choice.loc[check.BEST, "regret"], regret_any=by_choice.loc[check.ANY, "regret"],
    regret_labels=picked["regret"], regret_dimension=by_choice.loc["by effective dimension", "regret"],
)  # fmt: skip

# %%
run.number(
    gain=picked["over_any"], over_any=check.gain_said(picked, "over_any"),
    over_dimension=check.gain_said(by_choice.loc["by effective dimension"], "under_labels"),
    came_true=int(sure["came_true"].sum()), n_compared=len(sure),
    expected_true=float(sure["stated"].sum()),
)  # fmt: skip
sure.rename(columns={"came_true": "better on held-out actions"}).round(2)

# %% [markdown]
# ## Reading the figure
#
# In the first figure bars that overlap do not mean that two embeddings are equal: they share their labels,
# so that their difference is surer than either. The answer above is about that difference. *Random* is
# noise as wide as the widest embedding; who does not beat it says nothing.
#
# In the second figure the first row is out of reach and the last is what choosing blindly costs. The
# table under it asks whether the doubt was stated rightly: summed over {glue:text}`n_compared` tasks, the
# first embedding was said to be better than the second {glue:text}`expected_true:.1f` times, and it was
# {glue:text}`came_true` times.
#
# ## Limits
#
# - The ranking is for a linear agent with a fixed prior; another agent may rank otherwise. $R^2$ from labels
#   is about the actions that were labelled: in a log those are the ones somebody took.
# - The interval is over labels, the tasks taken for given; the second figure's is over tasks, as if they
#   were independent, which packages that call each other are not.
# - *Stated* is about $R^2$, and the check is about regret: the second may differ though the first is right.
# - In the default data a package's files call mostly that package, whose name stands in the text of its
#   actions. Words are enough for much of that; your rewards may be harder.
# - The number of default actions was tried at 1,500, then at 1,200, and put back to 1,500 with both results seen. At
#   1,200 there are 7 tasks, and choosing by labels gained 0.066 (0.034 to 0.098) over any and 0.039 (0.007 to 0.078)
#   over the effective dimension.
# - Rows are divided by their length before they are compared.
#
# ## Provenance

# %%
run.finish()
