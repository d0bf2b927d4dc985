"""A graph with loops as the list of visits that a run makes.

What flows in a pipeline never decides where it flows: only an early end is dynamic. So loops are unrolled once, here,
and a plan is a list of visits, each with the visits that it works on.

A part of the graph is passed through in order, and a node fires once it has all that can still come to it. A strongly
connected part is a loop: it is passed through again as long as something has come back to its first node, each time
without the edges into that node, so that loops within are parts of the pass. A loop edge is taken at most as often as
its refiner has iterations, once less where the refiner has a way on as well, which it then takes instead. What leaves a
loop leaves it when the loop ends: the last that a node has made.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from evo.errors import UserError
from evo.genome.genes import NodeGene, Role
from evo.pipeline.graph import Graph
from evo.pipeline.plan import Visit

__all__ = ["unroll"]

_TASK = -1  # stands for the task among what a node has been given
_DEEP = 1 << 16  # positions: lane * _DEEP + model calls before it on the longest way from the task


def unroll(graph: Graph, most: int) -> tuple[tuple[Visit, ...], tuple[int, ...]]:
    """All visits, in the order of Plan.visits, and those that feed the output.

    Raises UserError if they make more than ``most`` model calls.
    """
    genes = (NodeGene(index, gene.role, iterations=gene.iterations) for index, gene in enumerate(graph.genes))
    return _unrolled(replace(graph, genes=tuple(genes)), most)


@lru_cache(maxsize=4096)  # a population has many graphs that differ in nothing but models and prompts
def _unrolled(graph: Graph, most: int) -> tuple[tuple[Visit, ...], tuple[int, ...]]:
    unrolling = _Unrolling(graph, most)
    ids = frozenset(range(len(graph.genes)))
    unrolling.through(ids, None)
    return _ordered(graph, unrolling.fired, unrolling.given[len(graph.genes) - 1])


class _Unrolling:
    """A run in which nobody answers: who fires when, on what."""

    def __init__(self, graph: Graph, most: int) -> None:
        self._graph = graph
        self._most = most
        self.fired: list[tuple[int, tuple[int, ...]]] = []  # node and inputs of each visit, as visits
        self.given: list[set[int]] = [set() for _ in graph.genes]  # visits that a node has not worked on yet
        self._lasting: list[set[int]] = [set() for _ in graph.genes]  # testers' visits: of use in every turn
        self._onward: dict[int, int] = {}  # the last visit of a node that did not go back by its loop edge
        self._taken: dict[int, int] = {}  # how often a refiner's loop edge was taken
        self._calls = 0

    def through(self, ids: frozenset[int], header: int | None) -> None:
        """Once through these nodes, without the edges into ``header``."""
        for part in self._graph.parts(ids, header):
            if len(part) == 1:
                self._fire(part[0], ids)
                continue
            start, members = len(self.fired), frozenset(part)
            while self.given[part[0]]:
                self.through(members, part[0])
            for index in part:
                if self._onward.get(index, -1) >= start:
                    self._hand_on(self._onward[index], index, ids - members)

    def _fire(self, index: int, ids: frozenset[int]) -> None:
        role = self._graph.genes[index].role
        if role is Role.OUTPUT or not (self.given[index] or role is Role.TASK):
            return
        if role is Role.TASK:
            visit = _TASK
        else:
            visit = len(self.fired)
            self.fired.append((index, tuple(sorted((self.given[index] | self._lasting[index]) - {_TASK}))))
            self.given[index] = set()
            self._calls += role.calls_model
            if self._calls > self._most:
                raise UserError(f"genome: makes more than {self._most} model calls per problem, the most allowed")
        if self._budget(index):
            self._taken[index] = self._taken.get(index, 0) + 1
            back = self._graph.loop_of(index)
            assert back is not None
            self.given[back].add(visit)
        else:
            self._onward[index] = visit
            self._hand_on(visit, index, ids)

    def _hand_on(self, visit: int, index: int, ids: frozenset[int]) -> None:
        """Along forward edges to those of ``ids`` that can do something with it."""
        lasts = self._graph.genes[index].role is Role.TESTER
        for target in self._graph.after(index):
            if target in ids and self._is_open(target):
                (self._lasting if lasts else self.given)[target].add(visit)

    def _budget(self, index: int) -> int:
        """How often the loop edge of a refiner may still be taken; 0 for others."""
        if self._graph.loop_of(index) is None:
            return 0
        iterations = self._graph.genes[index].iterations or 0
        return iterations - bool(self._graph.after(index)) - self._taken.get(index, 0)

    def _is_open(self, index: int) -> bool:
        """Whether what this node makes can still go anywhere."""
        role, after = self._graph.genes[index].role, self._graph.after(index)
        if role is Role.REFINER:
            return bool(after) or self._budget(index) > 0
        return role is not Role.ANALYZER or any(map(self._is_open, after))


def _ordered(
    graph: Graph, fired: Sequence[tuple[int, tuple[int, ...]]], output: set[int]
) -> tuple[tuple[Visit, ...], tuple[int, ...]]:
    """Visits by level, then by node; an input is always listed before what works on it."""
    level, depth = list[int](), list[int]()
    for _, inputs in fired:
        level.append(1 + max((level[i] for i in inputs), default=0))
        depth.append(max((depth[i] + graph.genes[fired[i][0]].role.calls_model for i in inputs), default=0))
    order = sorted(range(len(fired)), key=lambda i: (level[i], fired[i][0], i))
    number = {old: new for new, old in enumerate(order)}
    position = _positions(graph, fired, depth, order)
    turns: dict[int, int] = {}
    visits = []
    for old in order:
        node, inputs = fired[old]
        visits.append(
            Visit(node, turns.get(node, 0), tuple(sorted(number[i] for i in inputs)), level[old], position[old])
        )
        turns[node] = turns.get(node, 0) + 1
    return tuple(visits), tuple(sorted(number[i] for i in output))


def _positions(
    graph: Graph, fired: Sequence[tuple[int, tuple[int, ...]]], depth: Sequence[int], order: Sequence[int]
) -> dict[int, int | None]:
    """A number for each model call that no other call of the run has, and that a genome which begins alike has too.

    Of calls with as many calls before them, the first has that number itself, as in a chain; planners and testers come
    last, so that one which evolution adds moves no other's seed.
    """
    roles = [graph.genes[node].role for node, _ in fired]
    lanes: dict[int, int] = {}
    position: dict[int, int | None] = dict.fromkeys(order)
    for i in sorted(order, key=lambda i: roles[i] in (Role.PLANNER, Role.TESTER)):
        if roles[i].calls_model:
            position[i] = lanes.get(depth[i], 0) * _DEEP + depth[i]
            lanes[depth[i]] = lanes.get(depth[i], 0) + 1
    return position
