"""Every fault is seen and named with its node."""

from dataclasses import replace
from random import Random

import pytest

from evo.genome import (
    OPEN,
    ConnectionGene,
    Feedback,
    Genome,
    InnovationTracker,
    NodeGene,
    Role,
    back_edges,
    faults,
    minimal,
    mutate,
    stages,
)


@pytest.fixture(scope="module")
def genome(space) -> Genome:
    """Generator 2, executor 3, refiner 4 in edges 0-2, 2-3, 3-4, 4-3, 3-1; 2-1 is disabled."""
    return minimal(space, Random(1), InnovationTracker())


def edit(genome: Genome, at: int, **fields) -> Genome:
    return replace(genome, nodes=tuple(replace(n, **fields) if n.id == at else n for n in genome.nodes))


def cut(genome: Genome, source: int, target: int) -> Genome:
    kept = (replace(c, enabled=c.enabled and (c.source, c.target) != (source, target)) for c in genome.connections)
    return replace(genome, connections=tuple(kept))


def wire(genome: Genome, source: int, target: int, number: int = 99) -> Genome:
    return replace(genome, connections=(*genome.connections, ConnectionGene(number, source, target)))


def extend(genome: Genome, *nodes: NodeGene) -> Genome:
    return replace(genome, nodes=(*genome.nodes, *nodes))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda g: edit(g, 2, model="gpt"), "node 2 (generator): model 'gpt' is not in the pool (gemma3:1b,"),
        (lambda g: edit(g, 2, model=None), "node 2 (generator): has no model"),
        (lambda g: edit(g, 2, model=""), "node 2 (generator): has no model"),
        (lambda g: edit(g, 4, prompt="plain"), "node 4 (refiner): prompt 'plain' is not among fix, rewrite, minimal"),
        (lambda g: edit(g, 4, temperature=1.3), "node 4 (refiner): temperature 1.3 is outside 0.05..1.2"),
        (lambda g: edit(g, 4, temperature=float("nan")), "node 4 (refiner): temperature nan is outside"),
        (lambda g: edit(g, 4, iterations=4), "node 4 (refiner): iterations 4 is outside 1..3"),
        (lambda g: edit(g, 2, iterations=1), "node 2 (generator): has iterations, which its role does not use"),
        (lambda g: edit(g, 3, feedback=None), "node 3 (executor): has no feedback"),
        (lambda g: edit(g, 3, model="gemma3:1b"), "node 3 (executor): has model, which its role does not use"),
        (lambda g: edit(g, 1, id=0), "node 0: the id occurs 2 times"),
        (lambda g: edit(g, 1, role=Role.TASK), "node 1: must be there and have the role output"),
        (lambda g: extend(g, NodeGene(7, Role.OUTPUT)), "node 7 (output): only node 0 is the task and only node 1"),
        (lambda g: Genome(g.nodes[::-1], g.connections), "nodes are not sorted by id"),
        (lambda g: Genome(g.nodes, g.connections[::-1]), "connections are not sorted by innovation number"),
        (lambda g: wire(g, 3, 4), "connection 3 -> 4: occurs 2 times"),
        (lambda g: wire(g, 3, 8), "connection 99: there is no node 8"),
        (lambda g: cut(g, 3, 1), "node 1 (output): has 0 edge(s) from generator or executor, needs 1"),
        (lambda g: cut(g, 4, 3), "node 4 (refiner): has 0 loop edge(s) to executor, needs 1"),
        (lambda g: cut(g, 0, 2), "node 2 (generator): is on no path from the task to the output"),
        (lambda g: wire(g, 4, 1), "node 4 (refiner): may not lead to node 1 (output)"),
        (lambda g: wire(g, 3, 2), "node 3 (executor): may not loop back to node 2 (generator)"),
        (lambda g: wire(g, 3, 3), "node 3 (executor): may not loop back to node 3 (executor)"),
        (
            lambda g: extend(g, NodeGene(5, Role.EXECUTOR, feedback=Feedback.TYPE)),
            "node 5 (executor): is on no path from the task to the output",
        ),
    ],
)
def test_a_fault_names_its_node(space, genome, change, fault):
    assert faults(genome, space) == ()
    found = faults(change(genome), space)
    assert any(line.startswith(fault) for line in found), found


def test_an_empty_genome_has_faults(space):
    assert faults(Genome((), ()), space)


def test_a_stage_that_the_output_does_not_hear_of_is_a_fault(space):
    rng, tracker = Random(3), InnovationTracker()
    rates = replace(space.rates, add_stage=1.0, add_analyzer=0.0, remove_node=0.0)
    genome = mutate(minimal(space, rng, tracker), replace(space, rates=rates), rng, tracker)
    first, second = (stage.executor.id for stage in stages(genome))
    early = replace(
        genome,
        connections=tuple(
            replace(c, enabled=c.source == first) if c.target == 1 and c.source in (first, second) else c
            for c in genome.connections
        ),
    )
    assert f"node {second} (executor): is on no path from the task to the output" in faults(early, space)


def test_bounds_on_nodes_and_stages(space, genome):
    assert faults(genome, replace(space, max_nodes=2)) == ("3 nodes, at most 2 allowed",)
    assert faults(genome, replace(space, stages=(2, 3))) == ("1 stages, 2 to 3 allowed",)


def test_temperatures_lie_on_the_grid(gridded, genome):
    on = edit(edit(genome, 2, temperature=0.4), 4, temperature=0.2)
    assert faults(on, gridded) == ()
    assert faults(edit(on, 2, temperature=0.5), gridded) == (
        "node 2 (generator): temperature 0.5 is off the grid 0.2 + n * 0.2",
    )


def test_loops_are_told_from_feeds_whatever_the_order_of_genes(space):
    rng, tracker = Random(3), InnovationTracker()
    rates = replace(space.rates, add_stage=1.0, add_analyzer=1.0, remove_node=0.0)
    genome = minimal(space, rng, tracker)
    for _ in range(2):
        genome = mutate(genome, replace(space, rates=rates), rng, tracker)
    assert len(stages(genome)) == 3
    loops = {(stage.refiner.id, stage.executor.id) for stage in stages(genome)}
    assert back_edges(genome) == loops
    assert back_edges(Genome(genome.nodes, genome.connections[::-1])) == loops


def test_a_loop_into_the_stage_before_is_a_fault(space):
    rng, tracker = Random(3), InnovationTracker()
    rates = replace(space.rates, add_stage=1.0, add_analyzer=0.0, remove_node=0.0)
    genome = mutate(minimal(space, rng, tracker), replace(space, rates=rates), rng, tracker)
    first, second = stages(genome)
    crossed = wire(cut(genome, second.refiner.id, second.executor.id), second.refiner.id, first.executor.id)
    assert any(f"node {first.executor.id} (executor): has 2 loop edge(s)" in line for line in faults(crossed, space))


def test_a_cycle_that_nothing_closes_is_a_fault(space, genome):
    """Two executors that both entries reach: no target dominates, so neither edge is a loop."""
    node = NodeGene(9, Role.GENERATOR, "gemma3:1b", "plain", 0.3)
    tangled = wire(wire(wire(extend(genome, node), 0, 9, 90), 9, 4, 91), 4, 9, 92)
    assert any("cycle that no loop edge closes" in line for line in faults(tangled, OPEN))
