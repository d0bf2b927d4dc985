"""All evidence of a run, by phenotype: whatever is behaviourally the same pipeline shares its measurements."""

from collections.abc import Iterable, Iterator, Sequence

from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.estimate import Estimate, estimate

__all__ = ["Ledger"]

_SELECTION = frozenset({Purpose.SEARCH, Purpose.REEVALUATION})


class Ledger:
    """Cells by plan digest, each (plan, problem, purpose, replicate) once; a later cell replaces a missing one."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self._cells: dict[str, dict[tuple[str, Purpose, int], Cell]] = {}
        self.add(cells)

    def add(self, cells: Iterable[Cell]) -> None:
        """Take in cells, whatever they are for."""
        for cell in cells:
            self._cells.setdefault(cell.plan, {})[cell.problem, cell.purpose, cell.replicate] = cell

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
        return estimate(self.cells(plan, purposes))

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

        A plan's mean is corrected by how hard its problems were: for each of its problems the difference to that
        problem's mean over all plans here, plus the mean over all problems (an additive two-way model with equal
        weights). Where all plans saw the same problems this changes nothing. Plans without evidence are left out.
        """
        evidence = {plan: cells for plan in plans if (cells := self.cells(plan))}
        rates = {plan: _rates(cells) for plan, cells in evidence.items()}
        by_problem: dict[str, list[float]] = {}
        for table in rates.values():
            for problem, rate in table.items():
                by_problem.setdefault(problem, []).append(rate)
        difficulty = {problem: sum(values) / len(values) for problem, values in by_problem.items()}
        overall = sum(difficulty.values()) / len(difficulty) if difficulty else 0.0
        levelled = {}
        for plan, cells in evidence.items():
            raw = estimate(cells)
            if raw is None:
                continue
            table = rates[plan]
            shift = overall - sum(difficulty[problem] for problem in table) / len(table)
            mean = min(1.0, max(0.0, raw.mean + shift))
            levelled[plan] = Estimate(mean, raw.stderr, raw.replicates, raw.problems, raw.missing)
        return levelled


def _rates(cells: Iterable[Cell]) -> dict[str, float]:
    outcomes: dict[str, list[bool]] = {}
    for cell in cells:
        if cell.solved is not None:
            outcomes.setdefault(cell.problem, []).append(cell.solved)
    return {problem: sum(values) / len(values) for problem, values in outcomes.items()}
