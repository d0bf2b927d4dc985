"""The search itself: ask for genomes, compile, measure, tell. Every step by its name.

Resuming is replaying. Evolution is a pure function of its seed and of the fitness it is told, and every cell is on
record, so a run that was cut off is run again: what is on record answers at once, and the first thing that was not paid
for is where it goes on. It begins at its last checkpoint, or, where that does not hold (evo.run.checkpoint), at the
start; either way ends the same.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evo.errors import EvoError, UserError
from evo.evaluation import (
    BudgetSpent,
    Cell,
    Contest,
    Estimate,
    Ledger,
    Measurement,
    Policy,
    Purpose,
    Store,
    evidence_from_bytes,
    evidence_to_bytes,
    leader,
    tied,
)
from evo.evolution import Evolution, EvolutionConfig, Individual, front, pareto_fitness
from evo.genome import Genome, dumps
from evo.pipeline import Plan, PromptBook, compile_genome
from evo.run.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from evo.run.draw import ProblemDraw
from evo.run.front import FrontPoint, front_of, offers
from evo.run.generations import generation_record
from evo.run.phenotypes import Phenotypes
from evo.run.result import GenerationReport, Observer, Progress
from evo.run.rewriting import Asks, Rewriter
from evo.run.settings import RunSettings
from evo.run.terms import terms_of
from evo.tasks import Problem

__all__ = ["Candidate", "Course", "Measures", "Term"]

Term = Callable[[Genome, Estimate], float]
"""What a program adds to a genome's fitness."""


class Measures(Asks, Protocol):
    """Who turns wanted measurements into cells and answers single calls; the scheduler does."""

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells, in the order wanted. Raises BudgetSpent when a limit is reached."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phenotype that may be the champion: its first genome, and the evidence that the search has of it."""

    genome: Genome
    plan: Plan
    search: Estimate


class Course:
    """The course of one search. Created anew for every run of the command, resumed or not."""

    def __init__(
        self,
        settings: RunSettings,
        evolution: EvolutionConfig,
        prompts: PromptBook,
        problems: ProblemDraw,
        policy: Policy,
        scheduler: Measures,
        store: Store,
        progress: Progress,
        observer: Observer,
        term: Term | None = None,
        founders: Sequence[Genome] = (),
    ) -> None:
        self._settings = settings
        self._config = evolution
        self._evolution = Evolution(evolution, settings.run.seed, founders)
        self._terms = terms_of(settings, evolution)
        self._places = max(evolution.reproduction.elitism, 1)
        self._prompts = prompts
        self._problems = problems
        self._policy = policy
        self._scheduler = scheduler
        self._store = store
        self._progress = progress
        self._observer = observer
        self._term = term
        self._ledger = Ledger(recorded=store.cells_of)
        self._asked: list[Measurement] = []  # in this generation
        self._rewriter = Rewriter(settings, prompts, scheduler, self._ledger)
        self._known = Phenotypes(store.record)
        self._founders: frozenset[str] = frozenset()  # their plans' digests
        self.genomes = 0

    @property
    def phenotypes(self) -> int:
        """Distinct pipelines measured so far."""
        return len(self._known)

    def tokens(self, plan: Plan) -> float:
        """Mean tokens per problem of a measured plan."""
        return self._ledger.tokens(plan.digest)

    async def evolve(self) -> str:
        """Run all generations; returns why it ended. Raises BudgetSpent in the first one, EvoError if nothing could
        be measured.
        """
        for number in range(self._resumed(), self._settings.run.generations):
            self._progress.generation = number
            self._progress.phase = "search"
            try:
                await self._generation(number)
            except BudgetSpent as spent:
                if not self._progress.reports:
                    raise
                return str(spent)
        return f"all {self._settings.run.generations} generations are done"

    def _resumed(self) -> int:
        """Go to the last checkpoint; returns the number of the generation that comes next, 0 where there is none."""
        found = read_checkpoint(self._store, self._settings.run.generations)
        if found is None:
            return 0
        self._evolution = Evolution.restored(self._config, self._settings.run.seed, found.evolution)
        self._founders, self.genomes = frozenset(found.founders), found.genomes
        for number, report in enumerate(found.reports):
            evidence = self._store.evidence(number)
            assert evidence is not None  # read_checkpoint has seen it
            for plan, purpose, replicate, problems in evidence_from_bytes(evidence):
                self._known.recall(plan, report.number)
                self._ledger.recall(plan, purpose, replicate, problems)
            self._progress.reports.append(report)
            self._observer.generation(report)
        return found.number

    async def _generation(self, number: int) -> None:
        if number:
            state = self._evolution.state()
            write_checkpoint(self._store, Checkpoint(number, state, self.genomes, sorted(self._founders)))
        individuals = self._evolution.ask()
        plans = {one.key: self._compile(one.genome) for one in individuals}
        if number == 0:
            self._founders = frozenset(plans[key].digest for key in self._evolution.founders)
        contest = self._contest(number, individuals, plans)
        await self._measure(contest)
        cells = self._cells(contest)
        estimates = self._ledger.levelled(sorted({plan.digest for plan in plans.values()}))
        fitness = {one.key: self._fitness(one.genome, plans[one.key].digest, estimates) for one in individuals}
        if all(value is None for value in fitness.values()):
            fault = next((cell.fault for cell in cells if cell.fault), "no call was answered")
            raise EvoError(
                f"generation {number}: nothing could be measured ({fault}); run the same command again to go on"
            )
        first = self._first(individuals, plans, estimates, fitness)
        if self._settings.evaluation.weighs_tokens:
            self._evolution.tell(self._weighed(individuals, plans))
        else:
            self._evolution.tell(fitness, first)
        report = self._report(number, plans, estimates, first, cells)
        record = json.dumps(generation_record(report, individuals, plans, estimates, fitness))
        self._store.put_generation(number, record, evidence_to_bytes(self._asked))
        self._progress.reports.append(report)
        self._observer.generation(report)
        if number + 1 < self._settings.run.generations:
            await self._rewrite(number + 1, {one.key: one for one in individuals}, plans)

    async def _rewrite(self, number: int, before: Mapping[int, Individual], plans: Mapping[int, Plan]) -> None:
        """Let models rewrite prompts of newborns of generation ``number``."""
        for one in self._evolution.ask():
            parents = [(before[key].genome, plans[key]) for key in one.parents if key in before]
            if one.key not in before:
                revised = await self._rewriter.revised(one, parents, self._subset(number - 1), number)
                if revised is not None:
                    self._evolution.revise(one.key, revised)

    def _subset(self, number: int) -> Sequence[Problem]:
        """The problems of a generation."""
        return self._problems.subsets[number % len(self._problems.subsets)]

    def _compile(self, genome: Genome) -> Plan:
        self.genomes += 1
        plan = compile_genome(genome, self._settings.pipeline_settings, self._prompts)
        if plan.digest not in self._known:
            self._known.add(plan.digest, genome)
            self._store.put_plan(plan.digest, dumps(genome))
        return plan

    def _pipeline(self, digest: str) -> tuple[Genome, Plan]:
        """The first genome of a phenotype, and its plan."""
        genome = self._known[digest]
        return genome, compile_genome(genome, self._settings.pipeline_settings, self._prompts)

    def _contest(self, number: int, individuals: Iterable[Individual], plans: Mapping[int, Plan]) -> Contest:
        prices: dict[str, float] = {}
        for one in individuals:
            digest, price = plans[one.key].digest, self._terms.size(one.genome)
            prices[digest] = min(price, prices.get(digest, price))  # the smallest genome of a phenotype stands for it
        return Contest(
            number=number,
            plans=tuple({plan.digest: plan for plan in plans.values()}.values()),
            problems=tuple(self._subset(number)),
            survivors=frozenset(plans[key].digest for key in self._evolution.elites),
            prices=prices,
            per_token=self._terms.per_token,
            graded=self._terms.graded,
            places=self._places,
        )

    async def _measure(self, contest: Contest) -> None:
        """All that the policy wants, and once more what the infrastructure has lost of these plans before."""
        self._asked = []
        wanted = self._lost(contest) + self._policy.wanted(contest, self._ledger)
        while wanted:
            self._ledger.add(await self._scheduler.measure(wanted))
            self._asked += wanted
            wanted = self._policy.wanted(contest, self._ledger)

    def _lost(self, contest: Contest) -> tuple[Measurement, ...]:
        problems = {problem.id: problem for subset in self._problems.subsets for problem in subset}
        return tuple(
            Measurement(plan, problems[cell.problem], cell.purpose, cell.replicate)
            for plan in contest.plans
            for cell in self._ledger.cells(plan.digest)
            if cell.solved is None
        )

    def _cells(self, contest: Contest) -> list[Cell]:
        """What the contest's plans have shown on its problems so far."""
        here = {problem.id for problem in contest.problems}
        return [cell for plan in contest.plans for cell in self._ledger.cells(plan.digest) if cell.problem in here]

    def _fitness(self, genome: Genome, digest: str, estimates: Mapping[str, Estimate]) -> float | None:
        """What neat-python is told: a cautious solve rate less what nodes and tokens cost; None without evidence."""
        if (estimate := estimates.get(digest)) is None:
            return None
        return self._terms.fitness(estimate, self._ledger.shown(digest), self._price(genome, digest, estimate))

    def _first(
        self,
        individuals: Iterable[Individual],
        plans: Mapping[int, Plan],
        estimates: Mapping[str, Estimate],
        fitness: Mapping[int, float | None],
    ) -> int:
        """Key of the generation's champion: a tie within error goes to who costs less, unless scores are believed."""
        measured = {one.key: (value, one) for one in individuals if (value := fitness[one.key]) is not None}
        ranked = sorted(measured, key=lambda key: (-measured[key][0], key))
        cells = {key: self._ledger.cells(plans[key].digest) for key in measured}

        def price(key: int) -> tuple[float, float]:
            digest = plans[key].digest
            return self._price(measured[key][1].genome, digest, estimates[digest]), self._ledger.tokens(digest)

        def ties(best: int, other: int) -> bool:
            if self._policy.believes:
                return measured[best][0] == measured[other][0]
            return tied(cells[best], cells[other])

        return leader(ranked, ties, price)

    def _own(self, genome: Genome, estimate: Estimate) -> float:
        """What the program that searches adds."""
        own = 0.0 if self._term is None else float(self._term(genome, estimate))
        if not math.isfinite(own):
            raise UserError(f"the fitness term gave {own}; it must give a finite number")
        return own

    def _price(self, genome: Genome, digest: str, estimate: Estimate) -> float:
        """What it costs, in solve rate, less what the program that searches adds."""
        return self._terms.price(genome, self._ledger.tokens(digest)) - self._own(genome, estimate)

    def _weighed(self, individuals: Sequence[Individual], plans: Mapping[int, Plan]) -> dict[int, float | None]:
        """What neat-python is told where tokens count too: how a plan ranks among the population and the front of all
        that was ever measured. Tokens are the price; there is none for nodes.
        """
        digests = {plans[one.key].digest for one in individuals}
        everything = offers(self._ledger, self._settings.evaluation.caution)
        archive = front(everything)
        rivals = {offer.key: offer for offer in everything if offer.key in digests or offer in archive}
        ranked = pareto_fitness(list(rivals.values()))
        return {one.key: ranked.get(plans[one.key].digest) for one in individuals}

    def _report(
        self,
        number: int,
        plans: Mapping[int, Plan],
        estimates: Mapping[str, Estimate],
        best: int,
        cells: Sequence[Cell],
    ) -> GenerationReport:
        mine = [estimates[plan.digest] for plan in plans.values() if plan.digest in estimates]
        means = np.array([estimate.mean for estimate in mine])
        # Genomes share problems and seeds, so their errors do not average out: the mean's error is the errors' mean.
        mean = Estimate(
            mean=float(means.mean()),
            stderr=float(np.mean([estimate.stderr for estimate in mine])),
            replicates=float(np.mean([estimate.replicates for estimate in mine])),
            problems=max(estimate.problems for estimate in mine),
            missing=sum(cell.solved is None for cell in cells),
        )
        return GenerationReport(
            number=number,
            best=estimates[plans[best].digest],
            mean=mean,
            single_best=self._single_best(number, cells),
            species=len(self._evolution.species),
            nodes=float(np.mean([len(self._known[plans[key].digest].inner) for key in plans])),
        )

    # -- what it has found -----------------------------------------------------------------------------------------

    def _single_best(self, number: int, cells: Iterable[Cell]) -> float:
        """The score of a generation's best genome had each been evaluated once on the problems that all were looked at:
        the mean of that maximum over replicates.
        """
        problems = {problem.id for problem in self._settings.evaluation.looked_at(self._subset(number))}
        looks = [c for c in cells if c.purpose is Purpose.SEARCH and c.problem in problems and c.solved is not None]
        best = []
        for replicate in range(self._policy.first_look):
            scores: dict[str, list[bool]] = {}
            for cell in looks:
                if cell.replicate == replicate:
                    scores.setdefault(cell.plan, []).append(bool(cell.solved))
            if scores:
                best.append(max(sum(solved) / len(solved) for solved in scores.values()))
        return sum(best) / len(best) if best else math.nan

    def finalists(self) -> tuple[Candidate, ...]:
        """Who races for champion, at least one: the best phenotypes of the whole ledger by cautious estimate; a tie
        goes to the one with fewer tokens. Where there is a race, founders take part besides: what a search began with
        it can end with, whatever a few problems made of it.
        """
        count = self._settings.evaluation.finalists
        estimates = self._ledger.levelled(list(self._ledger))

        def rank(digest: str) -> tuple[float, float]:
            fitness = self._fitness(self._known[digest], digest, estimates)
            assert fitness is not None  # it has an estimate
            return -fitness, self._ledger.tokens(digest)

        found = []
        ranked = sorted(estimates, key=rank)
        founders = [digest for digest in ranked[count:] if digest in self._founders] if count else []
        for digest in ranked[: max(count, 1)] + founders:
            genome, plan = self._pipeline(digest)
            search = self._ledger.estimate(digest)
            assert search is not None  # it is in the ledger
            found.append(Candidate(genome, plan, search))
        return tuple(found)

    def price(self, candidate: Candidate) -> float:
        """What the candidate's nodes and tokens cost it, in solve rate, less what the program that searches adds."""
        return self._price(candidate.genome, candidate.plan.digest, candidate.search)

    def front(self) -> tuple[FrontPoint, ...]:
        """The front of accuracy and tokens, cheapest first; empty where tokens are no objective."""
        if not self._settings.evaluation.weighs_tokens:
            return ()
        return front_of(self._ledger, self._pipeline, self._settings.evaluation.caution)

    async def validated_front(self) -> tuple[FrontPoint, ...]:
        """The front, each point measured as the champion is."""
        wanted = [measurement for point in self.front() for measurement in self._fresh(point.plan)]
        self._ledger.add(await self._scheduler.measure(wanted))
        return self.front()

    def _fresh(self, plan: Plan) -> list[Measurement]:
        """A plan on seeds and problems that selection never saw."""
        return [
            Measurement(plan, problem, Purpose.VALIDATION, replicate)
            for replicate in range(self._settings.evaluation.validation_replicates)
            for problem in self._problems.validation
        ]
