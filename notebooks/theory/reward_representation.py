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
# # Anisotropy makes rewards hard to represent
#
# ## Claim
#
# The paper's bound on regret grows with the RKHS norm of the reward, and it says that this norm is smaller
# under contrastive embeddings: an anisotropic embedding hides the reward in directions of little variance.
#
# The norm itself cannot be judged from finitely many actions, as the theory below shows. Two quantities
# that can are judged for every matched pair, contrastive minus reconstruction, supported when the whole
# interval lies above zero:
#
# 1. **power**: the area under the debiased cumulative power of the reward, against the share of the
#    embedding's variance: how early, along the spectrum, the reward comes;
# 2. **prediction**: leave-one-out $R^2$ of ridge regression: how much of the reward a linear reader of the
#    embedding predicts for an action it has not seen.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# Over {glue:text}`n_rewards` reward functions the contrastive model had the larger area in
# {glue:text}`n_power` of {glue:text}`n_pairs` matched pairs and the larger leave-one-out $R^2$ in
# {glue:text}`n_prediction`. Mean $R^2$ ran from {glue:text}`r2_low:.3f` ({glue:text}`r2_low_model`) to
# {glue:text}`r2_high:.3f` ({glue:text}`r2_high_model`); noise of the same width reaches
# {glue:text}`r2_gaussian:.3f`.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
n_labels = 3000

# %%
from crlib import claims, settings

p = settings.parameters("theory/reward_representation", globals())
run = claims.Run("theory/reward_representation", p)

# %% [markdown]
# ## Theory
#
# **Where a reward lies.** Let the centred embedding have covariance $S = \sum_i \lambda_i u_iu_i^\top$ of trace
# 1, and let $z_i = u_i^\top x/\sqrt{\lambda_i}$ be its scores. With the reward at variance $V = 1$,
# $w_i = \mathbb E[r z_i]$ is the part of the reward along direction $i$ and $p_i = w_i^2/V$ its energy.
#
# ```{prf:proposition} Norm and spectrum
# :label: norm-and-spectrum
#
# The linear predictor $r = \theta\cdot x$ has $\lVert\theta\rVert^2 = B^2 = \sum_i w_i^2/\lambda_i$. For energy
# spread evenly, $p_i = 1/d$, $B^2 = \frac1d\sum_i 1/\lambda_i \ge d/\operatorname{tr}S$, with equality only for
# equal eigenvalues. For energy spread like the variance, $p_i = \lambda_i/\operatorname{tr}S$,
# $B^2 = d/\operatorname{tr}S$ at *every* spectrum.
# ```
#
# ```{prf:proof}
# $w_i = \mathbb E[\theta\cdot x\, z_i] = \sqrt{\lambda_i}\,u_i^\top\theta$, so $\sum w_i^2/\lambda_i =
# \lVert\theta\rVert^2$. The inequality is that of the arithmetic and the harmonic mean:
# $\sum\lambda_i\sum 1/\lambda_i - d^2 = \sum_{i<j}(\lambda_i-\lambda_j)^2/(\lambda_i\lambda_j)$.
# ```
#
# So anisotropy raises the norm if and only if $\sum_i p_i/\lambda_i > d/\operatorname{tr}S$: it depends on
# where the reward's energy lies, and the spectrum alone decides nothing. SymPy checks each identity.

# %%
import sympy as sp

for d in (2, 3, 4):
    eigenvalues = sp.symbols(f"l1:{d + 1}", positive=True)
    theta = sp.symbols(f"t1:{d + 1}", real=True)
    w = [sp.sqrt(value) * t for value, t in zip(eigenvalues, theta, strict=True)]
    norm = sum(a**2 / value for a, value in zip(w, eigenvalues, strict=True))
    assert sp.simplify(norm - sum(t**2 for t in theta)) == 0
    trace, inverse = sum(eigenvalues), sum(1 / value for value in eigenvalues)
    couples = [(eigenvalues[i], eigenvalues[j]) for i in range(d) for j in range(i)]
    gap = sum((a - b) ** 2 / (a * b) for a, b in couples)
    assert sp.simplify(trace * inverse - d**2 - gap) == 0
    assert sp.simplify(sum(value / trace / value for value in eigenvalues) - d / trace) == 0

# %% [markdown]
# **Why the norm is not judged.** From $n$ actions each $w_i$ is known up to a standard error $s_i$ of about
# $1/\sqrt n$, so $\hat w_i^2$ is too large by $s_i^2$ on average, and the norm by $\sum_i s_i^2/\lambda_i$:
# it is a measurement of the smallest eigenvalues and not of the reward. Shrinking does not save it. A ridge
# predictor has norm $\sum_i w_i^2\lambda_i/(\lambda_i+\kappa)^2$, and each factor is at most $1/(4\kappa)$: a
# *small* ridge norm means that little was fitted, which is what an embedding without the reward shows too.
# What can be had without bias is the debiased cumulative power {cite:p}`canatar2021spectral`
#
# $$ C(m) = \sum_{i\le m} (\hat w_i^2 - s_i^2)/V, $$
#
# the share of the reward's variance that the first $m$ directions hold.

# %%
value, kappa, true, error = sp.symbols("lambda kappa w e", positive=True)
factor = value / (value + kappa) ** 2
above = (value - kappa) ** 2 / (4 * kappa * (value + kappa) ** 2)
assert sp.simplify(1 / (4 * kappa) - factor - above) == 0
noise = sp.Matrix([-error, error])  # an error of mean 0 and variance e^2
assert sp.expand(sum((true + x) ** 2 for x in noise) / 2 - true**2) == error**2

# %% [markdown]
# **Contrastive training and the spectrum.** In the linear case its optimum keeps
# $\lambda/(\lambda+\nu)$ of a direction with noise $\nu$: directions that augmentations leave alone are
# flattened, those that they shake are shut off. Isotropic noise raises the participation ratio, noise that
# spares a few directions lowers it. Both are one line of arithmetic.

# %%
nu = sp.symbols("nu", positive=True)
weight = sp.symbols("a", real=True)
loss = value * (1 - weight) ** 2 + nu * weight**2  # signal lost and noise let through
assert sp.solve(sp.diff(loss, weight), weight) == [value / (value + nu)]
kept = [sp.Rational(size, size + 1) for size in (16, 4, 1)]
pr = sp.Rational(sum([16, 4, 1]) ** 2, 16**2 + 4**2 + 1), sum(kept) ** 2 / sum(x**2 for x in kept)
assert pr[1] > pr[0]  # noise alike in all directions
spared = [sp.Rational(1, 2), sp.Rational(1, 101), sp.Rational(1, 101)]  # 1 against noise 1, 100, 100
assert sum(spared) ** 2 / sum(x**2 for x in spared) < 3  # three equal eigenvalues had 3

# %% [markdown]
# ## Evidence
#
# Reward functions are those of the coverage chapter: each package's use of the actions, in
# {glue:text}`n_actions` actions.

# %%
import numpy as np

from crlib import data, extractors, metrics

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
rewards, communities = data.usage_rewards(actions)
n_rewards = len(communities)
pairs = extractors.pairs_for(p.model) if n_rewards else ()
paired = [name for pair in pairs for name in pair.models]
controls = [name for name, spec in extractors.models_for(p.model).items() if spec.kind == "control"]
names = dict.fromkeys([*paired, *controls]) if n_rewards else {}

# %%
bases = {
    name: metrics.eigenbasis(extractors.encode(actions.texts, name, ids=actions.ids)) for name in names
}
area = {name: metrics.power_area(basis, rewards) for name, basis in bases.items()}
r2 = {name: metrics.loo_r2(basis, rewards) for name, basis in bases.items()}
for pair in pairs if n_rewards >= 10 else ():
    old, new = pair.models
    run.record("C4.power", pair.name, metrics.paired_bootstrap(area[new], area[old], rng=p.seed))
    run.record("C4.prediction", pair.name, metrics.paired_bootstrap(r2[new], r2[old], rng=p.seed))

# %% tags=["hide-input"]
import pandas as pd

from crlib import figures
from crlib.plots import reward_representation as plots

if n_rewards:
    power = {name: metrics.cumulative_power(basis, rewards) for name, basis in bases.items()}
    families = {name: extractors.spec_of(name).family for name in names}
    frame = plots.power_frame(bases, power, families)
figures.show(
    plots.power(frame, pairs), "cumulative-power", plots.power_alt(frame, pairs), data=frame, run=run
) if n_rewards else "No package's files call 50 of these actions: no reward function, no figure."  # fmt: skip

# %% [markdown]
# Every reward function by itself: the difference in leave-one-out $R^2$ in each matched pair.

# %% tags=["hide-input"]
from crlib.plots import coverage as strips

differences = pd.DataFrame(
    {"pair": pair.name, "community": name, "difference": new - old}
    for pair in pairs
    for name, new, old in zip(communities, r2[pair.contrastive], r2[pair.reconstruction], strict=True)
)
figures.show(
    strips.strips(differences, title="difference in leave-one-out R squared"), "r2-differences",
    strips.strips_alt(differences, what="Difference in leave-one-out R squared"),
    data=differences, run=run,
) if len(differences) else "No reward function or no matched pair: nothing to compare."  # fmt: skip

# %% [markdown]
# **Beside them, not judged.** The plug-in norm and the part of it that is bias, from
# {glue:text}`n_labels:,.0f` labels and from all. Then the share of the reward functions whose norm anisotropy
# raises above the isotropic one of the same energies, and the evidence for each embedding, in nats a label.
# Norms and evidence are medians over the reward functions.

# %% tags=["hide-input"]
few, rows = min(p.n_labels, len(actions)), {}
for name, basis in bases.items():
    whole = metrics.rkhs_norm(basis, rewards)
    part = metrics.rkhs_norm(basis, rewards, n_labels=few, rng=p.seed)
    rows[name] = {
        "area": area[name].mean(), "R2": r2[name].mean(),
        "norm, few": np.median(part.squared_norm), "bias, few": np.median(part.bias),
        "norm, all": np.median(whole.squared_norm), "bias, all": np.median(whole.bias),
        "anisotropy raises": np.mean(metrics.anisotropy_condition(basis, rewards).holds),
        "evidence": np.median(metrics.gp_evidence(basis, rewards).log_evidence),
    }  # fmt: skip

# %% tags=["hide-input"]
numbers = pd.DataFrame(rows).T
norms = [name for name in numbers if name.startswith(("norm", "bias"))]
numbers[norms].map("{:.3g}".format) if rows else "not run: no reward function"

# %% tags=["hide-input"]
numbers.drop(columns=norms).map("{:.3g}".format) if rows else "not run: no reward function"

# %%
known = {name: float(values.mean()) for name, values in r2.items()}
trained = {name: known[name] for name in paired} or {"none": 0.0}
run.number(
    n_actions=len(actions), n_rewards=n_rewards, n_pairs=len(pairs), n_labels=few,
    n_power=sum(e.id == "C4.power" and e.estimate > 0 for e in run.evidence),
    n_prediction=sum(e.id == "C4.prediction" and e.estimate > 0 for e in run.evidence),
    r2_low=min(trained.values()), r2_low_model=min(trained, key=trained.get),
    r2_high=max(trained.values()), r2_high_model=max(trained, key=trained.get),
    r2_gaussian=known.get("gaussian", 0.0), r2_lsa=known.get("lsa", 0.0),
)  # fmt: skip

# %% [markdown]
# ## Reading the figure
#
# In the first figure a curve that rises early says that the reward lies where the embedding varies; its
# height at the right end is all that a linear reader could ever get. The diagonal is a reward spread like
# the variance. Two embeddings can have the same height and different shapes, which is geometry; or the same
# shape and different heights, which is information. The area mixes the two, so read it beside $R^2$.
#
# In the second figure each point is a reward function. Word statistics alone (LSA) reach an $R^2$ of
# {glue:text}`r2_lsa:.3f`; a trained model below that adds nothing for a linear reader.
#
# ## Limits
#
# - "Linear" is the whole of the question here: a reward can be in an embedding and not be linear in it.
# - Standard errors take the actions to be a sample of actions; actions of one package are alike, so they
#   are too small, and the debiased power a little too large, for every model alike.
# - Reward functions overlap: intervals over them are somewhat too narrow.
# - Most actions have reward zero in most functions. Rewards with a long tail keep every $R^2$ low.
# - The twins show a mechanism; they are no evidence about the paper's own encoders.
#
# ## Provenance

# %%
run.finish()
