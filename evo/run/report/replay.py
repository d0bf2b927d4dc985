"""What happened inside a pipeline, step by step, from the record alone: no model is asked and no program is run."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from evo.errors import EvoError
from evo.evaluation import Cell, Measurement, Scheduler, Store
from evo.figures import Traffic
from evo.genome import OUTPUT_ID, TASK_ID, Genome
from evo.models import CallFailed, Chat, Completion, ModelInfo
from evo.pipeline import Plan, PromptBook, Trace, compile_genome
from evo.run.live import run_anywhere
from evo.run.report.record import Record
from evo.sandbox import Job, SandboxFault, SandboxPool, Verdict
from evo.tasks import Problem

__all__ = ["Replay", "replay", "traffic"]


@dataclass(frozen=True, slots=True)
class Replay:
    """One run of a pipeline as it was. final: how its answer fared with the hidden tests."""

    cell: Cell
    problem: Problem
    plan: Plan
    trace: Trace
    final: Verdict


class _Recorded:
    """A backend that has nothing but the record to answer from."""

    name = "record"
    simulated = False

    async def describe(self, model: str) -> ModelInfo:
        raise CallFailed(f"{model}: not on record")

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        return frozenset({model})

    async def chat(self, chat: Chat) -> Completion:
        raise CallFailed(f"{chat.problem}: this call is not on record")

    def slots(self, model: str) -> int:
        return 1

    async def aclose(self) -> None:
        return None


class _Judged(SandboxPool):
    """A sandbox that runs nothing: only what it once ran, under ``tier``, is known."""

    def __init__(self, tier: str) -> None:
        super().__init__()
        self.tier = tier

    def run(self, job: Job) -> Verdict:
        raise SandboxFault("this program is not on record")


def replay(
    record: Record, genome: Genome, cells: Sequence[Cell], problems: Sequence[Problem]
) -> tuple[tuple[Replay, ...], str]:
    """The runs behind these cells of one genome, and what is missing in words ("" if nothing is).

    A run is missing where it was not measured, or where prompts or code have changed since, so that the same pipeline
    would make other calls today.
    """
    settings = record.settings
    known = {problem.id: problem for problem in problems}
    try:
        prompts = PromptBook.load(Path(settings.pipeline.prompts) if settings.pipeline.prompts else None)
        plan = compile_genome(genome, settings.pipeline_settings, prompts)
    except EvoError as error:
        return (), f"the pipeline cannot be compiled any more ({error})"
    if any(plan.digest != cell.plan for cell in cells):
        return (), "the pipeline compiles to something else now (prompts or code changed since the run)"
    wanted = [cell for cell in cells if cell.solved is not None and cell.problem in known]

    found = run_anywhere(_replayed(record, plan, wanted, known))
    missing = len(cells) - len(found)
    return tuple(found), f"{missing} of {len(cells)} runs cannot be shown from the record" if missing else ""


async def _replayed(record: Record, plan: Plan, cells: Sequence[Cell], problems: Mapping[str, Problem]) -> list[Replay]:
    models = {name: ModelInfo(**facts) for name, facts in record.models.items()}
    seed = record.settings.run.seed
    found = []
    with closing(Store(record.folder.database, readonly=True)) as store, ExitStack() as stack:
        schedulers = [Scheduler(_Recorded(), _Judged(t), store, seed=seed, models=models) for t in store.tiers()]
        for scheduler in schedulers:
            stack.callback(scheduler.close)
        for cell in cells:
            wanted = Measurement(plan, problems[cell.problem], cell.purpose, cell.replicate)
            for scheduler in schedulers:
                with suppress(CallFailed, SandboxFault):  # not on record under this tier
                    trace, final = await scheduler.trace(wanted)
                    found.append(Replay(cell, wanted.problem, plan, trace, final))
                    break
    return found


def traffic(replays: Sequence[Replay], genome: Genome) -> Traffic | None:
    """How runs went through the genome's graph; None without one."""
    if not replays:
        return None
    count = len(replays)
    solved: dict[int, float] = {}
    passed: dict[int, float] = {}
    passes: dict[tuple[int, int], float] = {}
    edges = [(gene.source, gene.target) for gene in genome.connections if gene.enabled]
    for one in replays:
        genes = [one.plan.nodes[step.node].gene for step in one.trace.steps]
        for edge in edges:
            used = _used(edge, [TASK_ID, *genes, OUTPUT_ID])
            passes[edge] = passes.get(edge, 0.0) + used / count
        for gene, step in zip(genes, one.trace.steps, strict=True):
            if step.verdict is not None:
                passed.setdefault(gene, 0.0)
            elif step.code:
                solved.setdefault(gene, 0.0)
        for gene in {g for g, s in zip(genes, one.trace.steps, strict=True) if s.verdict and s.verdict.passed}:
            passed[gene] += 1 / count
        if one.final.passed and (author := _author(one, genes)) is not None:
            solved[author] = solved.get(author, 0.0) + 1 / count
    writers = {gene.id for gene in genome.nodes if gene.role in ("generator", "refiner")}
    return Traffic(count, {g: s for g, s in solved.items() if g in writers}, passed, passes)


def _used(edge: tuple[int, int], visits: Sequence[int]) -> int:
    """Visits of the target that came after the source's latest one without another visit of the target between."""
    used, waiting = 0, False
    for node in visits:
        if node == edge[1] and waiting:
            used, waiting = used + 1, False
        if node == edge[0]:
            waiting = True
    return used


def _author(one: Replay, genes: Sequence[int]) -> int | None:
    """The node that first wrote the answer."""
    written = (
        gene
        for gene, step in zip(genes, one.trace.steps, strict=True)
        if step.position is not None and step.code == one.trace.answer
    )
    return next(written, None)
