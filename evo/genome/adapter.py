"""What neat-python asks of a genome class, over the pure functions of this room."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from random import Random
from typing import Any, TextIO

from evo.errors import UserError
from evo.genome.crossover import crossover
from evo.genome.distance import distance
from evo.genome.genes import Feedback, Genome
from evo.genome.growth import minimal
from evo.genome.innovation import InnovationTracker
from evo.genome.mutate import mutate
from evo.genome.settings import (
    Setting,
    choice,
    choices,
    integer,
    integers,
    interval,
    number,
    read_section,
    write_section,
)
from evo.genome.space import GRAPH, LINEAR, DistanceWeights, Initial, Rates, Space
from evo.genome.structure import iterations

__all__ = ["GenomeConfig", "PipelineGenome"]

SECTION = "PipelineGenome"
_PROBABILITY = number(0.0, 1.0)
_TEMPERATURE = interval(0.0, 2.0)
_WIRINGS = {"linear": LINEAR, "graph": GRAPH}
_NAME = Setting("space", choice(*_WIRINGS))
_SPACE = (
    Setting("max_nodes", integer(1, 64)),
    Setting("max_calls", integer(1, 10_000)),
    Setting("stages", interval(0, 16, whole=True)),
    Setting("iterations", interval(1, 99, whole=True)),
    Setting("temperature", _TEMPERATURE),
    Setting("temperature_step", number(0.0, 2.0)),
    Setting("feedback", choices(*Feedback)),
    Setting("max_tokens", integers(16, 32_768, empty=True)),
)
_INITIAL = (
    Setting("initial_generator_temperature", _TEMPERATURE),
    Setting("initial_analyzer_temperature", _TEMPERATURE),
    Setting("initial_refiner_temperature", _TEMPERATURE),
    Setting("initial_planner_temperature", _TEMPERATURE),
    Setting("initial_tester_temperature", _TEMPERATURE),
    Setting("initial_iterations", integers(1, 99)),
)
_RATES = tuple(
    Setting(f"rate_{field.name}" if field.name != "temperature_sigma" else field.name, _PROBABILITY)
    for field in fields(Rates)
)
_WEIGHTS = tuple(Setting(f"distance_{field.name}", number(0.0)) for field in fields(DistanceWeights))


@dataclass(slots=True)
class GenomeConfig:
    """What neat-python hands to every genome method. ``space`` has its pool once the caller has set it."""

    space: Space
    rng: Random
    innovation_tracker: InnovationTracker


def read_space(raw: Mapping[str, str]) -> Space:
    """The space of an INI's [PipelineGenome] section, its pool still open. Raises UserError naming section.key."""
    values = read_section(SECTION, raw, (_NAME, *_SPACE, *_INITIAL, *_RATES, *_WEIGHTS))
    space = Space(
        name=values[_NAME.key],
        wiring=_WIRINGS[values[_NAME.key]],
        **{s.key: values[s.key] for s in _SPACE if s.key != "feedback"},
        feedback=tuple(Feedback(level) for level in values["feedback"]),
        rates=Rates(**{s.key.removeprefix("rate_"): values[s.key] for s in _RATES}),
        initial=Initial(**{s.key.removeprefix("initial_"): values[s.key] for s in _INITIAL}),
        weights=DistanceWeights(**{s.key.removeprefix("distance_"): values[s.key] for s in _WEIGHTS}),
    )
    smallest = 1 + 2 * space.stages[0]
    if space.max_nodes < smallest:
        raise UserError(
            f"{SECTION}.max_nodes = {space.max_nodes}: needs at least {smallest}, the nodes of the smallest genome"
        )
    low, high = space.iterations
    if not all(low <= n <= high for n in space.initial.iterations):
        raise UserError(f"{SECTION}.initial_iterations: needs values within {SECTION}.iterations ({low} to {high})")
    return space


class PipelineGenome:
    """A genome as neat-python sees it: a key, a fitness, and a frozen ``genotype`` that operators replace."""

    def __init__(self, key: int) -> None:
        self.key = key
        self.fitness: float | None = None
        self.genotype: Genome = Genome((), ())

    @classmethod
    def parse_config(cls, param_dict: Mapping[str, str]) -> GenomeConfig:
        """The section of an INI file, as neat-python hands it over. Raises UserError."""
        return GenomeConfig(read_space(param_dict), Random(0), InnovationTracker())

    @staticmethod
    def write_config(f: TextIO, config: GenomeConfig) -> None:
        """The section's keys, as ``parse_config`` reads them."""
        space = config.space
        f.write(f"{_NAME.key} = {space.name}\n")
        write_section(f, _SPACE, space)
        write_section(f, _INITIAL, space.initial, "initial_")
        write_section(f, _RATES, space.rates, "rate_")
        write_section(f, _WEIGHTS, space.weights, "distance_")

    def configure_new(self, config: GenomeConfig) -> None:
        """Become a minimal genome."""
        self.genotype = minimal(config.space, config.rng, config.innovation_tracker)

    def configure_crossover(
        self, genome1: "PipelineGenome", genome2: "PipelineGenome", config: GenomeConfig, **_: Any
    ) -> None:
        """Become a child of two; the one that ``rank`` puts first is the fitter. neat-python 2.1 passes more."""
        fitter, other = sorted((genome1, genome2), key=PipelineGenome.rank)
        equal = fitter.fitness == other.fitness
        self.genotype = crossover(fitter.genotype, other.genotype, config.space, config.rng, equal=equal)

    def mutate(self, config: GenomeConfig) -> None:
        """Replace the genotype with a variant."""
        self.genotype = mutate(self.genotype, config.space, config.rng, config.innovation_tracker)

    def distance(self, other: "PipelineGenome", config: GenomeConfig) -> float:
        """Of the genotypes, see ``evo.genome.distance``."""
        return distance(self.genotype, other.genotype, config.space)

    def size(self) -> tuple[int, int]:
        """Inner nodes and enabled connections."""
        return len(self.genotype.inner), sum(c.enabled for c in self.genotype.connections)

    def rank(self) -> tuple[float, int, int, int]:
        """Sort key, best first: fitness, then fewer nodes, then fewer iterations (the study's), then the older key."""
        fitness = float("-inf") if self.fitness is None else self.fitness
        return -fitness, len(self.genotype.inner), iterations(self.genotype), self.key
