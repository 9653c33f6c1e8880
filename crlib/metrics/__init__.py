"""Geometry of an action embedding and its statistics.

Every function takes a (K, d) matrix, one row an action; what types are accepted is said in
:mod:`crlib.metrics.validate`. The formulas and their sources are in the functions' own pages.
"""

from crlib.metrics.coverage import coverage, coverage_profile, rank_weights
from crlib.metrics.neighbours import nearest_distance
from crlib.metrics.pca import pca_gap, pca_gap_ratio, pca_participation, pr_bounds
from crlib.metrics.reward import reward_coverage, reward_coverage_profile
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
from crlib.metrics.uniformity import (
    alignment,
    mean_cosine,
    uniformity,
    uniformity_bounds,
    uniformity_sampled,
)

__all__ = [
    "Estimate",
    "Interval",
    "alignment",
    "coverage",
    "coverage_profile",
    "geometric_pr",
    "iqm",
    "jackknife_interval",
    "log_mean_ratio",
    "log_pr_difference",
    "log_relative_to",
    "mean_cosine",
    "mean_difference",
    "nearest_distance",
    "paired_bootstrap",
    "participation_ratio",
    "participation_ratio_interval",
    "participation_without_top",
    "pca_gap",
    "pca_gap_ratio",
    "pca_participation",
    "power_law_pr",
    "pr_bounds",
    "rank_weights",
    "reward_coverage",
    "reward_coverage_profile",
    "spectrum",
    "sphere_coverage",
    "sphere_coverage_asymptotic",
    "subsample_interval",
    "uniformity",
    "uniformity_bounds",
    "uniformity_minimum",
    "uniformity_sampled",
]
