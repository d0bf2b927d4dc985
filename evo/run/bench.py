"""Everything that measuring needs, opened together and closed together: problems, models, sandbox, store, scheduler."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from evo.evaluation import Scheduler, Store
from evo.genome import Role
from evo.models import Backend, ModelInfo
from evo.pipeline import PromptBook
from evo.run.backends import Pool, open_pool
from evo.run.folder import RunFolder, write_text
from evo.run.identity import hold_to, identity
from evo.run.result import Observer
from evo.run.settings import RunSettings
from evo.sandbox import SandboxPool
from evo.tasks import Problem, load_problems

__all__ = ["Bench", "open_bench"]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is open. models: by name, as the backend describes them. tier: of the sandbox."""

    problems: Sequence[Problem]
    prompts: PromptBook
    pool: Pool
    models: Mapping[str, ModelInfo]
    tier: str
    store: Store
    scheduler: Scheduler

    @property
    def prompt_names(self) -> dict[str, tuple[str, ...]]:
        """By role, the prompts that a genome may name."""
        return {role.value: self.prompts.names(role) for role in Role if role.calls_model}


@contextlib.asynccontextmanager
async def open_bench(
    settings: RunSettings, text: str, folder: RunFolder, observer: Observer, backend: Backend | None = None
) -> AsyncIterator[Bench]:
    """Open a bench on a held run folder; from then on ``text`` is the run's config. backend: instead of the settings'.

    Raises UserError for what the settings name and is not there, and for a run that was begun with other weights,
    problems, prompts or code.
    """
    started = time.monotonic()
    problems = load_problems(
        settings.tasks.benchmark,
        mode=settings.tasks.mode,
        seed=settings.run.seed,
        progress=partial(observer.download, settings.tasks.benchmark),
    )
    prompts = PromptBook.load(Path(settings.pipeline.prompts) if settings.pipeline.prompts else None)
    async with contextlib.AsyncExitStack() as stack:
        store = Store(folder.database, calls_from=_shared_calls(settings.models.call_store))
        stack.callback(store.close)
        pool = await open_pool(settings, problems, store, observer, backend)
        stack.push_async_callback(pool.backend.aclose)
        sandbox = stack.enter_context(
            SandboxPool(settings.sandbox.workers, settings.limits, unsafe=settings.sandbox.unsafe)
        )
        models = {name: await pool.backend.describe(name) for name in pool.models}
        scheduler = Scheduler(
            pool.backend,
            sandbox,
            store,
            seed=settings.run.seed,
            models=models,
            workers=settings.sandbox.workers,
            max_calls=settings.run.limit_calls or None,
            deadline=started + 60 * settings.run.limit_minutes if settings.run.limit_minutes else None,
            graded=settings.evaluation.graded > 0,
        )
        stack.callback(scheduler.close)
        hold_to(store, folder, identity(problems, prompts, models, settings.tasks.benchmark))
        _remember(store, pool, models, text)
        write_text(folder.config, text)
        options = {**asdict(settings.pipeline_settings.sampling), "max_tokens": settings.pipeline.max_tokens}
        store.put_meta("options", json.dumps(options))
        yield Bench(problems, prompts, pool, models, sandbox.tier, store, scheduler)


def _shared_calls(path: str) -> Store | None:
    """The store of calls that a run shares: a file is read and written, another run's record only read."""
    if not path:
        return None
    if (other := RunFolder.named(path)).database.is_file():
        return Store(other.database, readonly=True)
    return Store(Path(path))


def _remember(store: Store, pool: Pool, models: Mapping[str, ModelInfo], text: str) -> None:
    """Everything is open and agrees: from here on this is the run."""
    store.put_meta("backend", pool.backend.name)
    store.put_meta("pool", " ".join(pool.models))
    store.put_meta("models", json.dumps({name: asdict(info) for name, info in models.items()}))
    store.put_meta("config", text)
