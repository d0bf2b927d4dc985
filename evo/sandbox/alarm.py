"""Time limits on what this process does: an action that is taken, wherever it is, when the time is over."""

import signal
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Alarm"]

_AGAIN_SECONDS: Final = 0.1


class Alarm:
    """One per process, in its main thread. Rings repeatedly: a check may catch what the action raises and go on."""

    def __init__(self) -> None:
        self._action: Callable[[], None] | None = None
        self._due = 0.0
        signal.signal(signal.SIGALRM, self._ring)

    def set(self, seconds: float, action: Callable[[], None]) -> None:
        """In ``seconds`` call ``action``, which may raise or set the alarm anew; and again until ``clear``."""
        self._due = time.monotonic() + seconds  # on a busy machine a ring may come when the alarm has been set anew
        self._action = action
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), _AGAIN_SECONDS)

    def clear(self) -> None:
        """Ring no more, and in this very moment not to the caller."""
        while True:
            try:
                self._action = None
                signal.setitimer(signal.ITIMER_REAL, 0)
            except BaseException:  # ours: it rang before the first line
                continue
            return

    def _ring(self, _number: int, _frame: object) -> None:
        if self._action is not None and time.monotonic() >= self._due:
            self._action()
