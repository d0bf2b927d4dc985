"""The embedded backend: llama.cpp in this process, no server to install. Loads a model when it is first asked.

Every loaded model has as many threads as slots; the event loop never waits for the engine. At most ``loaded`` models
are in memory: when another is asked, calls queue at the door until one of the loaded ones is idle and can go.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evo.models.backend import ModelInfo, ModelMissing
from evo.models.chat import Chat, Completion
from evo.models.digests import file_digest
from evo.models.engine import Engine, EngineCancelled, always, engine_version
from evo.models.failures import GivenUp
from evo.models.gguf import read_gguf_facts
from evo.models.registry import weights_named
from evo.models.weights import locate

__all__ = ["DEFAULT_SLOTS", "EmbeddedBackend", "is_path"]

DEFAULT_SLOTS = 8
_LOADED = 2
# A signal that comes in the moment before the event loop falls asleep is not heard until something wakes it, which
# could be the end of an answer.
_LISTEN_SECONDS = 0.2


def is_path(model: str) -> bool:
    """True for a pool member that is a file of weights rather than a name."""
    return model.endswith(".gguf")


class _Resident:
    """A model in memory: its engine and the threads that call it."""

    def __init__(self, engine: Engine, slots: int) -> None:
        self.engine = engine
        self.threads = ThreadPoolExecutor(slots, thread_name_prefix="evo-engine")
        self.calls = 0


class EmbeddedBackend:
    """Answers chats from weights on this machine. Belongs to one event loop.

    strict: one slot and no prompt cache: equal calls get equal answers. slots: calls in flight per model. loaded: most
    models in memory at once.
    """

    name = "embedded"
    simulated = False

    def __init__(self, *, strict: bool = False, slots: int | None = None, loaded: int = _LOADED) -> None:
        self._strict = strict
        self._slots = 1 if strict else slots or DEFAULT_SLOTS
        self._loaded = loaded
        self._version = engine_version()
        self._residents: dict[tuple[str, int], _Resident] = {}  # by model and context; least recently used first
        self._door = asyncio.Lock()
        self._left = asyncio.Event()
        self._cancelled: set[threading.Event] = set()

    async def describe(self, model: str) -> ModelInfo:
        """Facts about a model, read from its file. Raises ModelMissing."""
        path = await asyncio.to_thread(_path_of, model)
        facts = await asyncio.to_thread(read_gguf_facts, path)
        digest = await asyncio.to_thread(file_digest, path)
        return ModelInfo(
            name=model,
            digest=digest,
            backend=self.name,
            quantization=facts.quantization,
            parameters=facts.parameters,
            context=facts.context,
            server_version=self._version,
            template=facts.template,
            options=always(strict=self._strict),
        )

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        """Load a model. It is best called alone: models share the processor, and two at once are slower than one after
        the other. Raises ModelMissing, BackendUnavailable.
        """
        resident = await self._enter(model, context)
        self._leave(resident)
        return frozenset({model})

    async def chat(self, chat: Chat) -> Completion:
        """Answer one request. Raises CallFailed, ModelMissing, BackendUnavailable."""
        resident = await self._enter(chat.model, chat.sampling.context)
        cancelled = threading.Event()
        self._cancelled.add(cancelled)
        answer = asyncio.get_running_loop().run_in_executor(resident.threads, resident.engine.ask, chat, cancelled)
        try:
            while not answer.done():
                await asyncio.wait([answer], timeout=_LISTEN_SECONDS)
            return answer.result()
        except EngineCancelled as error:
            raise GivenUp(f"model {chat.model}: given up, because the embedded engine is closing") from error
        finally:
            answer.cancel()  # no effect on a call that has begun; that ends within a token
            cancelled.set()
            self._cancelled.discard(cancelled)
            self._leave(resident)

    def slots(self, model: str) -> int:
        """Sequences that the engine decodes in one batch."""
        return self._slots

    async def unload(self, model: str) -> None:
        """Take a model out of memory unless it is in use."""
        async with self._door:
            for key, resident in list(self._residents.items()):
                if key[0] == model and not resident.calls:
                    await self._unload(key)

    async def aclose(self) -> None:
        """Give up what is in flight and unload everything."""
        for cancelled in self._cancelled:
            cancelled.set()
        while self._residents:
            await self._unload(next(iter(self._residents)))

    def _leave(self, resident: _Resident) -> None:
        resident.calls -= 1
        self._left.set()

    async def _enter(self, model: str, context: int) -> _Resident:
        """The model in memory, loaded if need be, with this call counted in."""
        key = (model, context)
        async with self._door:  # first come, first served: whoever needs a swap is not overtaken for ever
            if key not in self._residents:
                while len(self._residents) >= self._loaded:
                    await self._make_room()
                self._residents[key] = await asyncio.to_thread(self._load, *key)
            resident = self._residents.pop(key)
            self._residents[key] = resident
            resident.calls += 1
            return resident

    async def _make_room(self) -> None:
        """Unload the model that has been idle longest; wait for one if all are busy."""
        while all(each.calls for each in self._residents.values()):
            self._left.clear()
            await self._left.wait()
        await self._unload(next(key for key, each in self._residents.items() if not each.calls))

    async def _unload(self, key: tuple[str, int]) -> None:
        resident = self._residents.pop(key)
        # The threads end first: a call that was given up may still be on its way out of the engine.
        await asyncio.to_thread(resident.threads.shutdown)
        await asyncio.to_thread(resident.engine.close)

    def _load(self, model: str, context: int) -> _Resident:
        engine = Engine(_path_of(model), slots=self._slots, context=context, strict=self._strict)
        return _Resident(engine, self._slots)


def _path_of(model: str) -> Path:
    """The file of a pool member. Raises ModelMissing."""
    if is_path(model):
        path = Path(model).expanduser()
        if not path.is_file():
            raise ModelMissing(f"{model}: no such file; give the path of a .gguf file")
        return path
    found = locate(weights_named(model))
    if found is None:
        raise ModelMissing(f"model {model}: its weights are not here; run: python -m evo.models pull {model}")
    return found
