"""What a champion is held against: plainer pipelines at equal cost, and itself without each of its parts.

All rows are measured on the champion's validation problems and seeds, so that differences are paired and nothing that
selected anything is reported. What has to be chosen first (the best single model, the best random genome) is chosen on
the search's problems and seeds.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random

from evo.evaluation import (
    BudgetSpent,
    Cell,
    Contest,
    Ledger,
    Measurement,
    Policy,
    Purpose,
    Scheduler,
    Store,
    estimate,
    paired,
)
from evo.evolution import EvolutionConfig
from evo.genome import (
    OUTPUT_ID,
    TASK_ID,
    ConnectionGene,
    Feedback,
    Genome,
    InnovationTracker,
    NodeGene,
    Role,
    knockouts,
    minimal,
    mutate,
    read_genome,
    with_models,
)
from evo.pipeline import Plan, PromptBook, compile_genome
from evo.resources import genome_path
from evo.run.draw import ProblemDraw
from evo.run.ending import Ending
from evo.run.result import Progress, Rival
from evo.run.settings import RunSettings
from evo.run.terms import terms_of

__all__ = ["Baselines", "best_of"]

_MOST_GENERATORS = 6  # that the task may feed
_MOST_MUTATIONS = 12


def best_of(solo: Genome, count: int) -> Genome:
    """The same generator so many times (2..6), each answer executed, the best kept."""
    (gene,) = (node for node in solo.nodes if node.role is Role.GENERATOR)
    writers = [replace(gene, id=2 + number) for number in range(count)]
    executor = NodeGene(2 + count, Role.EXECUTOR, feedback=Feedback.VALUES)
    ends = (NodeGene(TASK_ID, Role.TASK), NodeGene(OUTPUT_ID, Role.OUTPUT))
    edges = [(TASK_ID, w.id) for w in writers] + [(w.id, executor.id) for w in writers] + [(executor.id, OUTPUT_ID)]
    wires = tuple(ConnectionGene(number, *edge) for number, edge in enumerate(edges, start=1))
    return Genome((*ends, *writers, executor), wires)


@dataclass(slots=True)
class Baselines:
    """Measures them, one after the other, the cheap ones first, until the minutes are spent."""

    settings: RunSettings
    evolution: EvolutionConfig
    prompts: PromptBook
    draw: ProblemDraw
    policy: Policy
    scheduler: Scheduler
    store: Store
    progress: Progress

    async def measure(self, ending: Ending, evaluated: int) -> tuple[tuple[Rival, ...], tuple[Rival, ...]]:
        """(baselines, parts). evaluated: distinct pipelines of the search. Rows that were not reached say why."""
        if not self.settings.baselines.enabled:
            return (), ()
        if minutes := self.settings.baselines.limit_minutes:
            self.scheduler.allow(60 * minutes)
        champion = await self._cells(ending.champion.plan)
        baselines = [row async for row in self._baselines(ending, champion)]
        self.progress.phase = "knock-out"
        parts = []
        for names, genome in self._parts(ending.champion.genome, ending.champion.plan):
            parts.append(await self._row(names, genome, champion))
        self.progress.phase = "random search"
        name = f"best of {self.settings.baselines.random_genomes or evaluated} random genomes"
        try:
            chosen: Genome | None = await self._random(self.settings.baselines.random_genomes or evaluated)
        except BudgetSpent as spent:
            baselines.append(Rival(name, missing=str(spent)))
        else:
            baselines.append(await self._row(name, chosen, champion))
        self.scheduler.lift_limits()
        record = {"baselines": [asdict(row) for row in baselines], "parts": [asdict(row) for row in parts]}
        self.store.put_meta("baselines", json.dumps(record))
        return tuple(baselines), tuple(parts)

    async def _baselines(self, ending: Ending, champion: Sequence[Cell]) -> AsyncIterator[Rival]:
        self.progress.phase = "baselines"
        try:
            model, cost = await self._best_model(ending.champion.genome)
        except BudgetSpent as spent:
            for name in ("best single model", "generate-execute-refine loop", "best of n"):
                yield Rival(name, missing=str(spent))
            return
        solo, loop = (_shipped(name, model) for name in ("solo", "self-refine"))
        yield await self._row(f"{model} alone", solo, champion)
        yield await self._row(f"{model}, generate-execute-refine loop", loop, champion)
        count = min(max(round(_tokens(champion) / cost), 2), _MOST_GENERATORS) if cost else 2
        yield await self._row(f"{model}, best of {count}", best_of(solo, count), champion)

    async def _best_model(self, genome: Genome) -> tuple[str, float]:
        """The champion's model that solves most alone, and the tokens that it takes, on the search's problems."""
        models = sorted({node.model for node in genome.nodes if node.model})
        found = {}
        for model in models:
            plan = self._compile(_shipped("solo", model))
            wanted = [Measurement(plan, p, Purpose.SEARCH, 0) for p in self.draw.subsets[0]]
            cells = await self.scheduler.measure(wanted)
            rate = estimate(cells)
            found[model] = (-1.0 if rate is None else rate.mean, _tokens(cells))
        best = max(models, key=lambda model: found[model][0])
        return best, found[best][1]

    def _parts(self, genome: Genome, plan: Plan) -> Iterator[tuple[str, Genome | None]]:
        """What differs from the champion, by name; parts whose loss is the same share a row."""
        rows: dict[str, tuple[list[str], Genome | None]] = {}
        for name, rest in knockouts(genome):
            digest = "" if rest is None else self._compile(rest).digest
            if digest != plan.digest:
                rows.setdefault(digest, ([], rest))[0].append(name)
        for names, rest in rows.values():
            yield ", ".join(names), rest

    async def _random(self, count: int) -> Genome:
        """The best of so many random genomes, as the search's policy would measure them in one generation."""
        random, tracker, space = Random(f"random/{self.settings.run.seed}"), InnovationTracker(), self.evolution.space
        known: dict[str, tuple[Genome, Plan]] = {}
        for _ in range(count):
            genome = minimal(space, random, tracker)
            for _ in range(random.randrange(_MOST_MUTATIONS)):
                genome = mutate(genome, space, random, tracker)
            plan = self._compile(genome)
            known.setdefault(plan.digest, (genome, plan))
        terms = terms_of(self.settings, self.evolution)
        prices = {digest: terms.size(genome) for digest, (genome, _) in known.items()}
        plans = tuple(plan for _, plan in known.values())
        problems = self.draw.subsets[0]
        contest = Contest(0, plans, problems, frozenset(), prices, 1, terms.per_token, terms.graded)
        ledger = Ledger()
        while wanted := self.policy.wanted(contest, ledger):
            ledger.add(await self.scheduler.measure(wanted))
        found = ledger.levelled(list(ledger))

        def fitness(digest: str) -> float:
            price = terms.price(known[digest][0], ledger.tokens(digest))
            return terms.fitness(found[digest], ledger.shown(digest), price)

        return known[max(found, key=fitness)][0]

    async def _row(self, name: str, genome: Genome | None, champion: Sequence[Cell]) -> Rival:
        if genome is None:
            return Rival(name, missing="no pipeline is left without it")
        try:
            cells = await self._cells(self._compile(genome))
        except BudgetSpent as spent:
            return Rival(name, missing=str(spent))
        measured = [cell for cell in cells if cell.solved is not None]
        if not measured:
            return Rival(name, missing=next((cell.fault for cell in cells), "no call was answered"))
        calls = sum(cell.calls for cell in measured) / len(measured)
        return Rival(name, estimate(cells), _tokens(measured), calls, paired(champion, cells))

    async def _cells(self, plan: Plan) -> tuple[Cell, ...]:
        problems = self.draw.validation[: self.settings.baselines.problems]
        return await self.scheduler.measure([Measurement(plan, p, Purpose.VALIDATION, 0) for p in problems])

    def _compile(self, genome: Genome) -> Plan:
        return compile_genome(genome, self.settings.pipeline_settings, self.prompts)


def _shipped(name: str, model: str) -> Genome:
    genome = read_genome(genome_path(name))
    return with_models(genome, {node.model: model for node in genome.nodes if node.model})


def _tokens(cells: Sequence[Cell]) -> float:
    measured = [cell for cell in cells if cell.solved is not None]
    return sum(c.prompt_tokens + c.completion_tokens for c in measured) / len(measured) if measured else 0.0
