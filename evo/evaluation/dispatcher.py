"""Keeps a backend's slots full, a swap of models rare, and each slot near what it did last.

A server that cannot hold all models swaps them, and a swap costs seconds. So what waits is grouped: calls go out to the
models that the backend says are ready together, until none of theirs is left. Then the model with the most waiting
calls is prepared, and what is ready with it is the next group.

A server keeps the prompt of a slot's last call and reads of the next one only what is different, and reading costs
about as much as writing. So a slot that becomes free gets the call that shares the longest beginning with its last one:
a neighbour in the sorted order of all that wait.
"""

import asyncio
import itertools
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from evo.errors import EvoError
from evo.models import Backend, Chat, Completion

__all__ = ["Dispatcher"]


@dataclass(order=True, slots=True)
class _Waiting:
    rank: tuple[str, int]  # what is sent, and the number that tells equal ones apart
    chat: Chat = field(compare=False)
    answer: "asyncio.Future[Completion]" = field(compare=False)
    task: asyncio.Task[None] | None = field(default=None, compare=False)


class Dispatcher:
    """Asks the backend, at most ``slots`` calls at a time. Belongs to one event loop."""

    def __init__(self, backend: Backend, gate: Callable[[], None]) -> None:
        """gate: called before each call goes out; what it raises is that call's answer."""
        self._backend = backend
        self._gate = gate
        self._waiting: dict[str, list[_Waiting]] = {}  # sorted, by model
        self._idle: dict[str, list[str]] = {}  # what the free slots did last, by model, the latest at the end
        self._ready: frozenset[str] = frozenset()
        self._numbers = itertools.count()
        self._running: dict[asyncio.Task[None], str] = {}  # and its model
        self._switching: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """Calls that the backend is working on."""
        return len(self._running)

    async def ask(self, chat: Chat) -> Completion:
        """The backend's answer. Raises what the backend raises."""
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        entry = _Waiting((_sent(chat), next(self._numbers)), chat, answer)
        insort(self._waiting.setdefault(chat.model, []), entry)
        # A turn of the loop later, so that everything that is ready now is ranked before anything starts.
        asyncio.get_running_loop().call_soon(self._fill)
        try:
            return await answer
        except asyncio.CancelledError:
            if entry.task is not None:
                entry.task.cancel()  # so that the server stops as well
            raise

    def _fill(self) -> None:
        while (model := self._next()) is not None:
            self._send(model)
        ready_waits = not self._ready.isdisjoint(self._waiting)
        if self._waiting and not ready_waits and not self._running and self._switching is None:
            largest = max(self._waiting, key=lambda model: (len(self._waiting[model]), model))
            self._switching = asyncio.get_running_loop().create_task(self._switch(largest))

    def _next(self) -> str | None:
        """The ready model with the most waiting calls, of those with a free slot."""
        busy = Counter(self._running.values())
        free = [
            (len(queue), model)
            for model, queue in self._waiting.items()
            if model in self._ready and busy[model] < self._backend.slots(model)
        ]
        return max(free)[1] if free else None

    def _send(self, model: str) -> None:
        """Let the best of a model's waiting calls go out."""
        queue = self._waiting[model]
        idle = self._idle.setdefault(model, [])
        # A slot that has done nothing yet begins at a place of its own.
        busy = sum(each == model for each in self._running.values())
        place = _nearest(queue, idle[-1]) if idle else len(queue) * busy // max(self._backend.slots(model), busy + 1)
        entry = queue.pop(place)
        if not queue:
            del self._waiting[model]
        if not entry.answer.done() and self._admitted(entry):
            if idle:
                idle.pop()
            entry.task = asyncio.get_running_loop().create_task(self._serve(entry))
            self._running[entry.task] = model
            entry.task.add_done_callback(self._ended)

    async def _switch(self, model: str) -> None:
        """Make another group of models the ready one. If that fails, so do the calls that wait for it."""
        context = self._waiting[model][0].chat.sampling.context
        try:
            self._gate()
            self._ready = await self._backend.prepare(model, context) | {model}
        except Exception as error:  # handed on to whoever asked
            for entry in self._waiting.pop(model, ()):
                if not entry.answer.done():
                    entry.answer.set_exception(error)
        self._switching = None
        self._fill()

    def _admitted(self, entry: _Waiting) -> bool:
        try:
            self._gate()
        except EvoError as refusal:
            entry.answer.set_exception(refusal)
            return False
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
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
        finally:
            self._idle[entry.chat.model].append(entry.rank[0])


def _sent(chat: Chat) -> str:
    return "\0".join(message.content for message in chat.messages)


def _nearest(queue: list[_Waiting], last: str) -> int:
    """The place of the call that shares the longest beginning with ``last``: of a sorted list, beside its own place."""
    after = bisect_left(queue, (last, -1), key=lambda entry: entry.rank)
    places = [place for place in (after, after - 1) if 0 <= place < len(queue)]
    return max(places, key=lambda place: _shared(queue[place].rank[0], last))


def _shared(one: str, other: str) -> int:
    """Length of the common beginning, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low
