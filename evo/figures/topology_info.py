"""From a genome to its picture: sizes from the text, columns from the layers, ways from the edges."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from evo.figures.arcs import curved_ways
from evo.figures.fold import fold
from evo.figures.layers import Edge, Layers, arrange
from evo.figures.picture import LINE_HEIGHT, TEXT_SIZE, TITLE_GAP, TITLE_SIZE, EdgeWay, NodeBox, TopologyInfo, WayKind
from evo.figures.style import text_width
from evo.figures.traffic import Traffic
from evo.figures.words import facts
from evo.genome import Genome, NodeGene, Role

__all__ = ["node_lines", "topology_info"]

_WIDEST_TEXT = 1.75
_LEAST_TEXT = 0.85
_PADDING_X = 0.18
_PADDING_Y = 0.12
_GAP = 0.46
_SLANTED_GAP = 0.62
_LANE_GAP = 0.66
_EDGE_GAP = 0.24


def topology_info(genome: Genome, traffic: Traffic | None = None) -> TopologyInfo:
    """Place a genome's nodes and edges: layers from left to right, loops as arcs. Pure and deterministic.

    traffic: of runs, written on nodes and edges.
    """
    layers = arrange(genome)
    sized = _sized_boxes(genome, traffic)
    columns = _columns(sized, layers)
    pitch = _pitch(sized, layers)
    boxes = {
        id: replace(box, x=sum(columns[layers.layer[id]]) / 2, y=layers.lane[id] * pitch) for id, box in sized.items()
    }
    forward = [_forward_way(edge, boxes, columns, layers, pitch) for edge in sorted(layers.ways)]
    ways = [*forward, *curved_ways(genome, boxes, layers)]
    if traffic:
        ways = [replace(way, passes=traffic.passes.get((way.source, way.target), 0.0)) for way in ways]
    return fold(_fit(boxes, ways))


def node_lines(gene: NodeGene, traffic: Traffic | None = None) -> tuple[str, ...]:
    """What is written on a node: its role, then its facts, long ones broken, and what runs did there."""
    note = traffic.note(gene.id) if traffic else ""
    return (gene.role.value, *(line for fact in facts(gene) for line in _wrap(fact)), *([note] if note else []))


def _wrap(text: str) -> list[str]:
    """Break a long name behind its separators, or anywhere if it has none: no line is wider than a box may be."""
    lines = [""]
    for piece in re.findall(r"[^/:\- ]*[/:\- ]|[^/:\- ]+", text):
        if lines[-1] and text_width(lines[-1] + piece, TEXT_SIZE) > _WIDEST_TEXT:
            lines.append("")
        for letter in piece:
            if text_width(lines[-1] + letter, TEXT_SIZE) > _WIDEST_TEXT:
                lines.append("")
            lines[-1] += letter
    return [line.strip() for line in lines]


def _sized_boxes(genome: Genome, traffic: Traffic | None) -> dict[int, NodeBox]:
    """Boxes that hold their text, all inner ones of one height, not yet at their places."""
    lines = {gene.id: node_lines(gene, traffic) for gene in genome.nodes}
    tallest = max((len(lines[gene.id]) for gene in genome.inner), default=1)
    boxes = {}
    for gene in genome.nodes:
        title, *rest = lines[gene.id]
        text = max([text_width(title, TITLE_SIZE, bold=True), *(text_width(line, TEXT_SIZE) for line in rest)])
        terminal = gene.role in (Role.TASK, Role.OUTPUT)
        width = max(text, 0.0 if terminal else _LEAST_TEXT) + 2 * _PADDING_X
        height = (1 if terminal else tallest) * LINE_HEIGHT + (_PADDING_Y if terminal else TITLE_GAP + 2 * _PADDING_Y)
        boxes[gene.id] = NodeBox(gene.id, gene.role, lines[gene.id], 0.0, 0.0, width, height)
    return boxes


def _columns(boxes: Mapping[int, NodeBox], layers: Layers) -> list[tuple[float, float]]:
    """Left and right of every layer: as wide as its widest box, and a wider gap where edges change lanes."""
    slanted = set()
    for (source, target), way in layers.ways.items():
        lanes = [layers.lane[source], *way, layers.lane[target]]
        slanted |= {layers.layer[source] + at for at, (a, b) in enumerate(pairwise(lanes)) if a != b}
    columns: list[tuple[float, float]] = []
    left = 0.0
    for at in range(1 + max(layers.layer.values())):
        right = left + max(box.width for id, box in boxes.items() if layers.layer[id] == at)
        columns.append((left, right))
        left = right + (_SLANTED_GAP if at in slanted else _GAP)
    return columns


def _pitch(boxes: Mapping[int, NodeBox], layers: Layers) -> float:
    """Height of a lane: the least that keeps what stands above each other in a layer apart; edges are thin."""
    columns: dict[int, list[tuple[float, float]]] = {}
    for id, box in boxes.items():
        columns.setdefault(layers.layer[id], []).append((layers.lane[id], box.height / 2))
    for (source, _), way in layers.ways.items():
        for at, lane in enumerate(way, start=layers.layer[source] + 1):
            columns.setdefault(at, []).append((lane, 0.0))
    needs = [
        (low[1] + high[1] + (_LANE_GAP if low[1] and high[1] else _EDGE_GAP)) / (high[0] - low[0])
        for column in columns.values()
        for low, high in pairwise(sorted(column))
    ]
    return max(needs, default=1.0)


def _forward_way(
    edge: Edge, boxes: Mapping[int, NodeBox], columns: Sequence[tuple[float, float]], layers: Layers, pitch: float
) -> EdgeWay:
    """From the source's right to the target's left, straight across the layers between in the lanes held there."""
    source, target = boxes[edge[0]], boxes[edge[1]]
    points = [(source.x + source.width / 2, source.y)]
    for at, lane in enumerate(layers.ways[edge], start=layers.layer[source.id] + 1):
        left, right = columns[at]
        points += [(left, lane * pitch), (right, lane * pitch)]
    points.append((target.x - target.width / 2, target.y))
    return EdgeWay(*edge, WayKind.FORWARD, tuple(points))


def _fit(boxes: Mapping[int, NodeBox], ways: Sequence[EdgeWay]) -> TopologyInfo:
    """Move everything so that the drawing's lower left is the origin, and measure it."""
    xs = [x for box in boxes.values() for x in (box.x - box.width / 2, box.x + box.width / 2)]
    ys = [y for box in boxes.values() for y in (box.y - box.height / 2, box.y + box.height / 2)]
    for way in ways:
        half = text_width(way.label, TEXT_SIZE) / 2
        xs += [x for x, _ in way.points]
        ys += [y for _, y in way.points]
        if way.label:
            xs += [way.label_at[0] - half, way.label_at[0] + half]
            ys += [way.label_at[1] - LINE_HEIGHT, way.label_at[1] + LINE_HEIGHT]
    left, bottom = min(xs), min(ys)
    drawn = TopologyInfo(max(xs) - left, max(ys) - bottom, tuple(boxes.values()), tuple(ways))
    return drawn.moved(-left, -bottom)
