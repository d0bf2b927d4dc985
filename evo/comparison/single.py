"""What one evaluation of given pipelines would have said, against all the others of the same pipelines."""

import math
from dataclasses import dataclass

import numpy as np

from evo.comparison.inflation import Shift
from evo.comparison.outcomes import Floats, Outcomes, mean_over

__all__ = ["Single", "Winner", "single_scores", "winner"]


@dataclass(frozen=True, slots=True)
class Single:
    """One pipeline, evaluated once again and again: lowest and highest score (0..1), and how far a score is from the
    others' mean on average (root mean square).
    """

    name: str
    low: float
    high: float
    error: float


@dataclass(frozen=True, slots=True)
class Winner:
    """The best of the pipelines by one evaluation. claim: its score, averaged over which evaluation that is. inflation:
    how much less it solves in all the others. unpaired: the same where each pipeline is evaluated with seeds of its
    own, as without common random numbers. problems: that times inflation is the inflation in problems.
    """

    claim: float
    inflation: Shift
    unpaired: float
    problems: int


def single_scores(outcomes: Outcomes) -> tuple[Single, ...]:
    """Of each pipeline; empty with fewer than two replicates."""
    if outcomes.solved.shape[2] < 2:
        return ()
    found = []
    for name, solved in zip(outcomes.names, outcomes.solved, strict=True):
        scores = mean_over(solved, 0)
        rest = (np.nansum(scores) - scores) / (np.isfinite(scores).sum() - 1)
        error = math.sqrt(float(np.nanmean(np.square(scores - rest))))
        found.append(Single(name, float(np.nanmin(scores)), float(np.nanmax(scores)), error))
    return tuple(found)


def winner(outcomes: Outcomes) -> Winner | None:
    """Each replicate in turn is the one evaluation that chooses; ties share. None with fewer than two pipelines,
    replicates or problems.

    The error is over problems, as clusters, for the choices that were made.
    """
    pipelines, problems, replicates = outcomes.solved.shape
    if min(pipelines, problems, replicates) < 2:
        return None
    scores = mean_over(outcomes.solved, 1)
    claims, gaps = [], []
    for replicate in range(replicates):
        first = np.isclose(scores[:, replicate], np.nanmax(scores[:, replicate]))
        others = mean_over(np.delete(outcomes.solved, replicate, axis=2), 2)
        claims.append(float(np.nanmax(scores[:, replicate])))
        gaps.append(mean_over(outcomes.solved[first, :, replicate] - others[first], 0))
    by_problem = mean_over(np.array(gaps), 0)
    by_problem = by_problem[~np.isnan(by_problem)]
    stderr = float(by_problem.std(ddof=1)) / math.sqrt(len(by_problem))
    shift = Shift(float(by_problem.mean()), stderr, len(by_problem) - 1)
    return Winner(float(np.mean(claims)), shift, _unpaired(scores), problems)


def _unpaired(scores: Floats) -> float:
    """Mean gap of the best score to its pipeline's others where pipelines never show the same replicate together.

    scores: (pipelines, replicates). Every rotation of the replicates against each other that the first pipeline's
    stand still in; where there are more pipelines than replicates, some coincide.
    """
    pipelines, replicates = scores.shape
    known = np.where(np.isnan(scores), np.nanmean(scores, axis=1, keepdims=True), scores)
    rest = (known.sum(axis=1, keepdims=True) - known) / (replicates - 1)
    gaps = []
    for stride in range(1, replicates):
        for first in range(replicates):
            shown = [(row, (first + stride * row) % replicates) for row in range(pipelines)]
            best = max(known[place] for place in shown)
            gaps.append(np.mean([known[place] - rest[place] for place in shown if np.isclose(known[place], best)]))
    return float(np.mean(gaps))
