"""One search from a preset to a folder of results: opens what it needs, runs the course, closes everything again."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from evo.errors import EvoError, UserError
from evo.evaluation import BudgetSpent, Scheduler, Store
from evo.evolution import parse_evolution_config
from evo.genome import Role
from evo.models import ModelInfo
from evo.pipeline import PromptBook
from evo.run.backends import Pool, open_pool
from evo.run.draw import draw_problems
from evo.run.folder import RunFolder, write_text
from evo.run.loop import Champion, Course
from evo.run.outputs import write_outputs
from evo.run.result import Observer, Progress, SearchResult
from evo.run.settings import ini_sections, parse_settings, read_preset
from evo.sandbox import SandboxPool
from evo.tasks import load_problems

__all__ = ["Interrupted", "search"]

DEFAULT_PRESET = "laptop"
_TICK_SECONDS = 0.5

# What may differ between a run and its continuation: none of it changes what has been measured already.
_FREE_KEYS = frozenset({"run.generations", "run.limit_calls", "run.limit_minutes", "models.slots", "sandbox.workers"})


class Interrupted(EvoError):
    """The user stopped the run; everything that was paid for is on record and the same run goes on from there.

    run: what --run takes to continue it.
    """

    def __init__(self, run: str) -> None:
        super().__init__(f"{run}: stopped; everything that was paid for is kept")
        self.run = run


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
    with RunFolder.named(run or _free_name()) as folder:
        text = _settle(folder, config, changes or {})
        observer = observer or Observer()
        job = _Job(text, config or DEFAULT_PRESET, folder, observer)
        try:
            return _run_anywhere(job)
        finally:
            observer.ended()


def _run_anywhere(job: "_Job") -> SearchResult:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(job.run())
    with ThreadPoolExecutor(1) as thread:  # a loop cannot run inside another one
        return thread.submit(lambda: asyncio.run(job.run())).result()


def _free_name() -> str:
    taken = {path.name for path in Path("runs").glob("search-*")}
    return next(name for number in range(1, len(taken) + 2) if (name := f"search-{number:03}") not in taken)


def _settle(folder: RunFolder, config: str | None, changes: Mapping[str, str]) -> str:
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


class _Job:
    """Everything of one search that is open at once."""

    def __init__(self, text: str, source: str, folder: RunFolder, observer: Observer) -> None:
        self._text = text
        self._settings = settings = parse_settings(text, source)
        self._folder = folder
        self._observer = observer
        self._progress = Progress(folder.name, settings, generations=settings.run.generations)
        self._interrupted = False

    async def run(self) -> SearchResult:
        started = time.monotonic()
        settings = self._settings
        problems = load_problems(
            settings.tasks.benchmark,
            mode=settings.tasks.mode,
            seed=settings.run.seed,
            progress=partial(self._observer.download, settings.tasks.benchmark),
        )
        draw = draw_problems(problems, settings)
        prompts = PromptBook.load(Path(settings.pipeline.prompts) if settings.pipeline.prompts else None)
        names = {role.value: prompts.names(role) for role in Role if role.calls_model}
        async with contextlib.AsyncExitStack() as stack:
            store = Store(self._folder.database)
            stack.callback(store.close)
            pool = await open_pool(settings, problems, store, self._observer)
            stack.push_async_callback(pool.backend.aclose)
            evolution = parse_evolution_config(
                ini_sections(self._text), source=settings.source, models=pool.models, prompts=names
            )
            sandbox = stack.enter_context(
                SandboxPool(settings.sandbox.workers, settings.limits, unsafe=settings.sandbox.unsafe)
            )
            models = {name: await pool.backend.describe(name) for name in pool.models}
            self._remember(store, pool, models)
            scheduler = Scheduler(
                pool.backend,
                sandbox,
                store,
                seed=settings.run.seed,
                models=models,
                workers=settings.sandbox.workers,
                max_calls=settings.run.limit_calls or None,
                deadline=started + 60 * settings.run.limit_minutes if settings.run.limit_minutes else None,
            )
            stack.callback(scheduler.close)
            self._announce(pool, sandbox.tier, scheduler)
            policy = settings.evaluation.chosen_policy()
            course = Course(
                settings, evolution, prompts, draw, policy, scheduler, store, self._progress, self._observer
            )
            stack.enter_context(self._stoppable(scheduler))
            await stack.enter_async_context(self._ticking(scheduler))
            champion, ended = await self._course(course, scheduler)
        result = SearchResult(
            folder=self._folder.path,
            champion=champion.genome,
            plan=champion.plan.digest,
            search=champion.search,
            validated=champion.validated,
            unseen=draw.unseen,
            simulated=pool.backend.simulated,
            backend=pool.backend.name,
            models=models,
            generations=tuple(self._progress.reports),
            counters=scheduler.counters,
            genomes=course.genomes,
            phenotypes=course.phenotypes,
            tokens_per_problem=course.tokens(champion.plan),
            ended=ended,
            complete=len(self._progress.reports) == settings.run.generations,
            seconds=time.monotonic() - started,
        )
        write_outputs(result, self._folder, settings)
        return result

    async def _course(self, course: Course, scheduler: Scheduler) -> tuple[Champion, str]:
        """Evolve, choose, validate. Raises Interrupted if the user stopped it anywhere."""
        try:
            ended = await course.evolve()
            scheduler.lift_limits()
            return await course.validate(course.champion()), ended
        except BudgetSpent as spent:
            if self._interrupted:
                raise Interrupted(str(self._folder.path)) from spent
            raise EvoError(f"{spent} before the first generation was measured; continue with a higher limit") from spent

    def _remember(self, store: Store, pool: Pool, models: Mapping[str, ModelInfo]) -> None:
        """Everything is open and agrees: from here on this is the run. Refuses other weights under the same names."""
        now = {name: asdict(info) for name, info in models.items()}
        for name, before in json.loads(store.meta("models") or "{}").items():
            if name in now and before["digest"] != now[name]["digest"]:
                raise UserError(
                    f"{self._folder.path}: was started with {name} of digest {before['digest'][:12]}, but it is "
                    f"{now[name]['digest'][:12]} now; name another --run"
                )
        store.put_meta("backend", pool.backend.name)
        store.put_meta("pool", " ".join(pool.models))
        store.put_meta("models", json.dumps(now))
        write_text(self._folder.config, self._text)

    def _announce(self, pool: Pool, tier: str, scheduler: Scheduler) -> None:
        progress = self._progress
        progress.counters = scheduler.counters
        progress.backend, progress.simulated, progress.reason = pool.backend.name, pool.backend.simulated, pool.reason
        progress.models, progress.tier = pool.models, tier
        self._observer.started(progress)

    @contextlib.contextmanager
    def _stoppable(self, scheduler: Scheduler) -> Iterator[None]:
        """The first Ctrl-C stops after what is in flight, the second one at once."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            self._interrupted = True
            self._observer.note("stopping after what is in flight; press Ctrl-C again to stop at once")
            scheduler.stop("interrupted")
            loop.remove_signal_handler(signal.SIGINT)

        try:
            loop.add_signal_handler(signal.SIGINT, stop)
        except (RuntimeError, ValueError, NotImplementedError):  # not the main thread: the caller's handler stays
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    @contextlib.asynccontextmanager
    async def _ticking(self, scheduler: Scheduler) -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                self._progress.in_flight = scheduler.in_flight
                self._observer.tick()
                await asyncio.sleep(_TICK_SECONDS)

        ticker = asyncio.create_task(tick())
        try:
            yield
        finally:
            ticker.cancel()


def _differences(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """(section.key, old, new) of all that two INI texts say differently."""
    old, new = (
        {f"{section}.{key}": value for section, values in ini_sections(text).items() for key, value in values.items()}
        for text in (before, after)
    )
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, "") != new.get(key, ""):
            yield key, old.get(key, ""), new.get(key, "")
