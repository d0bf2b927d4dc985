"""How different two genomes are: what species are made of."""

from evo.genome.genes import Genome, Role
from evo.genome.space import Space

__all__ = ["distance"]


def distance(a: Genome, b: Genome, space: Space) -> float:
    """The study's distance (paper.md, "The search"), >= 0, symmetric, 0 for equal genomes.

    Differences in the number of stages and of analyzers, and over nodes with the same innovation number, mismatches of
    model, prompt and feedback and differences of temperature and iterations, each with its weight.
    """
    weights = space.weights
    shape = weights.stage * _surplus(a, b, Role.EXECUTOR) + weights.analyzer * _surplus(a, b, Role.ANALYZER)
    mine = {node.id: node for node in a.inner}
    pairs = [(mine[node.id], node) for node in b.inner if node.id in mine]
    return (
        shape
        + weights.model * sum(x.model != y.model for x, y in pairs)
        + weights.prompt * sum(x.prompt != y.prompt for x, y in pairs)
        + weights.feedback * sum(x.feedback != y.feedback for x, y in pairs)
        + weights.temperature * sum(abs((x.temperature or 0.0) - (y.temperature or 0.0)) for x, y in pairs)
        + weights.iteration * sum(abs((x.iterations or 0) - (y.iterations or 0)) for x, y in pairs)
    )


def _surplus(a: Genome, b: Genome, role: Role) -> int:
    return abs(sum(n.role is role for n in a.nodes) - sum(n.role is role for n in b.nodes))
