"""The NEAT loop as ask and tell: whoever drives it measures the genomes; it knows nothing of how."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

from neat.reporting import ReporterSet

from evo.evolution.config import EvolutionConfig
from evo.evolution.reproduction import PipelineReproduction
from evo.evolution.species import PipelineSpeciesSet
from evo.evolution.stagnation import PipelineStagnation
from evo.genome import Genome, GenomeConfig, PipelineGenome, faults, from_document, to_document

__all__ = ["BEHAVIOUR", "Evolution", "Individual", "SpeciesSnapshot"]

BEHAVIOUR = 2
"""Part of every run's identity: raised when operators, species, selection or policies change where a seed leads."""


@dataclass(frozen=True, slots=True)
class Individual:
    """A genome in the population. key: its own for as long as it survives. parents: keys, empty for a first genome."""

    key: int
    genome: Genome
    parents: tuple[int, ...]
    species: int


@dataclass(frozen=True, slots=True)
class SpeciesSnapshot:
    """A species as it was when fitness was told. members: keys, sorted. best: key of the best measured one, if any."""

    id: int
    members: tuple[int, ...]
    best: int | None

    @property
    def size(self) -> int:
        """Number of members."""
        return len(self.members)


class Evolution:
    """A population that is asked for and told its fitness, generation by generation.

    founders: genomes that the first generation begins with, as many as fit; the rest of it is minimal genomes.
    A pure function of (config, seed, founders, fitness told): every draw comes from a generator seeded by (seed,
    generation), so telling a new Evolution the recorded fitness again leads to the same state; so does ``restored``,
    at once.
    """

    def __init__(self, config: EvolutionConfig, seed: int, founders: Sequence[Genome] = ()) -> None:
        self.generation = 0
        self.species: tuple[SpeciesSnapshot, ...] = ()
        self.elites: tuple[int, ...] = ()
        self._config, self._seed = config, seed
        reporters = ReporterSet()
        stagnation = PipelineStagnation(config.stagnation, reporters)
        self._reproduction = PipelineReproduction(config.reproduction, reporters, stagnation)
        self._species = PipelineSpeciesSet(config.species, reporters)
        genome_config = GenomeConfig(config.space, self._rng(), self._reproduction.innovation_tracker)
        # The part of neat.Config that neat-python's protocols read.
        self._neat: Any = SimpleNamespace(
            genome_type=PipelineGenome, genome_config=genome_config, reset_on_extinction=config.reset_on_extinction
        )
        founders = founders[: config.population]
        self._population: dict[int, PipelineGenome] = self._reproduction.create_with(
            founders, genome_config, config.population
        )
        self.founders: tuple[int, ...] = tuple(sorted(self._population)[: len(founders)])
        self._species.speciate(self._neat, self._population, 0)

    def ask(self) -> tuple[Individual, ...]:
        """The population to measure, by key. Asking again gives the same until fitness is told."""
        return tuple(
            Individual(
                key=key,
                genome=self._population[key].genotype,
                parents=self._reproduction.ancestors[key],
                species=self._species.get_species_id(key),
            )
            for key in sorted(self._population)
        )

    def tell(self, fitness: Mapping[int, float | None], first: int | None = None) -> None:
        """Take the fitness of every individual asked for and breed the next generation.

        fitness: by key, higher is better, parsimony already subtracted. None: no evidence; the individual is not
        selected and does not survive, unless nobody has evidence: then the population stays. Equal fitness is decided
        by fewer nodes, then fewer iterations, then the older key. first: key of a measured individual that survives
        before fitter ones, whose lead the driver knows to be within their error. Raises ValueError for other keys and
        for numbers that are not finite.
        """
        if fitness.keys() != self._population.keys():
            odd = sorted(fitness.keys() ^ self._population.keys())
            raise ValueError(f"fitness must be told for exactly the individuals asked for; see keys {odd}")
        if not all(value is None or math.isfinite(value) for value in fitness.values()):
            raise ValueError("fitness must be finite, or None for missing evidence")
        if first is not None and fitness.get(first) is None:
            raise ValueError(f"who is to survive must have been measured; individual {first} was not")
        for key, genome in self._population.items():
            genome.fitness = fitness[key]
        self.species = tuple(_snapshot(id, s.members) for id, s in sorted(self._species.species.items()))
        self.generation += 1
        self._neat.genome_config.rng = self._rng()
        self._population = self._reproduction.reproduce(
            self._neat, self._species, self._config.population, self.generation, first
        )
        self.elites = self._reproduction.elites
        self._species.speciate(self._neat, self._population, self.generation)

    def revise(self, key: int, genome: Genome) -> None:
        """Give a newborn another genotype before it is measured; its species stays that of its birth.

        Raises ValueError for one that has been measured and for a genome that is not in the space. Revisions decide the
        course as what is told does: a run that resumes makes the same.
        """
        if key not in self._population or key in self.elites or self._population[key].fitness is not None:
            raise ValueError(f"individual {key} is no newborn")
        if found := faults(genome, self._config.space):
            raise ValueError(f"individual {key}: {found[0]}")
        self._population[key].genotype = genome

    def state(self) -> dict[str, Any]:
        """All that ``ask`` and what comes after it depend on besides config and seed, as JSON-serialisable data. The
        generator is seeded anew in each generation, so the generation's number stands for its state.
        """
        return {
            "generation": self.generation,
            "founders": self.founders,
            "elites": self.elites,
            "individuals": [
                {
                    "key": key,
                    "parents": self._reproduction.ancestors[key],
                    "fitness": genome.fitness,
                    "genome": to_document(genome.genotype),
                }
                for key, genome in sorted(self._population.items())
            ],
            "species": self._species.state(),
            "issued": self._reproduction.state(),
        }

    @classmethod
    def restored(cls, config: EvolutionConfig, seed: int, state: Mapping[str, Any]) -> "Evolution":
        """The evolution that ``state`` was taken from, with the same config and seed."""
        evolution = cls(config, seed)
        evolution.generation = state["generation"]
        evolution.founders, evolution.elites = tuple(state["founders"]), tuple(state["elites"])
        population, ancestors = dict[int, PipelineGenome](), dict[int, tuple[int, ...]]()
        for one in state["individuals"]:
            genome = population[one["key"]] = PipelineGenome(one["key"])
            genome.fitness, genome.genotype = one["fitness"], from_document(one["genome"], source="checkpoint")
            ancestors[one["key"]] = tuple(one["parents"])
        evolution._population = population
        evolution._species.restore(state["species"], population, evolution.generation)
        evolution._reproduction.restore(state["issued"], ancestors)
        evolution._neat.genome_config.innovation_tracker = evolution._reproduction.innovation_tracker
        return evolution

    def _rng(self) -> Random:
        digest = hashlib.sha256(f"evolution/{self._seed}/{self.generation}".encode()).digest()
        return Random(int.from_bytes(digest))


def _snapshot(id: int, members: Mapping[int, PipelineGenome]) -> SpeciesSnapshot:
    measured = sorted((g for g in members.values() if g.fitness is not None), key=PipelineGenome.rank)
    return SpeciesSnapshot(id, tuple(sorted(members)), measured[0].key if measured else None)
