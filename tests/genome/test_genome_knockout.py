"""Every part of a pipeline taken out in turn leaves a valid pipeline, or nothing."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genome import OPEN, InnovationTracker, Role, Space, faults, knockouts, minimal, mutate, read_genome
from evo.pipeline import PipelineSettings, PromptBook, compile_genome
from evo.resources import genome_path

BOOK = PromptBook.load()
NAMES = {role.value: BOOK.names(role) for role in (Role.GENERATOR, Role.ANALYZER, Role.REFINER)}


def roles(genome):
    return [node.role.value for node in genome.inner]


def test_what_is_left_of_a_loop_with_an_analyzer():
    genome = read_genome(genome_path("study-v3"))
    left = {name.split()[0]: roles(rest) for name, rest in knockouts(genome) if rest and "edge" not in name}
    assert left["executor"] == ["generator"]
    assert sorted(left["analyzer"]) == ["executor", "generator", "refiner"]
    assert sorted(left["refiner"]) == ["executor", "generator"]
    assert [rest for name, rest in knockouts(genome) if name.startswith("generator")] == [None]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_the_rest_is_valid_and_compiles(seed, steps):
    space, random, tracker = Space().with_pool(("m:1b",), NAMES), Random(seed), InnovationTracker()
    genome = minimal(space, random, tracker)
    for _ in range(steps):
        genome = mutate(genome, space, random, tracker)
    parts = list(knockouts(genome))
    assert len(parts) == len(genome.inner) + sum(c.enabled for c in genome.connections)
    for _, rest in parts:
        if rest is not None:
            assert not faults(rest, OPEN)
            assert len(rest.inner) <= len(genome.inner)
            compile_genome(rest, PipelineSettings(), BOOK)
