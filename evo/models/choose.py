"""Which backend answers: Ollama or the embedded engine, by name or whichever is there.

The simulated pool is no choice of this module: it needs problems, and is built where they are known.
"""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from evo.errors import EvoError, UserError
from evo.models.backend import BackendUnavailable, ModelMissing
from evo.models.embedded import EmbeddedBackend, is_path
from evo.models.engine import engine_version
from evo.models.ollama import OllamaBackend, full_name
from evo.models.registry import known_weights, weights_named
from evo.models.weights import PullProgress, pull

__all__ = ["EMBEDDED_POOL", "OLLAMA_POOL", "Chosen", "open_backend"]

EMBEDDED_POOL = ("qwen2.5-coder:0.5b",)
OLLAMA_POOL = (
    "gemma3:1b",
    "qwen2.5:1.5b",
    "llama3.2:3b",
    "qwen2.5-coder:0.5b",
    "qwen2.5-coder:1.5b",
    "qwen2.5-coder:3b",
)
"""What is looked for on a server when nobody said which models: the study's pool and small coders."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An open backend, the models to use, and one sentence on why it is this one."""

    backend: OllamaBackend | EmbeddedBackend
    models: tuple[str, ...]
    reason: str


async def open_backend(
    name: str,
    models: Sequence[str] = (),
    *,
    context: int = 0,
    strict: bool = False,
    slots: int | None = None,
    pull: bool = False,
    progress: PullProgress | None = None,
) -> Chosen:
    """Open the backend ``name`` ("auto", "ollama" or "embedded") with ``models`` ready to answer; empty: its own pool.

    context: tokens that every model must have been trained for. strict: embedded only. pull: let an Ollama server
    download what it lacks; embedded weights are always fetched, verified and kept. Raises BackendUnavailable,
    ModelMissing, UserError.
    """
    wanted = tuple(dict.fromkeys(models))
    match name:
        case "embedded":
            chosen = await _embedded(wanted, "chosen by name", strict, slots, progress)
        case "ollama" | "auto" if strict:
            if name == "ollama":
                raise UserError(
                    "models.strict: an Ollama server always reuses its prompt cache; use --backend embedded"
                )
            chosen = await _embedded(wanted, "strict needs the embedded engine", strict, slots, progress)
        case "ollama":
            chosen = await _ollama(wanted, slots, pull, progress)
        case "auto":
            chosen = await _auto(wanted, slots, pull, progress)
        case _:
            raise UserError(f"backend {name}: unknown; known are auto, ollama, embedded, simulated")
    try:
        await _check_context(chosen, context)
    except BaseException:
        await chosen.backend.aclose()
        raise
    return chosen


async def _auto(wanted: tuple[str, ...], slots: int | None, pull: bool, progress: PullProgress | None) -> Chosen:
    if any(map(is_path, wanted)):
        return await _embedded(wanted, "only it reads files of weights", False, slots, progress)
    try:
        return await _ollama(wanted, slots, pull, progress)
    except BackendUnavailable as error:
        why_not, remedy = str(error), "until then this one"
    except ModelMissing as error:
        why_not, remedy = str(error), "that done, Ollama is used"
    known = {weights.name for weights in known_weights()}
    if foreign := [model for model in wanted if model not in known]:
        raise ModelMissing(
            f"{why_not} (the embedded engine does not have {', '.join(foreign)}; it has {', '.join(sorted(known))})"
        )
    try:
        engine_version()
    except BackendUnavailable as error:
        raise BackendUnavailable(f"no backend: {why_not}; {error}") from error
    return await _embedded(wanted, f"{why_not}; {remedy}", False, slots, progress)


async def _ollama(wanted: tuple[str, ...], slots: int | None, pull: bool, progress: PullProgress | None) -> Chosen:
    if paths := [model for model in wanted if is_path(model)]:
        raise ModelMissing(f"{paths[0]}: Ollama does not serve files; use --backend embedded, or `ollama create`")
    backend = OllamaBackend(slots=slots)
    try:
        models = wanted or await _preset_pool(backend, pull)
        await _make_present(backend, models, pull, progress)
    except BaseException:
        await backend.aclose()
        raise
    return Chosen(backend, models, f"Ollama answers at {backend.host} and has {', '.join(models)}")


async def _preset_pool(backend: OllamaBackend, pull: bool) -> tuple[str, ...]:
    present = await backend.models()
    models = tuple(model for model in OLLAMA_POOL if model in present)
    if not models and not pull:
        raise ModelMissing(f"Ollama at {backend.host} has no model of the pool; run: ollama pull {OLLAMA_POOL[0]}")
    return models or OLLAMA_POOL[:1]


async def _make_present(
    backend: OllamaBackend, models: tuple[str, ...], pull: bool, progress: PullProgress | None
) -> None:
    present = await backend.models()
    for model in models:
        if full_name(model) not in present:
            if not pull:
                raise ModelMissing(f"Ollama at {backend.host} has no model {model}; run: ollama pull {model}")
            await backend.pull(model, progress)


async def _embedded(
    wanted: tuple[str, ...], reason: str, strict: bool, slots: int | None, progress: PullProgress | None
) -> Chosen:
    models = wanted or EMBEDDED_POOL
    backend = EmbeddedBackend(strict=strict, slots=slots)
    for model in models:
        if not is_path(model):
            await _pull(model, progress)
    return Chosen(backend, models, f"embedded engine: {reason}")


async def _pull(model: str, progress: PullProgress | None) -> None:
    """Fetch weights without holding up the event loop; when this is cancelled, the download ends at its next step."""
    stop = threading.Event()

    def tell(name: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise _Stopped
        if progress:
            progress(name, done, total)

    try:
        await asyncio.to_thread(pull, weights_named(model), tell)
    finally:
        stop.set()


class _Stopped(EvoError):
    pass


async def _check_context(chosen: Chosen, context: int) -> None:
    for model in chosen.models:
        info = await chosen.backend.describe(model)
        if 0 < info.context < context:
            raise UserError(
                f"pipeline.context = {context}: {model} was trained for {info.context} tokens; "
                f"set pipeline.context={info.context} or less"
            )
