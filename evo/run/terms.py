"""What ranks a genome: a cautious solve rate, less what its nodes and its tokens cost. Every term has its name."""

from dataclasses import dataclass

from evo.evaluation import Estimate
from evo.evolution import EvolutionConfig, parsimony
from evo.genome import Genome
from evo.run.settings import RunSettings

__all__ = ["Terms", "terms_of"]


@dataclass(frozen=True, slots=True)
class Terms:
    """In solve rate (0..1): per_node of a genome, per_token that it uses on a problem, graded: for passing all visible
    tests. caution: standard errors that are taken off a mean.
    """

    per_node: float
    per_token: float
    graded: float
    caution: float

    def size(self, genome: Genome) -> float:
        """What a genome's nodes cost."""
        return parsimony(genome, self.per_node)

    def price(self, genome: Genome, tokens: float) -> float:
        """What a genome costs that uses so many tokens on a problem."""
        return self.size(genome) + self.per_token * tokens

    def fitness(self, estimate: Estimate, shown: float, price: float) -> float:
        """Of a genome with this price whose answers pass this share of the visible tests."""
        return estimate.mean - self.caution * estimate.stderr + self.graded * shown - price


def terms_of(settings: RunSettings, evolution: EvolutionConfig) -> Terms:
    """Of one run. Where tokens are an objective of their own they are the price, and nodes have none."""
    evaluation = settings.evaluation
    per_node = 0.0 if evaluation.weighs_tokens else evolution.reproduction.parsimony_per_node
    return Terms(per_node, evaluation.token_price / 1000, evaluation.graded, evaluation.caution)
