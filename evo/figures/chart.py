"""The frame that every chart has in common: title, legend, axes, caption, the mark of simulated models."""

import csv
import io
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evo.figures.files import check_picture_path, save_figure, write_file
from evo.figures.mark import stamp
from evo.figures.style import MUTED, figure_style, text_width

__all__ = ["Chart", "chart_figure", "draw_chart", "finish_chart", "keep_to_percent", "new_chart", "table_csv"]

_SIZE = (7.2, 4.4)
_LEFT, _RIGHT, _TOP = 0.68, 0.25, 0.82


def new_chart(title: str, caption: str, *, simulated: bool) -> tuple[Figure, Axes]:
    """An empty chart, wide as a page. caption: units, n and errors in words, any number of lines."""
    width, height = _SIZE
    bottom = 0.62 + 0.16 * (caption.count("\n") + 1)
    figure = Figure(figsize=_SIZE)
    axes = figure.add_axes(
        (_LEFT / width, bottom / height, (width - _LEFT - _RIGHT) / width, (height - bottom - _TOP) / height)
    )
    axes.tick_params(labelsize=8.5, length=0)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    figure.text(0.25 / width, 1 - 0.2 / height, title, size=12, weight="bold", va="top")
    figure.text(0.25 / width, 0.14 / height, caption, size=7, color=MUTED, va="bottom", linespacing=1.45)
    if simulated:
        stamp(figure, width - _RIGHT, height - 0.18)
    return figure, axes


def finish_chart(figure: Figure, axes: Axes) -> Figure:
    """Put the legend above the axes, the last drawn first."""
    width, height = _SIZE
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        bbox_to_anchor=(_LEFT / width - 0.012, 1 - 0.43 / height),
        ncols=max(len(handles), 1),
        fontsize=8.2,
        frameon=False,
        handlelength=2.2,
        columnspacing=1.4,
    )
    return figure


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as data. It is made for a column of a page: fonts stay readable at 9 cm.

    name: of its files. caption: units, n and errors in words. csv: its numbers, shares in 0..1, empty where nothing is
    known. draw: puts them on axes.
    """

    name: str
    title: str
    caption: str
    csv: str
    draw: Callable[[Axes], None]


def table_csv(rows: Sequence[Any]) -> str:
    """Dataclasses of one type as CSV with a head; NaN and None are empty."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    if rows:
        writer.writerow([field.name for field in fields(rows[0])])
    writer.writerows([_plain(value) for value in astuple(row)] for row in rows)
    return table.getvalue()


def _plain(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


def keep_to_percent(axes: Axes) -> None:
    """Nothing below 0 or above 100, whatever an error bar says."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -1.0), min(high, 101.0))


_WIDTH, _HEIGHT = 4.8, 3.3
_MARGINS = (0.62, 0.16)  # inches left and right of the axes
_LETTERS = 104


def draw_chart(chart: Chart, path: Path, *, simulated: bool) -> None:
    """Draw to PNG or SVG, by suffix, and put the numbers beside it as CSV. Raises UserError for another suffix."""
    check_picture_path(path)
    with figure_style():
        save_figure(chart_figure(chart, simulated=simulated), path)
    write_file(path.with_suffix(".csv"), chart.csv.encode())


def chart_figure(chart: Chart, *, simulated: bool, bare: bool = False) -> Figure:
    """A chart drawn; call it inside ``figure_style()``. bare: without title and caption, for a page that has them."""
    caption = [] if bare else [line for part in chart.caption.split("\n") for line in textwrap.wrap(part, _LETTERS)]
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.tick_params(labelsize=8, length=0)
    axes.xaxis.label.set_fontsize(8.5)
    axes.yaxis.label.set_fontsize(8.5)
    chart.draw(axes)
    head = 0.34 * (not bare) + 0.3 * (bare and simulated)
    legend = _legend_rows(figure, axes, (_HEIGHT - 0.1 - head) / _HEIGHT)
    bottom = 0.46 + 0.135 * len(caption)
    top = _HEIGHT - 0.1 - head - 0.18 * legend - 0.08 * bool(legend)
    left, right = _MARGINS
    longest = max((text_width(label.get_text(), 8) for label in axes.get_yticklabels()), default=0.0)
    left = max(left, longest + 0.16 + 0.22 * bool(axes.get_ylabel()))
    axes.set_position((left / _WIDTH, bottom / _HEIGHT, (_WIDTH - left - right) / _WIDTH, (top - bottom) / _HEIGHT))
    if not bare:
        figure.text(0.14 / _WIDTH, 1 - 0.12 / _HEIGHT, chart.title, size=10, weight="bold", va="top")
        figure.text(0.14 / _WIDTH, 0.07 / _HEIGHT, "\n".join(caption), size=6.3, color=MUTED, va="bottom")
    if simulated:
        stamp(figure, _WIDTH - 0.1, _HEIGHT - 0.05)
    return figure


def _legend_rows(figure: Figure, axes: Axes, top: float) -> int:
    """Put a legend below ``top``, in as many columns as fit; returns how many rows it has."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return 0
    column = max(text_width(label, 7.6) for label in labels) + 0.5
    columns = max(1, min(len(labels), int((_WIDTH - 0.2) / column)))
    figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.14 / _WIDTH, top),
        borderpad=0,
        borderaxespad=0,
        ncols=columns,
        fontsize=7.6,
        frameon=False,
        handlelength=1.7,
        columnspacing=1.2,
        labelspacing=0.35,
    )
    return math.ceil(len(labels) / columns)
