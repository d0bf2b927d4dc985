"""From settings to a backend: the simulated pool, which needs the problems, or whoever evo.models chooses."""

from collections.abc import Sequence
from dataclasses import dataclass

from evo.errors import UserError
from evo.evaluation import Store
from evo.models import Backend, open_backend
from evo.models.simulated import SimulatedBackend
from evo.run.result import Observer
from evo.run.settings import RunSettings
from evo.tasks import Problem

__all__ = ["Pool", "open_pool"]


@dataclass(frozen=True, slots=True)
class Pool:
    """An open backend, the models of the search, and why it is this backend."""

    backend: Backend
    models: tuple[str, ...]
    reason: str


async def open_pool(
    settings: RunSettings, problems: Sequence[Problem], store: Store, observer: Observer, own: Backend | None = None
) -> Pool:
    """Open the backend that the settings name, or take ``own``. A run that has begun keeps the backend and the models
    that it began with. Raises UserError.
    """
    name: str = store.meta("backend") or settings.models.backend
    wanted = tuple((store.meta("pool") or "").split()) or settings.models.models
    if own is not None:
        if store.meta("backend") not in (None, own.name):
            raise UserError(f"this run was begun with the backend {name}, not {own.name}; name another run")
        if not wanted:
            raise UserError("models.models: a backend of your own needs the names of its models")
        return Pool(own, wanted, "given by the program that searches")
    if name == "simulated":
        backend = SimulatedBackend(problems, models=wanted or None)
        pool = Pool(backend, backend.models, "SIMULATED models with known ground truth: an instrument, not a result")
    else:
        chosen = await open_backend(
            name,
            wanted,
            context=settings.pipeline.context,
            strict=settings.models.strict,
            slots=settings.models.slots or None,
            pull=settings.models.pull,
            progress=observer.download,
        )
        pool = Pool(chosen.backend, chosen.models, chosen.reason)
    return pool
