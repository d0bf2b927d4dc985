"""All evidence of a run, by phenotype: whatever is behaviourally the same pipeline shares its measurements."""

import pickle
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, TypeVar, cast

import numpy as np

from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.cost import Cost, cost
from evo.evaluation.estimate import Estimate, estimate

__all__ = ["Ledger"]

T = TypeVar("T")
Key = tuple[str, Purpose, int]
Row = tuple[Purpose, int, tuple[str, ...]]  # purpose, replicate and the problems measured so

_UNPACKED = 200  # plans; more than most populations have
_DIGITS = 9  # of a fitted mean, so that what is equal stays equal
_SELECTION = frozenset({Purpose.SEARCH, Purpose.REEVALUATION})
_ALL = frozenset(Purpose)


class Ledger:
    """Cells by plan digest, each (plan, problem, purpose, replicate) once; a later cell replaces a missing one.

    A search asks over and over for what a plan's cells come to, so that is remembered; it never asks for the cells of
    most plans again, so those of all but the latest are kept packed, in a hundredth of the memory.
    """

    def __init__(
        self, cells: Iterable[Cell] = (), recorded: Callable[[str, Set[Key]], Iterable[Cell]] | None = None
    ) -> None:
        """recorded: gives those cells of a plan that are named; who recalls needs it."""
        self._recorded = recorded
        self._cells: dict[str, dict[Key, Cell] | bytes | list[Row]] = {}
        self._latest: dict[str, None] = {}  # the plans that are not packed, by when they were last asked for
        self._told: dict[str, dict[tuple[object, frozenset[Purpose]], object]] = {}  # since nothing was added
        self.add(cells)

    def add(self, cells: Iterable[Cell]) -> None:
        """Take in cells, whatever they are for."""
        for plan, more in groupby(cells, attrgetter("plan")):
            self._of(plan).update({(cell.problem, cell.purpose, cell.replicate): cell for cell in more})
            self._told.pop(plan, None)

    def recall(self, plan: str, purpose: Purpose, replicate: int, problems: tuple[str, ...]) -> None:
        """Take in cells that are on record: they are read when the plan is asked for, which it was not before."""
        rows = self._cells.setdefault(plan, [])
        assert isinstance(rows, list), "cells of this plan are here already"
        rows.append((purpose, replicate, _shared(problems)))

    def __iter__(self) -> Iterator[str]:
        """Plan digests in the order in which they were first measured."""
        return iter(self._cells)

    def cells(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> tuple[Cell, ...]:
        """The cells of one plan that were measured for these purposes."""
        wanted, kept = frozenset(purposes), self._of(plan) if plan in self._cells else {}
        return tuple([cell for cell in kept.values() if cell.purpose in wanted])

    def keys(self, plan: str) -> Set[Key]:
        """(problem, purpose, replicate) of every cell of one plan, measured or missing."""
        return self._of(plan).keys() if plan in self._cells else frozenset()

    def estimate(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> Estimate | None:
        """The pooled raw solve rate of one plan; None without evidence. By default the evidence that selection may
        use.
        """
        return self._tell(estimate, plan, purposes)

    def cost(self, plan: str, purposes: Iterable[Purpose] = _SELECTION) -> Cost | None:
        """What one plan uses on a problem; None without evidence."""
        return self._tell(cost, plan, purposes)

    def tokens(self, plan: str, purposes: Iterable[Purpose] = _ALL) -> float:
        """Mean tokens (prompt and completion) that the plan uses on one problem; 0 without evidence."""
        return self._tell(_tokens, plan, purposes)

    def seconds(self, plan: str) -> float | None:
        """Mean seconds that the plan's calls take on one problem, one after the other; None if none are on record."""
        return self._tell(_seconds, plan, _ALL)

    def shown(self, plan: str) -> float:
        """Mean share of visible tests that its answers pass, 0..1; 0.0 without evidence."""
        return self._tell(_shown, plan, _SELECTION)

    def levelled(self, plans: Sequence[str]) -> dict[str, Estimate]:
        """Estimates that can be compared although plans were measured on different problems.

        A plan's mean is that of an additive model of plans and problems, fitted by least squares with equal weights for
        each (plan, problem), over all problems here: who was measured on hard ones is not blamed for it, and problems
        that only the better plans went on to do not count as easy. Where all plans saw the same problems this is the
        plain mean. Plans without evidence are left out.
        """
        told = {plan: (self.estimate(plan), self._tell(_rates, plan, _SELECTION)) for plan in plans}
        raw = {plan: (found, rates) for plan, (found, rates) in told.items() if found is not None}
        means = _additive([rates for _, rates in raw.values()])
        return {
            plan: Estimate(min(1.0, max(0.0, mean)), found.stderr, found.replicates, found.problems, found.missing)
            for (plan, (found, _)), mean in zip(raw.items(), means, strict=True)
        }

    def _tell(self, what: Callable[[tuple[Cell, ...]], T], plan: str, purposes: Iterable[Purpose]) -> T:
        """A function of a plan's cells; once, until cells are added."""
        wanted = frozenset(purposes)
        known = self._told.setdefault(plan, {})
        if (what, wanted) not in known:
            known[what, wanted] = what(self.cells(plan, wanted))
        return cast(T, known[what, wanted])

    def _of(self, plan: str) -> dict[Key, Cell]:
        """The cells of a plan, unpacked, in the order in which they came."""
        kept = self._cells.setdefault(plan, {})
        if isinstance(kept, bytes):
            kept = self._cells[plan] = _unpacked(plan, kept)
        elif isinstance(kept, list):
            kept = self._cells[plan] = self._read(plan, kept)
        self._latest.pop(plan, None)
        self._latest[plan] = None
        if len(self._latest) > _UNPACKED:
            oldest = next(iter(self._latest))
            del self._latest[oldest]
            self._cells[oldest] = _packed(self._cells[oldest])
        return kept

    def _read(self, plan: str, rows: Iterable[Row]) -> dict[Key, Cell]:
        assert self._recorded is not None, "recalled without a record"
        keys = {(problem, purpose, replicate): None for purpose, replicate, problems in rows for problem in problems}
        found = {(cell.problem, cell.purpose, cell.replicate): cell for cell in self._recorded(plan, keys.keys())}
        return {key: found[key] for key in keys}


def _additive(plans: Sequence["_Rates"]) -> list[float]:
    """Each plan's effect plus the mean effect of all problems."""
    rates = [dict(zip(plan.problems, plan.values, strict=True)) for plan in plans]
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


def _rates(cells: Iterable[Cell]) -> "_Rates":
    outcomes: dict[str, list[bool]] = {}
    for cell in cells:
        if cell.solved is not None:
            outcomes.setdefault(cell.problem, []).append(cell.solved)
    values = array("d", (sum(values) / len(values) for values in outcomes.values()))
    return _Rates(_shared(tuple(outcomes)), values)


class _Rates(NamedTuple):
    """Of each problem, how often it was solved."""

    problems: tuple[str, ...]
    values: "array[float]"


@lru_cache(maxsize=1024)
def _shared(problems: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for all plans that were measured on the same problems."""
    return problems


def _tokens(cells: Iterable[Cell]) -> float:
    tokens = [cell.prompt_tokens + cell.completion_tokens for cell in cells if cell.solved is not None]
    return sum(tokens) / len(tokens) if tokens else 0.0


def _seconds(cells: Iterable[Cell]) -> float | None:
    known = [cell.seconds for cell in cells if cell.seconds is not None]
    return sum(known) / len(known) if known else None


def _shown(cells: Iterable[Cell]) -> float:
    shares = [cell.shown for cell in cells if cell.shown is not None]
    return sum(shares) / len(shares) if shares else 0.0


def _packed(cells: Mapping[Key, Cell] | bytes | list[Row]) -> bytes:
    assert isinstance(cells, dict)
    return zlib.compress(pickle.dumps([cell[1:] for cell in cells.values()]), level=1)


def _unpacked(plan: str, packed: bytes) -> dict[Key, Cell]:
    cells = (Cell(plan, *values) for values in pickle.loads(zlib.decompress(packed)))
    return {(cell.problem, cell.purpose, cell.replicate): cell for cell in cells}
