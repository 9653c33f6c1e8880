"""Geometry of an action embedding, how rewards lie in it, and the statistics of both.

Metrics of an embedding take a (K, d) matrix, one row an action; metrics of regret and scores take
one row a run or a unit. What types are accepted is said in :mod:`crlib.metrics.validate`. The
formulas and their sources are in the functions' own pages.
"""

from crlib.metrics.coverage import coverage, coverage_profile, rank_weights
from crlib.metrics.eigenbasis import Eigenbasis, eigenbasis, standardised_rewards
from crlib.metrics.energy import RewardEnergy
from crlib.metrics.neighbours import nearest_distance
from crlib.metrics.pca import pca_gap, pca_gap_ratio, pca_participation, pr_bounds
from crlib.metrics.predicted import predicted_curve, predicted_regret
from crlib.metrics.regret import (
    ThresholdTimes,
    best_mean_gap,
    linear_share,
    normalised_regret,
    recent_mean,
    rollouts_to_threshold,
)
from crlib.metrics.representation import (
    AnisotropyCondition,
    RkhsNorm,
    anisotropy_condition,
    cumulative_power,
    learnability,
    power_area,
    reward_energy,
    rkhs_norm,
)
from crlib.metrics.reward import reward_coverage, reward_coverage_profile
from crlib.metrics.ridge import Evidence, gp_evidence, loo_r2
from crlib.metrics.scores import (
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
)
from crlib.metrics.spectrum import (
    geometric_pr,
    log_pr_difference,
    participation_ratio,
    participation_ratio_interval,
    participation_without_top,
    power_law_pr,
    spectrum,
)
from crlib.metrics.sphere import (
    sphere_coverage,
    sphere_coverage_asymptotic,
    uniformity_minimum,
)
from crlib.metrics.statistics import (
    Estimate,
    Interval,
    iqm,
    jackknife_interval,
    log_mean_ratio,
    log_relative_to,
    mean_difference,
    paired_bootstrap,
    subsample_interval,
)
from crlib.metrics.transplant import TransplantEffects, spectrum_transplant, transplant_effects
from crlib.metrics.uniformity import (
    alignment,
    mean_cosine,
    uniformity,
    uniformity_bounds,
    uniformity_sampled,
)

__all__ = [
    "AnisotropyCondition",
    "Eigenbasis",
    "Estimate",
    "Evidence",
    "Interval",
    "RewardEnergy",
    "RkhsNorm",
    "ThresholdTimes",
    "TransplantEffects",
    "alignment",
    "anisotropy_condition",
    "best_mean_gap",
    "coverage",
    "coverage_profile",
    "cumulative_power",
    "eigenbasis",
    "geometric_pr",
    "gp_evidence",
    "iqm",
    "jackknife_interval",
    "learnability",
    "linear_share",
    "log_mean_ratio",
    "log_pr_difference",
    "log_relative_to",
    "loo_r2",
    "mean_cosine",
    "mean_difference",
    "nearest_distance",
    "normalised_regret",
    "paired_bootstrap",
    "participation_ratio",
    "participation_ratio_interval",
    "participation_without_top",
    "pca_gap",
    "pca_gap_ratio",
    "pca_participation",
    "performance_profile",
    "power_area",
    "power_law_pr",
    "pr_bounds",
    "predicted_curve",
    "predicted_regret",
    "probability_of_improvement",
    "rank_weights",
    "recent_mean",
    "reward_coverage",
    "reward_coverage_profile",
    "reward_energy",
    "rkhs_norm",
    "rollouts_to_threshold",
    "spectrum",
    "spectrum_transplant",
    "sphere_coverage",
    "sphere_coverage_asymptotic",
    "standardised_rewards",
    "stratified_bootstrap",
    "subsample_interval",
    "transplant_effects",
    "uniformity",
    "uniformity_bounds",
    "uniformity_minimum",
    "uniformity_sampled",
]
