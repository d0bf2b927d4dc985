"""The jobs of evo.compare: given genomes, a genome against itself, what a run's single evaluation claimed."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from evo.comparison import (
    Look,
    SelfTest,
    compare_pairs,
    inflation,
    noise,
    outcomes,
    rank_stability,
    self_test,
    single_scores,
    winner,
)
from evo.errors import UserError
from evo.evaluation import Ledger, Measurement, Purpose, estimate, stream, variance
from evo.genome import Genome, loads
from evo.pipeline import Plan, compile_genome
from evo.run.bench import Bench, open_bench
from evo.run.damage import reading
from evo.run.draw import ProblemDraw, draw_problems
from evo.run.folder import RunFolder
from evo.run.identity import settle
from evo.run.live import live, run_anywhere
from evo.run.outputs import write_comparison, write_inflation
from evo.run.result import GenerationClaim, GenomeComparison, Observer, Progress, RunComparison
from evo.run.session import free_name
from evo.run.settings import RunSettings, parse_settings
from evo.tasks import Problem

__all__ = ["compare_genomes", "compare_run", "self_test_genome"]

T = TypeVar("T")

_PROBLEMS = 30
_REPLICATES = 5


def compare_genomes(
    genomes: Mapping[str, Genome],
    *,
    config: str | None = None,
    run: str | None = None,
    observer: Observer | None = None,
    changes: Mapping[str, str] | None = None,
) -> GenomeComparison:
    """Measure genomes on the same problems and seeds, ``evaluation.replicates`` times each, and compare them.

    genomes: by name. Two with the same behaviour are measured once. Raises UserError for bad input.
    """

    async def job(bench: Bench, settings: RunSettings, folder: RunFolder) -> GenomeComparison:
        problems = draw_problems(bench.problems, settings).subsets[0]
        plans = {n: compile_genome(g, settings.pipeline_settings, bench.prompts) for n, g in genomes.items()}
        replicates = settings.evaluation.replicates
        ledger = await _measured(bench, plans.values(), problems, Purpose.VALIDATION, replicates)
        cells = {name: ledger.cells(plan.digest, (Purpose.VALIDATION,)) for name, plan in plans.items()}
        table = outcomes(cells, [problem.id for problem in problems], replicates)
        estimates = {name: found for name, mine in cells.items() if (found := estimate(mine)) is not None}
        if len(estimates) < len(genomes):
            missing = next(name for name in genomes if name not in estimates)
            fault = next((cell.fault for cell in cells[missing] if cell.fault), "no call was answered")
            raise UserError(f"{missing}: nothing could be measured ({fault}); run the same command again to go on")
        result = GenomeComparison(
            folder=folder.path,
            simulated=bench.pool.backend.simulated,
            estimates=estimates,
            tokens={name: ledger.tokens(plan.digest) for name, plan in plans.items()},
            seconds={name: ledger.seconds(plan.digest) for name, plan in plans.items()},
            pairs=compare_pairs(cells, stream(settings.run.seed, "pairs")),
            ranks=rank_stability(table, stream(settings.run.seed, "ranks")),
            variances={name: variance(mine) for name, mine in cells.items()},
            noise=noise(table),
            singles=single_scores(table),
            winner=winner(table),
            outcomes=table,
            calls_made=bench.scheduler.counters.calls_made,
        )
        write_comparison(result, settings)
        return result

    return _run(job, genomes, config, run, observer, changes)


def self_test_genome(
    genome: Genome,
    *,
    config: str | None = None,
    run: str | None = None,
    observer: Observer | None = None,
    changes: Mapping[str, str] | None = None,
) -> SelfTest:
    """Measure a genome on twice ``evaluation.replicates`` seeds of their own and test it against itself."""

    async def job(bench: Bench, settings: RunSettings, folder: RunFolder) -> SelfTest:
        problems = draw_problems(bench.problems, settings).subsets[0]
        plan = compile_genome(genome, settings.pipeline_settings, bench.prompts)
        replicates = 2 * settings.evaluation.replicates
        ledger = await _measured(bench, [plan], problems, Purpose.SELF_TEST, replicates)
        cells = {"itself": ledger.cells(plan.digest, (Purpose.SELF_TEST,))}
        table = outcomes(cells, [problem.id for problem in problems], replicates)
        return self_test(table, stream(settings.run.seed, "self-test"))

    return _run(job, {"genome": genome}, config, run, observer, changes)


def compare_run(run: str, *, replicates: int = 3, observer: Observer | None = None) -> RunComparison:
    """Measure again what single evaluation would have chosen in each generation, what the run's own selection ranked
    first, and one random new genome of each, on ``replicates`` seeds that nothing was selected on.

    Raises UserError for a run without a finished generation.
    """
    with RunFolder.existing(run) as folder:
        text = settle(folder, None, {})
        settings = parse_settings(text, str(folder.config))
        observer = observer or Observer()

        async def job() -> RunComparison:
            async with open_bench(settings, text, folder, observer) as bench:
                bench.scheduler.lift_limits()  # they were the search's
                progress = Progress(folder.name, settings, phase="comparison")
                async with live(bench, progress, observer, str(folder.path)):
                    result = await _Claims(bench, settings, folder).compare(replicates)
            write_inflation(result)
            return result

        try:
            return run_anywhere(job())
        finally:
            observer.ended()


def _run(
    job: Callable[[Bench, RunSettings, RunFolder], Awaitable[T]],
    genomes: Mapping[str, Genome],
    config: str | None,
    run: str | None,
    observer: Observer | None,
    changes: Mapping[str, str] | None,
) -> T:
    """Do a job over genomes in a run folder, by default on the models that the genomes name."""
    models = sorted({node.model for genome in genomes.values() for node in genome.nodes if node.model})
    defaults = {"tasks.problems": str(_PROBLEMS), "evaluation.replicates": str(_REPLICATES), "tasks.subsets": "1"}
    defaults |= {"models.models": " ".join(models), "evaluation.policy": "repeated", "run.limit_minutes": "0"}
    observer = observer or Observer()
    with RunFolder.named(run or free_name("compare")) as folder:
        text = settle(folder, config, defaults | dict(changes or {}))
        settings = parse_settings(text, config or str(folder.config))

        async def work() -> T:
            async with open_bench(settings, text, folder, observer) as bench:
                progress = Progress(folder.name, settings, phase="comparison")
                async with live(bench, progress, observer, str(folder.path)):
                    return await job(bench, settings, folder)

        try:
            return run_anywhere(work())
        finally:
            observer.ended()


async def _measured(
    bench: Bench, plans: Iterable[Plan], problems: Sequence[Problem], purpose: Purpose, replicates: int
) -> Ledger:
    distinct = {plan.digest: plan for plan in plans}
    wanted = [
        Measurement(plan, problem, purpose, replicate)
        for replicate in range(replicates)
        for plan in distinct.values()
        for problem in problems
    ]
    return Ledger(await bench.scheduler.measure(wanted))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A number that was read off in a generation: for whom, how much, and what the pooled estimate was."""

    generation: int
    plan: str
    claim: float
    estimate: float


class _Claims:
    """What a recorded run claimed, and what is true of it."""

    def __init__(self, bench: Bench, settings: RunSettings, folder: RunFolder) -> None:
        self._bench = bench
        self._folder = folder
        self._settings = settings
        self._draw: ProblemDraw = draw_problems(bench.problems, settings)
        with reading(folder.database, "a generation"):
            self._records = [json.loads(record) for _, record in bench.store.generations()]
        self._evidence = Ledger(bench.store.cells())
        self._plans: dict[str, Plan] = {}
        if not self._records:
            raise UserError(f"{folder.path}: no generation is finished yet; let the search finish one")

    async def compare(self, replicates: int) -> RunComparison:
        """Read the claims, measure their genomes on fresh seeds, compare."""
        random = stream(self._settings.run.seed, "unselected")
        single, repeated, unselected = [], [], []
        seen: set[str] = set()
        for number, record in enumerate(self._records):
            scored = [claim for one in record["individuals"] if (claim := self._claim(number, one)) is not None]
            if not scored:
                continue
            single.append(max(scored, key=lambda c: (c.claim, -self._plans[c.plan].max_calls, c.plan)))
            best = max(
                (one for one in record["individuals"] if one["fitness"] is not None),
                key=lambda one: (one["fitness"], -one["key"]),
            )
            repeated.append(_Claim(number, best["plan"], best["estimate"]["mean"], best["estimate"]["mean"]))
            new = sorted({c.plan for c in scored} - seen)
            seen |= {c.plan for c in scored}
            if new:
                drawn = new[int(random.integers(len(new)))]
                unselected.append(next(c for c in scored if c.plan == drawn))
        fresh = await self._fresh([*single, *repeated, *unselected], replicates)
        looks = {
            name: [self._look(claim, fresh, replicates) for claim in claims]
            for name, claims in (("single", single), ("repeated", repeated), ("unselected", unselected))
        }
        return RunComparison(
            folder=self._folder.path,
            simulated=self._bench.pool.backend.simulated,
            generations=tuple(
                GenerationClaim(c.generation, c.plan, c.claim, c.estimate, look.rate)
                for c, look in zip(single, looks["single"], strict=True)
            ),
            single=inflation(looks["single"], looks["unselected"]),
            repeated=inflation(looks["repeated"], looks["unselected"]),
            replicates=replicates,
            unselected=len(unselected),
            calls_made=self._bench.scheduler.counters.calls_made,
        )

    def _problems(self, generation: int) -> tuple[Problem, ...]:
        """What every genome of the generation was looked at with."""
        return tuple(self._settings.evaluation.looked_at(self._draw.subsets[generation % len(self._draw.subsets)]))

    def _claim(self, generation: int, individual: Mapping[str, Any]) -> _Claim | None:
        """What the first look at an individual showed on its generation's problems; None if it is not all there."""
        plan = self._plan(individual)
        names = {problem.id for problem in self._problems(generation)}
        first = [
            cell.solved
            for cell in self._evidence.cells(plan.digest, (Purpose.SEARCH,))
            if cell.replicate == 0 and cell.problem in names and cell.solved is not None
        ]
        if len(first) < len(names) or individual["estimate"] is None:
            return None
        return _Claim(generation, plan.digest, sum(first) / len(first), individual["estimate"]["mean"])

    def _plan(self, individual: Mapping[str, Any]) -> Plan:
        if individual["plan"] not in self._plans:
            genome = loads(json.dumps(individual["genome"]), source=str(self._folder.database))
            plan = compile_genome(genome, self._settings.pipeline_settings, self._bench.prompts)
            if plan.digest != individual["plan"]:
                raise UserError(
                    f"{self._folder.path}: its pipelines compile to something else now (prompts or code changed); "
                    "compare it with the version of evo that made it"
                )
            self._plans[plan.digest] = plan
        return self._plans[individual["plan"]]

    async def _fresh(self, claims: Iterable[_Claim], replicates: int) -> Ledger:
        """All that these claims are held against, measured at once."""
        pairs = {(c.plan, problem.id): problem for c in claims for problem in self._problems(c.generation)}
        wanted = [
            Measurement(self._plans[digest], problem, Purpose.VALIDATION, replicate)
            for replicate in range(replicates)
            for (digest, _), problem in pairs.items()
        ]
        return Ledger(await self._bench.scheduler.measure(wanted))

    def _look(self, claim: _Claim, fresh: Ledger, replicates: int) -> Look:
        names = [problem.id for problem in self._problems(claim.generation)]
        table = outcomes({claim.plan: fresh.cells(claim.plan, (Purpose.VALIDATION,))}, names, replicates)
        if np.isnan(table.solved).all():
            raise UserError(f"{self._folder.path}: nothing could be measured; run the same command again to go on")
        return Look(claim.generation, claim.plan, claim.claim, table.problems, table.solved[0])
