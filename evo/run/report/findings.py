"""From a run's record to the numbers of its charts: pure functions, one for each chart."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from evo.evaluation import Cell, Estimate, Purpose, estimate
from evo.figures import (
    ClaimPoint,
    ComplexityPoint,
    ErrorPoint,
    GenerationPoint,
    SharePoint,
    SpeciesPoint,
    SpendingPoint,
    TokenPoint,
    TriedPoint,
)
from evo.genome import Genome, Role
from evo.run.report.record import Individual, Record

__all__ = [
    "best_of",
    "claim_points",
    "complexity_points",
    "error_points",
    "generation_points",
    "refining",
    "share_points",
    "species_points",
    "spending_points",
    "token_points",
    "tried_points",
]

_ERRORS = 8  # types that a chart has room for


def generation_points(record: Record) -> list[GenerationPoint]:
    """Fitness by generation, as the search recorded it."""
    return [
        GenerationPoint(
            generation=report["number"],
            best=Estimate(**report["best"]),
            mean=Estimate(**report["mean"]),
            single_best=math.nan if report["single_best"] is None else report["single_best"],
            species=report["species"],
        )
        for report in record.reports
    ]


def best_of(generation: Iterable[Individual]) -> Individual | None:
    """Who has the highest fitness; the first of equals."""
    return max(
        (one for one in generation if one.fitness is not None),
        key=lambda one: (one.fitness or 0.0, -one.key),
        default=None,
    )


def species_points(record: Record) -> list[SpeciesPoint]:
    """Size and best of every species in every generation."""
    points = []
    for number, generation in enumerate(record.generations):
        for species in sorted({one.species for one in generation}):
            members = [one for one in generation if one.species == species]
            means = [one.estimate.mean for one in members if one.estimate]
            points.append(SpeciesPoint(number, species, len(members), max(means, default=math.nan)))
    return points


def complexity_points(record: Record) -> list[ComplexityPoint]:
    """Nodes of the population, and nodes and calls of its best."""
    points = []
    for number, generation in enumerate(record.generations):
        nodes = [len(one.genome.inner) for one in generation]
        best = best_of(generation)
        if nodes and best:
            stderr = float(np.std(nodes, ddof=1)) / math.sqrt(len(nodes)) if len(nodes) > 1 else 0.0
            size = len(best.genome.inner)
            points.append(
                ComplexityPoint(number, float(np.mean(nodes)), stderr, len(nodes), size, most_calls(best.genome))
            )
    return points


def most_calls(genome: Genome) -> int:
    """The most model calls that one run can make: a node in a loop once for each of its iterations."""
    return sum(_turns(genome, node.id) for node in genome.inner if node.role.calls_model)


def _turns(genome: Genome, id: int) -> int:
    """Iterations of the refiner that a node works for: its own, or those of the refiner that an analyzer feeds."""
    node = genome.node(id)
    if node.role is Role.REFINER:
        return node.iterations or 1
    if node.role is Role.ANALYZER:
        fed = [c.target for c in genome.connections if c.enabled and c.source == id]
        return max((_turns(genome, target) for target in fed), default=1)
    return 1


def share_points(record: Record, what: str) -> list[SharePoint]:
    """Of each generation's nodes, how many are of which "model" or "role"."""
    points = []
    for number, generation in enumerate(record.generations):
        nodes = [node for one in generation for node in one.genome.inner]
        names = Counter((node.model or "") if what == "model" else node.role.value for node in nodes)
        del names[""]
        total = sum(names.values())
        points += [SharePoint(number, name, count, count / total) for name, count in sorted(names.items())]
    return points


def claim_points(record: Record) -> list[ClaimPoint]:
    """In each generation, the pipeline that its first seeds alone would have chosen, and how it did on others."""
    points = []
    for number, generation in enumerate(record.generations):
        looks = {one.plan: _first_look(record, one.plan) for one in generation}
        problems = _common(looks.values())
        if not problems:
            continue
        scored = {plan: sum(look[p] for p in problems) / len(problems) for plan, look in looks.items() if look}
        plan = max(scored, key=lambda plan: (scored[plan], plan))
        others = [c for c in _all(record, plan) if c.problem in problems and not _is_first(c)]
        since = estimate(others)
        if since is None or since.problems < len(problems):
            points.append(ClaimPoint(number, plan, scored[plan], math.nan, math.nan, 0))
        else:
            points.append(ClaimPoint(number, plan, scored[plan], since.mean, since.stderr, len(others)))
    return points


def _common(looks: Iterable[Mapping[str, bool]]) -> frozenset[str]:
    """The problems that a generation was measured on: those that all first looks which show anything have."""
    seen = [frozenset(look) for look in looks if look]
    return frozenset.intersection(*seen) if seen else frozenset()


def _first_look(record: Record, plan: str) -> dict[str, bool]:
    """By problem, what a plan's first seeds showed."""
    return {
        cell.problem: cell.solved
        for cell in record.ledger.cells(plan, (Purpose.SEARCH,))
        if _is_first(cell) and cell.solved is not None
    }


def _is_first(cell: Cell) -> bool:
    return cell.purpose is Purpose.SEARCH and cell.replicate == 0


def _all(record: Record, plan: str) -> tuple[Cell, ...]:
    return record.ledger.cells(plan, Purpose)


def refining(record: Record) -> list[Cell]:
    """Measured cells of pipelines that refine, as far as they tell of errors and outcomes: those alike are one object,
    for a large run has a million of them.
    """
    plans = {digest for digest, genome in record.genomes.items() if any(n.role is Role.REFINER for n in genome.nodes)}
    kinds: dict[tuple[str, bool, tuple[str, ...]], Cell] = {}
    found = []
    for cell in record.cells:
        if cell.plan in plans and cell.solved is not None and cell.error_types:
            kind = cell.problem, cell.solved, cell.error_types
            if kind not in kinds:
                kinds[kind] = Cell("", cell.problem, cell.purpose, 0, cell.solved, error_types=cell.error_types)
            found.append(kinds[kind])
    return found


def error_points(cells: Sequence[Cell]) -> list[ErrorPoint]:
    """What the first and the last program failed with, and how many of the refined ones were repaired."""
    before, after = Counter(c.error_types[0] for c in cells), Counter(c.error_types[-1] for c in cells)
    types = sorted({*before, *after} - {""}, key=lambda error: (-before[error], -after[error], error))
    points = []
    for error in types[:_ERRORS]:
        refined = [c for c in cells if c.error_types[0] == error and len(c.error_types) > 1]
        found = _judged(refined, lambda cell: cell.error_types[-1] == "")
        repaired, stderr = (math.nan, math.nan) if found is None else _over_runs(refined, found)
        points.append(ErrorPoint(error, before[error], after[error], len(refined), repaired, stderr))
    return points


def _passing(tried: int, cell: Cell) -> bool:
    return "" in cell.error_types[:tried]


def _solved_by(tried: int, cell: Cell) -> bool:
    return bool(cell.solved) and len(cell.error_types) <= tried


def _judged(cells: Sequence[Cell], solved: Callable[[Cell], bool]) -> Estimate | None:
    """The estimate by another outcome than theirs."""
    judged: dict[int, Cell] = {}
    for cell in cells:
        if id(cell) not in judged:
            judged[id(cell)] = cell._replace(solved=solved(cell))
    return estimate(judged[id(cell)] for cell in cells)


def _over_runs(cells: Sequence[Cell], found: Estimate) -> tuple[float, float]:
    """The share of runs, where problems have very different numbers of them, with the error over problems."""
    return sum(cell.error_types[-1] == "" for cell in cells) / len(cells), found.stderr


def tried_points(cells: Sequence[Cell], *, early_stopping: bool) -> list[TriedPoint]:
    """How many runs have a passing program, and how many are solved, after so many programs."""
    ran = [cell for cell in cells if cell.solved is not None and cell.error_types]
    if not ran:
        return []
    points = []
    for tried in range(1, max(len(cell.error_types) for cell in ran) + 1):
        passing = _judged(ran, partial(_passing, tried))
        solved = _judged(ran, partial(_solved_by, tried))
        assert passing is not None and solved is not None
        now = [cell.error_types[min(tried, len(cell.error_types)) - 1] == "" for cell in ran]
        points.append(
            TriedPoint(
                tried=tried,
                runs=len(ran),
                passing=passing.mean,
                passing_stderr=passing.stderr,
                solved=solved.mean,
                solved_stderr=solved.stderr,
                now=math.nan if early_stopping else sum(now) / len(now),
            )
        )
    return points


def token_points(record: Record, marked: Sequence[TokenPoint]) -> list[TokenPoint]:
    """Every pipeline of the search with the evidence that selection has of it, and those that are marked."""
    points = list(marked)
    for plan in record.ledger:
        found = record.ledger.estimate(plan)
        if found is not None and plan in record.genomes:
            tokens = record.ledger.tokens(plan)
            points.append(TokenPoint(plan, "", tokens, found.mean, found.stderr, found.problems, found.replicates))
    return points


def spending_points(record: Record) -> list[SpendingPoint]:
    """Calls by purpose: used by pipelines, and made."""
    points = []
    for purpose in Purpose:
        used = record.used.get(purpose, 0)
        mine = [spent for spent in record.spent if spent.purpose is purpose]
        if used or mine:
            points.append(
                SpendingPoint(
                    purpose=purpose.value,
                    used=used,
                    made=sum(spent.calls for spent in mine),
                    prompt_tokens=sum(spent.prompt_tokens for spent in mine),
                    completion_tokens=sum(spent.completion_tokens for spent in mine),
                )
            )
    return points
