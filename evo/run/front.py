"""The front of a search for quality and cost together: what no measured pipeline beats, with its errors."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from evo.evaluation import Cell, Estimate, Ledger, Purpose
from evo.evolution import Offer, front
from evo.genome import Genome
from evo.pipeline import Plan

__all__ = ["Cost", "FrontPoint", "cost", "front_of", "offers"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean tokens (prompt and completion) on one problem, with the standard error over problems."""

    mean: float
    stderr: float

    def __str__(self) -> str:
        return f"{self.mean:.0f} ± {self.stderr:.0f}"


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A pipeline that no other beat. search, cost: on the evidence that selected it; validated: on fresh seeds."""

    genome: Genome
    plan: Plan
    search: Estimate
    cost: Cost
    validated: Estimate | None = None
    validated_cost: Cost | None = None


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


def offers(ledger: Ledger, caution: float) -> list[Offer]:
    """Every measured plan by its cautious estimate and its mean tokens; key: its digest."""
    found = []
    for digest, estimate in ledger.levelled(list(ledger)).items():
        price = cost(ledger.cells(digest))
        assert price is not None  # it has an estimate
        found.append(Offer(digest, estimate.mean - caution * estimate.stderr, price.mean))
    return found


def front_of(ledger: Ledger, known: Mapping[str, tuple[Genome, Plan]], caution: float) -> tuple[FrontPoint, ...]:
    """The front over all that the ledger holds, cheapest first, with what validation says of each point."""
    points = []
    for offer in front(offers(ledger, caution)):
        estimate, price = ledger.estimate(offer.key), cost(ledger.cells(offer.key))
        assert estimate is not None and price is not None  # it is an offer
        fresh = ledger.cells(offer.key, (Purpose.VALIDATION,))
        validated = ledger.estimate(offer.key, (Purpose.VALIDATION,))
        points.append(FrontPoint(*known[offer.key], estimate, price, validated, cost(fresh)))
    return tuple(points)
