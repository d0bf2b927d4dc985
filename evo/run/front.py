"""The front of a search for quality and cost together: what no measured pipeline beats, with its errors."""

from collections.abc import Callable
from dataclasses import dataclass

from evo.evaluation import Cost, Estimate, Ledger, Purpose
from evo.evolution import Offer, front
from evo.genome import Genome
from evo.pipeline import Plan

__all__ = ["FrontPoint", "front_of", "offers"]


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A pipeline that no other beat. search, cost: on the evidence that selected it; validated: on fresh seeds."""

    genome: Genome
    plan: Plan
    search: Estimate
    cost: Cost
    validated: Estimate | None = None
    validated_cost: Cost | None = None


def offers(ledger: Ledger, caution: float) -> list[Offer]:
    """Every measured plan by its cautious estimate and its mean tokens; key: its digest."""
    found = []
    for digest, estimate in ledger.levelled(list(ledger)).items():
        price = ledger.cost(digest)
        assert price is not None  # it has an estimate
        found.append(Offer(digest, estimate.mean - caution * estimate.stderr, price.mean))
    return found


def front_of(ledger: Ledger, known: Callable[[str], tuple[Genome, Plan]], caution: float) -> tuple[FrontPoint, ...]:
    """The front over all that the ledger holds, cheapest first, with what validation says of each point.

    known: genome and plan by the plan's digest.
    """
    points = []
    for offer in front(offers(ledger, caution)):
        estimate, price = ledger.estimate(offer.key), ledger.cost(offer.key)
        assert estimate is not None and price is not None  # it is an offer
        fresh = (Purpose.VALIDATION,)
        validated = ledger.estimate(offer.key, fresh), ledger.cost(offer.key, fresh)
        points.append(FrontPoint(*known(offer.key), estimate, price, *validated))
    return tuple(points)
