"""Charts of evo.compare: single scores against estimates, trust in a ranking, inflation by generation."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from evo.figures.chart import finish_chart, new_chart
from evo.figures.files import check_picture_path, save_figure, write_file
from evo.figures.style import BLUE, GREEN, GREY, MUTED, ORANGE, figure_style, shade

__all__ = ["InflationPoint", "RankPoint", "ScorePoint", "draw_inflation", "draw_ranks", "draw_scores"]


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """One pipeline evaluated once, beside the estimate from its other replicates. Shares 0..1."""

    name: str
    replicate: int
    single: float
    estimate: float
    stderr: float


@dataclass(frozen=True, slots=True)
class RankPoint:
    """How far a ranking by so many replicates agrees with that by others. tau -1..1, best 0..1."""

    replicates: int
    tau: float
    best: float


@dataclass(frozen=True, slots=True)
class InflationPoint:
    """One generation: the genome that single evaluation would choose, what that claims, and what is true of it.

    Shares 0..1. estimate: what the search's pooled evidence says of it. fresh: on seeds that nothing was selected on.
    """

    generation: int
    claim: float
    estimate: float
    fresh: float


def draw_scores(points: Sequence[ScorePoint], path: Path, *, simulated: bool, problems: int) -> None:
    """Single scores against the estimate of the same pipeline, with the line where both are equal; CSV beside it."""
    check_picture_path(path)
    caption = (
        f"Each mark: one evaluation of {problems} problems, against the mean of the pipeline's other ones\n"
        "with its standard error over seeds. On the dashed line a single evaluation would be right."
    )
    with figure_style():
        figure, axes = new_chart("Evaluated once, and evaluated repeatedly", caption, simulated=simulated)
        low, high = _span([p.single for p in points] + [p.estimate for p in points])
        axes.plot([low, high], [low, high], color=GREY, linewidth=1.2, linestyle=(0, (4, 2)), label="equal")
        names = list(dict.fromkeys(point.name for point in points))
        looks = [(BLUE, "o"), (shade(ORANGE, 0.08), "^"), (GREEN, "s"), (MUTED, "D"), (shade(BLUE, 0.4), "v")]
        for i, name in enumerate(names):
            mine = [p for p in points if p.name == name]
            colour, marker = looks[i % len(looks)]
            axes.errorbar(
                [100 * p.estimate for p in mine],
                [100 * p.single for p in mine],
                xerr=[100 * p.stderr for p in mine],
                color=colour,
                marker=marker,
                markersize=4.5,
                linestyle="",
                elinewidth=0.8,
                label=name if i < len(looks) else None,
            )
        axes.set_xlabel("problems solved, other replicates (%)")
        axes.set_ylabel("problems solved, one evaluation (%)")
        save_figure(finish_chart(figure, axes), path)
    _write_csv(points, path)


def draw_ranks(points: Sequence[RankPoint], path: Path, *, simulated: bool, problems: int) -> None:
    """Agreement of rankings against the replicates they rest on; CSV beside it."""
    check_picture_path(path)
    caption = (
        f"n = {problems} problems. A ranking by random replicates against that by the remaining ones, 400 draws each.\n"
        "The judges are noisy too: agreement with the truth is higher."
    )
    with figure_style():
        figure, axes = new_chart("How far a ranking can be trusted", caption, simulated=simulated)
        x = [point.replicates for point in points]
        axes.plot(x, [p.tau for p in points], color=BLUE, marker="o", markersize=4, label="Kendall's tau")
        axes.plot(
            x,
            [p.best for p in points],
            color=shade(ORANGE, 0.08),
            marker="^",
            markersize=4,
            linestyle=(0, (2, 1.2)),
            label="first place agrees",
        )
        axes.set_ylim(min([0.0, *(p.tau for p in points)]) - 0.02, 1.02)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
        axes.set_xlabel("replicates that rank")
        axes.set_ylabel("agreement")
        save_figure(finish_chart(figure, axes), path)
    _write_csv(points, path)


def draw_inflation(points: Sequence[InflationPoint], path: Path, *, simulated: bool, caption: str) -> None:
    """What single evaluation would have claimed, generation by generation, beside what is true of its choice; CSV
    beside it.
    """
    check_picture_path(path)
    with figure_style():
        figure, axes = new_chart("What a single evaluation would have claimed", caption, simulated=simulated)
        x = [point.generation for point in points]
        axes.fill_between(
            x,
            [100 * p.fresh for p in points],
            [100 * p.claim for p in points],
            color=ORANGE,
            alpha=0.14,
            linewidth=0,
        )
        curves = (
            ("its choice on fresh seeds", [p.fresh for p in points], GREEN, "s", "-"),
            ("the search's estimate of its choice", [p.estimate for p in points], BLUE, "o", "-"),
            ("its claim", [p.claim for p in points], shade(ORANGE, 0.08), "^", (0, (2, 1.2))),
        )
        for label, values, colour, marker, line in curves:
            axes.plot(
                x,
                [100 * value for value in values],
                color=colour,
                marker=marker,
                markersize=3.6,
                linewidth=1.6,
                linestyle=line,
                label=label,
            )
        axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
        axes.set_xlabel("generation")
        axes.set_ylabel("problems solved (%)")
        axes.margins(x=0.02, y=0.12)
        save_figure(finish_chart(figure, axes), path)
    _write_csv(points, path)


def _span(values: Sequence[float]) -> tuple[float, float]:
    return max(100 * min(values) - 3, 0.0), min(100 * max(values) + 3, 100.0)


def _write_csv(points: Sequence[Any], path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([field.name for field in fields(points[0])])
    writer.writerows(astuple(point) for point in points)
    write_file(path.with_suffix(".csv"), table.getvalue().encode())
