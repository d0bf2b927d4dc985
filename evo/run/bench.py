"""Everything that measuring needs, opened together and closed together: problems, models, sandbox, store, scheduler."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from evo.errors import UserError
from evo.evaluation import Scheduler, Store
from evo.genome import Role
from evo.models import ModelInfo
from evo.pipeline import PromptBook
from evo.run.backends import Pool, open_pool
from evo.run.folder import RunFolder, write_text
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
async def open_bench(settings: RunSettings, text: str, folder: RunFolder, observer: Observer) -> AsyncIterator[Bench]:
    """Open a bench on a held run folder; from then on ``text`` is the run's config.

    Raises UserError for what the settings name and is not there, and for a run that was begun with other weights.
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
        store = Store(folder.database)
        stack.callback(store.close)
        pool = await open_pool(settings, problems, store, observer)
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
        )
        stack.callback(scheduler.close)
        _remember(store, pool, models, folder, text)
        yield Bench(problems, prompts, pool, models, sandbox.tier, store, scheduler)


def _remember(store: Store, pool: Pool, models: Mapping[str, ModelInfo], folder: RunFolder, text: str) -> None:
    """Everything is open and agrees: from here on this is the run. Refuses other weights under the same names."""
    now = {name: asdict(info) for name, info in models.items()}
    for name, before in json.loads(store.meta("models") or "{}").items():
        if name in now and before["digest"] != now[name]["digest"]:
            raise UserError(
                f"{folder.path}: was started with {name} of digest {before['digest'][:12]}, but it is "
                f"{now[name]['digest'][:12]} now; name another --run"
            )
    store.put_meta("backend", pool.backend.name)
    store.put_meta("pool", " ".join(pool.models))
    store.put_meta("models", json.dumps(now))
    write_text(folder.config, text)
