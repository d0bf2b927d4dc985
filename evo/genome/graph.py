"""Structural operators of the graph space. What they may do stands in the space's table of ports and nowhere here.

Each proposes: it gives variants in random order, built from edges that the table allows, and ``mutate`` takes the first
that is valid. Roles are never named: a role that is added to the table is grown, split and removed like the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from evo.genome.edit import disable, drop, enable, prune, put
from evo.genome.genes import Genome, NodeGene, Role
from evo.genome.growth import new_node
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space
from evo.genome.structure import Edge, back_edges, dominated, live_edges, reachable

__all__ = [
    "add_branch",
    "add_edge",
    "add_loop",
    "add_node",
    "disable_edge",
    "duplicate",
    "enable_edge",
    "remove_loop",
    "remove_node",
]

_Item = TypeVar("_Item")


def add_node(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Split an edge: its gene is disabled, a new node of a role that fits takes its place.

    A role that takes several inputs takes that edge alone or, by a coin, all edges into the target that it may take; a
    role that needs several (a choice) always takes all.
    """
    edges = _forward(genome)
    role_of = {node.id: node.role for node in genome.nodes}
    spots = [
        (s, t, role)
        for s, t in edges
        for role in Role
        if _fits(space, role_of[s], role) and _fits(space, role, role_of[t])
    ]
    for s, t, role in _shuffled(spots, rng):
        bundle = [x for x, y in edges if y == t and _fits(space, role_of[x], role)]
        needed = sum(port.least for port in space.wiring.inputs_of(role))
        sources = bundle if len(bundle) > 1 and (needed > 1 or rng.random() < 0.5) else [s]
        if len(sources) < needed:
            continue
        id = tracker.node(s, t, role, _ids(genome))
        grown = put(genome, new_node(id, role, space, rng))
        for source in sources:
            grown = enable(disable(grown, source, t), source, id, tracker)
        yield enable(grown, id, t, tracker)


def add_branch(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """A new node beside what is there: from one node, to another that does not lead back to the first."""
    behind = _behind(genome)
    spots = [
        (a, b, role)
        for a in genome.nodes
        for b in genome.nodes
        if a.id not in behind[b.id]
        for role in space.wiring.between(a.role, b.role)
    ]
    for a, b, role in _shuffled(spots, rng):
        yield _between(genome, a, b, role, space, rng, tracker)


def add_edge(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """A forward edge that the genome has no gene of."""
    known = {(c.source, c.target) for c in genome.connections}
    behind = _behind(genome)
    spots = [
        (a.id, b.id)
        for a in genome.nodes
        for b in genome.nodes
        if (a.id, b.id) not in known and _fits(space, a.role, b.role) and a.id not in behind[b.id]
    ]
    for source, target in _shuffled(spots, rng):
        yield enable(genome, source, target, tracker)


def disable_edge(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Switch an edge off; the gene stays."""
    for source, target in _shuffled(live_edges(genome), rng):
        yield disable(genome, source, target)


def enable_edge(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Switch a disabled edge on again."""
    for connection in _shuffled([c for c in genome.connections if not c.enabled], rng):
        yield enable(genome, connection.source, connection.target)


def duplicate(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Copy a node, by a coin with all that is reached through it alone, and wire the copy as the original is."""
    edges = live_edges(genome)
    for head in _shuffled(genome.inner, rng):
        branch = {head.id} | (dominated(head.id, edges) if rng.random() < 0.5 else frozenset())
        copies: dict[int, int] = {}
        grown = genome
        for node in (n for n in genome.inner if n.id in branch):
            copies[node.id] = tracker.node(node.id, node.id, node.role, _ids(grown))
            grown = put(grown, replace(node, id=copies[node.id]))
        for s, t in edges:
            if s in copies or t in copies:
                grown = enable(grown, copies.get(s, s), copies.get(t, t), tracker)
        yield grown


def add_loop(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Lead a node back to an earlier one, or grow a new node that comes from a node and leads back to it."""
    edges, behind = live_edges(genome), _behind(genome)
    old = [
        (a, b, None)
        for a in genome.nodes
        for b in genome.nodes
        if _fits(space, a.role, b.role, loop=True) and (a.id, b.id) not in edges and a.id in behind[b.id]
    ]
    new = [(a, a, role) for a in genome.nodes for role in space.wiring.between(a.role, a.role, loop=True)]
    for a, b, role in _shuffled([*old, *new], rng):
        if role is None:
            yield enable(genome, a.id, b.id, tracker)
        else:
            yield _between(genome, a, b, role, space, rng, tracker)


def remove_loop(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Switch a loop edge off, and remove what no longer leads anywhere."""
    for source, target in _shuffled(sorted(back_edges(genome)), rng):
        yield prune(disable(genome, source, target))


def remove_node(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    """Remove a node; what led to it leads where it led, as far as the table allows. What hangs loose goes with it."""
    edges = _forward(genome)
    role_of = {node.id: node.role for node in genome.nodes}
    for node in _shuffled(genome.inner, rng):
        rest = bare = drop(genome, {node.id})
        for source in (s for s, t in edges if t == node.id):
            for target in (t for s, t in edges if s == node.id):
                if _fits(space, role_of[source], role_of[target]):
                    rest = enable(rest, source, target, tracker)
        yield prune(rest)
        if rest is not bare:
            yield prune(bare)


def _between(
    genome: Genome, a: NodeGene, b: NodeGene, role: Role, space: Space, rng: Random, tracker: InnovationTracker
) -> Genome:
    """A new node of ``role`` with an edge from ``a`` and one to ``b``."""
    id = tracker.node(a.id, b.id, role, _ids(genome))
    grown = put(genome, new_node(id, role, space, rng))
    return enable(enable(grown, a.id, id, tracker), id, b.id, tracker)


def _fits(space: Space, source: Role, target: Role, *, loop: bool = False) -> bool:
    return space.wiring.allows(source, target, loop=loop)


def _forward(genome: Genome) -> tuple[Edge, ...]:
    loops = back_edges(genome)
    return tuple(edge for edge in live_edges(genome) if edge not in loops)


def _behind(genome: Genome) -> dict[int, frozenset[int]]:
    """By id, the nodes that a node leads to, itself included."""
    edges = live_edges(genome)
    return {node.id: reachable(node.id, edges) for node in genome.nodes}


def _ids(genome: Genome) -> Sequence[int]:
    return [node.id for node in genome.nodes]


def _shuffled(items: Iterable[_Item], rng: Random) -> list[_Item]:
    listed = list(items)
    rng.shuffle(listed)
    return listed
