"""How far a ranking can be trusted, by the number of replicates it rests on."""

from dataclasses import dataclass

import numpy as np
import scipy

from evo.comparison.outcomes import Floats, Outcomes, mean_over

__all__ = ["RankStability", "rank_stability"]

_DRAWS = 400


@dataclass(frozen=True, slots=True)
class RankStability:
    """A ranking by ``replicates`` replicates against the ranking by others that it had no part in.

    tau: mean of Kendall's tau-b. best: how often the pipeline that it puts first is the others' first, ties shared.
    loss: solve rate lost on average by choosing its first instead of the others' first.
    """

    replicates: int
    tau: float
    best: float
    loss: float


def rank_stability(outcomes: Outcomes, random: np.random.Generator) -> tuple[RankStability, ...]:
    """For 1 up to half of the replicates: random ones rank, as many of the others as there are judge.

    The judges are noisy too, so tau and best are lower bounds of agreement with the truth. Empty with fewer than two
    pipelines or two replicates.
    """
    pipelines, _, replicates = outcomes.solved.shape
    if pipelines < 2:
        return ()
    return tuple(_stability(outcomes.solved, count, random) for count in range(1, replicates // 2 + 1))


def _stability(solved: Floats, count: int, random: np.random.Generator) -> RankStability:
    taus, hits, losses = [], [], []
    for _ in range(_DRAWS):
        order = random.permutation(solved.shape[2])
        ranking = np.nan_to_num(_scores(solved[:, :, order[:count]]))
        judge = np.nan_to_num(_scores(solved[:, :, order[count:]]))
        tau = float(scipy.stats.kendalltau(ranking, judge).statistic)
        taus.append(0.0 if np.isnan(tau) else tau)  # a ranking in which all are equal says nothing
        first = np.isclose(ranking, ranking.max())
        best = np.isclose(judge, judge.max())
        hits.append(float(best[first].mean()))
        losses.append(float(judge.max() - judge[first].mean()))
    return RankStability(count, float(np.mean(taus)), float(np.mean(hits)), float(np.mean(losses)))


def _scores(solved: Floats) -> Floats:
    return mean_over(mean_over(solved, 2), 1)
