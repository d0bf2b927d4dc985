"""Two objectives: which offers nobody beats, and how the others rank behind them.

Ranking and spread are those of NSGA-II (Deb et al. 2002, III.A and III.B), as a fitness that species can share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Offer", "front", "pareto_fitness"]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something measured: accuracy (more is better) and cost (less is better). key: whose it is."""

    key: str
    accuracy: float
    cost: float

    def beats(self, other: "Offer") -> bool:
        """Whether it is no worse in both and better in one."""
        no_worse = self.accuracy >= other.accuracy and self.cost <= other.cost
        return no_worse and (self.accuracy, self.cost) != (other.accuracy, other.cost)


def front(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Those that no other beats, cheapest first."""
    best = (offer for offer in offers if not any(other.beats(offer) for other in offers))
    return tuple(sorted(best, key=lambda offer: (offer.cost, offer.key)))


def pareto_fitness(offers: Sequence[Offer]) -> dict[str, float]:
    """A fitness in 0..1 by key: 1 / (1 + rank), rank counting the fronts that stand before an offer.

    Within a front the lonelier offer is preferred, and its two ends most of all: crowding takes at most half a rank.
    """
    left, fitness, rank = list(offers), {}, 0
    while left:
        best = front(left)
        for offer, lonely in zip(best, _loneliness(best), strict=True):
            fitness[offer.key] = 1 / (1 + rank + 0.5 * (1 - lonely))
        left = [offer for offer in left if offer.key not in fitness]
        rank += 1
    return fitness


def _loneliness(ordered: Sequence[Offer]) -> list[float]:
    """Of a front, ordered by cost: how far its neighbours are apart, as a share of the front; 1 at the ends."""
    if len(ordered) < 3:
        return [1.0] * len(ordered)
    first, last = ordered[0], ordered[-1]
    cost, accuracy = last.cost - first.cost or 1.0, last.accuracy - first.accuracy or 1.0
    inner = (
        ((after.cost - before.cost) / cost + (after.accuracy - before.accuracy) / accuracy) / 2
        for before, after in zip(ordered, ordered[2:], strict=False)
    )
    return [1.0, *inner, 1.0]
