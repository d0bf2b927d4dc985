"""How long a search has gone on, how fast it writes, and how long it will take."""

import time
from collections.abc import Callable

from evo.run.result import Progress

__all__ = ["Clock", "duration"]

# The first generation has no earlier one to share calls with; later ones cost a fraction of it (a third on the laptop
# preset), until they can be measured themselves.
_LATER = 1 / 3
_RECENT = 3


class Clock:
    """Time of one search. Tell it when a generation ends."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._started = self._latest = now()
        self._first: float | None = None  # seconds of a search's first generation
        self._took: list[float] = []  # and of the others that were not all on record
        self._cells: tuple[float, int] | None = None  # when the phase of wanted cells began, with how many done

    def seconds(self) -> float:
        """Since the start."""
        return self._now() - self._started

    def rate(self, progress: Progress) -> float:
        """Completion tokens per second since the start."""
        return progress.counters.completion_tokens / max(self.seconds(), 1e-9)

    def generation_ended(self, progress: Progress) -> None:
        """Take the time of the generation that has just ended; those before any call say nothing of later ones."""
        before, self._latest = self._latest, self._now()
        if not progress.counters.calls_made:
            return
        if len(progress.reports) == 1:
            self._first = self._latest - before
        else:
            self._took.append(self._latest - before)

    def remaining(self, progress: Progress) -> str:
        """Time to go: of the search (validation not counted), then of what follows; "?" while nothing is known.

        A generation is expected to take what the recent ones took, or what the current one has taken already. A limit
        of minutes is the most that it can be.
        """
        seconds = self._search_seconds(progress) if progress.phase == "search" else self._cells_seconds(progress)
        return "?" if seconds is None else duration(seconds)

    def _search_seconds(self, progress: Progress) -> float | None:
        counters, spent = progress.counters, self._now() - self._latest
        later = progress.generations - len(progress.reports) - 1
        recent = self._took[-_RECENT:] or ([] if self._first is None else [self._first * _LATER])
        if recent:
            usual = sum(recent) / len(recent)
            seconds = max(usual - spent, 0.0) + later * max(usual, spent)
        elif counters.cells_done:
            here = spent * counters.cells_wanted / counters.cells_done
            seconds = here - spent + later * here * (1.0 if progress.reports else _LATER)
        else:
            return None
        limit = progress.settings.run.limit_minutes
        return min(seconds, max(60 * limit - self.seconds(), 0.0)) if limit else seconds

    def _cells_seconds(self, progress: Progress) -> float | None:
        counters = progress.counters
        if self._cells is None:
            self._cells = self._now(), counters.cells_done
        began, before = self._cells
        done = counters.cells_done - before
        return (self._now() - began) / done * (counters.cells_wanted - counters.cells_done) if done else None


def duration(seconds: float) -> str:
    """Such as "12 min 05 s"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
