"""What an estimate is uncertain by: its problems, its seeds, and what the infrastructure lost."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from evo.evaluation.cell import Cell

__all__ = ["Variance", "variance"]


@dataclass(frozen=True, slots=True)
class Variance:
    """Parts of the variance of a mean solve rate (0..1, squared); they add up to it.

    problem: other problems might have been drawn. sampling: other seeds. infrastructure: how much smaller the two would
    be if every cell that was asked for had been measured.
    """

    problem: float
    sampling: float
    infrastructure: float


def variance(cells: Iterable[Cell]) -> Variance | None:
    """The parts by the method of moments (one-way random effects, unequal numbers; Searle, Casella & McCulloch,
    Variance Components, 1992, ch. 3); None without two problems and two replicates of one.
    """
    trials: dict[str, list[bool | None]] = {}
    for cell in cells:
        trials.setdefault(cell.problem, []).append(cell.solved)
    had = [[bool(solved) for solved in row if solved is not None] for row in trials.values()]
    rows = [row for row in had if row]
    counts = np.array([len(row) for row in rows])
    if len(rows) < 2 or counts.max() < 2:
        return None
    means = np.array([np.mean(row) for row in rows])
    within = float((counts * means * (1 - means)).sum() / (counts - 1).sum())
    between = max(0.0, float(means.var(ddof=1)) - within * float((1 / counts).mean()))
    asked = np.array([len(row) for row in trials.values()])
    problem = between / len(asked)
    sampling = within * float((1 / asked).sum()) / len(asked) ** 2
    total = between / len(rows) + within * float((1 / counts).sum()) / len(rows) ** 2
    return Variance(problem, sampling, total - problem - sampling)
