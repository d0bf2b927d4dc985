"""The hosts that serve a model, and which of them gets the next call."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable

from evo.models.chat import Chat, Completion
from evo.models.failures import CallFailed, ConnectionBroken, NotAsked, Refused, ServerBusy
from evo.models.ollama.answer import Timing
from evo.models.ollama.breaker import Breaker
from evo.models.ollama.gauge import Gauge
from evo.models.ollama.host import Host
from evo.models.ollama.pace import Pace

__all__ = ["Lane", "Lanes"]

# Seconds in which a host that broke off is asked only if there is no other; doubled each time that it does so again.
_REST, _LONGEST_REST = 5.0, 60.0
_WRITE = 3.0  # tokens per second below which writing an answer counts as stuck, before one is known


class Lane:
    """One model on one host, and what was learnt about it."""

    def __init__(self, host: Host, slots: int | None) -> None:
        self.host = host
        self.pace = Pace(slots)
        self.in_flight = 0
        self.warm = False
        self._seconds, self._tokens = 0.0, 0  # of the server, for all answers so far
        self.rests_until = 0.0
        self._rest = _REST

    @property
    def load(self) -> float:
        """Share of the useful calls that are in flight; 1 or more: no room."""
        return self.in_flight / self.pace.limit

    def seconds_ahead(self, chat: Chat) -> float:
        """What the calls in flight, this one included, may take: all their tokens, a third as fast as so far."""
        per_token = 3 * self._seconds / self._tokens if self._tokens else 1 / _WRITE
        return self.in_flight * chat.max_tokens * per_token

    def answered(self, completion: Completion, timing: Timing, seconds: float) -> None:
        """Learn from an answer that took so long here."""
        self.warm = True
        self._rest = _REST
        self._seconds += completion.seconds
        self._tokens += completion.completion_tokens
        self.pace.ended(
            now=time.monotonic(),
            tokens=completion.completion_tokens,
            queued=timing.queued,
            wall=seconds,
            loading=timing.loading,
            in_flight=self.in_flight,
        )

    def failed(self, failure: CallFailed) -> None:
        """Learn from an attempt that failed."""
        if failure.sick:
            self.warm = False
        if isinstance(failure, Refused | ConnectionBroken):
            self.rests_until = time.monotonic() + self._rest
            self._rest = min(2 * self._rest, _LONGEST_REST)
        if isinstance(failure, ServerBusy):
            self.pace.busy(time.monotonic())


class Lanes:
    """One model on all of its hosts. A call enters the lane with most room and leaves it; first come, first served."""

    def __init__(self, hosts: Iterable[Host], slots: int | None) -> None:
        self.lanes = [Lane(host, slots) for host in hosts]
        self.gauge = Gauge()
        self.breaker = Breaker()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def slots(self) -> int:
        """Calls usefully in flight at once."""
        return sum(lane.pace.limit for lane in self.lanes)

    async def enter(self) -> Lane:
        """The lane to use, with this call counted in. Raises NotAsked."""
        if not self.breaker.admits():
            raise NotAsked(f"{self.breaker.reason} (so did the calls before; this one was not sent)")
        while True:
            now = time.monotonic()
            awake = [lane for lane in self.lanes if lane.rests_until <= now] or self.lanes
            lane = min(awake, key=lambda lane: lane.load)
            if lane.load < 1:
                lane.in_flight += 1
                return lane
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake(1)  # a turn that was given is handed on
                raise

    def leave(self, lane: Lane) -> None:
        """The call is done."""
        lane.in_flight -= 1
        self._wake(2)  # one for the place that is free, one in case the useful number has grown

    def _wake(self, turns: int) -> None:
        while turns and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                turns -= 1
