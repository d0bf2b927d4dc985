"""Pictures and charts: each a pure function from recorded data to a file, computed as data first and then drawn."""

from evo.figures.ascii import topology_ascii
from evo.figures.chart import Chart, chart_figure, draw_chart
from evo.figures.compare import InflationPoint, RankPoint, ScorePoint, draw_inflation, draw_ranks, draw_scores
from evo.figures.course import (
    ComplexityPoint,
    SharePoint,
    SpeciesPoint,
    complexity_chart,
    share_chart,
    species_chart,
)
from evo.figures.data import GenerationPoint
from evo.figures.evidence import (
    ClaimPoint,
    ErrorPoint,
    SpendingPoint,
    TokenPoint,
    TriedPoint,
    claims_chart,
    errors_chart,
    spending_chart,
    tokens_chart,
    tried_chart,
)
from evo.figures.files import check_picture_path, save_figure, write_file
from evo.figures.fitness import FitnessInfo, draw_fitness, fitness_chart, fitness_csv, fitness_info, runs_chart
from evo.figures.gallery import Panel, draw_gallery
from evo.figures.layers import to_networkx
from evo.figures.lineage import Ancestor, differences, lineage_chart
from evo.figures.markup import topology_dot, topology_mermaid
from evo.figures.notebook import Shown
from evo.figures.pareto import ParetoPoint, draw_pareto
from evo.figures.picture import TopologyInfo
from evo.figures.style import figure_style
from evo.figures.topology import draw_topology, topology_figure
from evo.figures.topology_data import topology_data
from evo.figures.topology_info import topology_info
from evo.figures.traffic import Traffic
from evo.figures.words import explain, reading_order

__all__ = [
    "Ancestor",
    "Chart",
    "ClaimPoint",
    "ComplexityPoint",
    "ErrorPoint",
    "FitnessInfo",
    "GenerationPoint",
    "InflationPoint",
    "Panel",
    "ParetoPoint",
    "RankPoint",
    "ScorePoint",
    "SharePoint",
    "Shown",
    "SpeciesPoint",
    "SpendingPoint",
    "TokenPoint",
    "TopologyInfo",
    "Traffic",
    "TriedPoint",
    "chart_figure",
    "check_picture_path",
    "claims_chart",
    "complexity_chart",
    "differences",
    "draw_chart",
    "draw_fitness",
    "draw_gallery",
    "draw_inflation",
    "draw_pareto",
    "draw_ranks",
    "draw_scores",
    "draw_topology",
    "errors_chart",
    "explain",
    "figure_style",
    "fitness_chart",
    "fitness_csv",
    "fitness_info",
    "lineage_chart",
    "reading_order",
    "runs_chart",
    "save_figure",
    "share_chart",
    "species_chart",
    "spending_chart",
    "to_networkx",
    "tokens_chart",
    "topology_ascii",
    "topology_data",
    "topology_dot",
    "topology_figure",
    "topology_info",
    "topology_mermaid",
    "tried_chart",
    "write_file",
]
