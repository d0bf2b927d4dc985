"""Elementary edits: each takes a genome and gives a new one in canonical order. Validity is the caller's to check."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from evo.genome.genes import ConnectionGene, Genome, NodeGene
from evo.genome.innovation import InnovationTracker
from evo.genome.structure import live_edges, on_a_path

__all__ = ["assemble", "disable", "drop", "enable", "prune", "put"]


def assemble(nodes: Iterable[NodeGene], connections: Iterable[ConnectionGene]) -> Genome:
    """A genome of these genes, in canonical order."""
    return Genome(
        tuple(sorted(nodes, key=lambda n: n.id)),
        tuple(sorted(connections, key=lambda c: c.innovation)),
    )


def put(genome: Genome, *nodes: NodeGene) -> Genome:
    """Add nodes, or replace those with the same id."""
    kept = {node.id: node for node in (*genome.nodes, *nodes)}
    return assemble(kept.values(), genome.connections)


def drop(genome: Genome, ids: Collection[int]) -> Genome:
    """Remove nodes with all their connections."""
    return assemble(
        (n for n in genome.nodes if n.id not in ids),
        (c for c in genome.connections if c.source not in ids and c.target not in ids),
    )


def prune(genome: Genome) -> Genome:
    """Remove inner nodes that lie on no path from the task to the output, with all their connections."""
    alive = on_a_path(live_edges(genome))
    return drop(genome, {node.id for node in genome.inner if node.id not in alive})


def enable(genome: Genome, source: int, target: int, tracker: InnovationTracker | None = None) -> Genome:
    """Switch an edge on; one that the genome lacks is made by ``tracker``. KeyError without a gene and a tracker."""
    if any((c.source, c.target) == (source, target) for c in genome.connections):
        return _switch(genome, source, target, on=True)
    if tracker is None:
        raise KeyError((source, target))
    return assemble(genome.nodes, (*genome.connections, tracker.connect(source, target)))


def disable(genome: Genome, source: int, target: int) -> Genome:
    """Switch an edge off, if it is there. The gene stays: it remembers what was split."""
    return _switch(genome, source, target, on=False)


def _switch(genome: Genome, source: int, target: int, *, on: bool) -> Genome:
    return assemble(
        genome.nodes,
        (replace(c, enabled=on) if (c.source, c.target) == (source, target) else c for c in genome.connections),
    )
