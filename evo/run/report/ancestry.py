"""Where the champion comes from, and what the champions of the species looked like on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from evo.evaluation import Estimate
from evo.figures import Ancestor, differences
from evo.genome import Genome
from evo.run.report.findings import best_of
from evo.run.report.record import Individual, Record

__all__ = ["PANELS", "Reign", "ancestors", "most_lasting", "reigns"]

PANELS = 24
"""Pictures that a gallery has room for."""

_MOST_ANCESTORS = 60


@dataclass(frozen=True, slots=True)
class Reign:
    """A pipeline at the head of its species, from one generation to another. estimate: its last one in that time."""

    species: int
    first: int
    last: int
    plan: str
    genome: Genome
    estimate: Estimate | None


def ancestors(record: Record) -> tuple[Ancestor, ...]:
    """The champion's ancestors, oldest first, the champion last; () where it was not born in the search."""
    born: dict[int, Individual] = {}
    latest: dict[int, Individual] = {}
    for one in record.individuals:
        born.setdefault(one.key, one)
        if one.estimate is not None:
            latest[one.key] = one
    start = next((one for one in record.individuals if one.plan == record.champion and one.key in latest), None)
    if start is None:
        return ()
    line = [start.key]
    while parents := [key for key in born[line[-1]].parents if key in born and key not in line]:
        line.append(parents[0])
    wanted, waiting = set(line), list(line)
    while waiting and len(wanted) < _MOST_ANCESTORS:
        fresh = [key for key in born[waiting.pop(0)].parents if key in born and key not in wanted]
        wanted.update(fresh)
        waiting.extend(fresh)
    found = [_ancestor(born[key], latest, born, main=key in line) for key in wanted if key in latest]
    return tuple(sorted(found, key=lambda one: (one.key == start.key, one.generation, one.key)))


def _ancestor(one: Individual, latest: dict[int, Individual], born: dict[int, Individual], *, main: bool) -> Ancestor:
    estimate = latest[one.key].estimate
    assert estimate is not None  # that is what latest holds
    parent = next((born[key] for key in one.parents if key in born), None)
    change = "; ".join(differences(parent.genome, one.genome)) if parent else "born in the first population"
    return Ancestor(
        key=one.key,
        generation=one.generation,
        parents=one.parents,
        main=main,
        mean=estimate.mean,
        stderr=estimate.stderr,
        problems=estimate.problems,
        replicates=estimate.replicates,
        change=change or "no change",
    )


def reigns(record: Record) -> tuple[Reign, ...]:
    """Every species' champions, by species and then through the generations."""
    found: list[Reign] = []
    for number, generation in enumerate(record.generations):
        for species in sorted({one.species for one in generation}):
            best = best_of(one for one in generation if one.species == species)
            if best is None:
                continue
            before = next((r for r in reversed(found) if r.species == species), None)
            if before and before.plan == best.plan and before.last == number - 1:
                found.remove(before)
                found.append(Reign(species, before.first, number, best.plan, best.genome, best.estimate))
            else:
                found.append(Reign(species, number, number, best.plan, best.genome, best.estimate))
    return tuple(sorted(found, key=lambda reign: (reign.species, reign.first)))


def most_lasting(found: Sequence[Reign], count: int) -> tuple[Reign, ...]:
    """Those that stayed longest, in their order."""
    kept = sorted(found, key=lambda reign: (reign.first - reign.last, reign.first))[:count]
    return tuple(reign for reign in found if reign in kept)
