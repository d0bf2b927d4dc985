"""Which pipelines can be told apart: the difference of every pair, its interval, and a permutation test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import scipy

from evo.comparison.outcomes import Floats
from evo.evaluation import Cell, Difference, gains, paired

__all__ = ["Pair", "compare_pairs", "compare_with", "permutation_p"]

_RESAMPLES = 9999


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
    means = [sum(row) / len(row) for row in gains(cells[one], cells[other]).values()]
    p = permutation_p(np.array(means), random)
    return Pair(one, other, difference, p, p)


def _corrected(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    corrected = _holm([pair.p for pair in pairs])
    return tuple(replace(pair, p_holm=p) for pair, p in zip(pairs, corrected, strict=True))


def permutation_p(means: Floats, random: np.random.Generator, resamples: int = _RESAMPLES) -> float:
    """Two-sided mid-p value of a mean gain of 0: the signs of the problems' gains are as likely the one as the other.

    Few problems differ, so the sum takes few values; what is as extreme as the one seen counts half (Lancaster,
    "Significance tests in discrete distributions", JASA 56, 1961), which keeps false accepts near their level where
    the whole would make the test timid.
    means: the gain on each problem, (problems,). Exact where the sign patterns are few, else from ``resamples`` random
    ones.
    """
    told = means[means != 0]  # what is 0 has no sign
    if len(told) < 2:  # too few for scipy: nothing is more extreme, half of what is alike counts
        return 0.5 if len(told) else 1.0
    result = scipy.stats.permutation_test(
        (told,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=random,
    )
    null, seen = np.abs(result.null_distribution), abs(float(result.statistic)) - 1e-9
    beyond = int((null > seen + 2e-9).sum())
    alike = int((null > seen).sum()) - beyond
    random_signs = len(null) == resamples  # then the pattern seen is one more of them
    return (beyond + (alike + random_signs) / 2) / (len(null) + random_signs)


def _holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction, a simple sequentially rejective multiple test procedure (Scand. J. Statist. 6)."""
    corrected = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, p[index] * (len(p) - rank)))
        corrected[index] = highest
    return corrected
