"""A genome from elsewhere becomes one of a run: under its historical markings, within the bounds of its space."""

from collections.abc import Iterator
from dataclasses import replace

from evo.genome.edit import assemble
from evo.genome.genes import OUTPUT_ID, TASK_ID, Genome, NodeGene
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space
from evo.genome.structure import Edge, back_edges, live_edges

__all__ = ["adopt"]


def adopt(genome: Genome, space: Space, tracker: InnovationTracker) -> Genome:
    """The same pipeline with the ids and innovation numbers that ``tracker`` issues, so that a run's genomes align with
    it: what the linear space's operators grew has the numbers that they would give it again.

    Temperatures, iterations and levels of feedback outside of the space become ones inside, the nearest where there is
    a nearest. Nothing else is looked at: ``faults`` says whether the result is in the space. Unused nodes are left out.
    """
    ids = {TASK_ID: TASK_ID, OUTPUT_ID: OUTPUT_ID}
    nodes = [genome.node(TASK_ID), genome.node(OUTPUT_ID)]
    for node, (source, target) in _put_in(genome):
        ids[node.id] = tracker.node(ids[source], ids[target], node.role, list(ids.values()))
        nodes.append(replace(_within(node, space), id=ids[node.id]))
    connections = (
        tracker.connect(ids[c.source], ids[c.target], enabled=c.enabled)
        for c in genome.connections
        if c.source in ids and c.target in ids
    )
    return assemble(nodes, connections)


def _put_in(genome: Genome) -> Iterator[tuple[NodeGene, Edge]]:
    """Inner nodes in the order in which operators could have put them in, and the edge that each was put into.

    A node that leads back to another grows out of that one; what leads to it afterwards splits an edge to it.
    """
    loops = dict(back_edges(genome))
    forward = [edge for edge in live_edges(genome) if loops.get(edge[0]) != edge[1]]
    before = {node.id: [s for s, t in forward if t == node.id] for node in genome.inner}
    done = {TASK_ID}
    while True:
        ready = [id for id in before if id not in done and done.issuperset([loops[id]] if id in loops else before[id])]
        if not ready:
            return
        id = min(ready, key=lambda id: (id not in loops, id))
        done.add(id)
        if id in loops:
            yield genome.node(id), (loops[id], loops[id])
        else:
            source = min(before[id])
            closed = [t for s, t in forward if s == id and t in loops and t in done]
            yield genome.node(id), (loops.get(source, source), min(closed, default=OUTPUT_ID))


def _within(node: NodeGene, space: Space) -> NodeGene:
    """The node with the space's nearest values."""
    low, high = space.iterations
    return replace(
        node,
        temperature=None if node.temperature is None else space.on_grid(node.temperature),
        iterations=None if node.iterations is None else min(max(node.iterations, low), high),
        feedback=node.feedback if node.feedback is None or node.feedback in space.feedback else space.feedback[-1],
    )
