"""One look for every picture: paper, ink, fonts, and a shape and a colour for each role.

Colours are those of Okabe and Ito (2008), distinct for colour-blind readers; every role has a shape of its own as well,
so that a picture survives a grey print. The background is always painted, so that it survives a dark page.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from evo.genome.genes import Role

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "MUTED",
    "OLIVE",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "SERIES",
    "SKY",
    "VERMILLION",
    "RoleStyle",
    "figure_style",
    "role_style",
    "shade",
    "text_width",
    "tint",
]

PAPER: Final = "#ffffff"
INK: Final = "#1f2933"
MUTED: Final = "#5f6b76"
GREY: Final = "#9aa5b1"
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
VERMILLION: Final = "#D55E00"
SKY: Final = "#56B4E9"

OLIVE: Final = "#8a7a00"  # Okabe and Ito's yellow, dark enough for a line on white

SERIES: Final = (BLUE, "#d39200", GREEN, PURPLE, VERMILLION, SKY, OLIVE, MUTED)
"""Colours for things that have none of their own, in this order; a chart with more of them begins again."""

_DPI = 200
_POINTS_PER_INCH = 72

_RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    # DejaVu Sans comes with matplotlib, so text measures the same everywhere; a viewer of an SVG may lack it.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "figure.dpi": _DPI,
    "savefig.dpi": _DPI,
    "svg.fonttype": "none",  # text stays text: searchable, selectable
    "svg.hashsalt": "evo",  # ids in the file depend on its content alone
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Matplotlib's own defaults and then ours, whatever the user's matplotlibrc says; draw and save inside."""
    with mpl.rc_context(), _unknown_letters():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


@contextmanager
def _unknown_letters() -> Iterator[None]:
    """A letter that the font lacks is drawn as a box; that needs no warning on the user's terminal."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@dataclass(frozen=True, slots=True)
class RoleStyle:
    """shape: a name in ``evo.figures.shapes``. colour: of the outline; the fill is its tint, the title its shade."""

    shape: str
    colour: str


_ROLES: Final = {
    "task": RoleStyle("pill", MUTED),
    "output": RoleStyle("pill", INK),
    "planner": RoleStyle("arrow", SKY),
    "generator": RoleStyle("rounded", BLUE),
    "tester": RoleStyle("shield", VERMILLION),
    "executor": RoleStyle("hexagon", ORANGE),
    "analyzer": RoleStyle("note", PURPLE),
    "refiner": RoleStyle("octagon", GREEN),
    "selector": RoleStyle("funnel", OLIVE),
}


def role_style(role: Role) -> RoleStyle:
    """How a role looks; a plain grey rectangle for a role that has no look of its own."""
    return _ROLES.get(role.value, RoleStyle("rectangle", GREY))


def tint(colour: str, amount: float) -> str:
    """``colour`` mixed with white: 0 leaves it, 1 is white. A hex string."""
    red, green, blue = (channel + (1 - channel) * amount for channel in to_rgb(colour))
    return to_hex((red, green, blue))


def shade(colour: str, amount: float) -> str:
    """``colour`` mixed with black: 0 leaves it, 1 is black. A hex string."""
    red, green, blue = (channel * (1 - amount) for channel in to_rgb(colour))
    return to_hex((red, green, blue))


@cache
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in inches of one line in the figures' font at ``size`` points, from the font's metrics alone."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    with _unknown_letters():
        width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _POINTS_PER_INCH
