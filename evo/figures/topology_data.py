"""What a picture of a genome shows, as plain data for other programs."""

from typing import Any

from evo.figures.layers import loop_edges
from evo.figures.picture import WayKind
from evo.figures.words import explain, reading_order, turns_back
from evo.genome import ConnectionGene, Genome

__all__ = ["topology_data"]


def topology_data(genome: Genome) -> dict[str, Any]:
    """nodes: genes in the order of reading. edges: what each is (``WayKind``), and of a loop how often it may run at
    most, None for as long as it helps. steps: the lines of ``explain``.
    """
    return {
        "nodes": reading_order(genome),
        "edges": [_edge(edge, genome, loop_edges(genome)) for edge in genome.connections],
        "steps": explain(genome).splitlines(),
    }


def _edge(edge: ConnectionGene, genome: Genome, loops: frozenset[tuple[int, int]]) -> dict[str, Any]:
    found: dict[str, Any] = {"source": edge.source, "target": edge.target, "kind": WayKind.FORWARD}
    if not edge.enabled:
        return {**found, "kind": WayKind.DISABLED}
    if (edge.source, edge.target) in loops:
        return {**found, "kind": WayKind.LOOP, "budget": turns_back(genome, edge.source)}
    return found
