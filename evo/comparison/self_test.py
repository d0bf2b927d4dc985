"""A/A: a pipeline against itself on disjoint seeds. Whatever is found there is false."""

from dataclasses import dataclass

import numpy as np

from evo.comparison.outcomes import Outcomes
from evo.comparison.pairs import permutation_p
from evo.comparison.resolution import Noise

__all__ = ["SelfTest", "self_test"]

_SPLITS = 1000
_RESAMPLES = 999
_FEWEST = 5  # four signs that agree have p = 1/16


@dataclass(frozen=True, slots=True)
class SelfTest:
    """problems, replicates: of each arm. splits: how often the replicates were dealt to two arms.

    false_accepts: share of splits in which the test at the 5 % level found a difference, with its binomial standard
    error. few: share of splits in which fewer than five problems differed, so that no test of their signs could find
    any. detectable: smallest true difference (0..1) that would be found 4 times in 5.
    """

    problems: int
    replicates: int
    splits: int
    false_accepts: float
    stderr: float
    few: float
    detectable: float


def self_test(outcomes: Outcomes, random: np.random.Generator) -> SelfTest:
    """Deal the replicates of one pipeline to two arms, again and again, and test each time.

    outcomes: of one pipeline, with an even number of replicates. The variance that the test meets is that of fresh
    seeds; a problem's difficulty is the same in both arms and cancels.
    """
    solved = outcomes.solved[0]
    arm = solved.shape[1] // 2
    accepted = few = 0
    for _ in range(_SPLITS):
        dealt = random.permuted(solved, axis=1)
        gains = dealt[:, :arm] - dealt[:, arm : 2 * arm]
        accepted += permutation_p((row[~np.isnan(row)] for row in gains), random, _RESAMPLES) <= 0.05
        few += int(np.count_nonzero(np.nansum(gains, axis=1)) < _FEWEST)
    share = accepted / _SPLITS
    within = 2 * float(np.nanmean(np.nanvar(solved, axis=1, ddof=1)))
    return SelfTest(
        problems=solved.shape[0],
        replicates=arm,
        splits=_SPLITS,
        false_accepts=share,
        stderr=float(np.sqrt(share * (1 - share) / _SPLITS)),
        few=few / _SPLITS,
        detectable=Noise(0.0, within).detectable(solved.shape[0], arm),
    )
