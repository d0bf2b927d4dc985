"""neat-python accepts our classes, and the genome class does what its protocol asks."""

import io
from random import Random

import neat
import pytest

from evo.errors import UserError
from evo.evolution import PipelineReproduction, PipelineSpeciesSet, PipelineStagnation
from evo.genome import GenomeConfig, InnovationTracker, PipelineGenome, crossover, distance, faults
from evo.resources import resource_folder

PRESETS = ["graph", "laptop", "study", "tiny"]


def neat_config(path) -> neat.Config:
    return neat.Config(PipelineGenome, PipelineReproduction, PipelineSpeciesSet, PipelineStagnation, str(path))


@pytest.mark.parametrize("preset", PRESETS)
def test_neat_python_itself_reads_our_presets_and_writes_them_back(preset, tmp_path):
    config = neat_config(resource_folder("configs") / f"{preset}.ini")
    config.save(tmp_path / "saved.ini")
    again = neat_config(tmp_path / "saved.ini")
    assert again.genome_config.space == config.genome_config.space
    assert again.species_set_config == config.species_set_config
    assert again.stagnation_config == config.stagnation_config
    assert again.reproduction_config == config.reproduction_config


@pytest.fixture
def config(busy) -> GenomeConfig:
    return GenomeConfig(busy, Random(1), InnovationTracker())


def born(config: GenomeConfig, key: int, fitness: float | None = None) -> PipelineGenome:
    genome = PipelineGenome(key)
    genome.configure_new(config)
    genome.fitness = fitness
    return genome


def test_the_genome_class_follows_neat_pythons_protocol(config):
    a, b = born(config, 1, 0.5), born(config, 2, 0.7)
    child = PipelineGenome(3)
    child.configure_crossover(a, b, config, fitness_criterion="max")
    before = child.genotype
    assert before != a.genotype or before != b.genotype
    child.mutate(config)
    assert faults(child.genotype, config.space) == ()
    assert a.distance(b, config) == distance(a.genotype, b.genotype, config.space)
    assert a.size() == (3, 5)
    assert (child.key, child.fitness) == (3, None)


def test_the_fitter_parent_is_the_fitter_then_the_smaller_then_the_older(config):
    small, big = born(config, 1, 0.5), born(config, 2, 0.5)
    while len(big.genotype.inner) == 3:
        big.mutate(config)
    for first, second in ((small, big), (big, small)):
        config.rng = Random(9)
        child = PipelineGenome(3)
        child.configure_crossover(first, second, config)
        assert child.genotype == crossover(small.genotype, big.genotype, config.space, Random(9))
    big.fitness = 0.6
    assert sorted([small, big], key=PipelineGenome.rank) == [big, small]
    big.fitness = None
    assert sorted([big, small], key=PipelineGenome.rank) == [small, big]


def test_writing_a_config_gives_what_reading_takes(config):
    text = io.StringIO()
    PipelineGenome.write_config(text, config)
    raw = dict(line.split(" = ", 1) for line in text.getvalue().splitlines())
    space = PipelineGenome.parse_config(raw).space
    assert space.with_pool(config.space.models, dict(config.space.prompts)) == config.space


def test_an_unknown_key_is_told_with_the_nearest_one():
    with pytest.raises(
        UserError, match=r"PipelineGenome\.rate_add_stag: unknown key; did you mean PipelineGenome\.rate"
    ):
        PipelineGenome.parse_config({"rate_add_stag": "0.1"})
