"""What the theory chapters take, and those that go on from them."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from crlib.schemas.common import Geometry, Parameters


class EffectiveDimension(Geometry):
    """C1a. `ns`: sample sizes at which the naive and the unbiased estimate are compared."""

    ns: list[Annotated[int, Field(ge=8)]] = Field(
        default=[50, 100, 200, 400, 800, 1600, 3200], min_length=2
    )


class PcaStandardisation(Geometry):
    """C1b. `ms`: numbers of kept dimensions; `m`: the one that is judged."""

    ms: list[Annotated[int, Field(ge=2)]] = Field(default=[4, 8, 16, 32, 64, 96, 128], min_length=2)
    m: int = Field(default=64, ge=2)


class AlignmentUniformity(Geometry):
    """C2. `t`: temperature of the uniformity; `ts`: the slider's temperatures."""

    t: float = Field(default=2.0, gt=0, le=20)
    ts: list[Annotated[float, Field(gt=0, le=20)]] = Field(
        default=[0.5, 1.0, 2.0, 4.0], min_length=1
    )


class Coverage(Geometry):
    """C3. `k`: size of the random subset that is judged; `ks`: the figure's sizes."""

    k: int = Field(default=1000, ge=2, validate_default=True)
    ks: list[Annotated[int, Field(ge=1)]] = Field(
        default=[1, 3, 10, 30, 100, 300, 1000, 3000, 10000], min_length=2
    )

    @field_validator("k")
    @classmethod
    def _leaves_some_uncovered(cls, value: int, info: ValidationInfo) -> int:
        limit = info.data.get("limit")
        if limit is not None and value >= limit:
            raise ValueError(f"expected less than limit = {limit}; lower k or raise limit")
        return value


class RewardRepresentation(Geometry):
    """C4. `n_labels`: labels from which the norm is shown a second time."""

    n_labels: int = Field(default=3000, ge=3)


class Regret(Geometry):
    """C5. Rounds, actions on offer, and number of reward functions."""

    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)


class RegretSpectra(Parameters):
    """Regret on spectra made to order: their participation ratios, width, and reward draws."""

    horizon: int = Field(default=10_000, ge=50)
    slate: int = Field(default=200, ge=2)
    prs: list[Annotated[float, Field(gt=1)]] = Field(default=[50, 200], min_length=2)
    width: int = Field(default=256, ge=8)
    draws: int = Field(default=20, ge=2)

    @field_validator("width")
    @classmethod
    def _holds_the_ratios(cls, value: int, info: ValidationInfo) -> int:
        largest = max(info.data.get("prs", [0]))
        if value < largest:
            raise ValueError(f"expected at least {largest:g}, the largest of prs; raise width")
        return value


class GeometryOrInformation(Geometry):
    """N2. Rounds, actions on offer, and number of reward functions."""

    horizon: int = Field(default=5_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)


class FewLabels(Geometry):
    """N1. Labels a task, rounds, actions on offer, number of tasks; `k`: size of the subset."""

    n_labels: int = Field(default=300, ge=10)
    horizon: int = Field(default=2_000, ge=50)
    slate: int = Field(default=200, ge=2)
    n_rewards: int = Field(default=24, ge=1)
    k: int = Field(default=1000, ge=2)


class Scale(Parameters):
    """The chapter on cost. `ks`: numbers of actions; `width`: d; rounds that are played at each."""

    ks: list[Annotated[int, Field(ge=100)]] = Field(
        default=[1_000, 10_000, 100_000, 1_000_000], min_length=2
    )
    width: int = Field(default=64, ge=2)
    rounds: int = Field(default=300, ge=10)
    replications: int = Field(default=4, ge=2)
