"""How much better one pipeline is than another, told from what both were measured on."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy

from evo.evaluation.cell import Cell

__all__ = ["Difference", "gains", "paired"]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more one plan solves than another (-1..1), with its standard error.

    problems, cells: how many the two have in common.
    """

    mean: float
    stderr: float
    problems: int
    cells: int

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} ± {100 * self.stderr:.1f} points"

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval over problems, cut at -1 and 1."""
        if self.problems < 2:
            return -1.0, 1.0
        reach = float(scipy.special.stdtrit(self.problems - 1, 0.5 + confidence / 2)) * self.stderr
        return max(-1.0, self.mean - reach), min(1.0, self.mean + reach)


def gains(one: Iterable[Cell], other: Iterable[Cell]) -> dict[str, list[int]]:
    """By problem, what ``one`` won (1), lost (-1) or had in common (0) on each replicate that both have."""
    theirs = {(c.problem, c.purpose, c.replicate): c.solved for c in other if c.solved is not None}
    by_problem: dict[str, list[int]] = {}
    for cell in one:
        key = (cell.problem, cell.purpose, cell.replicate)
        if cell.solved is not None and key in theirs:
            by_problem.setdefault(cell.problem, []).append(int(cell.solved) - int(theirs[key]))
    return by_problem


def paired(one: Iterable[Cell], other: Iterable[Cell]) -> Difference | None:
    """The paired difference of two plans over the (problem, purpose, replicate) that both have; None without any.

    Every problem weighs the same, and problems are clusters, as in ``estimate``. One disagreement is added to those
    seen, so that a few cells are never certain; with one replicate and no difference in the mean that is McNemar's
    sqrt(b + c + 1) / n for b cells won and c lost of n (Psychometrika 12, 1947).
    """
    rows = list(gains(one, other).values())
    if not rows:
        return None
    means = np.array([sum(row) / len(row) for row in rows])
    count, cells = len(rows), sum(len(row) for row in rows)
    spread = float(np.square(means - means.mean()).sum()) * count / max(count - 1, 1)
    return Difference(float(means.mean()), math.sqrt(spread + (count / cells) ** 2) / count, count, cells)
