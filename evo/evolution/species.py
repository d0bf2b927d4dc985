"""Speciation with a moving threshold, over neat-python's species set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from neat.species import DefaultSpeciesSet, GenomeDistanceCache, Species

from evo.genome import PipelineGenome
from evo.genome.settings import Setting, interval, number, read_section, write_section

__all__ = ["PipelineSpeciesSet", "SpeciesSettings"]

_SETTINGS = (
    Setting("compatibility_threshold", number(0.001)),
    Setting("threshold_step", number(0.001)),
    Setting("target_species", interval(1, 1000, whole=True)),
)


@dataclass(frozen=True, slots=True)
class SpeciesSettings:
    """compatibility_threshold: where the threshold starts. It moves by threshold_step to hold target_species."""

    compatibility_threshold: float
    threshold_step: float
    target_species: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Niche:
    """One species of a proposed partition: its id, whom its members are compared with, and its members' keys."""

    id: int
    founder: PipelineGenome
    members: list[int]


class PipelineSpeciesSet(DefaultSpeciesSet):  # type: ignore[misc]  # neat-python has no types
    """Places each genome in the nearest species within the threshold, and moves the threshold to hold the target.

    neat-python's own keeps every species alive by giving it a genome however far away, and has no target: with a fixed
    threshold the number of species runs away or falls to one. Here a species that nobody is near dies out.
    """

    def __init__(self, config: SpeciesSettings, reporters: Any) -> None:
        super().__init__(config, reporters)
        self.species: dict[int, Any] = {}
        self.threshold = config.compatibility_threshold
        self._last_id = 0

    @classmethod
    def parse_config(cls, param_dict: Mapping[str, str]) -> SpeciesSettings:
        """The section of an INI file. Raises UserError naming section.key."""
        return SpeciesSettings(**read_section(cls.__name__, param_dict, _SETTINGS))

    @staticmethod
    def write_config(f: TextIO, config: SpeciesSettings) -> None:
        """The section's keys, as ``parse_config`` reads them."""
        write_section(f, _SETTINGS, config)

    def speciate(self, config: Any, population: Mapping[int, PipelineGenome], generation: int) -> None:
        """Partition ``population``, every genome into exactly one species; deterministic in the order of keys."""
        distances = GenomeDistanceCache(config.genome_config)
        niches = self._partition(population, distances)
        for direction in self._directions(len(niches)):
            self.threshold += direction * self.species_set_config.threshold_step
            niches = self._partition(population, distances)
            if self._side(len(niches)) != direction:
                break
        old, self.species = self.species, {}
        for niche in niches:
            species = old.get(niche.id) or Species(niche.id, generation)
            nearest = min(niche.members, key=lambda key: (distances(niche.founder, population[key]), key))
            species.update(population[nearest], {key: population[key] for key in niche.members})
            self.species[niche.id] = species
        self.genome_to_species = {key: niche.id for niche in niches for key in niche.members}
        self._last_id = max([self._last_id, *self.species])

    def state(self) -> dict[str, Any]:
        """All that the next ``speciate`` depends on besides the genomes, as JSON-serialisable data."""
        return {
            "threshold": self.threshold,
            "last_id": self._last_id,
            "species": [
                {
                    "id": id,
                    "representative": species.representative.key,
                    "members": list(species.members),
                    "history": species.fitness_history,
                }
                for id, species in self.species.items()
            ],
        }

    def restore(self, state: Mapping[str, Any], population: Mapping[int, PipelineGenome], generation: int) -> None:
        """Become what ``state`` was taken from; population: the genomes of then, by key."""
        self.threshold, self._last_id = state["threshold"], state["last_id"]
        self.species = {}
        for told in state["species"]:
            species = self.species[told["id"]] = Species(told["id"], generation)
            species.update(population[told["representative"]], {key: population[key] for key in told["members"]})
            species.fitness_history = list(told["history"])
        self.genome_to_species = {key: id for id, species in self.species.items() for key in species.members}

    def _side(self, count: int) -> int:
        """+1: too many species, the threshold must grow; -1: too few; 0: on target."""
        low, high = self.species_set_config.target_species
        return int(count > high) - int(count < low)

    def _directions(self, count: int) -> Iterator[int]:
        """Steps towards the target: at most ten in one generation, and never to a threshold of zero."""
        direction, step = self._side(count), self.species_set_config.threshold_step
        for _ in range(10 if direction else 0):
            if self.threshold + direction * step <= 0:
                return
            yield direction

    def _partition(self, population: Mapping[int, PipelineGenome], distances: Any) -> list[_Niche]:
        niches = [_Niche(id, self.species[id].representative, []) for id in sorted(self.species)]
        for key in sorted(population):
            near = [(distances(niche.founder, population[key]), niche.id, niche) for niche in niches]
            fits = [entry for entry in near if entry[0] < self.threshold]
            if fits:
                min(fits)[2].members.append(key)
            else:
                id = 1 + max([self._last_id, *(niche.id for niche in niches)])
                niches.append(_Niche(id, population[key], [key]))
        return [niche for niche in niches if niche.members]
