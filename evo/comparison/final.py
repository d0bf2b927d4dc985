"""The final race: which of the best is the champion, and which of the others it cannot be told apart from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo.comparison.pairs import compare_with
from evo.evaluation import Cell, Difference, Estimate, cost, estimate, leader, tied

__all__ = ["Finalist", "final_race"]


@dataclass(frozen=True, slots=True)
class Finalist:
    """A plan's digest with what it showed in the race.

    price: what its size and tokens cost it, in solve rate, less what the program that searches adds. lead: of the
    champion over it, in solve rate; None for the champion. p: of the permutation test of that lead, corrected for the
    number of finalists (Holm); 1 for the champion.
    """

    plan: str
    estimate: Estimate
    price: float
    lead: Difference | None = None
    p: float = 1.0

    def apart(self, level: float = 0.05) -> bool:
        """Whether the champion can be told apart from it, among all finalists together."""
        return self.p <= level


def final_race(
    cells: Mapping[str, Sequence[Cell]], prices: Mapping[str, float], random: np.random.Generator
) -> tuple[Finalist, ...]:
    """The finalists that were measured, the champion first, then by solve rate less price.

    cells: of the race, by plan digest; the earlier plan wins what is a tie in every respect. The champion is not simply
    the one with the best score: who is within one standard error of the difference to that one, and costs less
    (at equal prices: fewer tokens), is preferred (see ``evo.evaluation.ties``).
    """
    measured = {plan: found for plan, mine in cells.items() if (found := estimate(mine)) is not None}
    ranked = sorted(measured, key=lambda plan: prices[plan] - measured[plan].mean)
    if not ranked:
        return ()

    def price(plan: str) -> tuple[float, float]:
        tokens = cost(cells[plan])
        assert tokens is not None  # it was measured
        return prices[plan], tokens.mean

    champion = leader(ranked, lambda best, other: tied(cells[best], cells[other]), price)
    pairs = compare_with(champion, [plan for plan in ranked if plan != champion], cells, random)
    return (
        Finalist(champion, measured[champion], prices[champion]),
        *(Finalist(p.other, measured[p.other], prices[p.other], p.difference, p.p_holm) for p in pairs),
    )
