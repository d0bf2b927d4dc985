"""A fitness is an estimate: a mean with its error."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when they are used, and scipy.special in a third of the time of scipy.stats

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

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval with the trials that the standard error is worth, after Korn & Graubard, "Confidence
        intervals for proportions with small expected number of positive counts estimated from survey data" (Survey
        Methodology 24, 1998): as many as would give this error if they were independent, and fewer for few problems.
        """
        if self.problems < 2 or math.isinf(self.stderr):
            return 0.0, 1.0
        z = float(scipy.special.ndtri(0.5 + confidence / 2))
        t = float(scipy.special.stdtrit(self.problems - 1, 0.5 + confidence / 2))
        trials = _spread(self.mean, self.problems * self.replicates) / self.stderr**2 * (z / t) ** 2
        centre = (self.mean + z * z / (2 * trials)) / (1 + z * z / trials)
        reach = z / (1 + z * z / trials) * math.sqrt(self.mean * (1 - self.mean) / trials + (z / (2 * trials)) ** 2)
        # The mean may be an end of its interval; rounding must not put it outside.
        return max(0.0, min(self.mean, centre - reach)), min(1.0, max(self.mean, centre + reach))


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
    floor = math.sqrt(_spread(int(passes.sum()) / total, total) / total)
    between = float(rates.std(ddof=1)) / math.sqrt(len(rates)) if len(rates) > 1 else 0.0
    return Estimate(
        mean=float(rates.mean()),
        stderr=max(between, floor),
        replicates=total / len(rates),
        problems=len(rates),
        missing=missing,
    )


def _spread(mean: float, trials: float) -> float:
    """Variance of one trial at the Agresti-Coull centre, which is never 0."""
    centre = (mean * trials + 2) / (trials + 4)
    return centre * (1 - centre)
