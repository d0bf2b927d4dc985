"""A genome's picture as data: every box, way and label with its place. Inches, y upwards, origin bottom left."""

from dataclasses import dataclass, replace
from enum import StrEnum

from evo.genome.genes import Role

__all__ = [
    "LINE_HEIGHT",
    "TEXT_SIZE",
    "TITLE_GAP",
    "TITLE_SIZE",
    "EdgeWay",
    "NodeBox",
    "Point",
    "TopologyInfo",
    "WayKind",
]

Point = tuple[float, float]

TITLE_SIZE = 9.5
TEXT_SIZE = 8.2
LINE_HEIGHT = 0.165
TITLE_GAP = 0.045


class WayKind(StrEnum):
    """What an edge is: part of the way forward, a feedback loop, or switched off."""

    FORWARD = "forward"
    LOOP = "loop"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node's place: centre, width and height. lines: its role, then what applies of model, prompt and the rest."""

    id: int
    role: Role
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class EdgeWay:
    """An edge as the points that it passes. label: of a loop, its budget, at ``label_at``.

    passes: how often a run goes along it on average; None where no runs are shown.
    """

    source: int
    target: int
    kind: WayKind
    points: tuple[Point, ...]
    label: str = ""
    label_at: Point = (0.0, 0.0)
    passes: float | None = None


@dataclass(frozen=True, slots=True)
class TopologyInfo:
    """All that a drawing of a genome shows; ``width`` and ``height`` hold every box, way and label."""

    width: float
    height: float
    boxes: tuple[NodeBox, ...]
    ways: tuple[EdgeWay, ...]

    def moved(self, x: float, y: float) -> "TopologyInfo":
        """The same picture, ``x`` further right and ``y`` further up."""

        def shift(point: Point) -> Point:
            return (point[0] + x, point[1] + y)

        return replace(
            self,
            boxes=tuple(replace(box, x=box.x + x, y=box.y + y) for box in self.boxes),
            ways=tuple(
                replace(way, points=tuple(map(shift, way.points)), label_at=shift(way.label_at)) for way in self.ways
            ),
        )
