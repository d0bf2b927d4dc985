"""The ways of edges that do not lead forward: feedback loops and disabled connections, drawn around the nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo.figures.layers import Edge, Layers
from evo.figures.picture import EdgeWay, NodeBox, Point, WayKind
from evo.figures.words import budget_label
from evo.genome import Genome

__all__ = ["curved_ways"]

_LOOP = (0.36, 0.28)  # depth beyond the nodes, and distance to the next arc: a label has to fit
_DISABLED = (0.24, 0.11)
_PORT_STEP = 0.11
_PORT_MARGIN = 0.15
_HIDDEN_COST = 100.0  # more than any climb: only an arc that is hidden either way is hidden


@dataclass(frozen=True, slots=True)
class _Arc:
    """An arc's course: ``side`` is 1 above the nodes and -1 below, ``level`` the height that it runs at."""

    edge: Edge
    side: int
    level: float
    left: float
    right: float


def curved_ways(genome: Genome, boxes: Mapping[int, NodeBox], layers: Layers) -> list[EdgeWay]:
    """Loops as labelled arcs; disabled connections straight between neighbours and as arcs above otherwise.

    Short arcs come first, so that longer ones lie around them.
    """

    def length(edge: Edge) -> tuple[int, Edge]:
        return (abs(layers.layer[edge[0]] - layers.layer[edge[1]]), edge)

    ways: list[EdgeWay] = []
    arcs: list[_Arc] = []
    for edge in sorted(layers.loops, key=length):
        arcs.append(_arc(edge, boxes, layers, arcs, (-1, 1), _LOOP))
        ways.append(_bent(arcs[-1], boxes, arcs, WayKind.LOOP, budget_label(genome, edge[0])))
    for edge in sorted(((gene.source, gene.target) for gene in genome.connections if not gene.enabled), key=length):
        source, target = boxes[edge[0]], boxes[edge[1]]
        if layers.layer[edge[1]] - layers.layer[edge[0]] == 1:
            ends = ((source.x + source.width / 2, source.y), (target.x - target.width / 2, target.y))
            ways.append(EdgeWay(*edge, WayKind.DISABLED, ends))
        else:
            arcs.append(_arc(edge, boxes, layers, arcs, (1,), _DISABLED))
            ways.append(_bent(arcs[-1], boxes, arcs, WayKind.DISABLED, ""))
    return ways


def _arc(
    edge: Edge,
    boxes: Mapping[int, NodeBox],
    layers: Layers,
    others: Sequence[_Arc],
    sides: Sequence[int],
    spacing: tuple[float, float],
) -> _Arc:
    """The shortest way above or below that hides behind no node and keeps clear of the arcs that are already there."""
    first, last = sorted((layers.layer[edge[0]], layers.layer[edge[1]]))
    span = [box for id, box in boxes.items() if first <= layers.layer[id] <= last]
    ends = boxes[edge[0]], boxes[edge[1]]
    left, right = sorted(box.x for box in ends)
    low, high = sorted(box.y for box in ends)
    between = [box for box in span if low <= box.y <= high]
    near = [other for other in others if other.left <= right and left <= other.right]
    depth, step = spacing
    courses: list[tuple[float, int, float]] = []
    for side in sides:
        for around in (between, span):
            level = side * (max(side * box.y + box.height / 2 for box in around) + depth)
            for other in sorted(near, key=lambda other: side * other.level):
                if other.side == side and abs(other.level - level) < step:
                    level = other.level + side * step
            hidden = sum(_covers(box, ends, level) for box in span if box.id not in edge)
            hidden += sum(abs(other.level - level) < step / 2 for other in near)
            courses.append((sum(abs(level - box.y) for box in ends) + _HIDDEN_COST * hidden, side, level))
    _, side, level = min(courses)
    return _Arc(edge, side, level, left, right)


def _covers(box: NodeBox, ends: Sequence[NodeBox], level: float) -> bool:
    """Whether a box lies on an arc that runs at ``level`` and drops or climbs from there to its two ends."""
    left, right = sorted(end.x for end in ends)
    across = left < box.x + box.width / 2 and box.x - box.width / 2 < right
    if across and abs(level - box.y) <= box.height / 2:
        return True
    return any(abs(end.x - box.x) < box.width / 2 and min(level, end.y) < box.y < max(level, end.y) for end in ends)


def _bent(arc: _Arc, boxes: Mapping[int, NodeBox], arcs: Sequence[_Arc], kind: WayKind, label: str) -> EdgeWay:
    source, target = boxes[arc.edge[0]], boxes[arc.edge[1]]

    onward = 1 if target.x > source.x else -1

    def port(box: NodeBox, direction: int) -> Point:
        """Where the arc touches a node: in the middle, or beside the arcs that touch it there already, around them."""
        taken = sum(box.id in other.edge and other.side == arc.side for other in arcs if other is not arc)
        beside = min(taken * _PORT_STEP, box.width / 2 - _PORT_MARGIN)
        return (box.x + direction * beside, box.y + arc.side * box.height / 2)

    start, end = port(source, -onward), port(target, onward)
    points = (start, (start[0], arc.level), (end[0], arc.level), end)
    return EdgeWay(*arc.edge, kind, points, label, ((start[0] + end[0]) / 2, arc.level))
