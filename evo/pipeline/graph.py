"""The live part of a genome as a graph over indices, checked against the table of allowed edges."""

from collections.abc import Iterable
from dataclasses import dataclass

from evo.errors import UserError
from evo.genome.edit import assemble
from evo.genome.genes import OUTPUT_ID, TASK_ID, Genome, NodeGene, Role
from evo.genome.space import GRAPH
from evo.genome.structure import back_edges, live_edges, reachable

__all__ = ["Graph", "live_graph"]

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Graph:
    """genes: what lies on a path from task to output, so that forward edges lead from lower to higher indices; of nodes
    that could come in any order the lower id comes first. forward, loops: edges as pairs of indices.
    """

    genes: tuple[NodeGene, ...]
    forward: frozenset[Edge]
    loops: frozenset[Edge]

    def after(self, index: int) -> tuple[int, ...]:
        """What this node feeds by forward edges, ascending."""
        return tuple(sorted(target for source, target in self.forward if source == index))

    def loop_of(self, index: int) -> int | None:
        """Where this node's loop edge leads, or None."""
        return next((target for source, target in sorted(self.loops) if source == index), None)

    def parts(self, ids: frozenset[int], header: int | None) -> tuple[tuple[int, ...], ...]:
        """The strongly connected parts among ``ids`` without the edges into ``header``, in the order of a run."""
        edges = [(s, t) for s, t in self.forward | self.loops if {s, t} <= ids and t != header]
        reach = {index: reachable(index, edges) for index in ids}
        found = {tuple(sorted(other for other in reach[index] if index in reach[other])) for index in ids}
        return tuple(sorted(found))


def live_graph(genome: Genome) -> Graph:
    """Without disabled connections and dead nodes. Raises UserError, naming node and fault, if it cannot be run."""
    live = _pruned(genome)
    edges, loops = live_edges(live), back_edges(live)
    by_id = {gene.id: gene for gene in live.nodes}
    for source, target in sorted(edges):
        if not GRAPH.allows(by_id[source].role, by_id[target].role, loop=(source, target) in loops):
            kind = "loops back" if (source, target) in loops else "leads"
            raise UserError(f"genome: {_label(by_id[source])} {kind} to {_label(by_id[target])}, which it may not")
    if twice := [source for source, _ in loops if sum(edge[0] == source for edge in loops) > 1]:
        raise UserError(f"genome: {_label(by_id[min(twice)])} loops to more than one node")
    forward = frozenset(edges) - loops
    order = _in_order(set(by_id), forward)
    if len(order) < len(by_id):
        stuck = min(set(by_id) - set(order))
        raise UserError(f"genome: {_label(by_id[stuck])} is on a cycle that no loop edge closes")
    number = {id: index for index, id in enumerate(order)}
    return Graph(
        tuple(by_id[id] for id in order),
        frozenset((number[s], number[t]) for s, t in forward),
        frozenset((number[s], number[t]) for s, t in loops),
    )


def _pruned(genome: Genome) -> Genome:
    ids = [gene.id for gene in genome.nodes]
    if len(set(ids)) < len(ids):
        raise UserError(f"genome: node {next(i for i in ids if ids.count(i) > 1)} is there twice; ids are unique")
    for connection in genome.connections:
        for end in (connection.source, connection.target):
            if end not in ids:
                raise UserError(f"genome: connection {connection.innovation} ends at node {end}, which does not exist")
    task, output = _only(genome, Role.TASK), _only(genome, Role.OUTPUT)
    edges = live_edges(genome)
    alive = reachable(task, edges) & reachable(output, [(target, source) for source, target in edges])
    if output not in alive:
        raise UserError(f"genome: no enabled connections lead from task (node {task}) to output (node {output})")
    pairs = {(c.source, c.target): c for c in genome.connections if c.enabled and {c.source, c.target} <= alive}
    return assemble((gene for gene in genome.nodes if gene.id in alive), pairs.values())


def _only(genome: Genome, role: Role) -> int:
    found = [gene.id for gene in genome.nodes if gene.role is role]
    if len(found) != 1:
        raise UserError(f"genome: has {len(found)} {role} nodes, not one")
    if found[0] != (TASK_ID if role is Role.TASK else OUTPUT_ID):
        raise UserError(
            f"genome: node {found[0]} ({role}) must have the id {TASK_ID if role is Role.TASK else OUTPUT_ID}"
        )
    return found[0]


def _label(gene: NodeGene) -> str:
    return f"node {gene.id} ({gene.role})"


def _in_order(ids: set[int], edges: Iterable[Edge]) -> list[int]:
    """Topological; of several that could come next the lowest id, but the output last. Nodes on cycles are left out."""
    edges = set(edges)
    waits = {id: {source for source, target in edges if target == id} for id in ids}
    order = list[int]()
    while ready := [id for id in ids if not waits[id]]:
        here = min(ready, key=lambda id: (id == OUTPUT_ID, id))
        order.append(here)
        del waits[here]
        ids = ids - {here}
        for others in waits.values():
            others.discard(here)
    return order
