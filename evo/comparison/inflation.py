"""How much too good a single evaluation looks, and why: what it selected, and what had moved anyway."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from evo.comparison.outcomes import Floats

__all__ = ["Inflation", "Look", "Shift", "inflation"]


@dataclass(frozen=True, slots=True)
class Look:
    """One genome that was evaluated once, and what it did on seeds that nothing was selected on.

    generation: in which. plan: digest. claim: share solved by the single evaluation. fresh: (problems, replicates) of
    the same problems, 1 solved, 0 not, NaN missing. problems: their names, the first axis of ``fresh``.
    """

    generation: int
    plan: str
    claim: float
    problems: tuple[str, ...]
    fresh: Floats

    @property
    def rate(self) -> float:
        """Share solved on the fresh seeds."""
        return float(np.nanmean(self.fresh))


@dataclass(frozen=True, slots=True)
class Shift:
    """A mean difference between two measurements (-1..1), its standard error and that error's degrees of freedom."""

    mean: float
    stderr: float
    freedom: int

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} ± {100 * self.stderr:.1f} points"

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval."""
        reach = float(scipy.special.stdtrit(max(self.freedom, 1), 0.5 + confidence / 2)) * self.stderr
        return self.mean - reach, self.mean + reach


@dataclass(frozen=True, slots=True)
class Inflation:
    """Mean over generations of (claim of the genome that single evaluation would choose) - (its rate on fresh seeds).

    total = selection + drift. drift: the same difference for genomes that nobody chose. problems: that a generation
    was measured on, so that inflation * problems is the inflation in problems.
    """

    total: Shift
    selection: Shift
    drift: Shift
    problems: float


def inflation(chosen: Sequence[Look], unselected: Sequence[Look]) -> Inflation:
    """Inflation of one search. Neither sequence may be empty; all fresh looks have the same number of replicates.

    The claims are what they are: a number that was read. What is uncertain in ``total`` is the rate of the genomes
    chosen, by the seeds of the fresh looks; the problems are fixed. Genomes share those seeds, so the error is taken
    over (problem, replicate) after summing over genomes, as if one of them had come out otherwise, so that nothing is
    ever certain. The single looks of the unselected are draws themselves, which
    adds the variance of one replicate to ``drift``.
    """
    mine, theirs = _weighted(chosen), _weighted(unselected)
    replicates = chosen[0].fresh.shape[1]
    total = _gap(chosen)
    drift = _gap(unselected)
    shared = {p: mine.get(p, _zeros(replicates)) - theirs.get(p, _zeros(replicates)) for p in mine.keys() | theirs}
    freedom = len(mine) * (replicates - 1)
    one = _variance(theirs)
    odd = 1 / (len(mine) * replicates) ** 2
    return Inflation(
        total=Shift(total, math.sqrt(_variance(mine) / replicates + odd), freedom),
        selection=Shift(total - drift, math.sqrt(_variance(shared) / replicates + one + odd), freedom),
        drift=Shift(drift, math.sqrt(one / replicates + one + odd), freedom),
        problems=float(np.mean([len(look.problems) for look in chosen])),
    )


def _gap(looks: Sequence[Look]) -> float:
    return float(np.mean([look.claim - look.rate for look in looks]))


def _weighted(looks: Sequence[Look]) -> dict[str, Floats]:
    """By problem, what each fresh replicate adds to the mean over looks of their rates."""
    parts: dict[str, Floats] = {}
    for look in looks:
        share = 1 / (len(looks) * len(look.problems))
        for problem, row in zip(look.problems, look.fresh, strict=True):
            known = np.where(np.isnan(row), np.nanmean(row) if not np.isnan(row).all() else 0.0, row)
            parts[problem] = parts.get(problem, _zeros(len(row))) + share * known
    return parts


def _zeros(count: int) -> Floats:
    return np.zeros(count)


def _variance(parts: dict[str, Floats]) -> float:
    """Of one replicate of the sum over problems; 0 where there is one replicate, which tells nothing."""
    return sum(float(row.var(ddof=1)) for row in parts.values() if len(row) > 1)
