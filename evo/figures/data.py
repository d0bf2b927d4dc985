"""What the charts are drawn from: recorded numbers, nothing else."""

from dataclasses import dataclass

from evo.evaluation.estimate import Estimate

__all__ = ["GenerationPoint"]


@dataclass(frozen=True, slots=True)
class GenerationPoint:
    """One generation as it was recorded. Solve rates are shares of problems, 0..1.

    generation: from 0. best: the best genome's pooled estimate. mean: the population's mean.
    single_best: what one evaluation (one replicate of each problem) would have called the best; NaN if unknown.
    species: how many there were.
    """

    generation: int
    best: Estimate
    mean: Estimate
    single_best: float
    species: int
