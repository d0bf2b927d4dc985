"""A fitness is an estimate: a mean with its error."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from evo.evaluation.cell import Cell

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean solve rate (0..1) with its standard error.

    replicates: mean number of measured replicates per problem. problems: how many problems have evidence.
    missing: cells that the infrastructure lost.
    """

    mean: float
    stderr: float
    replicates: float
    problems: int
    missing: int = 0

    def __str__(self) -> str:
        return f"{100 * self.mean:.1f} % ± {100 * self.stderr:.1f}"

    def lower(self, errors: float = 1.0) -> float:
        """The mean less so many standard errors, not below 0."""
        return max(0.0, self.mean - errors * self.stderr)


def estimate(cells: Iterable[Cell]) -> Estimate | None:
    """Pool the cells of one plan; None if none of them was measured.

    Every problem weighs the same however often it was measured. Problems are clusters: replicates of one problem
    share its difficulty, so the standard error is that of the problems' means (the cluster-robust error for clusters
    of unequal size, Cochran, Sampling Techniques, 1977, ch. 9). With few trials, or all of them alike, that error can
    be zero by accident, so it is held to at least the binomial error at the Agresti-Coull centre (s + 2) / (n + 4)
    over all trials.
    """
    trials: dict[str, list[bool]] = {}
    missing = 0
    for cell in cells:
        if cell.solved is None:
            missing += 1
        else:
            trials.setdefault(cell.problem, []).append(cell.solved)
    if not trials:
        return None
    counts = np.array([len(outcomes) for outcomes in trials.values()])
    passes = np.array([sum(outcomes) for outcomes in trials.values()])
    rates = passes / counts
    total = int(counts.sum())
    centre = (int(passes.sum()) + 2) / (total + 4)
    floor = math.sqrt(centre * (1 - centre) / total)
    between = float(rates.std(ddof=1)) / math.sqrt(len(rates)) if len(rates) > 1 else 0.0
    return Estimate(
        mean=float(rates.mean()),
        stderr=max(between, floor),
        replicates=total / len(rates),
        problems=len(rates),
        missing=missing,
    )
