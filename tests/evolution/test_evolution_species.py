"""Species are held near their target; stagnation is judged by averages."""

import random
from types import SimpleNamespace

import pytest

from evo.evolution import Evolution, PipelineStagnation, StagnationSettings


def counts(config, seed: int, generations: int = 30) -> list[int]:
    evolution, noise, found = Evolution(config, seed), random.Random(seed), []
    for _ in range(generations):
        evolution.tell({i.key: noise.random() for i in evolution.ask()})
        found.append(len(evolution.species))
    return found


@pytest.mark.parametrize("preset", ["graph", "laptop", "study"])
def test_the_number_of_species_stays_near_three_to_five(make_config, preset):
    found = [n for seed in range(6) for n in counts(make_config(preset), seed)]
    assert sum(3 <= n <= 5 for n in found) >= 0.9 * len(found)
    assert max(found) <= 7


def test_tiny_populations_have_species_too(make_config):
    assert all(1 <= n <= 2 for n in counts(make_config("tiny", NEAT={"pop_size": 2}), 1))


def test_every_individual_has_a_species_and_species_keep_their_ids(make_config):
    evolution, noise = Evolution(make_config(), 2), random.Random(2)
    home: dict[int, int] = {}
    kept = moved = 0
    for _ in range(20):
        asked = evolution.ask()
        for i in asked:
            kept += home.get(i.key) == i.species
            moved += i.key in home and home[i.key] != i.species
            home[i.key] = i.species
        evolution.tell({i.key: noise.random() for i in asked})
        assert {key: s.id for s in evolution.species for key in s.members} == {i.key: i.species for i in asked}
    assert kept > moved


def species(*histories: list[float]) -> SimpleNamespace:
    """Species with these fitness histories; the last entry is what this generation tells."""
    return SimpleNamespace(
        species={
            id: SimpleNamespace(
                fitness_history=history[:-1], get_fitnesses=lambda last=history[-1]: [last], fitness=None
            )
            for id, history in enumerate(histories, start=1)
        }
    )


def verdicts(settings: StagnationSettings, *histories: list[float]) -> dict[int, bool]:
    return {id: flag for id, _, flag in PipelineStagnation(settings, None).update(species(*histories), 0)}


def test_one_lucky_generation_does_not_end_a_species():
    """It improves steadily after an early outlier that no later score reaches."""
    steady = [0.9] + [0.3 + 0.02 * n for n in range(15)]
    assert verdicts(StagnationSettings(5, 3, 0), steady) == {1: False}


def test_a_species_that_stands_still_is_stagnant_after_its_time_and_not_before():
    settings = StagnationSettings(max_stagnation=5, averaging_window=3, species_elitism=0)
    assert verdicts(settings, [0.4] * 7) == {1: False}
    assert verdicts(settings, [0.4] * 8) == {1: True}


def test_the_best_species_are_spared_and_unmeasured_ones_do_not_count_as_good():
    settings = StagnationSettings(max_stagnation=2, averaging_window=1, species_elitism=1)
    assert verdicts(settings, [0.4] * 5, [0.6] * 5, [0.5] * 5) == {1: True, 2: False, 3: True}
    nothing = species([0.4] * 5, [0.6] * 5)
    nothing.species[1].get_fitnesses = lambda: [None]
    nothing.species[1].fitness_history = []
    assert {id: f for id, _, f in PipelineStagnation(settings, None).update(nothing, 0)} == {1: False, 2: False}
