"""The frame that every chart has in common: title, legend, axes, caption, the mark of simulated models."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evo.figures.mark import stamp
from evo.figures.style import MUTED

__all__ = ["finish_chart", "new_chart"]

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
