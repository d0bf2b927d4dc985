"""Who goes first where the error cannot tell: a tie goes to the smaller and cheaper.

The one-standard-error rule of Breiman, Friedman, Olshen & Stone (Classification and Regression Trees, 1984, section
3.4.3), there for trees.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from evo.evaluation.cell import Cell
from evo.evaluation.difference import paired

__all__ = ["leader", "tied"]

T = TypeVar("T")


def leader(ranked: Sequence[T], ties: Callable[[T, T], bool], price: Callable[[T], Any]) -> T:
    """The cheapest of those that tie with the best; of equal prices the better ranked.

    ranked: best first, not empty. ties: of (the best, another). price: what is less comes first.
    """
    best, *others = ranked
    return min((best, *(one for one in others if ties(best, one))), key=price)


def tied(best: Iterable[Cell], other: Iterable[Cell]) -> bool:
    """Whether a plan is within one standard error, paired, of one that was ranked before it."""
    gap = paired(best, other)
    return gap is not None and gap.mean <= gap.stderr
