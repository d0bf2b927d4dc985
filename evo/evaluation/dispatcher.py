"""Keeps a backend's slots full, one model at a time.

A server that cannot hold all models swaps them, and a swap costs seconds. So what waits is grouped by model: calls of
the current model go out until none is left waiting, then the model with the most waiting calls is next. Within a
model they go in the order (system prompt, problem), so that neighbours share the longest prefix and a prompt cache
stays hot.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from evo.errors import EvoError
from evo.models import Backend, Chat, Completion

__all__ = ["Dispatcher"]


@dataclass(order=True, slots=True)
class _Waiting:
    rank: tuple[str, str, int]
    chat: Chat = field(compare=False)
    answer: "asyncio.Future[Completion]" = field(compare=False)


class Dispatcher:
    """Asks the backend, at most ``slots`` calls at a time. Belongs to one event loop."""

    def __init__(self, backend: Backend, gate: Callable[[], None]) -> None:
        """gate: called before each call goes out; what it raises is that call's answer."""
        self._backend = backend
        self._gate = gate
        self._waiting: dict[str, list[_Waiting]] = {}
        self._current = ""
        self._numbers = itertools.count()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Calls that the backend is working on."""
        return len(self._running)

    async def ask(self, chat: Chat) -> Completion:
        """The backend's answer. Raises what the backend raises."""
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        system = chat.messages[0].content if chat.messages else ""
        entry = _Waiting((system, chat.problem, next(self._numbers)), chat, answer)
        heapq.heappush(self._waiting.setdefault(chat.model, []), entry)
        # A turn of the loop later, so that everything that is ready now is ranked before anything starts.
        asyncio.get_running_loop().call_soon(self._fill)
        return await answer

    def _fill(self) -> None:
        while self._waiting:
            if self._current not in self._waiting:
                self._current = max(self._waiting, key=lambda model: (len(self._waiting[model]), model))
            if len(self._running) >= self._backend.slots(self._current):
                return
            queue = self._waiting[self._current]
            entry = heapq.heappop(queue)
            if not queue:
                del self._waiting[self._current]
            if not entry.answer.done() and self._admitted(entry):
                task = asyncio.get_running_loop().create_task(self._serve(entry))
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _admitted(self, entry: _Waiting) -> bool:
        try:
            self._gate()
        except EvoError as refusal:
            entry.answer.set_exception(refusal)
            return False
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._fill()

    async def _serve(self, entry: _Waiting) -> None:
        try:
            completion = await self._backend.chat(entry.chat)
        except Exception as error:  # handed on to whoever asked
            if not entry.answer.done():
                entry.answer.set_exception(error)
        else:
            if not entry.answer.done():
                entry.answer.set_result(completion)
