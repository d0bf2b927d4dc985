"""One search from a preset to a folder of results: opens what it needs, runs the course, closes everything again."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from evo.errors import EvoError, UserError
from evo.evaluation import BudgetSpent, Scheduler
from evo.evolution import parse_evolution_config
from evo.run.bench import open_bench
from evo.run.draw import draw_problems
from evo.run.folder import RunFolder
from evo.run.live import live, run_anywhere
from evo.run.loop import Champion, Course
from evo.run.outputs import write_outputs
from evo.run.result import Observer, Progress, SearchResult
from evo.run.settings import RunSettings, ini_sections, parse_settings, read_preset

__all__ = ["free_name", "search", "settle"]

DEFAULT_PRESET = "laptop"

# What may differ between a run and its continuation: none of it changes what has been measured already.
_FREE_KEYS = frozenset({"run.generations", "run.limit_calls", "run.limit_minutes", "models.slots", "sandbox.workers"})


def search(
    config: str | None = None,
    *,
    run: str | None = None,
    observer: Observer | None = None,
    changes: Mapping[str, str] | None = None,
) -> SearchResult:
    """Evolve pipelines, validate the champion and write the run's folder.

    config: a preset's name or an INI file ("laptop" if None, or what the existing run was started with). run: a name
    under runs/ or a path; None takes the next free name. changes: "section.key" -> value over the preset. Raises
    UserError for bad input, Interrupted after Ctrl-C, EvoError if nothing could be measured. May be called where an
    event loop is running already (a notebook): it then works in a thread of its own.
    """
    with RunFolder.named(run or free_name("search")) as folder:
        text = settle(folder, config, changes or {})
        settings = parse_settings(text, config or DEFAULT_PRESET)
        observer = observer or Observer()
        try:
            return run_anywhere(_search(settings, text, folder, observer))
        finally:
            observer.ended()


def free_name(job: str) -> str:
    """The next unused name under runs/ for a job of this kind, such as "search-001"."""
    taken = {path.name for path in Path("runs").glob(f"{job}-*")}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{job}-{number:03}") not in taken)


def settle(folder: RunFolder, config: str | None, changes: Mapping[str, str]) -> str:
    """The INI text of a new run, or of an existing one if what is asked for agrees with it."""
    if not folder.config.exists():
        return read_preset(config or DEFAULT_PRESET, changes)
    before = read_preset(str(folder.config), {})
    after = read_preset(config or str(folder.config), changes)
    for key, old, new in _differences(before, after):
        if key not in _FREE_KEYS:
            raise UserError(
                f"{folder.path}: was started with {key} = {old or '(default)'}, not {new or '(default)'}; "
                "leave it as it was to continue, or name another --run"
            )
    return after


async def _search(settings: RunSettings, text: str, folder: RunFolder, observer: Observer) -> SearchResult:
    started = time.monotonic()
    progress = Progress(folder.name, settings, generations=settings.run.generations)
    async with open_bench(settings, text, folder, observer) as bench:
        draw = draw_problems(bench.problems, settings)
        evolution = parse_evolution_config(
            ini_sections(text), source=settings.source, models=bench.pool.models, prompts=bench.prompt_names
        )
        policy = settings.evaluation.chosen_policy()
        async with live(bench, progress, observer, str(folder.path)):
            course = Course(
                settings, evolution, bench.prompts, draw, policy, bench.scheduler, bench.store, progress, observer
            )
            champion, ended = await _course(course, bench.scheduler)
        result = SearchResult(
            folder=folder.path,
            champion=champion.genome,
            plan=champion.plan.digest,
            search=champion.search,
            validated=champion.validated,
            unseen=draw.unseen,
            simulated=bench.pool.backend.simulated,
            backend=bench.pool.backend.name,
            models=bench.models,
            generations=tuple(progress.reports),
            counters=bench.scheduler.counters,
            genomes=course.genomes,
            phenotypes=course.phenotypes,
            tokens_per_problem=course.tokens(champion.plan),
            ended=ended,
            complete=len(progress.reports) == settings.run.generations,
            seconds=time.monotonic() - started,
        )
    write_outputs(result, folder, settings)
    return result


async def _course(course: Course, scheduler: Scheduler) -> tuple[Champion, str]:
    """Evolve, choose, validate. Raises EvoError if that was stopped before a champion could be told."""
    try:
        ended = await course.evolve()
        scheduler.lift_limits()
        return await course.validate(course.champion()), ended
    except BudgetSpent as spent:
        raise EvoError(f"{spent} before the first generation was measured; continue with a higher limit") from spent


def _differences(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """(section.key, old, new) of all that two INI texts say differently."""
    old, new = (
        {f"{section}.{key}": value for section, values in ini_sections(text).items() for key, value in values.items()}
        for text in (before, after)
    )
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, "") != new.get(key, ""):
            yield key, old.get(key, ""), new.get(key, "")
