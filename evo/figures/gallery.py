"""Several genomes in one picture: a row for each group, one panel after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from evo.figures.files import check_picture_path, save_figure
from evo.figures.mark import stamp, stamp_width
from evo.figures.picture import TopologyInfo
from evo.figures.style import MUTED, figure_style, text_width
from evo.figures.topology import draw_graph
from evo.figures.topology_info import topology_info
from evo.genome import Genome

__all__ = ["Panel", "draw_gallery"]

_WIDEST = 26.0  # inches of a row
_GAP = 0.55
_LINE = 0.3
_TITLE_SIZE, _GROUP_SIZE, _CAPTION_SIZE = 15.0, 12.0, 9.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One genome of a gallery. group: the row that it stands in. caption: below it, in one line."""

    group: str
    caption: str
    genome: Genome


def draw_gallery(panels: Sequence[Panel], path: Path, *, title: str, simulated: bool) -> None:
    """Draw to PNG or SVG, by suffix. Raises UserError for another suffix and where the file cannot be written."""
    check_picture_path(path)
    with figure_style():
        save_figure(_figure(_rows(panels), title, simulated=simulated), path)


_Row = list[tuple[Panel, TopologyInfo]]


def _rows(panels: Sequence[Panel]) -> list[_Row]:
    """One for each group, and another one where a group is too wide for a page."""
    rows: list[_Row] = []
    for panel in panels:
        info = topology_info(panel.genome)
        if rows and rows[-1][0][0].group == panel.group:
            taken = sum(_width(*one) + _GAP for one in rows[-1])
            if taken + _width(panel, info) <= _WIDEST:
                rows[-1].append((panel, info))
                continue
        rows.append([(panel, info)])
    return rows


def _figure(rows: Sequence[_Row], title: str, *, simulated: bool) -> Figure:
    widths = [sum(_width(*panel) + _GAP for panel in row) for row in rows]
    head = text_width(title, _TITLE_SIZE, bold=True) + (0.5 + stamp_width() if simulated else 0.0)
    heights = [max(info.height for _, info in row) + 2 * _LINE + _GAP for row in rows]
    width, height = max([*widths, head + _GAP]) + _GAP, sum(heights) + _LINE + 2 * _GAP
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    axes.text(_GAP, height - _GAP / 2, title, size=_TITLE_SIZE, weight="bold", va="top")
    if simulated:
        stamp(figure, width - _GAP / 2, height - _GAP / 2)
    top = height - _GAP - _LINE
    group = ""
    for row, tall in zip(rows, heights, strict=True):
        if group != (group := row[0][0].group):
            axes.text(_GAP, top, group, size=_GROUP_SIZE, weight="bold", va="top")
        left, middle = _GAP, top - _LINE - (tall - 2 * _LINE - _GAP) / 2
        for panel, info in row:
            room = _width(panel, info)
            draw_graph(axes, info.moved(left + (room - info.width) / 2, middle - info.height / 2))
            at = (left + room / 2, top - tall + _GAP)
            axes.text(*at, panel.caption, size=_CAPTION_SIZE, color=MUTED, ha="center", va="center")
            left += room + _GAP
        top -= tall
    return figure


def _width(panel: Panel, info: TopologyInfo) -> float:
    return max(info.width, text_width(panel.caption, _CAPTION_SIZE))
