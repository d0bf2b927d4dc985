"""Ask and tell: pure in (config, seed, told), and never at a loss whatever it is told."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.evolution import Evolution, parsimony
from evo.genome import Role, faults, iterations

NUMBER = st.floats(-1, 1) | st.sampled_from([0.0, 0.5, 0.5, 1e300, -1e300]) | st.none()


def score(individual, noise: random.Random | None = None) -> float:
    """A landscape with a summit: llama refiners, low temperatures; parsimony as in a run."""
    refiners = [n for n in individual.genome.inner if n.role is Role.REFINER]
    skill = sum(n.model == "llama3.2:3b" for n in refiners) / len(refiners)
    heat = sum(n.temperature or 0 for n in individual.genome.inner) / len(individual.genome.inner)
    return skill - 0.3 * heat - parsimony(individual.genome) + (noise.gauss(0, 0.05) if noise else 0)


def course(config, seed: int, generations: int) -> list:
    evolution, states = Evolution(config, seed), []
    for _ in range(generations):
        asked = evolution.ask()
        evolution.tell({i.key: score(i) for i in asked})
        states.append((asked, evolution.species, evolution.elites))
    return states


def test_the_same_seed_gives_the_same_course_and_another_seed_another(make_config):
    config = make_config()
    assert course(config, 3, 12) == course(config, 3, 12)
    assert course(config, 3, 2) != course(config, 4, 2)


@settings(deadline=None, max_examples=40)
@given(
    space=st.sampled_from(["tiny", "graph"]),
    seed=st.integers(0, 99),
    told=st.lists(st.lists(NUMBER, min_size=8, max_size=8), min_size=2, max_size=6),
    data=st.data(),
)
def test_restored_from_any_generation_it_takes_the_same_course(make_config, space, seed, told, data):
    evolution = Evolution(make_config(space), seed)
    restored = evolution
    stop = data.draw(st.integers(0, len(told) - 1))
    for number, values in enumerate(told):
        if number == stop:
            restored = Evolution.restored(make_config(space), seed, json.loads(json.dumps(evolution.state())))
        asked = restored.ask()
        assert asked == evolution.ask()
        assert (restored.elites, restored.founders) == (evolution.elites, evolution.founders)
        assert restored.state() == evolution.state()
        fitness = {one.key: value for one, value in zip(asked, values, strict=False)}
        fitness |= dict.fromkeys({one.key for one in asked} - fitness.keys())
        for each in {id(one): one for one in (evolution, restored)}.values():
            each.tell(fitness)
        assert restored.species == evolution.species


def test_a_newborn_is_a_newborn_after_restoring(make_config):
    evolution = Evolution(make_config(), 1)
    evolution.tell({one.key: score(one) for one in evolution.ask()})
    restored = Evolution.restored(make_config(), 1, json.loads(json.dumps(evolution.state())))
    asked = restored.ask()
    born = next(one for one in asked if one.key not in restored.elites)
    restored.revise(born.key, born.genome)
    with pytest.raises(ValueError, match="no newborn"):
        restored.revise(restored.elites[0], born.genome)


def test_the_course_does_not_depend_on_the_process(make_config):
    program = (
        "import hashlib; from pathlib import Path; from evo.evolution import *; from evo.genome import dumps\n"
        "from evo.resources import resource_folder\n"
        "prompts = {'generator': ['a', 'b'], 'analyzer': ['c'], 'refiner': ['d', 'e']}\n"
        "path = resource_folder('configs') / 'laptop.ini'\n"
        "config = load_evolution_config(path, models=['x', 'y'], prompts=prompts)\n"
        "e = Evolution(config, 5)\n"
        "for _ in range(8): e.tell({i.key: i.genome.inner[0].temperature for i in e.ask()})\n"
        "print(hashlib.sha256(''.join(dumps(i.genome) for i in e.ask()).encode()).hexdigest())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


def test_the_global_generator_is_neither_read_nor_moved(make_config):
    random.seed(1)
    before = random.getstate()
    first = course(make_config(), 3, 5)
    assert random.getstate() == before
    random.seed(2)
    assert course(make_config(), 3, 5) == first


def test_asking_twice_is_asking_once(make_config):
    evolution = Evolution(make_config(), 1)
    assert evolution.ask() == evolution.ask()
    assert evolution.generation == 0
    evolution.tell({i.key: 0.5 for i in evolution.ask()})
    assert evolution.generation == 1


def test_a_run_resumes_by_telling_again_what_was_told(make_config):
    config, noise = make_config("tiny"), random.Random(0)
    whole, told = Evolution(config, 9), []
    for _ in range(10):
        told.append({i.key: score(i, noise) for i in whole.ask()})
        whole.tell(told[-1])
    again = Evolution(config, 9)
    for fitness in told[:6]:
        again.tell(fitness)
    for fitness in told[6:]:
        again.tell(fitness)
    assert again.ask() == whole.ask()
    assert again.species == whole.species


def test_who_is_named_survives_before_the_fitter_ones(make_config):
    evolution = Evolution(make_config(PipelineReproduction={"elitism": 2}), 1)
    keys = [one.key for one in evolution.ask()]
    evolution.tell({key: float(key) for key in keys}, first=keys[0])
    assert evolution.elites == (keys[0], keys[-1])
    told = {one.key: 0.5 for one in evolution.ask()} | {keys[0]: None}
    with pytest.raises(ValueError, match="must have been measured"):
        evolution.tell(told, first=keys[0])


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    seed=st.integers(0, 2**40),
    population=st.integers(2, 9),
    elitism=st.integers(0, 2),
    spared=st.integers(0, 2),
    reset=st.booleans(),
)
def test_whatever_is_told_the_next_population_is_full_and_valid(
    make_config, data, seed, population, elitism, spared, reset
):
    config = make_config(
        "tiny",
        NEAT={"pop_size": population, "reset_on_extinction": reset},
        PipelineReproduction={"elitism": elitism},
        PipelineStagnation={"max_stagnation": 1, "averaging_window": 1, "species_elitism": spared},
    )
    evolution = Evolution(config, seed)
    keys: set[int] = set()
    for generation in range(6):
        asked = evolution.ask()
        assert evolution.generation == generation
        assert len(asked) == len({i.key for i in asked}) == population
        assert all(faults(i.genome, config.space) == () for i in asked)
        newborn = {i.key for i in asked} - set(evolution.elites)
        assert not newborn & keys, "a key is never used again"
        keys |= {i.key for i in asked}
        fitness = {i.key: data.draw(NUMBER) for i in asked}
        evolution.tell(fitness)
        assert sorted(key for s in evolution.species for key in s.members) == sorted(fitness)
        measured = [key for key, value in fitness.items() if value is not None]
        if measured:
            assert set(evolution.elites) <= set(measured)
            assert len(evolution.elites) == min(elitism, len(measured))
            assert all(set(i.parents) <= set(measured) for i in evolution.ask() if i.key not in evolution.elites)
        else:
            assert evolution.ask() == asked or [i.key for i in evolution.ask()] == [i.key for i in asked]
            assert set(evolution.elites) == set(fitness)


@pytest.mark.parametrize("preset", ["graph", "laptop", "study", "tiny"])
@pytest.mark.parametrize("value", [0.0, -0.5, 1.0])
def test_a_flat_landscape_goes_on_for_long(make_config, preset, value):
    evolution = Evolution(make_config(preset), 2)
    for _ in range(30):
        evolution.tell({i.key: value for i in evolution.ask()})
    assert len(evolution.ask()) == evolution._config.population


def test_extinction_with_reset_starts_anew_beside_the_elites(make_config):
    stagnation = {"max_stagnation": 1, "averaging_window": 1, "species_elitism": 0}
    config = make_config("tiny", NEAT={"reset_on_extinction": True}, PipelineStagnation=stagnation)
    evolution = Evolution(config, 2)
    for _ in range(6):
        evolution.tell({i.key: 0.5 for i in evolution.ask()})
        fresh = [i for i in evolution.ask() if i.key not in evolution.elites]
        if all(not i.parents for i in fresh):
            assert all(len(i.genome.inner) == 3 for i in fresh)
            return
    pytest.fail("no extinction in a flat landscape without spared species")


def test_nobody_measured_keeps_everybody(make_config):
    evolution = Evolution(make_config(), 1)
    asked = evolution.ask()
    for generation in (1, 2, 3):
        evolution.tell({i.key: None for i in asked})
        assert [(i.key, i.genome) for i in evolution.ask()] == [(i.key, i.genome) for i in asked]
        assert evolution.generation == generation
        assert all(species.best is None for species in evolution.species)


def test_the_best_survive_unchanged_under_their_key(make_config):
    evolution, noise = Evolution(make_config(), 6), random.Random(1)
    for _ in range(8):
        asked = {i.key: i for i in evolution.ask()}
        fitness = {key: score(i, noise) for key, i in asked.items()}
        evolution.tell(fitness)
        best = sorted(fitness, key=fitness.get, reverse=True)[:2]
        assert list(evolution.elites) == best
        after = {i.key: i for i in evolution.ask()}
        assert all(after[key].genome == asked[key].genome and after[key].parents == asked[key].parents for key in best)


def test_ties_go_to_fewer_nodes_then_fewer_iterations_then_the_older(make_config):
    evolution = Evolution(make_config("tiny", NEAT={"pop_size": 12}), 3)
    for _ in range(6):
        asked = evolution.ask()
        evolution.tell({i.key: 0.25 for i in asked})
        ranked = sorted(asked, key=lambda i: (len(i.genome.inner), iterations(i.genome), i.key))
        assert evolution.elites == (ranked[0].key,)


def test_it_climbs(make_config):
    """With honest scores the best never gets worse and the average rises, in every one of ten seeds."""
    for seed in range(10):
        states = course(make_config(), seed, 20)
        assert max(map(score, states[-1][0])) >= max(map(score, states[0][0]))
        assert sum(map(score, states[-1][0])) > sum(map(score, states[0][0]))


def test_winners_of_small_species_are_preferred_by_sharing(make_config):
    """Equal fitness everywhere: a member of a small species becomes a parent more often than one of a big species."""
    chosen, offered = Counter(), Counter()
    for seed in range(60):
        evolution = Evolution(make_config("study"), seed)
        sizes = {i.key: 0 for i in evolution.ask()}
        evolution.tell(dict.fromkeys(sizes, 0.5))
        for species in evolution.species:
            for key in species.members:
                sizes[key] = species.size
        offered.update(sizes.values())
        chosen.update(sizes[p] for i in evolution.ask() if i.key not in evolution.elites for p in i.parents)
    rate = {size: chosen[size] / offered[size] for size in offered if offered[size] >= 30}
    assert rate[min(rate)] > 2 * rate[max(rate)]


def test_a_program_that_tells_nonsense_hears_of_it(make_config):
    evolution = Evolution(make_config("tiny"), 1)
    keys = [i.key for i in evolution.ask()]
    with pytest.raises(ValueError, match="exactly the individuals asked for"):
        evolution.tell({keys[0]: 1.0})
    with pytest.raises(ValueError, match="exactly the individuals asked for"):
        evolution.tell({**dict.fromkeys(keys, 1.0), 999: 1.0})
    with pytest.raises(ValueError, match="finite"):
        evolution.tell(dict.fromkeys(keys, float("nan")))
    evolution.tell(dict.fromkeys(keys, 1.0))


def test_parsimony_charges_each_node(make_config):
    genome = Evolution(make_config("study"), 1).ask()[0].genome
    assert parsimony(genome) == pytest.approx(0.06)
    assert parsimony(genome, per_node=0.5) == 1.5


def test_a_newborn_may_be_revised_before_it_is_measured_and_nobody_else(make_config):
    evolution = Evolution(make_config(), 1)
    evolution.tell({i.key: score(i) for i in evolution.ask()})
    newborn = next(i for i in evolution.ask() if i.key not in evolution.elites)
    nodes = tuple(replace(n, text="Do it well.") if n.role.calls_model else n for n in newborn.genome.nodes)
    evolution.revise(newborn.key, replace(newborn.genome, nodes=nodes))
    assert next(i for i in evolution.ask() if i.key == newborn.key).genome.nodes == nodes
    with pytest.raises(ValueError, match="is no newborn"):
        evolution.revise(evolution.elites[0], newborn.genome)
    with pytest.raises(ValueError, match="has no model"):
        broken = tuple(replace(n, model=None) if n.role.calls_model else n for n in nodes)
        evolution.revise(newborn.key, replace(newborn.genome, nodes=broken))
    evolution.tell({i.key: score(i) for i in evolution.ask()})


def test_the_first_generation_begins_with_the_founders(make_config):
    config = make_config("tiny")
    bred = Evolution(config, 1)
    bred.tell({i.key: 0.5 for i in bred.ask()})
    founders = [i.genome for i in bred.ask()][:2]
    evolution = Evolution(config, 2, founders)
    asked = evolution.ask()
    assert len(asked) == config.population
    assert evolution.founders == tuple(i.key for i in asked[:2])
    assert [[replace(n, id=0) for n in i.genome.inner] for i in asked[:2]] == [
        [replace(n, id=0) for n in genome.inner] for genome in founders
    ]
    assert all(i.parents == () for i in asked)
    assert Evolution(config, 2, founders * 9).ask()[-1].key == config.population


def test_without_founders_nothing_is_otherwise(make_config):
    assert Evolution(make_config(), 3, ()).ask() == Evolution(make_config(), 3).ask()
    assert Evolution(make_config(), 3).founders == ()
