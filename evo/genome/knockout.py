"""Taking a genome apart: what is left of it without one of its nodes or edges."""

from collections.abc import Iterator
from dataclasses import replace

from evo.genome.genes import OUTPUT_ID, TASK_ID, ConnectionGene, Genome
from evo.genome.space import OPEN
from evo.genome.structure import back_edges, live_edges, on_a_path
from evo.genome.validate import faults

__all__ = ["knockouts"]


def knockouts(genome: Genome) -> Iterator[tuple[str, Genome | None]]:
    """For every inner node and every enabled edge: its name, and the genome without it; None if none can stand.

    Where the wiring allows, a removed node's inputs feed what it fed. Whatever then is on no path from the task to the
    output goes with it.
    """
    for node in genome.inner:
        yield f"{node.role} {node.id}", _valid(_bypassed(genome, node.id))
    for source, target in live_edges(genome):
        without = tuple(
            replace(c, enabled=False) if (c.source, c.target) == (source, target) else c for c in genome.connections
        )
        yield f"edge {source} -> {target}", _valid(Genome(genome.nodes, without))


def _bypassed(genome: Genome, id: int) -> Genome:
    edges, loops = live_edges(genome), back_edges(genome)
    before = [s for s, t in edges if t == id and (s, t) not in loops]
    after = [t for s, t in edges if s == id and (s, t) not in loops]
    kept = {(c.source, c.target): c for c in genome.connections if id not in (c.source, c.target)}
    number = max(c.innovation for c in genome.connections)
    for source in before:
        for target in after:
            if OPEN.wiring.allows(genome.node(source).role, genome.node(target).role, loop=False):
                number += 1
                known = kept.get((source, target))
                fresh = ConnectionGene(number, source, target)
                kept[source, target] = replace(known, enabled=True) if known else fresh
    connections = tuple(sorted(kept.values(), key=lambda c: c.innovation))
    return Genome(tuple(node for node in genome.nodes if node.id != id), connections)


def _valid(genome: Genome) -> Genome | None:
    """Without what is on no path, if that leaves a pipeline."""
    alive = on_a_path(live_edges(genome)) | {TASK_ID, OUTPUT_ID}
    nodes = tuple(node for node in genome.nodes if node.id in alive)
    wires = tuple(c for c in genome.connections if c.source in alive and c.target in alive)
    pruned = Genome(nodes, wires)
    return None if faults(pruned, OPEN) else pruned
