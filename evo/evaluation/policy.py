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
from typing import ClassVar, Literal, Protocol

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

    @property
    def believes(self) -> bool:
        """Whether scores are taken for the truth, so that only equal ones tie."""

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """What to measure next; empty when the generation may be ranked.

        A cell in the ledger is never wanted again, measured or missing, so the asking always ends.
        """


@dataclass(frozen=True, slots=True)
class Single:
    """The study's: every genome is evaluated once and that score is believed (arXiv 2604.21950)."""

    believes: ClassVar = True

    @property
    def first_look(self) -> int:
        """One."""
        return 1

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """One replicate of everybody."""
        return _looks(contest, ledger, contest.plans, len(contest.problems))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A fixed number of replicates for every genome, and fresh ones for survivors.

    replicates: for everybody. fresh: for each survivor in each generation, until it has had ``most_fresh`` on a set of
    problems: from then on their problems, not their seeds, are what an estimate is uncertain by.
    """

    believes: ClassVar = False

    replicates: int
    fresh: int
    most_fresh: int

    @property
    def first_look(self) -> int:
        """All replicates."""
        return self.replicates

    def wanted(self, contest: Contest, ledger: Ledger) -> tuple[Measurement, ...]:
        """All replicates of everybody, and the survivors' fresh ones."""
        common = _looks(contest, ledger, contest.plans, self.replicates * len(contest.problems))
        return common + _fresh(contest, ledger, self.fresh, self.most_fresh)


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

    believes: ClassVar = False

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
        wanted = _looks(contest, ledger, contest.plans, looks)
        wanted += _fresh(seen, ledger, self.fresh, self.most_fresh)
        racing = _ranked(contest, ledger)
        while not wanted and looks < self.most * problems:
            racing = racing[: math.ceil(len(racing) / 2)]
            if len(racing) <= contest.places:  # nothing is left to be decided among them
                break
            looks = min(2 * looks, self.most * problems)
            wanted = _looks(contest, ledger, racing, looks)
        return wanted


def _ranked(contest: Contest, ledger: Ledger) -> list[Plan]:
    """The plans with evidence, best first; a tie goes to the smaller and cheaper one."""
    estimates = ledger.levelled([plan.digest for plan in contest.plans])

    def rank(plan: Plan) -> tuple[float, float, float]:
        tokens = ledger.tokens(plan.digest)
        price = contest.prices[plan.digest] + contest.per_token * tokens
        return price - estimates[plan.digest].mean - contest.graded * ledger.shown(plan.digest), price, tokens

    return sorted((plan for plan in contest.plans if plan.digest in estimates), key=rank)


def _looks(contest: Contest, ledger: Ledger, plans: Iterable[Plan], count: int) -> tuple[Measurement, ...]:
    """Of the first so many of each plan those that the ledger has no cell of: every problem once, then every problem
    again.
    """
    problems = contest.problems
    places = [(problems[number % len(problems)], number // len(problems)) for number in range(count)]
    return tuple(
        Measurement(plan, problem, Purpose.SEARCH, replicate)
        for plan in plans
        for had in (ledger.keys(plan.digest),)
        for problem, replicate in places
        if (problem.id, Purpose.SEARCH, replicate) not in had
    )


def _fresh(contest: Contest, ledger: Ledger, fresh: int, most: int) -> tuple[Measurement, ...]:
    """Another seed in each generation for every survivor, until it has had the most on these problems."""
    first = contest.number * fresh
    found: list[Measurement] = []
    for plan in contest.plans:
        if plan.digest not in contest.survivors:
            continue
        had = ledger.keys(plan.digest)
        since = {
            replicate
            for problem, purpose, replicate in had
            if purpose is Purpose.REEVALUATION and problem == contest.problems[0].id and replicate < first
        }
        found += [
            Measurement(plan, problem, Purpose.REEVALUATION, replicate)
            for replicate in range(first, first + min(fresh, most - len(since)))
            for problem in contest.problems
            if (problem.id, Purpose.REEVALUATION, replicate) not in had
        ]
    return tuple(found)
