"""Quality against cost: the front of a search, each point with its errors and its topology beside it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch

from evo.evaluation.estimate import Estimate
from evo.figures.files import check_picture_path, save_figure, write_file
from evo.figures.mark import stamp
from evo.figures.picture import WayKind
from evo.figures.shapes import outline, rounded_polyline
from evo.figures.style import BLUE, INK, MUTED, PAPER, VERMILLION, figure_style, role_style, shade, tint
from evo.figures.topology_info import topology_info
from evo.genome.genes import Genome, Role

__all__ = ["ParetoPoint", "draw_pareto"]

_WIDTH, _CHART, _ROW, _COLUMNS = 7.6, 4.1, 1.3, 4
_LEFT, _RIGHT, _TOP = 0.68, 0.25, 0.82
_STAMP = (1.68, 0.98)
_SHORT = {
    Role.PLANNER: "plan",
    Role.GENERATOR: "gen",
    Role.TESTER: "test",
    Role.EXECUTOR: "exec",
    Role.ANALYZER: "analyze",
    Role.REFINER: "refine",
    Role.SELECTOR: "select",
    Role.OUTPUT: "out",
}


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """One pipeline. tokens: mean on one problem with its standard error. claim: what selected it, if accuracy is not
    that.
    """

    name: str
    genome: Genome
    accuracy: Estimate
    tokens: float
    tokens_stderr: float
    claim: Estimate | None = None


def draw_pareto(points: Sequence[ParetoPoint], path: Path, *, simulated: bool, caption: str) -> None:
    """Accuracy with error bars against tokens per problem, topologies below; CSV beside it. ``points`` by cost."""
    check_picture_path(path)
    rows = -(-len(points) // _COLUMNS)
    height = _CHART + rows * _ROW + 0.2
    with figure_style():
        figure = Figure(figsize=(_WIDTH, height))
        figure.text(0.25 / _WIDTH, 1 - 0.2 / height, "Quality and cost", size=12, weight="bold", va="top")
        figure.text(0.25 / _WIDTH, 0.14 / height, caption, size=7, color=MUTED, va="bottom", linespacing=1.45)
        if simulated:
            stamp(figure, _WIDTH - _RIGHT, height - 0.18)
        foot = 0.3 + 0.16 * (caption.count("\n") + 1)
        bottom = foot + rows * _ROW + 0.55
        box = (_LEFT, bottom, _WIDTH - _LEFT - _RIGHT, height - bottom - _TOP)
        axes = figure.add_axes((box[0] / _WIDTH, box[1] / height, box[2] / _WIDTH, box[3] / height))
        _draw_points(axes, points)
        handles, labels = axes.get_legend_handles_labels()
        at = (_LEFT / _WIDTH - 0.012, 1 - 0.43 / height)
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=at, ncols=3, fontsize=8.2, frameon=False)
        scale = max(max(i.width / _STAMP[0], i.height / _STAMP[1]) for i in (topology_info(p.genome) for p in points))
        for i, point in enumerate(points):
            x = 0.25 + i % _COLUMNS * (_STAMP[0] + 0.12)
            y = foot + (rows - 1 - i // _COLUMNS) * _ROW
            score = f"{100 * point.accuracy.mean:.1f} % ± {100 * point.accuracy.stderr:.1f}"
            label = f"{point.name}: {score}, {point.tokens:.0f} tokens"
            figure.text(x / _WIDTH, (y + _STAMP[1] + 0.06) / height, label, size=6.6, color=INK)
            small = figure.add_axes((x / _WIDTH, y / height, _STAMP[0] / _WIDTH, _STAMP[1] / height))
            _draw_thumbnail(small, point.genome, scale * 1.06)
        save_figure(figure, path)
    _write_csv(points, path)


def _draw_points(axes: Axes, points: Sequence[ParetoPoint]) -> None:
    axes.tick_params(labelsize=8.5, length=0)
    claimed = [point for point in points if point.claim is not None]
    if claimed:
        axes.plot(
            [p.tokens for p in claimed],
            [100 * p.claim.mean for p in claimed if p.claim is not None],
            color=shade(VERMILLION, 0.08),
            marker="^",
            markersize=4.5,
            markerfacecolor=PAPER,
            linestyle="",
            label="the search's estimate",
        )
    axes.errorbar(
        [p.tokens for p in points],
        [100 * p.accuracy.mean for p in points],
        xerr=[p.tokens_stderr for p in points],
        yerr=[100 * p.accuracy.stderr for p in points],
        color=BLUE,
        marker="o",
        markersize=5,
        linestyle="",
        elinewidth=0.9,
        label="on fresh seeds" if claimed else "estimate",
    )
    for point in points:
        axes.annotate(
            point.name,
            (point.tokens, 100 * point.accuracy.mean),
            textcoords="offset points",
            xytext=(5, 5),
            size=9,
            weight="bold",
            color=INK,
        )
    axes.set_xlabel("tokens on one problem (read and written)", fontsize=9)
    axes.set_ylabel("problems solved (%)", fontsize=9)
    axes.margins(x=0.08, y=0.15)


def _draw_thumbnail(axes: Axes, genome: Genome, scale: float) -> None:
    """A topology in the size of a stamp: shapes, short names, edges. scale: drawn inches in an inch of the stamp."""
    info = topology_info(genome)
    axes.set_axis_off()
    axes.set_xlim(-0.05, _STAMP[0] * scale - 0.05)
    axes.set_ylim(info.height + 0.05 - _STAMP[1] * scale, info.height + 0.05)
    for way in info.ways:
        if way.kind is WayKind.DISABLED:
            continue
        loop = way.kind is WayKind.LOOP
        axes.add_patch(
            FancyArrowPatch(
                path=rounded_polyline(way.points, 0.12),
                arrowstyle="-|>",
                mutation_scale=4,
                color=VERMILLION if loop else INK,
                linewidth=0.7,
            )
        )
    for node in info.boxes:
        style = role_style(node.role)
        shape = outline(style.shape, node.x, node.y, node.width, node.height)
        fill = style.colour if node.role is Role.OUTPUT else tint(style.colour, 0.8)
        axes.add_patch(PathPatch(shape, facecolor=fill, edgecolor=style.colour, linewidth=0.8, zorder=3))
        text = _SHORT.get(node.role, node.role.value)
        colour = PAPER if node.role is Role.OUTPUT else shade(style.colour, 0.5)
        axes.text(node.x, node.y, text, size=4.2, color=colour, ha="center", va="center", zorder=4)


def _write_csv(points: Sequence[ParetoPoint], path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["name", "nodes", "accuracy", "stderr", "problems", "tokens", "tokens_stderr", "claim"])
    for p in points:
        claim = "" if p.claim is None else p.claim.mean
        row = (p.name, len(p.genome.inner), p.accuracy.mean, p.accuracy.stderr, p.accuracy.problems)
        writer.writerow([*row, p.tokens, p.tokens_stderr, claim])
    write_file(path.with_suffix(".csv"), table.getvalue().encode())
