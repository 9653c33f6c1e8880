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
# # An action space that needs no download
#
# ## What it is
#
# The packages that this project is built on are a massive action space: tens of thousands of
# functions, classes and methods, each with a name and a sentence on what it does. Every theory chapter
# uses them. What they are good for is read from source code, never from an embedding:
#
# - **Actions.** Each listed package is imported in a process of its own and its documented public
#   callables are written down. One object is one action, whatever number of names it has.
# - **Queries.** The first paragraph of a function's docstring, and the actions that its body calls; or
#   the sentence before a documented example, and the actions that the example calls.
# - **Users.** A source file is a user, the actions that it calls are its items. Nobody rated anything:
#   this is implicit feedback.
# - **Related pairs.** Two actions of which one names the other under *See Also*.
#
# ## Parameters
#
# `limit` is the number of actions $K$ in the theory chapters; this page counts the whole catalogue
# first and the chosen $K$ beside it. `samples` is the number of examples in each list below.

# %% tags=["parameters"]
profile = "laptop"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
samples = 10

# %%
from crlib import claims, settings

p = settings.parameters("data/python_api", globals())
run = claims.Run("data/python_api", p)

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from crlib import data, figures
from crlib.data.feedback import MIN_ITEMS
from crlib.data.harvest import PER_SUMMARY
from crlib.data.python_api import PER_PACKAGE
from crlib.data.queries import GENERIC
from crlib.plots import python_api as plots

catalogue = data.catalogue(p.package_list)
whole = data.load("python-api", packages=p.package_list)
chosen = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)

# %% [markdown]
# ## Counts
#
# {glue:text}`n_modules:,.0f` modules were imported and {glue:text}`n_objects:,.0f` callable objects
# found in them. {glue:text}`n_documented:,.0f` have a usable summary, and {glue:text}`n_whole:,.0f`
# stay once repeats are gone: generated classes say the same sentence hundreds of times, so a summary is
# kept {glue:text}`per_summary` times at most. They come from {glue:text}`n_packages` packages, the
# standard library counted as one. {glue:text}`n_failed` modules could not be imported, most of them for
# want of an optional dependency; each is named, and none ends the harvest.
#
# The theory chapters take the {glue:text}`n_chosen:,.0f` actions that most files call, at most
# {glue:text}`per_package:,.0f` of one package. An embedded text is the name, the summary and the start
# of the body, {glue:text}`text_length:.0f` characters on average.

# %% tags=["hide-input"]
counts, versions = whole.source["counts"], whole.source["versions"]
run.number(
    n_modules=counts["modules"], n_objects=counts["objects"], n_documented=counts["documented"],
    n_whole=len(whole.ids), n_chosen=len(chosen.ids), n_packages=len(versions),
    n_failed=len(whole.source["failures"]), per_summary=PER_SUMMARY, per_package=PER_PACKAGE,
    text_length=np.mean([len(text) for text in whole.texts]),
)  # fmt: skip

# %% tags=["hide-input"]
feedback = whole.feedback
calls = feedback.users.tocoo()
group = np.asarray(whole.groups)
home = np.asarray(feedback.user_groups)
by_package = pd.DataFrame({"actions": pd.Series(group).value_counts()})
by_package["in the chosen K"] = pd.Series(chosen.groups).value_counts()
by_package["files"] = pd.Series(home).value_counts()
by_package["calls of its actions"] = pd.Series(group[calls.col]).value_counts()
by_package = by_package.fillna(0).astype(int).sort_values("actions", ascending=False)

# %% tags=["hide-input"]
shown = by_package.head(2 * p.samples)
plots.table(
    [(name, versions.get(name, ""), *(f"{n:,}" for n in row)) for name, *row in shown.itertuples()],
    ["package", "version", *shown.columns],
)

# %% [markdown]
# The largest packages; a file counts when it calls {glue:text}`min_items` actions or more.
#
# | | whole catalogue | chosen $K$ |
# |---|---|---|
# | actions | {glue:text}`n_whole:,.0f` | {glue:text}`n_chosen:,.0f` |
# | files | {glue:text}`n_users:,.0f` | {glue:text}`n_users_chosen:,.0f` |
# | interactions | {glue:text}`n_calls:,.0f` | {glue:text}`n_calls_chosen:,.0f` |
# | queries | {glue:text}`n_queries:,.0f` | {glue:text}`n_queries_chosen:,.0f` |
# | related pairs | {glue:text}`n_related:,.0f` | {glue:text}`n_related_chosen:,.0f` |

# %% tags=["hide-input"]
small = chosen.feedback
run.number(
    min_items=MIN_ITEMS, n_users=len(feedback.user_ids), n_users_chosen=len(small.user_ids),
    n_calls=feedback.users.nnz, n_calls_chosen=small.users.nnz,
    n_queries=len(feedback.queries), n_queries_chosen=len(small.queries),
    n_related=len(feedback.related), n_related_chosen=len(small.related),
)  # fmt: skip

# %% [markdown]
# From {glue:text}`n_candidates:,.0f` functions and examples to queries: a solution has two to five
# actions of at least two modules, once {glue:text}`n_generic` tools that more than
# {glue:text}`generic` candidates call are set aside, and the names of its actions are taken out of the
# words.

# %% tags=["hide-input"]
rules = dict(whole.source["feedback"]["queries"])
run.number(n_candidates=rules["candidates"], n_generic=rules["generic tools"], generic=GENERIC)
plots.table([(rule, f"{n:,}") for rule, n in rules.items()], ["rule", "candidates left out or kept"])

# %% [markdown]
# ## The long tail
#
# {glue:text}`used_percent:.0f` % of all actions are called by at least one of these files, and
# {glue:text}`thrice_percent:.0f` % by three or more. The most used hundredth of all actions gets
# {glue:text}`head_percent:.0f` % of the interactions. Over the first {glue:text}`deepest:,.0f` ranks
# the count falls with the rank to the power {glue:text}`tail_slope:.2f`; minus one would be Zipf's law.

# %% tags=["hide-input"]
popularity = np.asarray(feedback.users.sum(axis=0)).ravel()
activity = np.asarray(feedback.users.sum(axis=1)).ravel()
tail = pd.concat([plots.ranked(popularity, "actions"), plots.ranked(activity, "files")])
deepest = min(10_000, np.count_nonzero(popularity))
head = np.sort(popularity)[::-1][: max(1, len(popularity) // 100)].sum()
run.number(
    used_percent=100 * np.mean(popularity > 0), thrice_percent=100 * np.mean(popularity >= 3),
    head_percent=100 * head / popularity.sum(), deepest=deepest,
    tail_slope=plots.slope(tail, "actions", deepest),
)  # fmt: skip

# %% tags=["hide-input"]
figures.show(plots.long_tail(tail), "long-tail", plots.long_tail_alt(tail), data=tail, run=run)

# %% [markdown]
# ## Reading the figure
#
# Both axes are logarithmic. A straight line is a power law; a line that bends down at its end says that
# rare actions are rarer still. The line for the files starts where the largest file is and ends at the
# least number of calls that makes a file a user.
#
# The most used actions:

# %% tags=["hide-input"]
most = np.argsort(-popularity, kind="stable")[: p.samples]
plots.table([(whole.ids[i], f"{popularity[i]:,}") for i in most], ["action", "files that call it"])

# %% [markdown]
# ## Samples
#
# Drawn at random with the seed above, not chosen.
#
# **Actions**, as they are embedded:

# %% tags=["hide-input"]
rng = np.random.default_rng(p.seed)
drawn = plots.draw(len(whole.ids), p.samples, rng)
kinds = catalogue["kind"].to_numpy()
plots.table([(kinds[i], whole.texts[i]) for i in drawn], ["kind", "text"])

# %% [markdown]
# **Queries** with their solutions, in the order of the calls; "…" stands where an answer's name was:

# %% tags=["hide-input"]
drawn = plots.draw(len(feedback.queries), p.samples, rng)
plots.table(
    [(q.text, ", ".join(whole.ids[i] for i in q.solution), q.origin, "yes" if q.seen else "no")
     for q in (feedback.queries[i] for i in drawn)],
    ["query", "solution", "origin", "seen"],
)  # fmt: skip

# %% [markdown]
# **Files** and some of the actions that they call:

# %% tags=["hide-input"]
drawn = plots.draw(len(feedback.user_ids), p.samples, rng)
items = np.split(feedback.users.indices, feedback.users.indptr[1:-1])
plots.table(
    [(feedback.user_ids[i], len(items[i]), ", ".join(whole.ids[j] for j in items[i][:5]))
     for i in drawn],
    ["file", "actions", "the first of them"],
)  # fmt: skip

# %% [markdown]
# **Related pairs:**

# %% tags=["hide-input"]
drawn = plots.draw(len(feedback.related), p.samples, rng)
plots.table(
    [(whole.ids[i], whole.ids[j]) for i, j in feedback.related[drawn]], ["action", "is related to"]
)

# %% [markdown]
# **Modules that could not be imported:**

# %% tags=["hide-input"]
failures = sorted(whole.source["failures"].items())
drawn = plots.draw(len(failures), p.samples, rng)
plots.table([failures[i] for i in drawn], ["module", "reason"])

# %% [markdown]
# ## Limits
#
# What is wrong with these data, in numbers of the whole catalogue:
#
# - **Queries are of moderate quality.** Their words describe a function, not a need, and the calls in
#   its body are how it was done, not the only way. {glue:text}`seen_percent:.0f` % repeat the summary of
#   some action, so their words stand in an embedded text: they are marked *seen*, and seen and unseen
#   are reported apart. {glue:text}`hole_percent:.0f` % had an answer's name taken out, which leaves a gap.
#   {glue:text}`doctest_percent:.0f` % come from documented examples, the rest from functions' bodies.
# - **Calls are missed.** A call is resolved by reading the source: imports, the file's own definitions,
#   and variables that hold a fresh instance of a class. A method of a value whose type is not plain is
#   missed: methods are {glue:text}`method_actions_percent:.0f` % of all actions and
#   {glue:text}`method_calls_percent:.0f` % of the interactions. {glue:text}`n_unread` files were not read
#   at all (too large, or no valid Python 3).
# - **Packages mostly use themselves.** {glue:text}`own_percent:.0f` % of the interactions are calls from
#   a file to its own package, and {glue:text}`related_percent:.0f` % of the related pairs lie within one
#   package. What looks like a taste may be a location; {glue:text}`across_percent:.0f` % of the queries
#   need actions of two packages or more.
# - **Tests are left out**, by their names: a test calls what it tests, over and over. Of the
#   {glue:text}`n_read:,.0f` files that were read {glue:text}`user_percent:.0f` % call enough to be users.
# - **It is what is installed.** The list of packages is fixed, but it is the list of one scientific
#   project: numerical work, documents and language models are well covered, other work is not.
# - **Names are not always the expected ones.** An object that several modules hold carries the shortest
#   name, on a tie the first in the alphabet. So {glue:text}`n_misnamed` compiled functions and classes
#   are named after a module that merely imports them, though the module that defines them has them too
#   (the most used of them: {glue:text}`misnamed_first`). The models were trained on these names, and the
#   embedded texts hold them. An object that its package does not
#   re-export carries the path of its file.
# - **Models may know these texts.** Docstrings of public packages are on the web, and pretrained models
#   may have read them. The twins of this project were trained on them, all of them on the same.

# %% tags=["hide-input"]
queries = feedback.queries
n_queries = max(1, len(queries))
run.number(
    seen_percent=100 * sum(q.seen for q in queries) / n_queries,
    hole_percent=100 * sum("…" in q.text for q in queries) / n_queries,
    doctest_percent=100 * sum(q.origin == "doctest" for q in queries) / n_queries,
    across_percent=100 * sum(len(set(group[list(q.solution)])) > 1 for q in queries) / n_queries,
    method_actions_percent=100 * np.mean(kinds == "method"),
    method_calls_percent=100 * np.mean(kinds[calls.col] == "method"),
    n_unread=len(whole.source["feedback"]["files_left_out"]),
)

# %% tags=["hide-input"]
n_read = whole.source["feedback"]["files"]
ends = group[feedback.related]
run.number(
    own_percent=100 * np.mean(home[calls.row] == group[calls.col]),
    n_read=n_read, user_percent=100 * len(home) / n_read,
    related_percent=100 * float(np.mean(ends[:, 0] == ends[:, 1])) if len(ends) else 0.0,
)  # fmt: skip

# %% tags=["hide-input"]
# "_struct.pack" belongs to the public module struct; its alias there shows that it has it.
public = catalogue["defined"].str.lstrip("_")
known = [name in names for name, names in zip(public, catalogue["aliases"], strict=True)]
elsewhere = catalogue["id"].str.partition(".")[0] != public.str.partition(".")[0]
misnamed = np.flatnonzero(np.array(known) & elsewhere)
first = misnamed[np.argsort(-popularity[misnamed], kind="stable")][:1]
named = [f"{row.id}, defined as {row.defined}" for row in catalogue.iloc[first].itertuples()]
run.number(n_misnamed=len(misnamed), misnamed_first=", ".join(named) or "none")

# %% [markdown]
# ## Provenance
#
# Harvested from the environment that the lock file pins; the licences are those of the packages. The
# hash is over all names and texts, in order.

# %% tags=["hide-input"]
run.number(sha256=whole.source["sha256"])
plots.table([("names and texts, SHA-256", whole.source["sha256"])], ["of", "value"])

# %%
run.finish()
