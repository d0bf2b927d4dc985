"""The next generation: elites over the whole population, tournaments on shared fitness, crossover, mutation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, TextIO

from neat.reproduction import DefaultReproduction

from evo.genome import Genome, GenomeConfig, InnovationTracker, PipelineGenome, adopt
from evo.genome.settings import Setting, integer, number, read_section, write_section

__all__ = ["PipelineReproduction", "ReproductionSettings", "parsimony"]

_SETTINGS = (
    Setting("elitism", integer(0)),
    Setting("tournament_size", integer(1)),
    Setting("parsimony_per_node", number(0.0, 1.0)),
)


@dataclass(frozen=True, slots=True)
class ReproductionSettings:
    """elitism: individuals of the whole population that survive. parsimony_per_node: see ``parsimony``."""

    elitism: int
    tournament_size: int
    parsimony_per_node: float


@dataclass(frozen=True, slots=True)
class _Entrant:
    """A genome that may become a parent; shared: its fitness shared with its species."""

    genome: PipelineGenome
    shared: float


def parsimony(genome: Genome, per_node: float = 0.02) -> float:
    """What a genome's size costs it: to be subtracted from its mean solve rate (0..1) before ``Evolution.tell``."""
    return per_node * len(genome.inner)


class PipelineReproduction(DefaultReproduction):  # type: ignore[misc]  # neat-python has no types
    """The study's scheme in neat-python's place. A genome whose fitness is None (no evidence) is not selected.

    ``elites``: keys of the individuals that the last ``reproduce`` took over unchanged.
    """

    def __init__(self, config: ReproductionSettings, reporters: Any, stagnation: Any) -> None:
        super().__init__(config, reporters, stagnation)
        self.innovation_tracker = InnovationTracker()
        self.elites: tuple[int, ...] = ()

    @classmethod
    def parse_config(cls, param_dict: Mapping[str, str]) -> ReproductionSettings:
        """The section of an INI file. Raises UserError naming section.key."""
        return ReproductionSettings(**read_section(cls.__name__, param_dict, _SETTINGS))

    @staticmethod
    def write_config(f: TextIO, config: ReproductionSettings) -> None:
        """The section's keys, as ``parse_config`` reads them."""
        write_section(f, _SETTINGS, config)

    def create_with(self, founders: Sequence[Genome], config: GenomeConfig, size: int) -> dict[int, PipelineGenome]:
        """A first population of ``size`` by key: the founders, adopted, and new minimal genomes."""
        population: dict[int, PipelineGenome] = {}
        for founder in founders:
            genome = PipelineGenome(next(self.genome_indexer))
            genome.genotype = adopt(founder, config.space, self.innovation_tracker)
            self.ancestors[genome.key] = ()
            population[genome.key] = genome
        population.update(self.create_new(PipelineGenome, config, size - len(population)))
        return population

    def state(self) -> dict[str, Any]:
        """What was issued so far, as JSON-serialisable data: the last key, and innovation numbers."""
        return {"last_key": max(self.ancestors, default=0), "innovations": self.innovation_tracker.state()}

    def restore(self, state: Mapping[str, Any], ancestors: Mapping[int, tuple[int, ...]]) -> None:
        """Go on where ``state`` was taken; ancestors: of those who lived then, by key."""
        self.ancestors = {state["last_key"]: (), **ancestors}
        self.genome_indexer = count(state["last_key"] + 1)
        self.innovation_tracker = InnovationTracker.from_state(state["innovations"])

    def reproduce(
        self, config: Any, species: Any, pop_size: int, generation: int, first: int | None = None
    ) -> dict[int, PipelineGenome]:
        """The next population by key. Stagnant species have no children, but an elite of theirs survives.

        If nothing was measured the population stays. If all species are stagnant, all breed on, or, with
        ``reset_on_extinction``, new minimal genomes take the children's place.
        first: key of an individual that survives before fitter ones.
        """
        everyone = {key: g for s in species.species.values() for key, g in s.members.items()}
        measured = sorted((g for g in everyone.values() if g.fitness is not None), key=PipelineGenome.rank)
        if not measured:
            self.elites = tuple(sorted(everyone))
            return everyone
        alive = {id: s for id, s, stagnant in self.stagnation.update(species, generation) if not stagnant}
        places = sorted(measured, key=lambda genome: genome.key != first)
        survivors = {genome.key: genome for genome in places[: self.reproduction_config.elitism]}
        self.elites = tuple(survivors)
        wanted = pop_size - len(survivors)
        entrants = _entrants(alive) or _entrants(species.species)
        extinct, species.species = not alive, alive
        if extinct and config.reset_on_extinction:
            survivors.update(self.create_new(config.genome_type, config.genome_config, wanted))
            return survivors
        children = (self._child(config, entrants) for _ in range(wanted))
        return survivors | {child.key: child for child in children}

    def _child(self, config: Any, entrants: Sequence[_Entrant]) -> PipelineGenome:
        rng = config.genome_config.rng
        first, second = (_tournament(entrants, self.reproduction_config.tournament_size, rng) for _ in range(2))
        child: PipelineGenome = config.genome_type(next(self.genome_indexer))
        child.configure_crossover(first, second, config.genome_config)
        child.mutate(config.genome_config)
        self.ancestors[child.key] = (first.key, second.key)
        return child


def _entrants(species: Mapping[int, Any]) -> list[_Entrant]:
    return [
        _Entrant(genome, _share(genome.fitness, len(species[id].members)))
        for id in sorted(species)
        for _, genome in sorted(species[id].members.items())
        if genome.fitness is not None
    ]


def _share(fitness: float, size: int) -> float:
    """Fitness shared by species size; below zero, where division would reward crowding, it multiplies."""
    return fitness / size if fitness >= 0 else fitness * size


def _tournament(entrants: Sequence[_Entrant], size: int, rng: Random) -> PipelineGenome:
    drawn = [rng.choice(entrants) for _ in range(size)]
    return min(drawn, key=lambda entrant: (-entrant.shared, entrant.genome.rank())).genome
