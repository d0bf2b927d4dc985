"""The stamp on every picture whose numbers come from simulated models."""

from typing import Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evo.figures.style import PAPER, VERMILLION, text_width

__all__ = ["stamp", "stamp_width"]

_TEXT: Final = "SIMULATED"
_SIZE = 9.0
_HEIGHT = 0.27


def stamp_width() -> float:
    """Inches that a stamp takes."""
    return text_width(_TEXT, _SIZE, bold=True) + 0.26


def stamp(figure: Figure, right: float, top: float) -> None:
    """Stamp a figure; (right, top) is the stamp's upper right corner in inches from the figure's lower left."""
    width, height = figure.get_size_inches()
    size = (stamp_width() / width, _HEIGHT / height)
    corner = (right / width - size[0], top / height - size[1])
    figure.add_artist(Rectangle(corner, *size, transform=figure.transFigure, facecolor=VERMILLION, edgecolor="none"))
    middle = (corner[0] + size[0] / 2, corner[1] + size[1] / 2)
    figure.text(*middle, _TEXT, size=_SIZE, weight="bold", color=PAPER, ha="center", va="center_baseline")
