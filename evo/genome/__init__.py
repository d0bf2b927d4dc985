"""Genomes: genes, the search space and its validator, mutation, crossover, distance, JSON, neat-python's view of them.

Pure functions over immutable data. Every random draw comes from a ``random.Random`` that the caller hands in.
"""

from evo.genome.adapter import GenomeConfig, PipelineGenome
from evo.genome.adopt import adopt
from evo.genome.codec import dumps, from_document, loads, read_genome, to_document, with_models, write_genome
from evo.genome.crossover import crossover
from evo.genome.distance import distance
from evo.genome.genes import OUTPUT_ID, TASK_ID, ConnectionGene, Feedback, Genome, NodeGene, Role
from evo.genome.growth import minimal
from evo.genome.innovation import InnovationTracker
from evo.genome.knockout import knockouts
from evo.genome.mutate import mutate
from evo.genome.space import GRAPH, LINEAR, LONGEST_TEXT, OPEN, DistanceWeights, Initial, Port, Rates, Space, Wiring
from evo.genome.structure import Stage, back_edges, iterations, stages
from evo.genome.validate import faults

__all__ = [
    "GRAPH",
    "LINEAR",
    "LONGEST_TEXT",
    "OPEN",
    "OUTPUT_ID",
    "TASK_ID",
    "ConnectionGene",
    "DistanceWeights",
    "Feedback",
    "Genome",
    "GenomeConfig",
    "Initial",
    "InnovationTracker",
    "NodeGene",
    "PipelineGenome",
    "Port",
    "Rates",
    "Role",
    "Space",
    "Stage",
    "Wiring",
    "adopt",
    "back_edges",
    "crossover",
    "distance",
    "dumps",
    "faults",
    "from_document",
    "iterations",
    "knockouts",
    "loads",
    "minimal",
    "mutate",
    "read_genome",
    "stages",
    "to_document",
    "with_models",
    "write_genome",
]
