"""Selection under noise: which measurements a generation needs before its genomes are ranked.

A policy is pure. Given the plans of a generation and the evidence so far it says what is wanted next, until nothing is;
who drives it measures that, adds it to the ledger and asks again. So replaying a run's cells replays its decisions.

Every plan is measured on the same seeds (``Purpose.SEARCH``, replicates from 0, the same in all generations), which
pairs plans by (problem, replicate) and makes children share their parents' calls. That those seeds were lucky for
somebody is what the survivors' fresh seeds (``Purpose.REEVALUATION``) wash out.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from evo.evaluation.cell import Purpose
from evo.evaluation.ledger import Ledger
from evo.evaluation.scheduler import Measurement
from evo.pipeline import Plan
from evo.tasks import Problem

__all__ = ["Contest", "Policy", "PolicyName", "Racing", "Repeated", "Single"]

PolicyName = Literal["single", "repeated", "racing"]


@dataclass(frozen=True, slots=True)
class Contest:
    """A generation whose plans have to be told apart.

    plans: distinct by digest, in an order that is the same in every replay. problems: what this generation is measured
    on. survivors: digests of the plans that were selected before. prices: by digest, what is taken off a mean for a
    plan's size; per_token: for each token that it uses on a problem. graded: what is added to it for visible tests, all
    passed. places: how many of them will survive.
    """

    number: int
    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    survivors: frozenset[str]
    prices: Mapping[str, float]
    places: int
    per_token: float = 0.0
    graded: float = 0.0


class Policy(Protocol):
    """Where a generation's replicates go."""

    @property
    def first_look(self) -> int:
        """Replicates that every plan gets, whatever they show."""

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """What to measure next; empty when the generation may be ranked.

        A cell in the ledger is never wanted again, measured or missing, so the asking always ends.
        """


@dataclass(frozen=True, slots=True)
class Single:
    """The study's: every genome is evaluated once and that score is believed (arXiv 2604.21950)."""

    @property
    def first_look(self) -> int:
        """One."""
        return 1

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """One replicate of everybody."""
        return _new(ledger, contest.plans, (m for plan in contest.plans for m in _replicates(contest, plan, 1)))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A fixed number of replicates for every genome, and fresh ones for survivors.

    replicates: for everybody. fresh: for each survivor in each generation, until it has had ``most_fresh`` on a set of
    problems: from then on their problems, not their seeds, are what an estimate is uncertain by.
    """

    replicates: int
    fresh: int
    most_fresh: int

    @property
    def first_look(self) -> int:
        """All replicates."""
        return self.replicates

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """All replicates of everybody, and the survivors' fresh ones."""
        common = (m for plan in contest.plans for m in _replicates(contest, plan, self.replicates))
        return _new(ledger, contest.plans, [*common, *_fresh(contest, ledger, self.fresh, self.most_fresh)])


@dataclass(frozen=True, slots=True)
class Racing:
    """Measurements go where they may change who survives: sequential halving.

    Every genome gets a first look. The better half goes on and is measured twice as often, then the better half of
    these, until no more are left than ``places`` or they have had ``most`` replicates. With R looks at most and N
    genomes that is about N (1 + log2 R) / 2 looks instead of N R. Karnin, Koren & Somekh, "Almost optimal exploration
    in multi-armed bandits" (ICML 2013); there a round sees only its own evidence, here all that there is, so a genome
    that others fell behind is raced again.

    first_problems: a first look may be at the first so many problems only (0: at all of them, ``first_look`` times);
    the next ones are then at further problems, as in F-race, before anything is repeated: an estimate is more uncertain
    by its problems than by its seeds. Birattari, Stuetzle, Paquete & Varrentrapp, "A racing algorithm for configuring
    metaheuristics" (GECCO 2002).

    fresh, most_fresh: of survivors, as in ``Repeated``, on the problems of the first look.
    """

    first_look: int
    most: int
    fresh: int
    most_fresh: int
    first_problems: int = 0

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """The first look, then twice as many measurements of the better half, and so on."""
        problems = len(contest.problems)
        looks = min(self.first_problems, problems) or self.first_look * problems
        seen = replace(contest, problems=contest.problems[: self.first_problems or None])
        first = (m for plan in contest.plans for m in _measurements(contest, plan, looks))
        wanted = _new(ledger, contest.plans, [*first, *_fresh(seen, ledger, self.fresh, self.most_fresh)])
        racing = _ranked(contest, ledger)
        while not wanted and looks < self.most * problems:
            racing = racing[: math.ceil(len(racing) / 2)]
            if len(racing) <= contest.places:  # nothing is left to be decided among them
                break
            looks = min(2 * looks, self.most * problems)
            wanted = _new(ledger, contest.plans, (m for plan in racing for m in _measurements(contest, plan, looks)))
        return wanted


def _ranked(contest: Contest, ledger: Ledger) -> list[Plan]:
    """The plans with evidence, best first; a tie goes to the smaller and cheaper one."""
    estimates = ledger.levelled([plan.digest for plan in contest.plans])

    def rank(plan: Plan) -> tuple[float, float, float]:
        tokens = ledger.tokens(plan.digest)
        price = contest.prices[plan.digest] + contest.per_token * tokens
        return price - estimates[plan.digest].mean - contest.graded * ledger.shown(plan.digest), price, tokens

    return sorted((plan for plan in contest.plans if plan.digest in estimates), key=rank)


def _replicates(contest: Contest, plan: Plan, count: int) -> Iterable[Measurement]:
    return _measurements(contest, plan, count * len(contest.problems))


def _measurements(contest: Contest, plan: Plan, count: int) -> Iterable[Measurement]:
    """The first so many: every problem once, then every problem again."""
    problems = contest.problems
    return (
        Measurement(plan, problems[number % len(problems)], Purpose.SEARCH, number // len(problems))
        for number in range(count)
    )


def _fresh(contest: Contest, ledger: Ledger, fresh: int, most: int) -> Iterable[Measurement]:
    """Another seed in each generation for every survivor, until it has had the most on these problems."""
    first = contest.number * fresh
    for plan in contest.plans:
        if plan.digest not in contest.survivors:
            continue
        had = {
            cell.replicate
            for cell in ledger.cells(plan.digest, (Purpose.REEVALUATION,))
            if cell.problem == contest.problems[0].id and cell.replicate < first
        }
        for replicate in range(first, first + min(fresh, most - len(had))):
            yield from (Measurement(plan, problem, Purpose.REEVALUATION, replicate) for problem in contest.problems)


def _new(ledger: Ledger, plans: Iterable[Plan], measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Those that the ledger has no cell of."""
    had = {one.digest: ledger.keys(one.digest) for one in plans}
    return tuple(m for m in measurements if (m.problem.id, m.purpose, m.replicate) not in had[m.plan.digest])
