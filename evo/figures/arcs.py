"""The ways of edges that do not lead forward: feedback loops and disabled connections, drawn around the nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo.figures.layers import Edge, Layers
from evo.figures.picture import EdgeWay, NodeBox, Point, WayKind
from evo.figures.words import budget_label
from evo.genome import Genome

__all__ = ["curved_ways"]

_DEPTH = 0.36
_STEP = 0.28
_PORT_STEP = 0.14


@dataclass(frozen=True, slots=True)
class _Arc:
    """An arc's course: ``side`` is 1 above the nodes and -1 below, ``level`` the height that it runs at."""

    edge: Edge
    side: int
    level: float
    left: float
    right: float


def curved_ways(genome: Genome, boxes: Mapping[int, NodeBox], layers: Layers) -> list[EdgeWay]:
    """Loops as labelled arcs; disabled connections straight between neighbours and as arcs otherwise."""
    ways: list[EdgeWay] = []
    arcs: list[_Arc] = []
    for edge in sorted(layers.loops, key=lambda edge: (layers.layer[edge[0]] - layers.layer[edge[1]], edge)):
        arcs.append(_arc(edge, boxes, layers, arcs, side=None))
        ways.append(_bent(arcs[-1], boxes, arcs, WayKind.LOOP, budget_label(genome.node(edge[0]))))
    for gene in genome.connections:
        edge = (gene.source, gene.target)
        if gene.enabled:
            continue
        if layers.layer[gene.target] - layers.layer[gene.source] == 1:
            source, target = boxes[gene.source], boxes[gene.target]
            ends = ((source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y))
            ways.append(EdgeWay(*edge, WayKind.DISABLED, ends))
        else:
            arcs.append(_arc(edge, boxes, layers, arcs, side=1))
            ways.append(_bent(arcs[-1], boxes, arcs, WayKind.DISABLED, ""))
    return ways


def _arc(edge: Edge, boxes: Mapping[int, NodeBox], layers: Layers, others: Sequence[_Arc], side: int | None) -> _Arc:
    """The shortest way above or below that hides behind no node and keeps clear of the arcs that are already there."""
    first, last = sorted((layers.layer[edge[0]], layers.layer[edge[1]]))
    span = [box for id, box in boxes.items() if first <= layers.layer[id] <= last]
    ends = boxes[edge[0]], boxes[edge[1]]
    left, right = sorted(box.x for box in ends)
    low, high = sorted(box.y for box in ends)
    between = [box for box in span if low <= box.y <= high]
    courses: list[tuple[float, int, float]] = []
    for turn in (-1, 1) if side is None else (side,):
        for around in (between, span):
            level = turn * (max(turn * box.y + box.height / 2 for box in around) + _DEPTH)
            for other in others:
                if (
                    other.side == turn
                    and other.left <= right
                    and left <= other.right
                    and abs(other.level - level) < _STEP
                ):
                    level = other.level + turn * _STEP
            hidden = sum(_covers(box, ends, level) for box in span if box.id not in edge)
            courses.append((sum(abs(level - box.y) for box in ends) + 100 * hidden, turn, level))
    _, turn, level = min(courses)
    return _Arc(edge, turn, level, left, right)


def _covers(box: NodeBox, ends: Sequence[NodeBox], level: float) -> bool:
    """Whether a box lies on an arc that runs at ``level`` and drops or climbs from there to its two ends."""
    left, right = sorted(end.x for end in ends)
    across = left < box.x + box.width / 2 and box.x - box.width / 2 < right
    if across and abs(level - box.y) <= box.height / 2:
        return True
    return any(abs(end.x - box.x) < box.width / 2 and min(level, end.y) < box.y < max(level, end.y) for end in ends)


def _bent(arc: _Arc, boxes: Mapping[int, NodeBox], arcs: Sequence[_Arc], kind: WayKind, label: str) -> EdgeWay:
    source, target = boxes[arc.edge[0]], boxes[arc.edge[1]]

    def port(box: NodeBox) -> Point:
        """Where the arc touches a node: in the middle, or beside the arcs that touch it on this side already."""
        taken = sum(box.id in other.edge and other.side == arc.side for other in arcs if other is not arc)
        return (box.x + taken * _PORT_STEP, box.y + arc.side * box.height / 2)

    start, end = port(source), port(target)
    points = (start, (start[0], arc.level), (end[0], arc.level), end)
    return EdgeWay(*arc.edge, kind, points, label, ((start[0] + end[0]) / 2, arc.level))
