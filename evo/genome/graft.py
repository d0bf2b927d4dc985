"""Crossover in the graph space: one parent's structure, with subgraphs of the other's grafted on."""

from collections.abc import Collection, Iterator
from random import Random

from evo.genome.edit import assemble, put
from evo.genome.genes import ConnectionGene, Genome
from evo.genome.space import Space
from evo.genome.structure import live_edges
from evo.genome.validate import valid

__all__ = ["graft"]


def graft(frame: Genome, other: Genome, space: Space, rng: Random) -> Genome:
    """A child of two valid genomes with the frame's structure; every gene of it is a gene of a parent.

    Nodes and connections are aligned by innovation number. A node that both have comes from either by coin. Each
    connected part of what only the other has is grafted on with ``rates.weaker_disjoint``, wired as it is there: in
    place of the edges that it took the place of there, or else beside them; so is each edge that only the other has
    enabled. What would be invalid is not done.
    """
    mine = {node.id: node.role for node in frame.nodes}
    shared = [node for node in other.nodes if mine.get(node.id) is node.role]
    child = put(frame, *(node for node in shared if rng.random() < 0.5))
    child = child if valid(child, space) else frame
    for part in _parts(other, mine):
        if rng.random() < space.rates.weaker_disjoint:
            child = next((g for g in _grafted(child, other, part) if valid(g, space)), child)
    for connection in other.connections:
        if connection.enabled and _missing(child, connection) and rng.random() < space.rates.weaker_disjoint:
            proposed = _wired(child, [connection])
            child = proposed if valid(proposed, space) else child
    return child


def _parts(other: Genome, shared: Collection[int]) -> Iterator[frozenset[int]]:
    """The connected parts of what ``other`` has besides the shared ids, by their smallest id."""
    left = {node.id for node in other.nodes if node.id not in shared}
    edges = live_edges(other)
    while left:
        part: set[int] = set()
        grown = {min(left)}
        while grown - part:
            part |= grown
            grown = left & {end for s, t in edges if s in part or t in part for end in (s, t)}
        left -= part
        yield frozenset(part)


def _grafted(child: Genome, other: Genome, part: Collection[int]) -> Iterator[Genome]:
    """The child with the part, without the edges that it replaced in the other; then with them."""
    known = {node.id for node in child.nodes} | set(part)
    bridges = [
        c
        for c in other.connections
        if (c.source in part or c.target in part) and c.source in known and c.target in known
    ]
    before = {c.source for c in bridges if c.enabled and c.target in part}
    behind = {c.target for c in bridges if c.enabled and c.source in part}
    replaced = [c for c in other.connections if not c.enabled and c.source in before and c.target in behind]
    grown = put(child, *(node for node in other.nodes if node.id in part))
    yield _wired(grown, [*bridges, *(c for c in replaced if not _missing(child, c))])
    yield _wired(grown, bridges)


def _missing(child: Genome, connection: ConnectionGene) -> bool:
    """Whether the child has both ends, but not this edge enabled."""
    ends = {connection.source, connection.target} <= {node.id for node in child.nodes}
    return ends and (connection.source, connection.target) not in live_edges(child)


def _wired(child: Genome, connections: Collection[ConnectionGene]) -> Genome:
    """The child with these genes, in place of its own for the same edges."""
    edges = {(c.source, c.target) for c in connections}
    kept = (c for c in child.connections if (c.source, c.target) not in edges)
    return assemble(child.nodes, (*kept, *connections))
