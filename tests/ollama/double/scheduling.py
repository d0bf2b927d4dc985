"""Which models are in memory: one load at a time, first in first out, a bounded queue, idle ones make room."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from wire import ApiError

DEFAULT_KEEP_ALIVE = 300.0


@dataclass
class Runner:
    name: str
    context: int
    engine: object
    parallel: asyncio.Semaphore
    users: int = 0
    used: float = field(default_factory=time.monotonic)
    keep: float = DEFAULT_KEEP_ALIVE


class Scheduling:
    """parallel, loaded, queue: OLLAMA_NUM_PARALLEL, OLLAMA_MAX_LOADED_MODELS, OLLAMA_MAX_QUEUE."""

    def __init__(self, load: Callable, *, parallel: int, loaded: int, queue: int) -> None:
        self._load, self._parallel, self._most, self._queue = load, parallel, loaded, queue
        self.runners: dict[str, Runner] = {}
        self.loads = 0
        self._pending = 0
        self._line = asyncio.Lock()  # fair: first come, first served
        self._left = asyncio.Event()

    @contextlib.asynccontextmanager
    async def runner(self, name: str, context: int, keep_alive: float | None) -> AsyncIterator[Runner]:
        """A loaded model, held until left. 503 if too many wait already; a model of another context is reloaded."""
        found = await self._scheduled(name, context)
        found.keep = DEFAULT_KEEP_ALIVE if keep_alive is None else keep_alive
        try:
            yield found
        finally:
            found.users -= 1
            found.used = time.monotonic()
            if found.keep == 0 and not found.users:
                self._unload(found)
            self._left.set()

    def unload(self, name: str) -> None:
        if (found := self.runners.get(name)) is not None:
            found.keep = 0.0
            if not found.users:
                self._unload(found)

    def resident(self) -> list[Runner]:
        for each in list(self.runners.values()):
            if not each.users and each.keep >= 0 and time.monotonic() > each.used + each.keep:
                self._unload(each)
        return list(self.runners.values())

    async def _scheduled(self, name: str, context: int) -> Runner:
        # A request that is being scheduled is out of the queue; those behind it are in it.
        if self._pending > self._queue:
            raise ApiError(503, "server busy, please try again.  maximum pending requests exceeded")
        self._pending += 1
        try:
            async with self._line:
                found = await self._ready(name, context)
                found.users += 1
                return found
        finally:
            self._pending -= 1

    async def _ready(self, name: str, context: int) -> Runner:
        self.resident()
        found = self.runners.get(name)
        if found is not None and found.context == context:
            return found
        if found is not None:
            await self._idle(lambda: found.users == 0)
            self._unload(found)
        while len(self.runners) >= self._most:
            await self._idle(lambda: any(not each.users for each in self.runners.values()))
            self._unload(min((each for each in self.runners.values() if not each.users), key=lambda each: each.used))
        engine = await self._load(name, self._parallel, context)
        self.loads += 1
        self.runners[name] = Runner(name, context, engine, asyncio.Semaphore(self._parallel))
        return self.runners[name]

    async def _idle(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._left.clear()
            await self._left.wait()

    def _unload(self, runner: Runner) -> None:
        if self.runners.get(runner.name) is runner:
            del self.runners[runner.name]
            runner.engine.close()
