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
# # Contrastive embeddings cover the action space better
#
# ## Claim
#
# An agent can try only a few of very many actions. If the ones it tried leave every other action close
# to a tried one, the argument goes, then it has explored the space. The paper leads one to expect that
# uniform embeddings need fewer samples for this.
#
# Let $S$ be a random subset of $k$ of the $K$ actions. Three parts are judged for every matched pair of
# models, each as a difference, contrastive minus reconstruction, and supported when the whole interval
# lies below zero:
#
# 1. **raw**: the logarithm of the expected distance to the nearest sampled action, $\rho(k)$;
# 2. **relative**: the logarithm of $\rho(k)/\rho(1)$, which takes out how far apart actions are anyway;
# 3. **reward**: how far an action's reward is from that of its nearest sampled action, $\rho_r(k)$,
#    for rewards counted in real source code. This is what exploration is for.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# With $k$ = {glue:text}`k` of {glue:text}`n_actions` actions, the contrastive model had the smaller raw
# distance in {glue:text}`n_raw` of {glue:text}`n_pairs` matched pairs, the smaller relative distance in
# {glue:text}`n_relative`, and the smaller reward coverage in {glue:text}`n_reward` of the
# {glue:text}`n_reward_pairs` pairs in which it was judged. The first two are facts about shape and ask
# nothing of the reward; the theory below says which way shape pushes them. Only the third bears on what
# an agent learns.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
k = 1000
ks = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000]

# %%
from crlib import claims, settings

p = settings.parameters("theory/coverage", globals())
run = claims.Run("theory/coverage", p)

# %% [markdown]
# ## Theory
#
# **Definition.** For a random $k$-subset $S$ of the $K$ actions, drawn without replacement,
#
# $$
# \rho(k) = \mathbb E_a\,\mathbb E_S \min_{b\in S} \lVert x_a - x_b\rVert, \qquad
# \rho_r(k) = \frac{\mathbb E\,\lvert r(a) - r(\mathrm{NN}_S(a))\rvert}{\mathbb E\,\lvert r(a) - r(a')\rvert} .
# $$
#
# Small is well covered. $\rho_r(k) = 1$ says that the nearest sampled action tells as little about an
# action's reward as one drawn at random.
#
# **No sampling is needed.** Sort the distances from $a$, with $a$ itself at rank 0. The nearest member of
# $S$ has rank $j$ with a probability that depends on $K$, $k$ and $j$ only.
#
# ```{prf:proposition} Rank of the nearest of k
# :label: rank-of-nearest
#
# The nearest member of $S$ has rank $j$ with probability
#
# - $\binom{K-1-j}{k-1} \big/ \binom Kk$ without replacement,
# - $\bigl[(K-j)^k - (K-j-1)^k\bigr] \big/ K^k$ with replacement,
# - $\binom{K-1-j}{k-1} \big/ \binom{K-1}k$ for $j \ge 1$ when $S$ is drawn from the other actions.
#
# The weights sum to one, and the ranks from $m$ on have a share of at most $e^{-km/K}$.
# ```
#
# ```{prf:proof}
# Rank $j$ is the nearest when all of $S$ lies in the $K - j$ ranks from $j$ on, but not all in the
# $K - j - 1$ after it. Without replacement that has $\binom{K-j}k - \binom{K-j-1}k = \binom{K-1-j}{k-1}$
# of $\binom Kk$ outcomes (Pascal), with replacement $(K-j)^k - (K-j-1)^k$ of $K^k$. These are differences
# of consecutive terms, so they sum to the first one, which is 1, and from $m$ on to the term at $m$:
# at most $(1 - m/K)^k \le e^{-km/K}$.
# ```
#
# SymPy checks Pascal's step for all $K$ and $k$, and the code's weights are compared with a full
# enumeration of all subsets, exactly.

# %%
import sympy as sp

K, size = sp.symbols("K k", positive=True, integer=True)
pascal = sp.binomial(K + 1, size) - sp.binomial(K, size) - sp.binomial(K, size - 1)
assert sp.combsimp(pascal) == 0

# %%
from itertools import combinations, product

import numpy as np

from crlib import metrics

for n in range(3, 8):
    for drawn in range(1, n):
        counted = np.bincount([min(S) for S in combinations(range(n), drawn)], minlength=n)
        assert np.allclose(metrics.rank_weights(n, drawn)[0], counted / counted.sum())
        counted = np.bincount([min(S) for S in combinations(range(1, n), drawn)], minlength=n)[1:]
        found = metrics.rank_weights(n, drawn, leave_out=True)[0]
        assert np.allclose(found, counted / counted.sum())

# %%
for n, drawn in product(range(2, 7), range(1, 5)):
    counted = np.bincount([min(S) for S in product(range(n), repeat=drawn)], minlength=n)
    found = metrics.rank_weights(n, drawn, replace=True)[0]
    assert np.allclose(found, counted / counted.sum())

# %%
for n, drawn in product(range(2, 10), range(1, 10)):
    if drawn <= n:
        weights = [sp.binomial(n - 1 - j, drawn - 1) / sp.binomial(n, drawn) for j in range(n)]
        assert sum(weights) == 1
    powers = [sp.Rational((n - j) ** drawn - (n - j - 1) ** drawn, n**drawn) for j in range(n)]
    assert sum(powers) == 1

# %% [markdown]
# The first and the third scheme differ by a factor alone: an action is in $S$ with probability $k/K$, at
# distance zero. So every *difference of logarithms* on this page is the same in either.

# %%
rank = sp.symbols("j", positive=True, integer=True)
ours = sp.binomial(K - 1 - rank, size - 1) / sp.binomial(K, size)
left_out = sp.binomial(K - 1 - rank, size - 1) / sp.binomial(K - 1, size)
assert sp.combsimp(ours - (1 - size / K) * left_out) == 0

# %% [markdown]
# **Why the raw distance favours clumps.** With mean cosine $m_1$ over pairs of other actions, Jensen gives
# $\rho(k) \le \rho(1) \le \sqrt{2\,(1 - m_1)}$: whatever pulls all actions towards one direction lowers
# $\rho$ at *every* $k$, and says nothing about what a sample reveals. Dividing by $\rho(1)$ removes the
# scale but not the shape. Take points spread evenly over a sphere, and let $C_d r^{d-1}$ be the share of
# the sphere within a small distance $r$. Then
#
# $$
# \rho(k) \approx \int_0^\infty e^{-k C_d r^{d-1}} dr
#   = \Gamma\Bigl(1 + \tfrac1{d-1}\Bigr)\,(k\,C_d)^{-1/(d-1)}, \qquad
# C_d = \frac{\Gamma(d/2)}{\sqrt\pi\,(d-1)\,\Gamma((d-1)/2)} .
# $$
#
# The more dimensions the points fill, the *slower* the nearest distance falls with $k$: a higher effective
# dimension makes covering harder, not easier. From $k = 1$ to {glue:text}`k`, points spread evenly over
# the sphere have $\rho$ fall to {glue:text}`sphere_low:.2f` of its start in 8 dimensions and to
# {glue:text}`sphere_high:.2f` in 128. SymPy checks the integral and the shape of a small cap; that the
# approximation is good is an asymptotic statement, which it cannot give (it serves up to about 8
# dimensions; the figure's line is a numerical integral, with no approximation).

# %%
r, C, dim = sp.symbols("r C d", positive=True)
small_cap = sp.integrate(sp.exp(-C * r**dim), (r, 0, sp.oo), conds="none")
assert sp.simplify(small_cap - sp.gamma(1 + 1 / dim) * C ** (-1 / dim)) == 0
for width in range(3, 9):
    cap = sp.integrate(sp.sin(r) ** (width - 2), (r, 0, r))
    area = sp.sqrt(sp.pi) * sp.gamma(sp.Rational(width - 1, 2)) / sp.gamma(sp.Rational(width, 2))
    assert sp.simplify(sp.integrate(sp.sin(r) ** (width - 2), (r, 0, sp.pi)) - area) == 0
    assert sp.limit(sp.sin(r) ** (width - 2) / ((width - 1) * r ** (width - 2)), r, 0) == sp.Rational(1, width - 1)

# %%
low = metrics.sphere_coverage([1, p.k], 8)
high = metrics.sphere_coverage([1, p.k], 128)
run.number(k=p.k, sphere_low=low[1] / low[0], sphere_high=high[1] / high[0])
noise = np.random.default_rng(p.seed).standard_normal((400, 16))
before = metrics.coverage(noise / np.linalg.norm(noise, axis=1, keepdims=True), [1, 10, 100])
noise[:, 0] += 4
after = metrics.coverage(noise / np.linalg.norm(noise, axis=1, keepdims=True), [1, 10, 100])
assert np.all(after < before), "pulled towards one direction, covered 'better'"

# %% [markdown]
# **What a sample contains does not depend on the embedding.** The best reward among $k$ random actions is
# the reward of the nearest sampled action to an imaginary one above all others: with rewards sorted from
# the best down, $\mathbb E \max_{b\in S} r(b) = \sum_j w_j\, r_{(j)}$ with the weights of
# {prf:ref}`rank-of-nearest`. No vector enters. An embedding cannot make a random sample better; it can
# only make more of it.

# %%
rewards_of_five = sp.symbols("r1:6", real=True)  # in order, the best first
for drawn in range(1, 6):
    samples = list(combinations(range(5), drawn))
    mean_best = sum(rewards_of_five[min(S)] for S in samples) / sp.Integer(len(samples))
    weights = [sp.binomial(4 - j, drawn - 1) / sp.binomial(5, drawn) for j in range(5)]
    stated = sum(w * value for w, value in zip(weights, rewards_of_five, strict=True))
    assert sp.expand(mean_best - stated) == 0

# %% [markdown]
# **When distance does bound the loss.** If the reward is Lipschitz, $|r(a) - r(b)| \le L\lVert x_a - x_b\rVert$,
# then applying this to the nearest sampled action and taking the mean gives
# $\mathbb E|r(a) - r(\mathrm{NN}_S(a))| \le L\,\rho(k)$. That is one line by hand, and SymPy adds nothing to
# it. It compares embeddings only if $L$ is the same for both, and $L$ belongs to the pair of reward *and*
# embedding: shrink all distances by half and $L$ doubles. Hence $\rho_r$, in which $L$ does not occur.
#
# ## Evidence
#
# The actions, the vectors, and the sizes. All parts that are judged are exact over all actions.

# %%
import pandas as pd

from crlib import data, extractors

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
n_actions = len(actions.ids)
if p.k >= n_actions:
    raise settings.ParameterError(
        f"k = {p.k}: this run has {n_actions} actions and expects fewer in the subset; lower k, or "
        "raise limit or packages"
    )
sizes = sorted({1, p.k, *(k for k in p.ks if k < n_actions)})

# %%
pairs = extractors.pairs_for(p.model)
paired = list(dict.fromkeys(n for pair in pairs for n in (pair.reconstruction, pair.contrastive)))
models = {
    name: spec
    for name, spec in extractors.models_for(p.model).items()
    if name in (*paired, p.model) or spec.kind == "control"
}
vectors = {name: extractors.encode(actions.texts, name, ids=actions.ids) for name in models}

# %% [markdown]
# **Raw and relative.** Each action's expected distance to its nearest sampled action, at $k$ and at 1, for
# both models of a pair; a paired bootstrap resamples the actions that are to be covered. The bound
# $\rho(1) \le \sqrt{2(1 - m_1)}$ is asserted on every model's vectors.

# %%
from crlib.metrics.comparisons import log_relative_ratio
from crlib.metrics.rows import distance_profile

at_one = {name: distance_profile(X) for name, X in vectors.items()}
for name, X in vectors.items():
    others = at_one[name].mean() * n_actions / (n_actions - 1)
    assert others <= np.sqrt(2 * (1 - metrics.mean_cosine(X))) + 1e-4, name
at_k = {name: metrics.coverage_profile(vectors[name], p.k)[0] for name in paired}
profiles = {name: np.column_stack([at_k[name], at_one[name]]) for name in paired}

# %%
for pair in pairs:
    new, old = profiles[pair.contrastive], profiles[pair.reconstruction]
    raw = metrics.paired_bootstrap(new[:, 0], old[:, 0], metrics.log_mean_ratio, rng=p.seed)
    run.record("C3.raw", pair.name, raw)
    relative = metrics.paired_bootstrap(new, old, log_relative_ratio, rng=p.seed)
    run.record("C3.relative", pair.name, relative)

# %% [markdown]
# **Reward.** A reward function is $r(a) = \log(1 + \text{number of a package's source files that call } a)$,
# one for each package whose files call at least 50 of the actions: {glue:text}`n_rewards` functions here. No
# embedding had a part in them. The unit is the reward function; with fewer than ten of them an interval
# would mean little, and the part is left as not run. Beside them stand, not judged, the same counts
# without calls to the package's own actions.

# %%
from crlib.data.rewards import usage_rewards

rewards, communities = usage_rewards(actions)
outside, outside_names = usage_rewards(actions, own=False)
n_rewards = len(communities)
both = np.hstack([rewards, outside])
scores = {}
if n_rewards:
    scores = {name: metrics.reward_coverage(vectors[name], both, p.k) for name in paired}
for pair in pairs if n_rewards >= 10 else ():
    new, old = scores[pair.contrastive][:n_rewards], scores[pair.reconstruction][:n_rewards]
    run.record("C3.reward", pair.name, metrics.paired_bootstrap(new, old, rng=p.seed))

# %% [markdown]
# **Curves.** For the figures only, {glue:text}`n_rows` actions drawn at random stand for all as those to be
# covered, still against every action; subsets are exact as before. $\rho_r$ is divided by its value at
# $k = 1$ on the same actions, which is the same for every embedding.

# %%
rows = np.random.default_rng(p.seed).choice(n_actions, min(n_actions, 300), replace=False)
curves = {name: metrics.coverage_profile(X, sizes, rows=rows).mean(axis=1) for name, X in vectors.items()}
frame = pd.DataFrame(
    {"model": name, "family": spec.family, "dimensions": vectors[name].shape[1], "k": k, "rho": rho}
    for name, spec in models.items()
    for k, rho in zip(sizes, curves[name], strict=True)
)
widths = sorted(set(frame["dimensions"]))
sphere = pd.concat(
    pd.DataFrame({"dimensions": d, "k": sizes, "rho": metrics.sphere_coverage(sizes, d, n_actions=n_actions)})
    for d in widths
)

# %%
found = run.evidence
run.number(
    n_actions=n_actions, n_pairs=len(pairs), n_rewards=n_rewards, n_rows=len(rows),
    n_raw=sum(e.id == "C3.raw" and e.estimate < 0 for e in found),
    n_relative=sum(e.id == "C3.relative" and e.estimate < 0 for e in found),
    n_reward=sum(e.id == "C3.reward" and e.estimate < 0 for e in found),
    n_reward_pairs=sum(e.id == "C3.reward" for e in found),
    gaussian_rho=curves["gaussian"][sizes.index(p.k)],
    sphere_rho=metrics.sphere_coverage(p.k, vectors["gaussian"].shape[1], n_actions=n_actions),
)  # fmt: skip

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import coverage as plots

figures.show(
    plots.curves(frame, pairs, "rho", title="expected nearest distance", k=p.k, sphere=sphere),
    "coverage",
    plots.curves_alt(frame, pairs, "rho", what="Expected distance to the nearest of k", ks=sizes),
    data=frame, run=run,
)  # fmt: skip

# %%
reward_frame = frame.drop(columns="rho")
if n_rewards:
    means = {
        name: metrics.reward_coverage_profile(X, rewards, sizes, rows=rows).mean(axis=1)
        for name, X in vectors.items()
    }
    reward_frame["rho_r"] = np.concatenate([(m / m[0]).mean(axis=1) for m in means.values()])

# %% tags=["hide-input"]
figures.show(
    plots.curves(reward_frame, pairs, "rho_r", title="reward coverage (1: useless)", k=p.k),
    "reward-coverage",
    plots.curves_alt(reward_frame, pairs, "rho_r", what="Mean reward coverage", ks=sizes),
    data=reward_frame, run=run,
) if n_rewards else "No package's files call 50 of these actions: no reward function, no figure."  # fmt: skip

# %% [markdown]
# Every reward function by itself: the difference in $\rho_r(k)$ in each matched pair.

# %% tags=["hide-input"]
differences = pd.DataFrame(
    {"pair": pair.name, "community": name, "difference": new - old}
    for pair in pairs if n_rewards
    for name, new, old in zip(
        communities, scores[pair.contrastive], scores[pair.reconstruction], strict=False
    )
)  # fmt: skip
figures.show(
    plots.strips(differences), "reward-differences", plots.strips_alt(differences),
    data=differences, run=run,
) if len(differences) else "No reward function or no matched pair: nothing to compare."  # fmt: skip

# %% [markdown]
# **Sensitivity, not judged.** Actions of one package are alike, so the raw difference is given again with
# whole packages resampled, which asks what other packages would have given. The reward difference is
# given again for the {glue:text}`n_outside` functions that leave out calls to a community's own package,
# and, in a run of all models, for the other training seeds of the first matched pair.

# %% tags=["hide-input"]
from crlib.metrics.comparisons import group_totals

totals = {name: group_totals(at_k[name], actions.groups)[:, 0] for name in paired}
table = []
for pair in pairs:
    if len(set(actions.groups)) >= 10:
        new, old = totals[pair.contrastive], totals[pair.reconstruction]
        found = metrics.paired_bootstrap(new, old, metrics.log_mean_ratio, rng=p.seed)
        table.append({"pair": pair.name, "difference": "log rho(k), by package", **vars(found)})
    if len(outside_names) >= 10:
        new, old = scores[pair.contrastive][n_rewards:], scores[pair.reconstruction][n_rewards:]
        found = metrics.paired_bootstrap(new, old, rng=p.seed)
        table.append({"pair": pair.name, "difference": "rho_r(k), no own calls", **vars(found)})

# %% tags=["hide-input"]
for pair in extractors.SEED_PAIRS if p.model == "all" and n_rewards >= 10 else ():
    new, old = (
        metrics.reward_coverage(extractors.encode(actions.texts, name, ids=actions.ids), rewards, p.k)
        for name in (pair.contrastive, pair.reconstruction)
    )
    found = metrics.paired_bootstrap(new, old, rng=p.seed)
    table.append({"pair": pair.name, "difference": "rho_r(k)", **vars(found)})
pd.DataFrame(table).set_index("pair").rename_axis(None).round(3) if table else "not run: one pair"

# %% tags=["hide-input"]
calls = actions.feedback.users.tocoo()
homes, groups = np.asarray(actions.feedback.user_groups), np.asarray(actions.groups)
at_home = homes[calls.row] == groups[calls.col]
run.number(n_outside=len(outside_names), own_percent=100 * at_home.mean() if len(at_home) else 0.0)

# %% [markdown]
# ## Reading the figure
#
# In the first figure low is close. The claim says that the contrastive curve runs below the reconstruction
# curve of its pair (move the slider); the wide pale line is what points spread evenly over the whole
# sphere would give, and the Gaussian control should lie on it: at the judged $k$ they are
# {glue:text}`gaussian_rho:.4f` and {glue:text}`sphere_rho:.4f`. Read that line twice. It is the most
# uniform embedding there is, and what it has is the largest distances.
#
# In the second figure the same samples are judged by what they tell about the reward. All curves start at
# one. Noise cannot fall except by sampling the action itself, which happens with probability $k/K$; how far
# a curve lies below the Gaussian one is what the embedding knows. The third figure shows every
# reward function as a point: the verdict is about their mean.
#
# ## Limits
#
# - The bootstrap resamples the actions that are to be covered, or the reward functions; the $K$ actions a
#   sample is drawn from, and the trained models, are held fixed. Reward functions of neighbouring
#   communities overlap, which makes that interval somewhat too narrow.
# - The rewards are counts of use in installed source code, sparse and with a long tail; most actions
#   have reward zero in most functions. {glue:text}`own_percent:.0f` % of real use stays within a
#   community's own package, hence the sensitivity; it sets the reward of the package's own actions to zero.
# - A uniformly random subset is the simplest explorer. An agent that chooses its samples by the embedding
#   covers differently; the chapters on regret are about that.
# - Nearest-neighbour prediction is one way to use an embedding. It sees local structure only.
# - Controls: Gaussian noise (no information), the random start and LSA (what words alone give). The
#   twins show a mechanism; they are no evidence about BERT, LLaMA or the paper's other encoders.
#
# ## Provenance

# %%
run.finish()
