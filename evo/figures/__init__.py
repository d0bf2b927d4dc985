"""Pictures and charts: each a pure function from recorded data to a file, computed as data first and then drawn."""

from evo.figures.ascii import topology_ascii
from evo.figures.compare import InflationPoint, RankPoint, ScorePoint, draw_inflation, draw_ranks, draw_scores
from evo.figures.data import GenerationPoint
from evo.figures.fitness import FitnessInfo, draw_fitness, fitness_csv, fitness_info
from evo.figures.layers import to_networkx
from evo.figures.markup import topology_dot, topology_mermaid
from evo.figures.picture import TopologyInfo
from evo.figures.topology import draw_topology
from evo.figures.topology_info import topology_info
from evo.figures.traffic import Traffic
from evo.figures.words import explain

__all__ = [
    "FitnessInfo",
    "GenerationPoint",
    "InflationPoint",
    "RankPoint",
    "ScorePoint",
    "TopologyInfo",
    "Traffic",
    "draw_fitness",
    "draw_inflation",
    "draw_ranks",
    "draw_scores",
    "draw_topology",
    "explain",
    "fitness_csv",
    "fitness_info",
    "to_networkx",
    "topology_ascii",
    "topology_dot",
    "topology_info",
    "topology_mermaid",
]
