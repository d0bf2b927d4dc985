"""Are equal calls answered equally? Measured, not promised: evo.doctor --determinism. Summaries of runs quote it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from evo.download import cache_folder
from evo.models import Chat, EmbeddedBackend, Message, ModelInfo, OllamaBackend, Sampling, open_backend
from evo.run.checks import Check
from evo.run.folder import write_text

__all__ = ["Repeatability", "check_determinism", "measured_repeatability"]

_SEEDS = 12
_COLD = 3  # seeds that are asked of a model just loaded, because loading takes long
_SAMPLING = Sampling(context=2048)
_MAX_TOKENS = 48
_TASKS = ("Write a Python function that returns the n-th prime number.", "Name the planets, and say which is largest.")


@dataclass(frozen=True, slots=True)
class Repeatability:
    """Shares of seeds, 0 to 1, whose answer was, to the letter, the one that the same request had before.

    again: asked twice in a row. other: after a call with another prompt. together: with ``slots`` calls in flight.
    cold: as the first call after the model was loaded anew. seeds: how many were asked (a few only for ``cold``).
    """

    again: float
    other: float
    together: float
    cold: float
    slots: int
    seeds: int

    @property
    def whole(self) -> bool:
        """Whether every answer was repeated."""
        return min(self.again, self.other, self.together, self.cold) == 1

    def __str__(self) -> str:
        shares = (
            f"again {self.again:.0%}, after another call {self.other:.0%}, {self.slots} at once {self.together:.0%}"
        )
        return f"{shares}, freshly loaded {self.cold:.0%} ({self.seeds} seeds)"


def check_determinism(backend: str, models: Sequence[str], *, strict: bool = False) -> tuple[Check, ...]:
    """Measure every model and remember what was found. Raises UserError, CallFailed."""
    return asyncio.run(_check(backend, models, strict))


def measured_repeatability(info: ModelInfo) -> str:
    """What was measured of this model on this server, in words; "" if nothing was."""
    try:
        return str(Repeatability(**json.loads(_record(info).read_text("utf-8"))))
    except (OSError, ValueError, TypeError):
        return ""


async def _check(name: str, models: Sequence[str], strict: bool) -> tuple[Check, ...]:
    chosen = await open_backend(name, models, context=_SAMPLING.context, strict=strict)
    checks = []
    try:
        for model in chosen.models:
            info = await chosen.backend.describe(model)
            found = await _measure(chosen.backend, model)
            if not strict:
                write_text(_record(info), json.dumps(asdict(found)))
            fix = "" if found.whole else "a run is repeated from its call store, not by its seed alone"
            checks.append(Check(f"equal calls to {model} ({info.server_version})", True, str(found), fix))
    finally:
        await chosen.backend.aclose()
    return tuple(checks)


async def _measure(backend: OllamaBackend | EmbeddedBackend, model: str) -> Repeatability:
    async def ask(seed: int, task: str = _TASKS[0]) -> str:
        chat = Chat(model, (Message("user", task),), seed, 0.8, _MAX_TOKENS, _SAMPLING)
        return (await backend.chat(chat)).text

    await backend.prepare(model, _SAMPLING.context)
    first, again, other = [], [], []
    for seed in range(_SEEDS):
        first.append(await ask(seed))
        again.append(await ask(seed))
        await ask(seed, _TASKS[1])
        other.append(await ask(seed))
    slots = min(backend.slots(model), _SEEDS)
    gate = asyncio.Semaphore(slots)

    async def gated(seed: int) -> str:
        async with gate:
            return await ask(seed)

    together = await asyncio.gather(*map(gated, range(_SEEDS)))
    cold = []
    for seed in range(_COLD):
        await backend.unload(model)
        cold.append(await ask(seed))
    return Repeatability(
        again=_share(first, again),
        other=_share(first, other),
        together=_share(first, together),
        cold=_share(first[:_COLD], cold),
        slots=slots,
        seeds=_SEEDS,
    )


def _share(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def _record(info: ModelInfo) -> Path:
    key = sha256(f"{info.backend} {info.server_version} {info.digest}".encode()).hexdigest()[:32]
    return cache_folder("determinism") / f"{key}.json"
