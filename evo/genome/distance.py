"""How different two genomes are: what species are made of."""

from evo.genome.genes import Genome, NodeGene
from evo.genome.space import DistanceWeights, Space

__all__ = ["distance"]

_DISABLED = 0.1  # of an enabled connection: what a gene that is switched off counts for


def distance(a: Genome, b: Genome, space: Space) -> float:
    """Summed over the genes of either, aligned by innovation number: a metric.

    A node that only one genome has counts ``weights.node``; one that both have, the weighted differences of its fields,
    at most twice that, which is why no detour is shorter. A connection counts ``weights.connection`` where one genome
    has it enabled and the other lacks it, a disabled gene a tenth. With the study's weights (connection 0) that is the
    study's distance, and genomes that differ in connections alone have distance 0.
    """
    weights = space.weights
    mine, theirs = ({(node.id, node.role): node for node in genome.nodes} for genome in (a, b))
    both = mine.keys() & theirs.keys()
    total = weights.node * (len(mine) + len(theirs) - 2 * len(both))
    for key in sorted(both):  # a float sum depends on its order
        if mine[key] != theirs[key]:
            total += min(_differences(mine[key], theirs[key], weights), 2 * weights.node)
    if weights.connection:
        total += weights.connection * _rewired(a, b)
    return total


def _differences(x: NodeGene, y: NodeGene, weights: DistanceWeights) -> float:
    return (
        weights.model * (x.model != y.model)
        + weights.prompt * ((x.prompt, x.text) != (y.prompt, y.text))
        + weights.feedback * (x.feedback != y.feedback)
        + weights.max_tokens * (x.max_tokens != y.max_tokens)
        + weights.temperature * abs((x.temperature or 0.0) - (y.temperature or 0.0))
        + weights.iteration * abs((x.iterations or 0) - (y.iterations or 0))
    )


def _rewired(a: Genome, b: Genome) -> float:
    mine, theirs = (
        {(c.innovation, c.source, c.target): 1.0 if c.enabled else _DISABLED for c in genome.connections}
        for genome in (a, b)
    )
    return sum(abs(mine.get(key, 0.0) - theirs.get(key, 0.0)) for key in sorted(mine.keys() | theirs.keys()))
