"""Which species have stopped improving, judged by averages and not by the luckiest score ever seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TextIO

from neat.stagnation import DefaultStagnation

from evo.genome.settings import Setting, integer, read_section, write_section

__all__ = ["PipelineStagnation", "StagnationSettings"]

_SETTINGS = (
    Setting("max_stagnation", integer(1)),
    Setting("averaging_window", integer(1)),
    Setting("species_elitism", integer(0)),
)


@dataclass(frozen=True, slots=True)
class StagnationSettings:
    """max_stagnation, averaging_window: generations. species_elitism: how many of the best species are spared."""

    max_stagnation: int
    averaging_window: int
    species_elitism: int


class PipelineStagnation(DefaultStagnation):  # type: ignore[misc]  # neat-python has no types
    """A species is stagnant if its average over the last generations is not above that of ``max_stagnation`` before.

    neat-python compares with the best value of all time: with noisy scores one lucky generation ends a species, since
    nothing honest ever beats it. A moving average compared with an equally long one forgets luck after its window.
    """

    def __init__(self, config: StagnationSettings, reporters: Any) -> None:
        self.stagnation_config = config
        self.reporters = reporters

    @classmethod
    def parse_config(cls, param_dict: Mapping[str, str]) -> StagnationSettings:
        """The section of an INI file. Raises UserError naming section.key."""
        return StagnationSettings(**read_section(cls.__name__, param_dict, _SETTINGS))

    @staticmethod
    def write_config(f: TextIO, config: StagnationSettings) -> None:
        """The section's keys, as ``parse_config`` reads them."""
        write_section(f, _SETTINGS, config)

    def update(self, species_set: Any, generation: int) -> list[tuple[int, Any, bool]]:
        """Record each species' mean over its measured members; gives (id, species, stagnant), the best species last."""
        for species in species_set.species.values():
            told = [fitness for fitness in species.get_fitnesses() if fitness is not None]
            if told:
                species.fitness_history.append(fmean(told))
        window = self.stagnation_config.averaging_window
        for species in species_set.species.values():
            recent = species.fitness_history[-window:]
            species.fitness = fmean(recent) if recent else float("-inf")
        ranked = sorted(species_set.species.items(), key=lambda entry: (entry[1].fitness, -entry[0]))
        doomed = len(ranked) - self.stagnation_config.species_elitism
        return [(id, s, place < doomed and self._stagnant(s.fitness_history)) for place, (id, s) in enumerate(ranked)]

    def _stagnant(self, history: list[float]) -> bool:
        window, wait = self.stagnation_config.averaging_window, self.stagnation_config.max_stagnation
        if len(history) < window + wait:
            return False
        return fmean(history[-window:]) <= fmean(history[-window - wait : -wait])
