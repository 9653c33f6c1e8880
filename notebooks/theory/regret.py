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
# # Anisotropic embeddings give linear regret, contrastive ones sublinear
#
# ## Claim
#
# This is the heart of the paper: Thompson sampling over a massive action space is said to lose at a
# constant rate for ever on reconstruction embeddings, and at a falling rate on contrastive ones.
#
# Three parts are judged for every matched pair of models, over reward functions counted in real source
# code:
#
# 1. **linear**: the linear share of the regret on the reconstruction model is above a quarter;
# 2. **sublinear**: the linear share on the contrastive model is below a quarter;
# 3. **difference**: the logarithm of normalised regret, contrastive minus reconstruction, is below zero.
#
# ## Verdict
#
# ```{glue} verdict
# ```
#
# After {glue:text}`horizon:,.0f` rounds the contrastive model had lost less in {glue:text}`n_less` of
# {glue:text}`n_pairs` matched pairs. The mean linear share ran from {glue:text}`share_low:.2f`
# ({glue:text}`share_low_model`) to {glue:text}`share_high:.2f` ({glue:text}`share_high_model`) with the
# fixed prior, and from {glue:text}`eb_low:.2f` to {glue:text}`eb_high:.2f` when the agent fits its prior
# to what it sees; noise of the same width has {glue:text}`gaussian_share:.2f`. What makes regret linear is
# taken apart on the [next page](regret_spectra), with the paper's own two effective dimensions and
# everything else held equal. Here an agent that is told the least-squares fit to all rewards before it
# plays loses {glue:text}`told_ratio:.2f` times what the learner loses, on average over the models.
#
# ## Parameters

# %% tags=["parameters"]
profile = "laptop"
model = "all"
limit = 12000
packages = "all"
seed = 0
out_dir = ""
horizon = 10000
slate = 200
n_rewards = 24

# %%
from crlib import claims, settings

p = settings.parameters("theory/regret", globals())
run = claims.Run("theory/regret", p)

# %% [markdown]
# ## Theory
#
# **The agent.** The reward of action $a$ is modelled as $r = \theta\cdot x_a + \varepsilon$, with prior
# $\theta \sim \mathcal N(0, \tau^2 I)$ and noise $\varepsilon \sim \mathcal N(0, \sigma^2)$. Each round it
# draws one $\tilde\theta$ from the posterior and plays the best of $\tilde\theta\cdot x_a$ among the actions
# on offer: one joint draw, so that similar actions are judged alike.
#
# ```{prf:proposition} The posterior, and how it is kept
# :label: posterior
#
# After $\phi$ and $r$ were seen, covariance $\Sigma$ and mean $m$ become
# $\Sigma' = \Sigma - \frac{\Sigma\phi\phi^\top\Sigma}{\sigma^2 + \phi^\top\Sigma\phi}$ and
# $m' = m + \frac{\Sigma\phi}{\sigma^2+\phi^\top\Sigma\phi}(r - \phi^\top m)$. With $\Sigma = LL^\top$,
# $v = L^\top\phi$ and $s = \sigma^2 + v^\top v$, the root
# $L' = L\bigl(I - \frac{vv^\top}{s + \sigma\sqrt s}\bigr)$ satisfies $L'L'^\top = \Sigma'$ (Potter).
# ```
#
# SymPy checks all of it in two dimensions, with the determinant lemma
# $\det(A + uu^\top) = \det A\,(1 + u^\top A^{-1}u)$ that the information gain rests on, and Sylvester's
# identity, by which the gain can be counted in actions or in dimensions.

# %%
import sympy as sp

a, b, c, x, y, m1, m2, r = sp.symbols("a b c x y m1 m2 r", real=True)
noise = sp.symbols("sigma", positive=True)
L, phi, m = sp.Matrix([[a, 0], [b, c]]), sp.Matrix([x, y]), sp.Matrix([m1, m2])
S = L * L.T
s = noise**2 + (phi.T * S * phi)[0]
updated = S - S * phi * phi.T * S / s
assert sp.simplify((S.inv() + phi * phi.T / noise**2) * updated - sp.eye(2)) == sp.zeros(2)

# %%
stated = m + S * phi / s * (r - (phi.T * m)[0])
normal = updated * (S.inv() * m + phi * r / noise**2)
assert sp.simplify(stated - normal) == sp.zeros(2, 1)
v, q = L.T * phi, sp.symbols("q", positive=True)
# q stands for sqrt(s): q^2 = sigma^2 + v'v is put in at the end
root = L * (sp.eye(2) - v * v.T / (q**2 + noise * q))
gap = sp.expand(sp.together((root * root.T - S + S * phi * phi.T * S / q**2) * (q * (q + noise)) ** 2))
assert all(sp.rem(sp.expand(e), q**2 - noise**2 - (v.T * v)[0], q) == 0 for e in gap)

# %%
A, u = sp.Matrix([[a, b], [b, c]]), sp.Matrix([x, y])
assert sp.simplify((A + u * u.T).det() - A.det() * (1 + (u.T * A.inv() * u)[0])) == 0
B, C = sp.Matrix(2, 3, sp.symbols("b1:7")), sp.Matrix(3, 2, sp.symbols("c1:7"))
assert sp.expand((sp.eye(2) + B * C).det() - (sp.eye(3) + C * B).det()) == 0

# %% [markdown]
# **What theory promises.** For rewards of RKHS norm $B$, regret is
# $O\bigl(\sqrt T\,(B\sqrt{\gamma_T} + \gamma_T)\bigr)$ {cite:p}`chowdhury2017kernelized`, where
# $\gamma_T \le \frac12\sum_i\log(1 + T\lambda_i/\sigma^2)$ is the information there is to gain. Each round's
# uncertainty is paid for by information, $\min(1, z) \le 2\log(1+z)$, which is the elliptical-potential
# step. Now look at $\gamma_T$ for a fixed total variance: the sum of logarithms is *largest when all
# eigenvalues are equal*. The bound is worse for a uniform embedding. A higher effective dimension can only
# help through $B$, that is, through where the reward lies, or by representing what the other cannot.

# %%
z, gain = sp.symbols("z g", positive=True)
first, second = sp.symbols("l1 l2", nonnegative=True)
equal = (1 + gain * (first + second) / 2) ** 2
assert sp.factor(equal - (1 + gain * first) * (1 + gain * second)) == gain**2 * (first - second) ** 2 / 4
# 2 log(1 + z) - z is zero at 0, concave, and above zero at 1; beyond 1 the left side stands still
assert sp.diff(2 * sp.log(1 + z) - z, z, 2) == -2 / (z + 1) ** 2
assert 2 * sp.log(2) - 1 > 0

# %% [markdown]
# That these bounds hold at all is a theorem with a proof of many pages, which SymPy does not touch; and a
# bound on regret is not regret. So it is measured.
#
# **How linear growth is told.** The exponent of $R_t$ cannot tell it at $T = 10^4$. Cumulative regret is
# fitted by non-negative least squares on $1, \log t, \sqrt t, t$, and the *linear share* is the part of the
# fitted $R_T$ that the last term holds. A constant loss has share one; $\sqrt t$ has none.

# %%
import numpy as np

from crlib import metrics

rounds = np.arange(1, p.horizon + 1)
assert metrics.linear_share(0.3 * rounds) > 0.999
assert metrics.linear_share(5 * np.sqrt(rounds)) < 0.001
half = metrics.linear_share(rounds / p.horizon + np.sqrt(rounds / p.horizon))
assert abs(half - 0.5) < 0.001

# %% [markdown]
# ## Evidence
#
# **The problem.** Reward functions are those of the coverage chapter, each package's use of the actions;
# {glue:text}`n_used` of the {glue:text}`n_found` are drawn at random, brought to variance 1, and seen with
# noise as large. Each round offers {glue:text}`slate` fresh random actions of {glue:text}`n_actions:,.0f`.
# Embeddings are centred and scaled to trace 1, so that the prior variance of 1 means the same for each.
# Slates and noise are the same for all models and arms, which pairs their regrets.

# %%
from crlib import data, extractors

actions = data.load("python-api", limit=p.limit, seed=p.seed, packages=p.package_list)
all_rewards, communities = data.usage_rewards(actions)
rewards = data.some_rewards(all_rewards, p.n_rewards, seed=p.seed)
n_used, slate = rewards.shape[1], min(p.slate, len(actions))

# %%
pairs = extractors.pairs_for(p.model) if n_used else ()
paired = [name for pair in pairs for name in pair.models]
families = {name: extractors.spec_of(name).family for name in (*paired, "gaussian")}
names = list(families) if n_used else []
vectors = {name: extractors.encode(actions.texts, name, ids=actions.ids) for name in names}

# %% [markdown]
# **Three arms.** *Raw*: the embedding as it is, the prior fixed at 1. *Whitened*: every direction of the
# same variance. *eb*: raw, but the prior's variance is fitted to the evidence at rounds 16, 32, 64 and so
# on (empirical Bayes). The first is judged; the others ask whether the embedding or the prior is to blame.

# %%
from crlib.envs.arms import ARMS, regret_of, told_regret_of

options = {"horizon": p.horizon, "slate": slate, "seed": p.seed}
curves = {
    (name, arm): regret_of(vectors[name], rewards, arm, **options)
    for name in names
    for arm in (ARMS if name != "gaussian" else ("raw",))
}
told = {name: told_regret_of(vectors[name], rewards, **options)[:, -1] for name in names}

# %%
gap = metrics.best_mean_gap(metrics.standardised_rewards(rewards, len(actions)), slate) if n_used else 1.0
shares = {key: metrics.linear_share(curve) for key, curve in curves.items()}
normalised = {key: metrics.normalised_regret(curve, gap) for key, curve in curves.items()}
zeros = np.zeros(n_used)
for pair in pairs if n_used >= 10 else ():
    old, new = ((name, "raw") for name in pair.models)
    run.record("C5.linear", pair.name, metrics.paired_bootstrap(shares[old], zeros, rng=p.seed))
    run.record("C5.sublinear", pair.name, metrics.paired_bootstrap(shares[new], zeros, rng=p.seed))
    log_old, log_new = np.log(normalised[old]), np.log(normalised[new])
    run.record("C5.difference", pair.name, metrics.paired_bootstrap(log_new, log_old, rng=p.seed))

# %% [markdown]
# The predicted curve $\hat R_t$ stands beside the measured one: it follows from the eigenvalues and the
# reward's energy along them, with no bandit run (chapter N1 explains and uses it).

# %%
from crlib.plots import regret as plots

points = plots.checkpoints(p.horizon)
predicted = {name: metrics.predicted_curve(vectors[name], rewards, points, slate) for name in paired}

# %% tags=["hide-input"]
from crlib import figures

if n_used:
    frame = plots.curve_frame(curves, families, predicted)
figures.show(
    plots.curves(frame, pairs), "regret", plots.curves_alt(frame, pairs), data=frame, run=run
) if n_used else "No package's files call 50 of these actions: no reward function, no figure."  # fmt: skip

# %% tags=["hide-input"]
import pandas as pd

table = pd.DataFrame([
    {"model": name, "family": families[name], "arm": arm, "share": values.mean(),
     **dict(zip(("low", "high"), np.quantile(values, [0.1, 0.9]), strict=True)),
     "normalised regret": normalised[name, arm].mean()}
    for (name, arm), values in shares.items()
])  # fmt: skip
figures.show(
    plots.marks(table, value="share", row="model", title="linear share (bars: middle 80%)", line=0.25),
    "linear-share", plots.marks_alt(table, value="share", row="model", what="Mean linear share"),
    data=table, run=run,
) if n_used else "Nothing to draw."  # fmt: skip

# %% [markdown]
# Normalised regret, 0 for an oracle and 1 for choosing at random, mean over the reward functions. The
# agent of the last column is *told*, before the first round, the least-squares fit of the embedding to all
# rewards; it explores nothing and learns nothing. Where it loses as much as the learners do, their loss is
# not the price of exploring or of a wrong prior: read linearly, the embedding does not hold the reward. It
# is no lower bound, as a learner fits best where it plays most, which is where rewards are high.

# %% tags=["hide-input"]
wide = table.pivot(index="model", columns="arm", values="normalised regret") if n_used else table
wide = wide.loc[names, [arm for arm in ARMS if arm in wide]] if n_used else wide
losses = {name: np.mean(value / gap / p.horizon) for name, value in told.items()}
wide["told"] = pd.Series(losses, dtype=float)
wide.rename_axis(None).rename_axis(None, axis=1).map("{:.3f}".format).replace("nan", "–")

# %% [markdown]
# **A second protocol, not judged.** All actions are on offer in every round, for the first
# {glue:text}`fixed_horizon:,.0f` rounds: one best action has to be found among {glue:text}`n_actions:,.0f`.
# The contrastive model lost less in {glue:text}`n_less_fixed` of {glue:text}`n_pairs` pairs. Whether an agent
# meets that one action is luck to a good part, hence the wide intervals.

# %%
fixed_horizon = max(50, p.horizon // 5)
fixed = {
    name: regret_of(vectors[name], rewards, "raw", horizon=fixed_horizon, slate=None, seed=p.seed)[:, -1]
    for name in paired
}

# %% tags=["hide-input"]
rows = []
for pair in pairs if n_used >= 2 else ():
    old, new = (np.log(fixed[name]) for name in pair.models)
    rows.append({"pair": pair.name, **vars(metrics.paired_bootstrap(new, old, rng=p.seed))})
run.number(n_less_fixed=sum(row["estimate"] < 0 for row in rows), fixed_horizon=fixed_horizon)
pd.DataFrame(rows).set_index("pair").rename_axis(None).round(3) if rows else "not run: one function"

# %%
means = {key: float(values.mean()) for key, values in shares.items() if key[0] != "gaussian"}
raw = {name: value for (name, arm), value in means.items() if arm == "raw"} or {"none": 0.0}
fitted = [value for (_, arm), value in means.items() if arm == "eb"] or [0.0]
run.number(
    horizon=p.horizon, slate=slate, n_actions=len(actions), n_used=n_used, n_found=len(communities),
    n_pairs=len(pairs), n_less=sum(e.id == "C5.difference" and e.estimate < 0 for e in run.evidence),
    share_low=min(raw.values()), share_low_model=min(raw, key=raw.get),
    share_high=max(raw.values()), share_high_model=max(raw, key=raw.get),
    eb_low=min(fitted), eb_high=max(fitted),
    gaussian_share=float(np.mean(shares.get(("gaussian", "raw"), 0.0))),
)  # fmt: skip

# %%
told_ratios = [np.mean(told[name] / curves[name, "raw"][:, -1]) for name in paired]
run.number(told_ratio=float(np.mean(told_ratios)) if paired else 1.0)
ratios = [predicted[name][-1].mean() / curves[name, "raw"][:, -1].mean() for name in paired]
run.number(predicted_ratio=float(np.mean(ratios)) if ratios else 1.0)

# %% [markdown]
# ## Reading the figure
#
# In the first figure a flat line is linear regret, and a line that falls by half while $t$ grows fourfold
# is $\sqrt t$. Bands are about the mean over reward functions. The dotted line is the prediction from
# geometry and reward energy together; at the last round it is {glue:text}`predicted_ratio:.2f` times the
# measured regret on average. It takes actions as if drawn at random and scores as if Gaussian; an agent
# that returns to what pays, on rewards with a long tail, does better.
#
# The second figure has a mark for each arm: filled circle raw, square whitened, diamond empirical Bayes.
# Right of the dotted line regret is called linear. If a mark is far right under the fixed prior and comes
# back under empirical Bayes, the prior was to blame and not the embedding. If it stays, the embedding does
# not hold what the reward depends on: a reward outside the span of the features is lost at a constant rate
# by every linear agent. The Gaussian control, whose share is {glue:text}`gaussian_share:.2f`, is that case
# made pure.
#
# ## Limits
#
# - A linear share is a statement about the first {glue:text}`horizon:,.0f` rounds. A curve that is still
#   learning slowly can be called linear here and bend later; a simulation cannot give the asymptote.
# - The reward functions overlap, since communities share conventions: intervals over them are somewhat
#   too narrow. The slates are one sequence, the same for all; it is held fixed.
# - A reward that is partly outside the features costs a constant rate at every spectrum
#   {cite:p}`lattimore2020learning,du2020good`. The linear share finds it and cannot say whose fault it is.
# - Noise and prior follow a convention, the same for all models. With far less noise every share falls.
# - From round 200 on the posterior is updated in blocks of at most a hundredth of the rounds played, 32 at
#   most. In the tests, blocks and single rounds give the same posterior; the draws see it a little late.
# - The twins show a mechanism; they are no evidence about the paper's own encoders.
#
# ## Provenance

# %%
run.finish()
