"""A genome drawn as a picture."""

import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch

from evo.figures.files import check_picture_path, save_figure
from evo.figures.mark import stamp, stamp_width
from evo.figures.picture import LINE_HEIGHT, TEXT_SIZE, TITLE_GAP, TITLE_SIZE, EdgeWay, NodeBox, TopologyInfo, WayKind
from evo.figures.shapes import outline, rounded_polyline
from evo.figures.style import (
    GREY,
    INK,
    MUTED,
    PAPER,
    VERMILLION,
    figure_style,
    role_style,
    shade,
    text_width,
    tint,
)
from evo.figures.topology_info import topology_info
from evo.figures.traffic import Traffic
from evo.genome.genes import Genome, Role

__all__ = ["draw_graph", "draw_topology", "topology_figure"]

_MARGIN = 0.28
_EDGE = 0.06  # around a graph alone: half a line's width on each side
_HEADING_SIZE = 13.0
_SUBTITLE_SIZE = 9.0
_SUBTITLE_LETTERS = 100
_REMARK_HEIGHT = 0.2
_LEGEND_SIZE = 7.8
_SWATCH = (0.30, 0.17)
_RADIUS = {WayKind.FORWARD: 0.12, WayKind.LOOP: 0.30, WayKind.DISABLED: 0.30}
_COLOUR = {WayKind.FORWARD: INK, WayKind.LOOP: VERMILLION, WayKind.DISABLED: GREY}
_THIN, _PER_PASS = 0.7, 4.3  # points of line width: of an unused edge, and what one passage a run adds
_LEGEND_TEXT = {WayKind.FORWARD: "passes on", WayKind.LOOP: "feedback loop", WayKind.DISABLED: "disabled"}


def draw_topology(
    genome: Genome,
    path: Path,
    *,
    title: str = "",
    subtitle: str = "",
    simulated: bool = False,
    traffic: Traffic | None = None,
) -> None:
    """Draw a genome's topology to a PNG or SVG file, by suffix; the same genome gives the same bytes.

    title, subtitle: above the drawing. simulated: mark the picture as made from simulated models. traffic: of runs, as
    line width and on the nodes. Raises UserError for another suffix or a place that cannot be written.
    """
    check_picture_path(path)
    with figure_style():
        figure = topology_figure(genome, title=title, subtitle=subtitle, simulated=simulated, traffic=traffic)
        save_figure(figure, path)


def topology_figure(
    genome: Genome,
    *,
    title: str = "",
    subtitle: str = "",
    simulated: bool = False,
    traffic: Traffic | None = None,
    bare: bool = False,
) -> Figure:
    """The same as a figure; call it inside ``figure_style()``. bare: the graph alone."""
    info = topology_info(genome, traffic)
    if bare:
        return _graph_alone(info)
    if traffic:
        subtitle = f"{subtitle}{'. ' if subtitle else ''}Line width: use of an edge in n = {traffic.runs} runs"
    return _figure(info, title, subtitle, simulated=simulated)


def _graph_alone(info: TopologyInfo) -> Figure:
    figure = Figure(figsize=(info.width + _EDGE, info.height + _EDGE))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, info.width + _EDGE)
    axes.set_ylim(0, info.height + _EDGE)
    axes.set_axis_off()
    draw_graph(axes, info.moved(_EDGE / 2, _EDGE / 2))
    return figure


def _figure(info: TopologyInfo, title: str, subtitle: str, *, simulated: bool) -> Figure:
    legend = _legend_entries(info)
    heading_width = text_width(title, _HEADING_SIZE, bold=True) + (0.3 + stamp_width() if simulated else 0.0)
    remarks = textwrap.wrap(subtitle, _SUBTITLE_LETTERS)
    remark_width = max((text_width(line, _SUBTITLE_SIZE) for line in remarks), default=0.0)
    content = max(info.width, heading_width, remark_width, _legend_width(legend))
    head = 0.34 * bool(title or simulated) + _REMARK_HEIGHT * len(remarks) + 0.12 * bool(title or remarks or simulated)
    foot = 0.42
    width, height = content + 2 * _MARGIN, info.height + head + foot + 2 * _MARGIN

    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    left, top = _MARGIN + (content - info.width) / 2, height - _MARGIN
    if title:
        axes.text(_MARGIN, top, title, size=_HEADING_SIZE, weight="bold", va="top")
    if remarks:
        at = top - (0.32 if title or simulated else 0.0)
        axes.text(_MARGIN, at, "\n".join(remarks), size=_SUBTITLE_SIZE, color=MUTED, va="top", linespacing=1.35)
    if simulated:
        stamp(figure, width - _MARGIN, height - _MARGIN + 0.02)
    draw_graph(axes, info.moved(left, _MARGIN + foot))
    _draw_legend(axes, legend, _MARGIN, _MARGIN + _SWATCH[1] / 2)
    return figure


def draw_graph(axes: Axes, info: TopologyInfo) -> None:
    """Put nodes and edges on axes whose units are inches."""
    for way in info.ways:
        _draw_way(axes, way)
    for box in info.boxes:
        _draw_box(axes, box)
    for way in info.ways:
        if way.label:
            patch = {"boxstyle": "round,pad=0.3", "facecolor": PAPER, "edgecolor": VERMILLION, "linewidth": 0.9}
            colour = shade(VERMILLION, 0.25)
            axes.text(
                *way.label_at,
                way.label,
                size=TEXT_SIZE,
                weight="bold",
                color=colour,
                ha="center",
                va="center",
                bbox=patch,
            )


def _draw_way(axes: Axes, way: EdgeWay) -> None:
    loop, disabled = way.kind is WayKind.LOOP, way.kind is WayKind.DISABLED
    plain = 1.8 if loop else 1.4
    width = plain if way.passes is None or disabled else _THIN + _PER_PASS * min(way.passes, 1.0)
    arrow = FancyArrowPatch(
        path=rounded_polyline(way.points, _RADIUS[way.kind]),
        arrowstyle="-|>",
        mutation_scale=9 if disabled else 9 + 2 * width,
        color=_COLOUR[way.kind],
        linewidth=width,
        linestyle=(0, (1, 2)) if disabled else "solid",
        joinstyle="round",
        zorder=1 if disabled else 2,
    )
    axes.add_patch(arrow)


def _draw_box(axes: Axes, box: NodeBox) -> None:
    style = role_style(box.role)
    shape = outline(style.shape, box.x, box.y, box.width, box.height)
    solid = box.role is Role.OUTPUT
    fill = style.colour if solid else tint(style.colour, 0.86)
    axes.add_patch(PathPatch(shape, facecolor=fill, edgecolor=style.colour, linewidth=1.8, joinstyle="round", zorder=3))
    gap = TITLE_GAP if len(box.lines) > 1 else 0.0
    first = box.y + (len(box.lines) - 1) / 2 * LINE_HEIGHT + gap / 2
    for index, line in enumerate(box.lines):
        title = index == 0
        axes.text(
            box.x,
            first - index * LINE_HEIGHT - (0.0 if title else gap),
            line,
            size=TITLE_SIZE if title else TEXT_SIZE,
            weight="bold" if title else "normal",
            color=PAPER if solid else shade(style.colour, 0.45) if title else INK,
            ha="center",
            va="center_baseline",
            zorder=4,
        )


def _legend_entries(info: TopologyInfo) -> list[Role | WayKind]:
    roles = {box.role for box in info.boxes} - {Role.TASK, Role.OUTPUT}
    kinds = {way.kind for way in info.ways}
    return [*(role for role in Role if role in roles), *(kind for kind in WayKind if kind in kinds)]


def _legend_text(entry: Role | WayKind) -> str:
    return entry.value if isinstance(entry, Role) else _LEGEND_TEXT[entry]


def _legend_step(entry: Role | WayKind) -> float:
    return _SWATCH[0] + 0.08 + text_width(_legend_text(entry), _LEGEND_SIZE) + 0.24


def _legend_width(entries: list[Role | WayKind]) -> float:
    return sum(map(_legend_step, entries)) - 0.24


def _draw_legend(axes: Axes, entries: list[Role | WayKind], x: float, y: float) -> None:
    for entry in entries:
        if isinstance(entry, Role):
            style = role_style(entry)
            shape = outline(style.shape, x + _SWATCH[0] / 2, y, *_SWATCH)
            axes.add_patch(PathPatch(shape, facecolor=tint(style.colour, 0.86), edgecolor=style.colour, linewidth=1.2))
        else:
            _draw_way(axes, EdgeWay(0, 0, entry, ((x, y), (x + _SWATCH[0] + 0.02, y))))
        text = _legend_text(entry)
        axes.text(x + _SWATCH[0] + 0.08, y, text, size=_LEGEND_SIZE, color=MUTED, va="center_baseline")
        x += _legend_step(entry)
