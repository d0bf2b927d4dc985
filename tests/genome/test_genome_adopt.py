"""A genome from elsewhere becomes one of a run: the same pipeline, under the run's numbers."""

from dataclasses import replace
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import GRAPH_SPACE, lineage

from evo.genome import InnovationTracker, adopt, faults, minimal, mutate, read_genome, with_models
from evo.genome.growth import add_analyzer, add_stage
from evo.pipeline import PipelineSettings, PromptBook, compile_genome
from evo.resources import genome_path

seeds = st.integers(0, 2**32)


def wiring(genome):
    """Its live edges between nodes that are known by what they do."""
    graph = nx.DiGraph()
    for node in genome.nodes:
        graph.add_node(node.id, does=replace(node, id=0))
    graph.add_edges_from((c.source, c.target) for c in genome.connections if c.enabled)
    return graph


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_it_is_the_same_pipeline(seed):
    for _, _, genome in lineage(GRAPH_SPACE, seed, 30):
        adopted = adopt(genome, GRAPH_SPACE, InnovationTracker())
        assert faults(adopted, GRAPH_SPACE) == ()
        assert nx.is_isomorphic(wiring(adopted), wiring(genome), node_match=lambda one, other: one == other)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, more=st.integers(0, 2), analyzers=st.integers(0, 2))
def test_what_the_linear_operators_grew_keeps_its_numbers(space, seed, more, analyzers):
    rng, tracker = Random(seed), InnovationTracker()
    genome = minimal(space, rng, tracker)
    for _ in range(more):
        genome = add_stage(genome, space, rng, tracker)
    for _ in range(analyzers):
        genome = add_analyzer(genome, space, rng, tracker)
    assert adopt(genome, space, tracker) == genome
    book, bounds = PromptBook.load(), PipelineSettings()
    elsewhere = adopt(genome, space, InnovationTracker())
    assert compile_genome(elsewhere, bounds, book).digest == compile_genome(genome, bounds, book).digest


@pytest.mark.parametrize("name", ["self-refine", "solo", "best-of-4", "study-v3", "choose-of-3", "own-tests"])
def test_values_outside_of_the_space_become_the_nearest_inside(name):
    genome = read_genome(genome_path(name))
    genome = with_models(genome, {node.model: GRAPH_SPACE.models[0] for node in genome.nodes if node.model})
    adopted = adopt(genome, GRAPH_SPACE, InnovationTracker())
    assert faults(adopted, GRAPH_SPACE) == ()
    assert sorted(node.role for node in adopted.nodes) == sorted(node.role for node in genome.nodes)


def test_a_founder_can_be_bred_with_what_grew_in_the_run(space):
    rng, tracker = Random(1), InnovationTracker()
    founder = with_models(read_genome(genome_path("self-refine")), {"llama3.2:3b": "gemma3:1b"})
    adopted, grown = adopt(founder, space, tracker), minimal(space, rng, tracker)
    assert [node.id for node in adopted.nodes] == [node.id for node in grown.nodes]
    assert {c.innovation for c in adopted.connections} == {c.innovation for c in grown.connections}
    assert all(faults(mutate(adopted, space, rng, tracker), space) == () for _ in range(50))
