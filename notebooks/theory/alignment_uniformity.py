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
# # Contrastive embeddings are better aligned and more uniform
#
# ## Claim
#
# Contrastive training pulls what belongs together into one place (*alignment*) and pushes all else
# apart (*uniformity*) {cite:p}`wang2020understanding`. So the paper leads one to expect that related
# actions lie closer together in a contrastive embedding than in a reconstruction embedding, and that
# the actions as a whole spread more evenly over the sphere.
#
# Two parts are judged for every matched pair of models, each as a difference, contrastive minus
# reconstruction: the alignment loss over pairs of actions that their own documentation calls related
# (See Also), and the uniformity loss over all pairs of actions. Each loss is better when smaller. A
# part is supported when the whole interval lies below zero.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# The alignment loss was smaller for the contrastive model in {glue:text}`n_aligned` of
# {glue:text}`n_pairs` matched pairs, the uniformity loss in {glue:text}`n_uniform`. The two halves of
# the claim are separate facts: a model can have either without the other, and neither says that it
# knows which actions are related, which the second figure looks at.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
t = 2.0
ts = [0.5, 1.0, 2.0, 4.0]

# %%
from crlib import claims, settings

p = settings.parameters("theory/alignment_uniformity", globals())
run = claims.Run("theory/alignment_uniformity", p)

# %% [markdown]
# ## Theory
#
# All embeddings here are unit vectors. For a pair of related actions $(x, x^+)$ and for two
# independent actions $x, y$, Wang and Isola define
#
# $$
# L_\text{align} = \mathbb E\,\lVert x - x^+\rVert^2, \qquad
# L_\text{unif}(t) = \log \mathbb E\, e^{-t\lVert x - y\rVert^2} .
# $$
#
# Write $c = x\cdot y$, $s = 2t$, $m_i = \mathbb E\,c^i$. As $\lVert x - y\rVert^2 = 2 - 2c$,
#
# $$
# L_\text{unif} + s = \log \mathbb E\, e^{sc},
# $$
#
# the cumulant generating function of the cosine of a random pair. Its first moment is
# $m_1 = \lVert\mathbb E\,x\rVert^2$, how far the actions' mean is from the centre of the sphere. Its
# second is $m_2 = 1/\mathrm{PR}_\text{unc}$, one over the effective dimension of the *uncentred*
# embedding. So to second order uniformity is a mean cosine and an effective dimension:
#
# $$
# L_\text{unif} = -2t\,(1 - m_1) + 2t^2\,(m_2 - m_1^2)
#   + \tfrac43 t^3\,(m_3 - 3 m_1 m_2 + 2 m_1^3) + O(t^4).
# $$

# %%
import sympy as sp

tau, c, m1, m2, m3 = sp.symbols("t c m1 m2 m3", real=True)
kernel = sp.series(sp.exp(2 * tau * c), tau, 0, 4).removeO().expand()
mean_kernel = sum(kernel.coeff(c, i) * moment for i, moment in enumerate((1, m1, m2, m3)))
series = sp.series(-2 * tau + sp.log(mean_kernel), tau, 0, 4).removeO()
stated = -2 * tau * (1 - m1) + 2 * tau**2 * (m2 - m1**2)
stated += sp.Rational(4, 3) * tau**3 * (m3 - 3 * m1 * m2 + 2 * m1**3)
assert sp.expand(series - stated) == 0

# %% [markdown]
# An expansion in $t$ is no bound at $t = 2$. The following is one, for every $t$.
#
# ```{prf:proposition} Uniformity between two functions of the effective dimension
# :label: uniformity-bounds
#
# For unit vectors and $s = 2t$,
#
# $$
# \log\Bigl[1 + s\,m_1 + \frac{e^{-s} - 1 + s}{\mathrm{PR}_\text{unc}}\Bigr]
# \;\le\; L_\text{unif} + s \;\le\;
# \log\Bigl[1 + s\,m_1 + \frac{e^{s} - 1 - s}{\mathrm{PR}_\text{unc}}\Bigr],
# \qquad L_\text{unif} + s \ge s\,m_1 .
# $$
# ```
#
# ```{prf:proof}
# Taylor's formula with the remainder as an integral is $e^z = 1 + z + z^2\varphi(z)$ with
# $\varphi(z) = \int_0^1 (1-v)\,e^{vz}\,dv = (e^z - 1 - z)/z^2$. The integrand grows with $z$, hence
# $\varphi$ does, and for $-1 \le c \le 1$ we have $\varphi(-s) \le \varphi(sc) \le \varphi(s)$. Put
# $z = sc$, take the mean over pairs, and use $s^2\varphi(\pm s) = e^{\pm s} - 1 \mp s$. The last
# inequality is Jensen's.
# ```
#
# SymPy establishes the integral form; that $\varphi$ increases and the step to the mean are the
# argument above, not the computer's.

# %%
z = sp.symbols("z", real=True, nonzero=True)
v, s = sp.symbols("v s", positive=True)
phi = (sp.exp(z) - 1 - z) / z**2
integral = sp.integrate((1 - v) * sp.exp(v * z), (v, 0, 1))
assert sp.simplify(integral - phi) == 0
assert sp.simplify(s**2 * phi.subs(z, s) - (sp.exp(s) - 1 - s)) == 0
assert sp.simplify(s**2 * phi.subs(z, -s) - (sp.exp(-s) - 1 + s)) == 0

# %% [markdown]
# **How low can it go?** Among all distributions on the sphere the uniform one has the least
# $L_\text{unif}$ {cite:p}`wang2020understanding`. There the odd moments of the cosine vanish, the even
# ones are $\mathbb E\,c^{2n} = (\tfrac12)_n / (\tfrac d2)_n$, and their series is a hypergeometric
# function:
#
# $$
# \min L_\text{unif} = -2t + \log {}_0F_1\bigl(;\tfrac d2;\,t^2\bigr).
# $$
#
# The assertions compare the series term by term for any $d$, and the moments with their integrals for
# three values of $d$. That the uniform distribution is the minimiser is their theorem, not checked here.

# %%
d = sp.symbols("d", positive=True)
for n in range(7):
    moment = sp.rf(sp.Rational(1, 2), n) / sp.rf(d / 2, n)
    term = (2 * tau) ** (2 * n) / sp.factorial(2 * n) * moment
    assert sp.simplify(term - tau ** (2 * n) / (sp.factorial(n) * sp.rf(d / 2, n))) == 0
    for width in (3, 5, 9):
        density = (1 - c**2) ** ((width - 3) // 2)
        area = sp.integrate(density, (c, -1, 1))
        assert sp.integrate(c ** (2 * n) * density, (c, -1, 1)) / area == moment.subs(d, width)

# %% [markdown]
# **A high effective dimension does not make an embedding uniform.** Put all actions into $m$ tight
# clusters at right angles. Centred, this has effective dimension $m - 1$, the most that $m$ points can
# have, yet one pair in $m$ lies at distance zero:
# $L_\text{unif} = \log\bigl[\tfrac1m + (1 - \tfrac1m)e^{-2t}\bigr]$. With
# {glue:text}`n_clusters` slightly blurred clusters in as many dimensions the effective dimension is
# {glue:text}`cluster_pr:.1f` and $L_\text{unif}$ = {glue:text}`cluster_uniformity:.2f`, where the sphere's
# minimum is {glue:text}`cluster_minimum:.2f`.

# %%
for m in range(2, 6):
    covariance = sp.eye(m) / m - sp.ones(m, m) / m**2
    assert covariance.trace() ** 2 / (covariance**2).trace() == m - 1

# %%
import numpy as np

from crlib import metrics

n_clusters = 128
blurred = np.repeat(np.eye(n_clusters), 32, axis=0)
blurred += 0.02 * np.random.default_rng(p.seed).standard_normal(blurred.shape)
blurred /= np.linalg.norm(blurred, axis=1, keepdims=True)
run.number(
    n_clusters=n_clusters,
    cluster_pr=metrics.participation_ratio(blurred, unbiased=False),
    cluster_uniformity=metrics.uniformity(blurred, p.t),
    cluster_minimum=metrics.uniformity_minimum(n_clusters, p.t),
)

# %% [markdown]
# ## Evidence
#
# The actions, their documented relations, and the vectors of every model and control.

# %%
from crlib import data, extractors

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
related = actions.feedback.related
pairs = extractors.pairs_for(p.model)
models = extractors.models_for(p.model)

# %%
vectors = {name: extractors.encode(actions.texts, name, ids=actions.ids) for name in models}
run.number(n_actions=len(actions.ids), n_related=len(related), n_models=len(models))

# %% [markdown]
# **Alignment.** The positive pairs are the {glue:text}`n_related` pairs among these
# {glue:text}`n_actions` actions that a *See Also* section joins. No model was trained on them, and the
# sections are no part of the embedded text. Both models of a matched pair are measured on the same
# pairs of actions; the interval is a paired bootstrap over them. With fewer than ten related pairs the
# part is not judged.

# %%
gaps = {
    name: np.sum((X[related[:, 0]] - X[related[:, 1]]) ** 2, axis=1) for name, X in vectors.items()
}
for pair in pairs if len(related) >= 10 else ():
    difference = metrics.paired_bootstrap(
        gaps[pair.contrastive], gaps[pair.reconstruction], rng=p.seed
    )
    run.record("C2.alignment", pair.name, difference)

# %% [markdown]
# **Uniformity** is computed from all pairs of actions, none left out. Pairs that share an action are
# dependent, so the unit is the action, and each is left out in turn: the jackknife, whose variance errs
# to the large side if at all (Efron and Stein). It needs no second pass, as the sum of the kernel without
# action $i$ is the whole sum less twice the action's own share. A bootstrap would not serve: it repeats
# actions, and a repeated action is a pair at distance zero, to which this loss gives the most weight.

# %%
from crlib.metrics.comparisons import uniformity_difference
from crlib.metrics.rows import kernel_profile

temperatures = sorted({p.t, *p.ts})
kernels = {name: kernel_profile(X, temperatures) for name, X in vectors.items()}
judged = temperatures.index(p.t)
for pair in pairs:
    difference = uniformity_difference(
        kernels[pair.contrastive][judged], kernels[pair.reconstruction][judged]
    )
    run.record("C2.uniformity", pair.name, difference)

# %% [markdown]
# **The bounds of {prf:ref}`uniformity-bounds`** hold for every model's real vectors at every
# temperature; the assertion stops the page if one does not.

# %%
bounds = {name: metrics.uniformity_bounds(X, p.t) for name, X in vectors.items()}
for name, X in vectors.items():
    for value, kernel in zip(temperatures, kernels[name], strict=True):
        low, high = metrics.uniformity_bounds(X, value)
        assert low - 1e-4 <= np.log(kernel.mean()) <= high + 1e-4, name

# %% [markdown]
# **Relevance, beside geometry.** Does an embedding know which actions belong together? For each of the
# related pairs, from either side: is the other action among the ten nearest of all? This recall is
# context and judged nowhere on this page.

# %%
import pandas as pd

from crlib.metrics.retrieval import recall_at

recall = {name: recall_at(X, related) if len(related) else 0.0 for name, X in vectors.items()}
alignment = {name: gap.mean() if len(related) else 0.0 for name, gap in gaps.items()}
frame = pd.DataFrame(
    {"model": name, "family": spec.family, "t": value, "alignment": alignment[name],
     "uniformity": np.log(kernels[name][i].mean()), "recall": recall[name]}
    for name, spec in models.items()
    for i, value in enumerate(temperatures)
)  # fmt: skip

# %% tags=["hide-input"]
from crlib import figures
from crlib.plots import alignment_uniformity as plots

widths = sorted({X.shape[1] for X in vectors.values()})
figures.show(
    plots.plane(frame, pairs, widths, p.t), "plane", plots.plane_alt(frame, pairs, p.t),
    data=frame, run=run,
)  # fmt: skip

# %% tags=["hide-input"]
figures.show(
    plots.relevance(frame, p.t), "relevance", plots.relevance_alt(frame, p.t),
    data=frame[frame["t"] == p.t], run=run,
)  # fmt: skip

# %% [markdown]
# All models at the judged temperature, with the two bounds on the uniformity loss.

# %% tags=["hide-input"]
table = frame[frame["t"] == p.t].set_index("model")[["family", "alignment", "uniformity", "recall"]]
table["lower bound"] = [bounds[name][0] for name in table.index]
table["upper bound"] = [bounds[name][1] for name in table.index]
table["mean cosine"] = [metrics.mean_cosine(vectors[name]) for name in table.index]
table.round(3)

# %%
found = run.evidence
run.number(
    n_pairs=len(pairs),
    n_aligned=sum(e.id == "C2.alignment" and e.estimate < 0 for e in found),
    n_uniform=sum(e.id == "C2.uniformity" and e.estimate < 0 for e in found),
    gaussian_uniformity=np.log(kernels["gaussian"][judged].mean()),
    gaussian_minimum=metrics.uniformity_minimum(vectors["gaussian"].shape[1], p.t),
    gaussian_recall=recall["gaussian"],
    chance_recall=10 / (len(actions.ids) - 1),
)

# %% [markdown]
# **Sensitivity, not judged.** Related pairs of one package are alike, so the interval above may be too
# narrow. Resampling whole packages instead asks what other packages would have given. Beside it: the
# same two differences for the other seeds of the first matched pair (all models only), over actions and
# related pairs as above.

# %% tags=["hide-input"]
from crlib.metrics.comparisons import group_totals, pooled_mean_difference

package = np.asarray(actions.groups)[related[:, 0]]
totals = {name: group_totals(gap, package) for name, gap in gaps.items()}
clustered = [
    metrics.paired_bootstrap(
        totals[pair.contrastive], totals[pair.reconstruction], pooled_mean_difference, rng=p.seed
    )
    for pair in pairs
    if len(set(package)) >= 10
]

# %% tags=["hide-input"]
rows = [
    {"pair": pair.name, "difference": "L_align, by package", **vars(interval)}
    for pair, interval in zip(pairs, clustered, strict=False)
]
for pair in extractors.SEED_PAIRS if p.model == "all" else ():
    new, old = pair.contrastive, pair.reconstruction
    part = uniformity_difference(kernels[new][judged], kernels[old][judged])
    rows.append({"pair": pair.name, "difference": "L_unif", **vars(part)})
    if len(related) >= 10:
        part = metrics.paired_bootstrap(gaps[new], gaps[old], rng=p.seed)
        rows.append({"pair": pair.name, "difference": "L_align", **vars(part)})
pd.DataFrame(rows).set_index("pair").rename_axis(None).round(3) if rows else "not run: one pair"

# %% [markdown]
# ## Reading the figure
#
# Down is better aligned, left is more uniform; the claim says that every thin line, from its round end
# (reconstruction) to its diamond (contrastive), runs down *and* left. The vertical lines are the
# sphere's minimum for each width of embedding: no large set of actions can lie left of its own line.
# Move the slider: a large $t$ looks at near neighbours only, a small one at the mean of all distances.
#
# Neither loss means much alone. An embedding that collapses to a point is perfectly aligned and not
# uniform at all (lower right). Noise is as uniform as can be, and related actions lie as far apart as
# any two (upper left). The Gaussian control shows the latter: its uniformity loss is
# {glue:text}`gaussian_uniformity:.3f` at a minimum of {glue:text}`gaussian_minimum:.3f`, and its recall of
# related actions {glue:text}`gaussian_recall:.4f`, where chance gives {glue:text}`chance_recall:.4f`.
# A loss in alignment that goes with a gain in uniformity is therefore no surprise: all distances grew.
# The second figure asks the question that survives: nearer *than the others*?
#
# ## Limits
#
# - The models are small twins that share text, architecture and start. They show what the objectives
#   do here; they are no evidence about BERT, LLaMA or the paper's other encoders.
# - See Also is what authors of documentation found worth joining, mostly within one package. It is a
#   sample of relatedness, not all of it.
# - Intervals over related pairs take pairs to be independent; they share actions and packages. The
#   sensitivity above resamples packages. Intervals over actions are conditional on these models: one
#   training run each, but for the first matched pair with its other seeds.
# - The random start and LSA tell what comes without training; a trained model is to be read against
#   them, not against zero.
#
# ## Provenance

# %%
run.finish()
