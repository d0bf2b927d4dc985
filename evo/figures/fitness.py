"""Fitness by generation: what selection believed, with its error, beside what a single evaluation would have said."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evo.errors import UserError
from evo.evaluation.estimate import Estimate
from evo.figures.chart import Chart, finish_chart, keep_to_percent, new_chart
from evo.figures.data import GenerationPoint
from evo.figures.files import check_picture_path, save_figure, write_file
from evo.figures.style import BLUE, GREEN, MUTED, ORANGE, SERIES, figure_style, shade

__all__ = ["Band", "FitnessInfo", "draw_fitness", "fitness_chart", "fitness_csv", "fitness_info", "runs_chart"]

_MARKER_SIZE = 3.4
_MARKED_POINTS = 40


@dataclass(frozen=True, slots=True)
class Band:
    """A curve in percent with one standard error below and above."""

    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FitnessInfo:
    """All that the chart shows. Curves have one value per generation, in percent of problems solved.

    validated: the champion's validated estimate, None without one. caption: units, n and errors in words.
    """

    generations: tuple[int, ...]
    best: Band
    mean: Band
    single_best: tuple[float, ...]
    validated: Estimate | None
    caption: str


def draw_fitness(
    history: Sequence[GenerationPoint],
    path: Path,
    *,
    simulated: bool = False,
    validated: Estimate | None = None,
    title: str = "Fitness by generation",
) -> None:
    """Draw a run's fitness to PNG or SVG, by suffix, and put its numbers beside it as CSV under the same name.

    simulated: mark the picture as made from simulated models. validated: the champion on seeds that it was not
    selected on. Raises UserError without a generation, for another suffix, and where the files cannot be written.
    """
    check_picture_path(path)
    info = fitness_info(history, validated)
    with figure_style():
        save_figure(_figure(info, title, simulated=simulated), path)
    write_file(path.with_suffix(".csv"), fitness_csv(history, validated).encode())


def fitness_info(history: Sequence[GenerationPoint], validated: Estimate | None = None) -> FitnessInfo:
    """The chart's curves and caption from the recorded generations. Raises UserError if there are none."""
    if not history:
        raise UserError("no generation is recorded yet: there is no fitness to draw; let the search finish one")
    return FitnessInfo(
        generations=tuple(point.generation for point in history),
        best=_band([point.best for point in history]),
        mean=_band([point.mean for point in history]),
        single_best=tuple(100 * point.single_best for point in history),
        validated=validated,
        caption=_caption(history, validated),
    )


def fitness_csv(history: Sequence[GenerationPoint], validated: Estimate | None = None) -> str:
    """The recorded numbers as CSV, one row per generation; shares of problems in 0..1, empty where nothing is known.

    The champion's validated estimate, one for the whole run, stands in every row.
    """
    parts = [field.name for field in fields(Estimate)]
    names = [f"{name}_{part}" for name in ("best", "population", "validated") for part in parts]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["generation", "species", "single_best", *names])
    for point in history:
        single = "" if math.isnan(point.single_best) else point.single_best
        estimates = (point.best, point.mean, validated)
        numbers = ["" if value is None else getattr(value, part) for value in estimates for part in parts]
        writer.writerow([point.generation, point.species, single, *numbers])
    return table.getvalue()


def _band(estimates: Sequence[Estimate]) -> Band:
    """Percent, clipped where an error bar would leave 0..100."""
    return Band(
        middle=tuple(100 * e.mean for e in estimates),
        low=tuple(100 * max(e.mean - e.stderr, 0.0) for e in estimates),
        high=tuple(100 * min(e.mean + e.stderr, 1.0) for e in estimates),
    )


def _caption(history: Sequence[GenerationPoint], validated: Estimate | None) -> str:
    best = [point.best for point in history]
    lines = [
        f"Bands: ± 1 standard error. Best: n = {_span([e.problems for e in best])} problems × "
        f"{_span([e.replicates for e in best])} replicates, pooled over generations.",
        "Single evaluation: the best score that one replicate would have reported in that generation.",
    ]
    if validated:
        plural = "" if validated.replicates == 1 else "s"
        lines.append(
            f"Validated: the champion again on seeds that selection never saw, {validated}, "
            f"n = {validated.problems} problems × {validated.replicates:g} replicate{plural}."
        )
    return "\n".join(lines)


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3g}" if low == high else f"{low:.3g}–{high:.3g}"


def _figure(info: FitnessInfo, title: str, *, simulated: bool) -> Figure:
    figure, axes = new_chart(title, info.caption, simulated=simulated)
    _draw(axes, info)
    return finish_chart(figure, axes)


def fitness_chart(history: Sequence[GenerationPoint], validated: Estimate | None = None) -> Chart:
    """The same for a column of a page."""
    info = fitness_info(history, validated)
    table = fitness_csv(history, validated)
    return Chart("fitness", "Fitness by generation", info.caption, table, lambda axes: _draw(axes, info))


def runs_chart(courses: Mapping[str, Sequence[GenerationPoint]]) -> Chart:
    """The best of several runs by generation, one curve each."""
    best = [point.best for points in courses.values() for point in points]
    caption = (
        "The search's pooled estimate of each generation's best, which selection flatters. Bands: ± 1 standard error; "
        f"n = {_span([e.problems for e in best])} problems × {_span([e.replicates for e in best])} replicates."
    )
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["run", "generation", "best_mean", "best_stderr", "problems", "replicates"])
    for name, points in courses.items():
        for point in points:
            found = point.best
            writer.writerow([name, point.generation, found.mean, found.stderr, found.problems, found.replicates])

    def draw(axes: Axes) -> None:
        for (name, points), colour, marker in zip(courses.items(), SERIES * 9, "os^Dv" * 15, strict=False):
            x, band = [point.generation for point in points], _band([point.best for point in points])
            axes.fill_between(x, band.low, band.high, color=colour, alpha=0.16, linewidth=0)
            axes.plot(x, band.middle, color=colour, linewidth=1.7, marker=marker, markersize=3.2, label=name)
        axes.set_xlabel("generation")
        axes.set_ylabel("problems solved (%)")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.margins(x=0.03, y=0.12)
        keep_to_percent(axes)

    return Chart("runs", "Best of each generation, run by run", caption, table.getvalue(), draw)


def _draw(axes: Axes, info: FitnessInfo) -> None:
    if info.validated:
        middle, error = 100 * info.validated.mean, 100 * info.validated.stderr
        axes.axhspan(max(middle - error, 0), min(middle + error, 100), color=GREEN, alpha=0.16, linewidth=0)
        axes.axhline(middle, color=GREEN, linewidth=1.4, linestyle=(0, (7, 2)), label="champion, validated")
    mark = _MARKER_SIZE if len(info.generations) <= _MARKED_POINTS else 0.0
    axes.plot(
        info.generations,
        info.single_best,
        color=shade(ORANGE, 0.08),
        linewidth=1.4,
        linestyle=(0, (2, 1.2)),
        marker="^",
        markersize=mark,
        label="best by a single evaluation",
    )
    for label, band, colour, marker in (("best", info.best, BLUE, "o"), ("population mean", info.mean, MUTED, "s")):
        axes.fill_between(info.generations, band.low, band.high, color=colour, alpha=0.2, linewidth=0)
        if len(info.generations) == 1:  # a band over one generation has no width
            axes.vlines(info.generations, band.low, band.high, color=colour, linewidth=1.8)
        axes.plot(
            info.generations, band.middle, color=colour, linewidth=1.8, marker=marker, markersize=mark, label=label
        )
    axes.set_xlabel("generation")
    axes.set_ylabel("problems solved (%)")
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.margins(x=0.02, y=0.12)
    keep_to_percent(axes)
