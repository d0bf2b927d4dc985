"""One search from a preset to a folder of results: opens what it needs, runs the course, closes everything again."""

import time
from collections.abc import Mapping
from pathlib import Path

from evo.errors import EvoError, UserError
from evo.evaluation import BudgetSpent, Scheduler, Store, read_meta
from evo.evolution import parse_evolution_config
from evo.models import Backend
from evo.run.baselines import Baselines
from evo.run.bench import open_bench
from evo.run.draw import draw_problems
from evo.run.ending import conclude
from evo.run.folder import RunFolder
from evo.run.fork import fork_into, forked_text
from evo.run.founders import read_founders
from evo.run.identity import DEFAULT_PRESET, hold_to_search, settle
from evo.run.live import live, run_anywhere
from evo.run.loop import Course, Term
from evo.run.outputs import write_outputs
from evo.run.result import Observer, Progress, SearchResult
from evo.run.settings import RunSettings, ini_sections, parse_settings

__all__ = ["free_name", "search"]


def search(
    config: str | None = None,
    *,
    run: str | None = None,
    resume: bool = False,
    fork: str | None = None,
    observer: Observer | None = None,
    changes: Mapping[str, str] | None = None,
    backend: Backend | None = None,
    term: Term | None = None,
) -> SearchResult:
    """Evolve pipelines, validate the champion and write the run's folder.

    config: a preset's name or an INI file ("laptop" if None, or what the existing run was started with). run: a name
    under runs/ or a path; None takes the next free name. changes: "section.key" -> value over the preset. A run that
    exists is continued; ``resume`` insists on that, and without ``run`` takes the latest search. fork: begin a new run
    of this name, whatever has changed, with everything that ``run`` has paid for. backend: answers instead of the one
    that the settings name; models.models says which models it has. term: a function of genome and estimate whose value
    is added to what selection ranks by; a run is continued with the one of the same name. Raises UserError for bad
    input, Interrupted after Ctrl-C, EvoError if nothing could be measured. May be called where an event loop is running
    already (a notebook): it then works in a thread of its own.
    """
    observer, changes = observer or Observer(), changes or {}
    before = RunFolder.existing(run or _latest_search()) if resume or fork else None
    if fork and before:
        text = forked_text(before, config, changes)
        with RunFolder.named(fork) as folder:
            taken = fork_into(before, folder, text)
            damage = "" if taken.whole else "; the rest is damaged"
            observer.note(
                f"{folder.path}: has {taken.calls} calls, {taken.executions} executions of {before.path}{damage}"
            )
            return _search_in(folder, None, {}, observer, backend, term)
    with before or RunFolder.named(run or free_name("search")) as folder:
        return _search_in(folder, config, changes, observer, backend, term)


def _search_in(
    folder: RunFolder,
    config: str | None,
    changes: Mapping[str, str],
    observer: Observer,
    backend: Backend | None,
    term: Term | None,
) -> SearchResult:
    text = settle(folder, config, changes)
    settings = parse_settings(text, config or DEFAULT_PRESET)
    try:
        return run_anywhere(_search(settings, text, folder, observer, backend, term))
    finally:
        observer.ended()


def _latest_search() -> str:
    """The run under runs/ that a search wrote last. Raises UserError if there is none."""
    databases = sorted(Path("runs").glob("*/run.sqlite"), key=lambda path: path.stat().st_mtime, reverse=True)
    for database in databases:
        if read_meta(database, "job") == "search":
            return database.parent.name
    raise UserError("runs/: no search is there to go on with; name one with --run")


def free_name(job: str) -> str:
    """The next unused name under runs/ for a job of this kind, such as "search-001"."""
    taken = {path.name for path in Path("runs").glob(f"{job}-*")}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{job}-{number:03}") not in taken)


async def _search(
    settings: RunSettings,
    text: str,
    folder: RunFolder,
    observer: Observer,
    backend: Backend | None,
    term: Term | None,
) -> SearchResult:
    started = time.monotonic()
    progress = Progress(folder.name, settings, generations=settings.run.generations)
    async with open_bench(settings, text, folder, observer, backend) as bench:
        if term is not None and settings.evaluation.weighs_tokens:
            raise UserError(f"{settings.source}: a fitness term of your own does not go with weighing tokens; drop one")
        hold_to_search(bench.store, folder)
        _hold_to_term(bench.store, term)
        bench.store.put_meta("job", "search")
        draw = draw_problems(bench.problems, settings)
        evolution = parse_evolution_config(
            ini_sections(text), source=settings.source, models=bench.pool.models, prompts=bench.prompt_names
        )
        founders = read_founders(settings.run.founders, evolution.space, bench.store, folder)
        policy = settings.evaluation.chosen_policy()
        async with live(bench, progress, observer, str(folder.path)):
            course = Course(
                settings,
                evolution,
                bench.prompts,
                draw,
                policy,
                bench.scheduler,
                bench.store,
                progress,
                observer,
                term,
                founders,
            )
            ended = await _evolved(course, bench.scheduler)
            ending = await conclude(course, bench.scheduler, draw, settings, bench.store, progress)
            champion = ending.champion
            points = await course.validated_front()
            rivals = Baselines(settings, evolution, bench.prompts, draw, policy, bench.scheduler, bench.store, progress)
            baselines, parts = await rivals.measure(ending, course.phenotypes)
        result = SearchResult(
            folder=folder.path,
            champion=champion.genome,
            plan=champion.plan.digest,
            search=champion.search,
            final=ending.final,
            validated=ending.validated,
            front=points,
            baselines=baselines,
            parts=parts,
            unseen=draw.unseen,
            simulated=bench.pool.backend.simulated,
            backend=bench.pool.backend.name,
            models=bench.models,
            generations=tuple(progress.reports),
            counters=bench.scheduler.counters,
            genomes=course.genomes,
            phenotypes=course.phenotypes,
            tokens_per_problem=ending.tokens or course.tokens(champion.plan),
            ended=ended,
            complete=len(progress.reports) == settings.run.generations,
            seconds=time.monotonic() - started,
        )
    write_outputs(result, folder, settings)
    return result


def _hold_to_term(store: Store, term: Term | None) -> None:
    """Resuming replays what selection did, so the term must be the one that it did it with; its name tells."""
    name = "" if term is None else getattr(term, "__qualname__", type(term).__name__)
    before = store.meta("term") if store.meta("job") else None
    if before is not None and before != name:
        raise UserError(f"this run was begun with the fitness term {before or '(none)'}, not {name or '(none)'}")
    store.put_meta("term", name)


async def _evolved(course: Course, scheduler: Scheduler) -> str:
    """Evolve; returns why it ended. Raises EvoError if it was stopped before a champion could be told."""
    try:
        ended = await course.evolve()
    except BudgetSpent as spent:
        raise EvoError(f"{spent} before the first generation was measured; continue with a higher limit") from spent
    scheduler.lift_limits()
    return ended
