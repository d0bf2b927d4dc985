"""All evidence of a run, by phenotype: whatever is behaviourally the same pipeline shares its measurements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.cost import Cost, cost
from evo.evaluation.estimate import Estimate, estimate

__all__ = ["Ledger"]

_DIGITS = 9  # of a fitted mean, so that what is equal stays equal
_SELECTION = frozenset({Purpose.SEARCH, Purpose.REEVALUATION})


class Ledger:
    """Cells by plan digest, each (plan, problem, purpose, replicate) once; a later cell replaces a missing one."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self._cells: dict[str, dict[tuple[str, Purpose, int], Cell]] = {}
        self._summaries: dict[str, dict[frozenset[Purpose], _Summary]] = {}  # of plans that nothing was added to since
        self.add(cells)

    def add(self, cells: Iterable[Cell]) -> None:
        """Take in cells, whatever they are for."""
        for cell in cells:
            self._cells.setdefault(cell.plan, {})[cell.problem, cell.purpose, cell.replicate] = cell
            self._summaries.pop(cell.plan, None)

    def __iter__(self) -> Iterator[str]:
        """Plan digests in the order in which they were first measured."""
        return iter(self._cells)

    def cells(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> tuple[Cell, ...]:
        """The cells of one plan that were measured for these purposes."""
        wanted = frozenset(purposes)
        return tuple(cell for cell in self._cells.get(plan, {}).values() if cell.purpose in wanted)

    def estimate(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> Estimate | None:
        """The pooled raw solve rate of one plan; None without evidence. By default the evidence that selection may
        use.
        """
        return self._summary(plan, frozenset(purposes)).estimate

    def cost(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> Cost | None:
        """What one plan uses on a problem; None without evidence."""
        return self._summary(plan, frozenset(purposes)).cost

    def tokens(self, plan: str) -> float:
        """Mean tokens (prompt and completion) that the plan uses on one problem; 0 without evidence."""
        cells = [cell for cell in self._cells.get(plan, {}).values() if cell.solved is not None]
        return sum(c.prompt_tokens + c.completion_tokens for c in cells) / len(cells) if cells else 0.0

    def shown(self, plan: str) -> float:
        """Mean share of visible tests that its answers pass, 0..1; 0.0 without evidence."""
        shares = [cell.shown for cell in self.cells(plan) if cell.shown is not None]
        return sum(shares) / len(shares) if shares else 0.0

    def levelled(self, plans: Sequence[str]) -> dict[str, Estimate]:
        """Estimates that can be compared although plans were measured on different problems.

        A plan's mean is that of an additive model of plans and problems, fitted by least squares with equal weights for
        each (plan, problem), over all problems here: who was measured on hard ones is not blamed for it, and problems
        that only the better plans went on to do not count as easy. Where all plans saw the same problems this is the
        plain mean. Plans without evidence are left out.
        """
        raw = {plan: found for plan in plans if (found := self.estimate(plan)) is not None}
        means = _additive([self._summary(plan).rates for plan in raw])
        return {
            plan: Estimate(min(1.0, max(0.0, mean)), found.stderr, found.replicates, found.problems, found.missing)
            for (plan, found), mean in zip(raw.items(), means, strict=True)
        }

    def _summary(self, plan: str, purposes: frozenset[Purpose] = _SELECTION) -> "_Summary":
        """A search asks for that of every plan in each generation."""
        known = self._summaries.setdefault(plan, {})
        if purposes not in known:
            cells = self.cells(plan, purposes)
            known[purposes] = _Summary(estimate(cells), cost(cells), _rates(cells))
        return known[purposes]


def _additive(rates: Sequence[Mapping[str, float]]) -> list[float]:
    """Each plan's effect plus the mean effect of all problems."""
    problems = sorted({problem for table in rates for problem in table})
    if all(len(table) == len(problems) for table in rates):
        return [sum(table.values()) / len(table) for table in rates]
    seen = np.array([[float(problem in table) for problem in problems] for table in rates])
    values = np.array([[table.get(problem, 0.0) for problem in problems] for table in rates])
    # The normal equations with the problems eliminated. Plans that no problem connects are as good as each other.
    share = seen / seen.sum(axis=0)
    normal = np.diag(seen.sum(axis=1)) - share @ seen.T
    plan = np.linalg.lstsq(normal, values.sum(axis=1) - share @ values.sum(axis=0), rcond=1e-9)[0]
    problem = (values - seen * plan[:, None]).sum(axis=0) / seen.sum(axis=0)
    return [round(float(mean), _DIGITS) for mean in plan + problem.mean()]


@dataclass(frozen=True, slots=True)
class _Summary:
    """What a plan's cells come to. rates: by problem."""

    estimate: Estimate | None
    cost: Cost | None
    rates: dict[str, float]


def _rates(cells: Iterable[Cell]) -> dict[str, float]:
    outcomes: dict[str, list[bool]] = {}
    for cell in cells:
        if cell.solved is not None:
            outcomes.setdefault(cell.problem, []).append(cell.solved)
    return {problem: sum(values) / len(values) for problem, values in outcomes.items()}
