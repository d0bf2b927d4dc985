"""How many calls are usefully in flight at once: found by measuring the work itself, then kept.

A server does not say how many calls it answers in parallel (OLLAMA_NUM_PARALLEL); it queues the others. By Little's law
(Little, 1961) the mean number that does not queue is the number in flight times the share of a call's time that it is
not queued: served, or on its way between client and server, which a slot must not wait for either. So the number in
flight is doubled as long as few queue and more tokens come per second; where calls queue, it becomes what did not and
one more, which is there when a slot becomes free.
"""

import math

__all__ = ["Pace"]

_START = 4
_MOST = 64
_LEAST_CALLS = 8  # in a window
_QUEUED = 0.25  # share of their time that calls queue, above which there are too many
_GAIN = 1.1  # of tokens per second, that a doubling must bring
_BUSY = 1.0  # seconds within which full queues count as one
_LOADING = 1.0  # seconds; a call that waited so long for its model says nothing about queues


class Pace:
    """The number for one model on one server. ``fixed``: that many, whatever is measured."""

    def __init__(self, fixed: int | None = None) -> None:
        self.limit = fixed or _START
        self.settled = fixed is not None
        self._before: tuple[int, float] | None = None  # the last level that was worth it, and its tokens per second
        self._ceiling = 0  # what it was before the server's queue was full
        self._since_busy = 0  # answers
        self._busy_until = 0.0
        self._begin(0.0)

    def ended(self, *, now: float, tokens: int, queued: float, wall: float, loading: float, in_flight: int) -> None:
        """Take in one answer: queued at the server, wall in all, loading in seconds; in_flight with this one."""
        if self.limit < self._ceiling:
            self._since_busy += 1
            if self._since_busy >= self.limit:
                self.limit, self._since_busy = self.limit + 1, 0
        if self.settled:
            return
        if in_flight < self.limit or loading > _LOADING:
            self._begin(now)  # there is not enough work, or the model was elsewhere: nothing is learnt
            return
        self._calls += 1
        if self._calls <= self.limit:  # began before this level did
            self._since = now
            return
        self._tokens += tokens
        self._queued += queued
        self._wall += wall
        if self._calls >= self.limit + max(_LEAST_CALLS, 2 * self.limit):
            self._judge(now)

    def busy(self, now: float) -> None:
        """The server's queue is full: half as many, and one more after each round that is answered; at most as many as
        before. (Additive increase, multiplicative decrease: Chiu and Jain, 1989.)
        """
        self.settled = True
        if now < self._busy_until:
            return  # calls that were sent together are told so together
        self._busy_until = now + _BUSY
        self._ceiling = max(self.limit, self._ceiling)
        self.limit, self._since_busy = max(1, self.limit // 2), 0

    def _judge(self, now: float) -> None:
        queued = min(1.0, self._queued / self._wall) if self._wall else 0.0
        rate = self._tokens / max(now - self._since, 1e-9)
        if queued > _QUEUED:
            self.limit = min(self.limit, max(1, math.floor(self.limit * (1 - queued) + 0.5)) + 1)
            self.settled = True
        elif self._before is not None and rate < _GAIN * self._before[1]:
            self.limit = self._before[0]
            self.settled = True
        else:
            self._before = self.limit, rate
            self.limit = min(2 * self.limit, _MOST)
            self.settled = self.limit == self._before[0]
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._calls, self._tokens = 0, 0
        self._queued, self._wall, self._since = 0.0, 0.0, now
