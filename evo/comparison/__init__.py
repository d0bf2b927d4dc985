"""Statistics of comparing: pairs, rankings, resolution, the A/A test, and the inflation of single evaluation."""

from evo.comparison.final import Finalist, final_race
from evo.comparison.inflation import Inflation, Look, Shift, inflation
from evo.comparison.outcomes import Outcomes, mean_over, outcomes
from evo.comparison.pairs import Pair, compare_pairs, compare_with, permutation_p
from evo.comparison.ranks import RankStability, rank_stability
from evo.comparison.resolution import Noise, noise
from evo.comparison.self_test import SelfTest, self_test
from evo.comparison.single import Single, Winner, single_scores, winner

__all__ = [
    "Finalist",
    "Inflation",
    "Look",
    "Noise",
    "Outcomes",
    "Pair",
    "RankStability",
    "SelfTest",
    "Shift",
    "Single",
    "Winner",
    "compare_pairs",
    "compare_with",
    "final_race",
    "inflation",
    "mean_over",
    "noise",
    "outcomes",
    "permutation_p",
    "rank_stability",
    "self_test",
    "single_scores",
    "winner",
]
