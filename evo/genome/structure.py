"""Reading a genome's shape: adjacency, dominators, loop edges, how often nodes may run, stages."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from evo.genome.genes import OUTPUT_ID, TASK_ID, Genome, NodeGene, Role

__all__ = [
    "Edge",
    "Stage",
    "back_edges",
    "dominated",
    "generator",
    "iterations",
    "live_edges",
    "loop_edges",
    "on_a_path",
    "reachable",
    "stages",
    "visits",
]

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


def _successors(edges: Iterable[Edge]) -> dict[int, list[int]]:
    after: dict[int, list[int]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    return after


def _reach(start: int, after: Mapping[int, list[int]], without: int = -1) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for target in after.get(todo.pop(), ()):
            if target not in seen and target != without:
                seen.add(target)
                todo.append(target)
    return seen


def reachable(start: int, edges: Iterable[Edge]) -> frozenset[int]:
    """Nodes that paths from ``start`` lead to, itself included."""
    return frozenset(_reach(start, _successors(edges)))


def on_a_path(edges: Iterable[Edge]) -> frozenset[int]:
    """Nodes on paths from the task to the output; empty if there is none."""
    edges = tuple(edges)
    alive = reachable(TASK_ID, edges) & reachable(OUTPUT_ID, [(target, source) for source, target in edges])
    return alive if TASK_ID in alive else frozenset()


def dominated(id: int, edges: Iterable[Edge]) -> frozenset[int]:
    """Nodes that the task reaches through this node alone; not the node itself, nor the output."""
    after = _successors(edges)
    return frozenset(_reach(TASK_ID, after) - _reach(TASK_ID, after, without=id) - {id, OUTPUT_ID})


def back_edges(genome: Genome) -> frozenset[Edge]:
    """The ``loop_edges`` of a genome's enabled connections."""
    return loop_edges(live_edges(genome))


@lru_cache(maxsize=4096)  # a population has many genomes and few shapes
def loop_edges(edges: tuple[Edge, ...]) -> frozenset[Edge]:
    """The edges that close a loop: their target dominates their source (every way from task to the source leads
    through the target). The rest is acyclic in a valid genome. Independent of their order. A node that is entered by
    one edge alone ends no loop: the way in from the task is an edge too.
    """
    after = _successors(edges)
    entries = Counter(target for _, target in edges)
    beyond = {target: _reach(target, after) for target, count in entries.items() if count > 1}
    coming = {target for source, target in edges if source in beyond.get(target, ())}
    alive = _reach(TASK_ID, after) if coming else set()
    dominated = {target: alive - _reach(TASK_ID, after, without=target) for target in coming}
    return frozenset((s, t) for s, t in edges if s == t or s in dominated.get(t, ()))


def visits(genome: Genome) -> dict[int, int]:
    """By id, how often each node that calls a model may run at most in one run of a valid genome.

    A node runs once and once more for every turn of a loop that it lies on; a loop turns as often as its refiner has
    iterations, in the whole run. A refiner that leads nowhere else runs no more often than that, and an analyzer that
    feeds only such no more often than they. The sum bounds the model calls of a run.
    """
    edges, loops = live_edges(genome), back_edges(genome)
    after, before = _successors(edges), _successors((t, s) for s, t in edges)
    turns = {node.id: node.iterations or 1 for node in genome.nodes if node.role is Role.REFINER}
    found = {node.id: 1 for node in genome.nodes if node.role.calls_model}
    for source, target in loops:
        for id in _reach(target, after) & _reach(source, before) & found.keys():
            found[id] += turns.get(source, 0)
    forward = {s for s, t in edges if (s, t) not in loops}
    found |= {id: own for id, own in turns.items() if id not in forward}
    for node in genome.nodes:
        fed = [t for s, t in edges if s == node.id]
        if node.role is Role.ANALYZER and not forward.intersection(fed):
            found[node.id] = min(found[node.id], sum(found.get(t, 0) for t in fed))
    return found


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
