"""A circuit breaker: a model whose calls all fail is left alone for a while, so that a search does not wait for it.

After Nygard, "Release It!" (2007): closed, open, half open.
"""

import time
from collections.abc import Callable

__all__ = ["Breaker"]

_FAILURES = 5
_SECONDS = 60.0


class Breaker:
    """Opens after 5 failed calls in a row; then it lets one call a minute try."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._opened = 0.0
        self.reason = ""

    def admits(self) -> bool:
        """Whether a call may be sent now; of an open breaker, one call a minute."""
        if self._failures < _FAILURES:
            return True
        now = self._now()
        if now < self._opened + _SECONDS:
            return False
        self._opened = now
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures, self.reason = 0, ""

    def failed(self, reason: str) -> None:
        """A call failed for good, and not because of what was asked."""
        self._failures += 1
        self._opened, self.reason = self._now(), reason
