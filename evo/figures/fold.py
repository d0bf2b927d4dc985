"""A picture too wide for a page, folded into rows like a line of text."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from evo.figures.picture import LINE_HEIGHT, EdgeWay, NodeBox, Point, TopologyInfo, WayKind

__all__ = ["fold"]

_WIDEST = 11.0
_ROW_GAP = 0.66
_LEAD = 0.34
_DETOUR_STEP = 0.1
_STRAIGHT = 2  # points of a way without a bend


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in one row, and how far it moves to get there; bottom and right are those after the move."""

    boxes: tuple[NodeBox, ...]
    ways: tuple[EdgeWay, ...]
    dx: float
    dy: float
    bottom: float
    right: float

    def move(self, point: Point) -> Point:
        return (point[0] + self.dx, point[1] + self.dy)


def fold(info: TopologyInfo) -> TopologyInfo:
    """As many rows as it takes, broken where one forward edge alone leads on; as it is where that is nowhere.

    Widths are inches; a picture narrower than a page stays in one row.
    """
    bridges = _bridges(info)
    if not bridges:
        return info
    rows = _rows(info, [_middle(way) for way in bridges])
    home = {box.id: row for row in rows for box in row.boxes}
    ways = [_moved(way, row.move) for row in rows for way in row.ways]
    ways += [replace(way, points=_bridge(way, home[way.source], home[way.target])) for way in bridges]
    apart = [way for way in info.ways if way not in bridges and home[way.source] is not home[way.target]]
    for number, way in enumerate((way for way in apart if len(way.points) == _STRAIGHT), start=1):
        # Disabled, between neighbours on both sides of a break: the way of the bridge there, beside it.
        points = _bridge(way, home[way.source], home[way.target], min(_DETOUR_STEP * number, _LEAD / 2))
        ways.append(replace(way, points=points))
    detours = [way for way in apart if len(way.points) > _STRAIGHT]
    for number, way in enumerate(detours):
        # They arrive from the right, so the outermost of a target's takes the port furthest to the left.
        rivals = [other for other in detours if other.target == way.target]
        ports = sorted((other.points[-1][0] for other in rivals), reverse=True)
        points = _detour(way, home[way.source], home[way.target], ports[rivals.index(way)], _DETOUR_STEP * number)
        ways.append(replace(way, points=points))
    boxes = tuple(replace(box, x=box.x + home[box.id].dx, y=box.y + home[box.id].dy) for box in info.boxes)
    bottom = min(row.bottom for row in rows)
    right = max([x for way in ways for x, _ in way.points] + [row.right for row in rows])
    return TopologyInfo(right, -bottom, boxes, tuple(ways)).moved(0.0, -bottom)


def _bridges(info: TopologyInfo) -> list[EdgeWay]:
    """The forward edges at which to break: of those that lead on alone, the ones that make the rows most even."""
    count = math.ceil(info.width / _WIDEST)
    alone = [way for way in info.ways if way.kind is WayKind.FORWARD and _is_alone(way, info)]
    chosen = [
        min(alone, key=lambda way: abs(_middle(way) - info.width * part / count)) for part in range(1, count) if alone
    ]
    chosen = sorted(set(chosen), key=_middle)
    ends = [0.0, *map(_middle, chosen), info.width]
    return chosen if max(right - left for left, right in pairwise(ends)) < 0.8 * info.width else []


def _is_alone(way: EdgeWay, info: TopologyInfo) -> bool:
    at = _middle(way)
    crossing = (
        other.kind is not WayKind.DISABLED and min(x for x, _ in other.points) < at < max(x for x, _ in other.points)
        for other in info.ways
    )
    return sum(crossing) == 1 and not any(abs(box.x - at) < box.width / 2 for box in info.boxes)


def _middle(way: EdgeWay) -> float:
    return (way.points[0][0] + way.points[-1][0]) / 2


def _rows(info: TopologyInfo, cuts: Sequence[float]) -> list[_Row]:
    """The picture between two cuts, one below the other; the first row's top is at 0."""
    rows: list[_Row] = []
    top = 0.0
    for left, right in pairwise([-math.inf, *cuts, math.inf]):
        boxes = tuple(box for box in info.boxes if left < box.x < right)
        ways = tuple(way for way in info.ways if all(left < x < right for x, _ in way.points))
        xs = [x for box in boxes for x in (box.x - box.width / 2, box.x + box.width / 2)]
        ys = [y for box in boxes for y in (box.y - box.height / 2, box.y + box.height / 2)]
        ys += [y for way in info.ways for x, y in way.points if left < x < right]
        ys += [way.label_at[1] + step for way in ways if way.label for step in (-LINE_HEIGHT, LINE_HEIGHT)]
        dx, dy = (_LEAD if rows else 0.0) - min(xs), top - max(ys)
        rows.append(_Row(boxes, ways, dx, dy, min(ys) + dy, max(xs) + dx))
        top = rows[-1].bottom - _ROW_GAP
    return rows


def _moved(way: EdgeWay, move: Callable[[Point], Point]) -> EdgeWay:
    return replace(way, points=tuple(map(move, way.points)), label_at=move(way.label_at))


def _bridge(way: EdgeWay, above: _Row, below: _Row, inside: float = 0.0) -> tuple[Point, ...]:
    """Out to the right of one row, back between the rows, in from the left of the next; ``inside`` a bridge there.

    In the rows it keeps to its lanes.
    """
    cut = _middle(way)
    start = [above.move(point) for point in way.points if point[0] < cut]
    end = [below.move(point) for point in way.points if point[0] >= cut]
    right, left, height = above.right + _LEAD - inside, inside, above.bottom - _ROW_GAP / 2 + inside
    return (*start, (right, start[-1][1]), (right, height), (left, height), (left, end[0][1]), *end)


def _detour(way: EdgeWay, start: _Row, end: _Row, port: float, step: float) -> tuple[Point, ...]:
    """A disabled arc from one row to another: along above the one, down outside on the right, along above the other."""
    points = [start.move(point) for point in way.points[:2]]
    above, arrival = end.move((port, way.points[-2][1])), end.move((port, way.points[-1][1]))
    outside = max(start.right + _LEAD, end.right) + _DETOUR_STEP + step
    return (*points, (outside, points[-1][1]), (outside, above[1]), above, arrival)
