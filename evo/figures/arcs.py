"""The ways of edges that do not lead forward: feedback loops and disabled connections, drawn around the nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo.figures.layers import Edge, Layers
from evo.figures.picture import EdgeWay, NodeBox, Point, WayKind
from evo.genome.genes import Genome, NodeGene

__all__ = ["budget_label", "curved_ways"]

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


def budget_label(gene: NodeGene) -> str:
    """How often a loop that starts at this node may run."""
    return "feedback" if gene.iterations is None else f"up to {gene.iterations} ×"


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
    """The shorter way around everything that stands between the two nodes, clear of the arcs that are already there."""
    first, last = sorted((layers.layer[edge[0]], layers.layer[edge[1]]))
    span = [box for id, box in boxes.items() if first <= layers.layer[id] <= last]
    left, right = sorted((boxes[edge[0]].x, boxes[edge[1]].x))

    def course(side: int) -> tuple[float, float]:
        """Cost and level on one side: the climb at both ends, and a penalty for each node that an end passes behind."""
        level = side * (max(side * box.y + box.height / 2 for box in span) + _DEPTH)
        for other in others:
            if other.side == side and other.left <= right and left <= other.right and abs(other.level - level) < _STEP:
                level = other.level + side * _STEP
        hidden = sum(
            box.id not in edge
            and layers.layer[box.id] in (first, last)
            and side * box.y > side * end.y
            and end.x == box.x
            for end in (boxes[edge[0]], boxes[edge[1]])
            for box in span
        )
        return sum(abs(level - boxes[end].y) for end in edge) + 100 * hidden, level

    side = side or min((-1, 1), key=course)
    return _Arc(edge, side, course(side)[1], left, right)


def _bent(arc: _Arc, boxes: Mapping[int, NodeBox], arcs: Sequence[_Arc], kind: WayKind, label: str) -> EdgeWay:
    source, target = boxes[arc.edge[0]], boxes[arc.edge[1]]

    def port(box: NodeBox) -> Point:
        """Where the arc touches a node: in the middle, or beside the arcs that touch it on this side already."""
        taken = sum(box.id in other.edge and other.side == arc.side for other in arcs if other is not arc)
        return (box.x + taken * _PORT_STEP, box.y + arc.side * box.height / 2)

    start, end = port(source), port(target)
    points = (start, (start[0], arc.level), (end[0], arc.level), end)
    return EdgeWay(*arc.edge, kind, points, label, ((start[0] + end[0]) / 2, arc.level))
