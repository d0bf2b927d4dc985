"""Outlines of nodes and ways of edges as matplotlib paths. Inches, y upwards."""

import math
from collections.abc import Sequence

from matplotlib.path import Path as Outline

__all__ = ["outline", "rounded_polyline"]

Point = tuple[float, float]

_BEVEL = 0.14


def outline(shape: str, x: float, y: float, width: float, height: float) -> Outline:
    """The closed outline of a shape centred at (x, y): rectangle, rounded, pill, hexagon, octagon, note, arrow, shield
    or funnel.
    """
    left, right, bottom, top = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    bevel = min(_BEVEL, width / 4, height / 3)
    points = corners
    match shape:
        case "rounded":
            return _round_corners(corners, bevel)
        case "pill":
            return _round_corners(corners, min(width, height) / 2)
        case "hexagon":
            inset = bevel * 1.1
            points = [(left + inset, bottom), (right - inset, bottom), (right, y)]
            points += [(right - inset, top), (left + inset, top), (left, y)]
        case "octagon":
            points = [(left + bevel, bottom), (right - bevel, bottom), (right, bottom + bevel), (right, top - bevel)]
            points += [(right - bevel, top), (left + bevel, top), (left, top - bevel), (left, bottom + bevel)]
        case "note":
            fold = bevel * 1.4
            points = [(left, bottom), (right, bottom), (right, top - fold), (right - fold, top), (left, top)]
        case "arrow":
            points = [(left, bottom), (right - bevel, bottom), (right, y), (right - bevel, top), (left, top)]
        case "shield":
            points = [(left, bottom + bevel), (x, bottom), (right, bottom + bevel), (right, top), (left, top)]
        case "funnel":
            narrow = height / 5
            points = [(left, bottom), (right, bottom + narrow), (right, top - narrow), (left, top)]
    return _polygon(points)


def rounded_polyline(points: Sequence[Point], radius: float) -> Outline:
    """An open way through ``points`` whose bends are rounded, each by at most ``radius``."""
    vertices, codes = [points[0]], [Outline.MOVETO]
    for before, bend, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, math.dist(before, bend) / 2, math.dist(bend, after) / 2)
        vertices += [_towards(bend, before, reach), bend, _towards(bend, after, reach)]
        codes += [Outline.LINETO, Outline.CURVE3, Outline.CURVE3]
    return Outline([*vertices, points[-1]], [*codes, Outline.LINETO])


def _polygon(points: Sequence[Point]) -> Outline:
    return Outline([*points, points[0]], closed=True)


def _round_corners(corners: Sequence[Point], radius: float) -> Outline:
    # Start in the middle of a side, so that every corner is a bend of one closed way.
    (x0, y0), (x1, y1) = corners[0], corners[1]
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    return rounded_polyline([middle, *corners[1:], corners[0], middle], radius)


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = math.dist(start, end)
    share = distance / length if length else 0.0
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
