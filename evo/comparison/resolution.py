"""How much measuring a wanted resolution needs, from where the noise of the measured differences comes from."""

import math
from dataclasses import dataclass

import numpy as np

from evo.comparison.outcomes import Outcomes

__all__ = ["Noise", "noise"]

# Two-sided 5 % level and 80 % power: z(0.975) + z(0.8).
_REACH = 2.8


@dataclass(frozen=True, slots=True)
class Noise:
    """Variance of the paired difference of two pipelines, averaged over the pairs measured.

    between: of a problem's true difference. within: of one replicate of one problem.
    """

    between: float
    within: float

    def detectable(self, problems: int, replicates: int) -> float:
        """The smallest true difference (0..1) that is found 4 times in 5 at the 5 % level."""
        return _REACH * math.sqrt((self.between + self.within / replicates) / problems)

    def replicates_for(self, difference: float, problems: int) -> int | None:
        """Replicates that detect so small a difference on so many problems; None if no number does."""
        room = problems * (difference / _REACH) ** 2 - self.between
        return max(1, math.ceil(self.within / room)) if room > 0 else None

    def problems_for(self, difference: float, replicates: int) -> int:
        """Problems that detect so small a difference with so many replicates."""
        return math.ceil((self.between + self.within / replicates) * (_REACH / difference) ** 2)


def noise(outcomes: Outcomes) -> Noise | None:
    """The components by the method of moments (one-way random effects); None with fewer than two pipelines, problems
    or replicates.
    """
    pipelines, problems, replicates = outcomes.solved.shape
    if pipelines < 2 or problems < 2 or replicates < 2:
        return None
    between, within = [], []
    for i in range(pipelines):
        for j in range(i):
            gain = outcomes.solved[i] - outcomes.solved[j]
            gain = gain[~np.isnan(gain).any(axis=1)]
            if len(gain) < 2:
                continue
            inside = float(gain.var(axis=1, ddof=1).mean())
            within.append(inside)
            between.append(max(0.0, float(gain.mean(axis=1).var(ddof=1)) - inside / replicates))
    return Noise(float(np.mean(between)), float(np.mean(within))) if within else None
