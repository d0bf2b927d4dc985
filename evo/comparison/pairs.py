"""Which pipelines can be told apart: the difference of every pair, its interval, and a permutation test."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from evo.evaluation import Cell, Difference, gains, paired

__all__ = ["Pair", "compare_pairs", "compare_with", "permutation_p"]

_RESAMPLES = 9999
_TIES = 1e-4  # all that the second statistic may add: less than two means differ by
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class Pair:
    """one minus other. p: of the permutation test. p_holm: corrected for the number of pairs (Holm 1979)."""

    one: str
    other: str
    difference: Difference
    p: float
    p_holm: float

    def apart(self, level: float = 0.05) -> bool:
        """Whether the two can be told apart, among all pairs tested together."""
        return self.p_holm <= level


def compare_pairs(cells: Mapping[str, Sequence[Cell]], random: np.random.Generator) -> tuple[Pair, ...]:
    """Every pair of pipelines that has cells in common, in the order of the mapping, the better one first."""
    found = []
    for pair in combinations(cells, 2):
        difference = paired(cells[pair[0]], cells[pair[1]])
        if difference is not None:
            found.append(_tested(*(pair if difference.mean >= 0 else pair[::-1]), cells, random))
    return _corrected(found)


def compare_with(
    one: str, others: Sequence[str], cells: Mapping[str, Sequence[Cell]], random: np.random.Generator
) -> tuple[Pair, ...]:
    """``one`` minus each of the others that has cells in common with it, in their order; Holm over these pairs."""
    return _corrected([_tested(one, o, cells, random) for o in others if paired(cells[one], cells[o]) is not None])


def _tested(one: str, other: str, cells: Mapping[str, Sequence[Cell]], random: np.random.Generator) -> Pair:
    difference = paired(cells[one], cells[other])
    assert difference is not None  # the caller has seen to it
    p = permutation_p(gains(cells[one], cells[other]).values(), random)
    return Pair(one, other, difference, p, p)


def _corrected(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    corrected = _holm([pair.p for pair in pairs])
    return tuple(replace(pair, p_holm=p) for pair, p in zip(pairs, corrected, strict=True))


def permutation_p(gains: Iterable[Sequence[float]], random: np.random.Generator, resamples: int = _RESAMPLES) -> float:
    """Two-sided mid-p value of a mean gain of 0: each problem's gains might as well all have had the other sign.

    Problems are what is flipped, not replicates: that holds as well where two pipelines differ from problem to problem
    and are alike on average. Few problems differ, so the mean takes few values and the plain test is timid. Two things
    bring false accepts near their level: among sign patterns of the same mean, the larger sum of the problems' McNemar
    statistics (gain / sqrt of the replicates that differ) counts as more extreme (a second statistic that breaks ties,
    as in Streitberg & Roehmel, Biometrics 46, 1990), and what is as extreme as the one seen counts half (Lancaster,
    "Significance tests in discrete distributions", JASA 56, 1961).
    gains: by problem, the gain of each replicate. Exact where the sign patterns are few, else from ``resamples`` random
    ones.
    """
    told = [np.asarray(row, dtype=float) for row in gains if sum(row)]  # what is 0 has no sign
    if not told:
        return 1.0
    mcnemar = np.array([row.sum() / math.sqrt(np.abs(row).sum()) for row in told])
    weights = np.array([row.mean() for row in told]) + _TIES * mcnemar / np.abs(mcnemar).sum()
    exact = 2 ** len(told) <= resamples
    flips = _all_flips(len(told)) if exact else random.integers(0, 2, (resamples, len(told)), dtype=np.int8)
    null = np.abs(weights.sum() - 2 * flips @ weights)
    seen = abs(weights.sum())
    beyond = int((null > seen + _ROUNDING).sum())
    alike = int((null > seen - _ROUNDING).sum()) - beyond + (not exact)  # the pattern seen is one more random one
    return (beyond + alike / 2) / (len(null) + (not exact))


def _all_flips(count: int) -> npt.NDArray[np.int64]:
    """Every choice among so many: (2**count, count), 1 where it is chosen."""
    flips: npt.NDArray[np.int64] = np.arange(2**count)[:, None] >> np.arange(count) & 1
    return flips


def _holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction, a simple sequentially rejective multiple test procedure (Scand. J. Statist. 6)."""
    corrected = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, p[index] * (len(p) - rank)))
        corrected[index] = highest
    return corrected
