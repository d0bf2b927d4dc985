"""Keeps a backend's slots full, one model at a time, each slot near what it did last.

A server that cannot hold all models swaps them, and a swap costs seconds. So what waits is grouped by model: calls of
the current model go out until none is left waiting, then the model with the most waiting calls is next.

A server keeps the prompt of a slot's last call and reads of the next one only what is different, and reading costs
about as much as writing. So a slot that becomes free gets the call that shares the longest beginning with its last one:
a neighbour in the sorted order of all that wait.
"""

import asyncio
import itertools
from bisect import bisect_left, insort
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


class Dispatcher:
    """Asks the backend, at most ``slots`` calls at a time. Belongs to one event loop."""

    def __init__(self, backend: Backend, gate: Callable[[], None]) -> None:
        """gate: called before each call goes out; what it raises is that call's answer."""
        self._backend = backend
        self._gate = gate
        self._waiting: dict[str, list[_Waiting]] = {}  # sorted, by model
        self._idle: dict[str, list[str]] = {}  # what the free slots did last, by model, the latest at the end
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
        entry = _Waiting((_sent(chat), next(self._numbers)), chat, answer)
        insort(self._waiting.setdefault(chat.model, []), entry)
        # A turn of the loop later, so that everything that is ready now is ranked before anything starts.
        asyncio.get_running_loop().call_soon(self._fill)
        return await answer

    def _fill(self) -> None:
        while self._waiting:
            if self._current not in self._waiting:
                self._current = max(self._waiting, key=lambda model: (len(self._waiting[model]), model))
            slots = self._backend.slots(self._current)
            if len(self._running) >= slots:
                return
            queue = self._waiting[self._current]
            idle = self._idle.setdefault(self._current, [])
            # A slot that has done nothing yet begins at a place of its own.
            place = _nearest(queue, idle[-1]) if idle else len(queue) * len(self._running) // slots
            entry = queue.pop(place)
            if not queue:
                del self._waiting[self._current]
            if not entry.answer.done() and self._admitted(entry):
                if idle:
                    idle.pop()
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
