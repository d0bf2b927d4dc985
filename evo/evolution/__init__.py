"""Evolution: NEAT as ask and tell, over neat-python's species, stagnation and reproduction."""

from evo.evolution.config import EvolutionConfig, load_evolution_config, parse_evolution_config
from evo.evolution.loop import BEHAVIOUR, Evolution, Individual, SpeciesSnapshot
from evo.evolution.pareto import Offer, front, pareto_fitness
from evo.evolution.reproduction import PipelineReproduction, ReproductionSettings, parsimony
from evo.evolution.species import PipelineSpeciesSet, SpeciesSettings
from evo.evolution.stagnation import PipelineStagnation, StagnationSettings

__all__ = [
    "BEHAVIOUR",
    "Evolution",
    "EvolutionConfig",
    "Individual",
    "Offer",
    "PipelineReproduction",
    "PipelineSpeciesSet",
    "PipelineStagnation",
    "ReproductionSettings",
    "SpeciesSettings",
    "SpeciesSnapshot",
    "StagnationSettings",
    "front",
    "load_evolution_config",
    "pareto_fitness",
    "parse_evolution_config",
    "parsimony",
]
