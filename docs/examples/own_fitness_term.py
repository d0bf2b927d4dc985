"""A term of your own in the fitness: here, pipelines of one model are worth ten points more. SIMULATED models.

The term is added to what selection ranks by. Estimates stay what was measured.
"""

import evo


def one_model(genome, estimate):
    """genome: an evo.genome.Genome. estimate: an Estimate (mean, stderr, replicates, problems). Gives a number."""
    return 0.1 if len({node.model for node in genome.nodes if node.model}) == 1 else 0.0


changes = {"models.backend": "simulated", "run.generations": "4"}
result = evo.search("tiny", run="runs/own-term", term=one_model, changes=changes)
print(sorted({node.model for node in result.champion.nodes if node.model}), result.validated)
