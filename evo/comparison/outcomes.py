"""What several pipelines did on the same problems with the same seeds, as one array."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evo.evaluation import Cell

__all__ = ["Floats", "Outcomes", "outcomes"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """solved: (pipelines, problems, replicates); 1 solved, 0 not, NaN missing. The first axis is named by ``names``."""

    names: tuple[str, ...]
    problems: tuple[str, ...]
    solved: Floats

    @property
    def rates(self) -> Floats:
        """Share of replicates solved, (pipelines, problems); NaN where nothing was measured."""
        return mean_over(self.solved, 2)


def outcomes(cells: Mapping[str, Iterable[Cell]], problems: Sequence[str], replicates: int) -> Outcomes:
    """The outcomes of named pipelines on these problems. Cells of other problems or later replicates are left out."""
    row = {problem: i for i, problem in enumerate(problems)}
    solved = np.full((len(cells), len(problems), replicates), np.nan)
    for i, mine in enumerate(cells.values()):
        for cell in mine:
            if cell.solved is not None and cell.problem in row and cell.replicate < replicates:
                solved[i, row[cell.problem], cell.replicate] = cell.solved
    return Outcomes(tuple(cells), tuple(problems), solved)


def mean_over(values: Floats, axis: int) -> Floats:
    """Mean of what is not NaN along an axis; NaN where all is, without numpy's warning."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: Floats = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    return mean
