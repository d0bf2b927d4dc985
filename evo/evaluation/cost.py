"""What a pipeline costs, with its error."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from evo.evaluation.cell import Cell

__all__ = ["Cost", "cost"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean tokens (prompt and completion) on one problem, with the standard error over problems."""

    mean: float
    stderr: float

    def __str__(self) -> str:
        return f"{self.mean:.0f} ± {self.stderr:.0f}"


def cost(cells: Iterable[Cell]) -> Cost | None:
    """What these cells of one plan cost; None if none was measured."""
    by_problem: dict[str, list[int]] = {}
    for cell in cells:
        if cell.solved is not None:
            by_problem.setdefault(cell.problem, []).append(cell.prompt_tokens + cell.completion_tokens)
    means = [fmean(tokens) for tokens in by_problem.values()]
    if not means:
        return None
    return Cost(fmean(means), stdev(means) / math.sqrt(len(means)) if len(means) > 1 else math.nan)
