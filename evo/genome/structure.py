"""Reading a genome's shape: adjacency, dominators, loop edges, stages."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evo.genome.genes import TASK_ID, Genome, NodeGene, Role

__all__ = ["Stage", "back_edges", "generator", "iterations", "live_edges", "reachable", "stages"]

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stage:
    """One refinement loop: executor -> [analyzer ->] refiner -> executor."""

    executor: NodeGene
    analyzer: NodeGene | None
    refiner: NodeGene

    @property
    def nodes(self) -> tuple[NodeGene, ...]:
        """Its nodes in the order in which they run."""
        middle = () if self.analyzer is None else (self.analyzer,)
        return (self.executor, *middle, self.refiner)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of ``nodes``."""
        return tuple(node.id for node in self.nodes)


def live_edges(genome: Genome) -> tuple[Edge, ...]:
    """Enabled connections as (source, target), in order of innovation number."""
    return tuple((c.source, c.target) for c in genome.connections if c.enabled)


def reachable(start: int, edges: Iterable[Edge]) -> frozenset[int]:
    """Nodes that paths from ``start`` lead to, itself included."""
    after: dict[int, list[int]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    seen, todo = {start}, [start]
    while todo:
        fresh = [n for n in after.get(todo.pop(), ()) if n not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return frozenset(seen)


def back_edges(genome: Genome) -> frozenset[Edge]:
    """The enabled edges that close a loop: their target dominates their source (every way from task to the source leads
    through the target). The rest is acyclic in a valid genome. Independent of gene order. A node that is entered by one
    edge alone ends no loop: the way in from the task is an edge too.
    """
    edges = live_edges(genome)
    alive = reachable(TASK_ID, edges)
    joins = {target for target, count in Counter(target for _, target in edges).items() if count > 1}
    beyond = {target: alive - reachable(TASK_ID, [e for e in edges if target not in e]) for target in joins}
    return frozenset((s, t) for s, t in edges if s == t or s in beyond.get(t, ()))


def generator(genome: Genome) -> NodeGene:
    """The node that writes the first draft of a valid linear genome."""
    return next(node for node in genome.nodes if node.role is Role.GENERATOR)


def stages(genome: Genome) -> tuple[Stage, ...]:
    """Stages of a valid linear genome, in the order in which they run."""
    by_id: Mapping[int, NodeGene] = {node.id: node for node in genome.nodes}
    loops = back_edges(genome)
    after: dict[int, list[NodeGene]] = {}
    for source, target in live_edges(genome):
        if (source, target) not in loops:
            after.setdefault(source, []).append(by_id[target])
    found = []
    executor = _next(after, generator(genome), Role.EXECUTOR)
    while executor is not None:
        analyzer = _next(after, executor, Role.ANALYZER)
        refiner = _next(after, analyzer or executor, Role.REFINER)
        assert refiner is not None, "a valid stage has a refiner"
        found.append(Stage(executor, analyzer, refiner))
        executor = _next(after, refiner, Role.EXECUTOR)
    return tuple(found)


def _next(after: Mapping[int, list[NodeGene]], node: NodeGene, role: Role) -> NodeGene | None:
    return next((n for n in after.get(node.id, ()) if n.role is role), None)


def iterations(genome: Genome) -> int:
    """Refinements that the genome may make at most: the sum of its refiners' iterations."""
    return sum(node.iterations or 0 for node in genome.nodes)
