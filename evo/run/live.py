"""What every long job shares: it runs inside a notebook too, its observer is kept informed, Ctrl-C stops it cleanly."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from evo.errors import EvoError
from evo.evaluation import Scheduler
from evo.run.bench import Bench
from evo.run.result import Observer, Progress

__all__ = ["Interrupted", "live", "run_anywhere"]

T = TypeVar("T")
_TICK_SECONDS = 0.5


class Interrupted(EvoError):
    """The user stopped the run; everything that was paid for is on record and the same run goes on from there.

    run: what --run takes to continue it.
    """

    def __init__(self, run: str) -> None:
        super().__init__(f"{run}: stopped; everything that was paid for is kept")
        self.run = run


def run_anywhere(job: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, in a thread of its own where an event loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(job)
    with ThreadPoolExecutor(1) as thread:  # a loop cannot run inside another one
        return thread.submit(lambda: asyncio.run(job)).result()


@contextlib.asynccontextmanager
async def live(bench: Bench, progress: Progress, observer: Observer, run: str) -> AsyncIterator[None]:
    """While it is entered the observer ticks, and Ctrl-C ends the work as Interrupted: the first one after what is in
    flight, the second one at once.
    """
    scheduler = bench.scheduler
    progress.counters = scheduler.counters
    progress.backend, progress.simulated = bench.pool.backend.name, bench.pool.backend.simulated
    progress.reason, progress.models, progress.tier = bench.pool.reason, bench.pool.models, bench.tier
    observer.started(progress)
    ticker = asyncio.create_task(_tick(scheduler, progress, observer))
    stopped: list[str] = []
    try:
        with _stoppable(scheduler, observer, stopped):
            yield
    except EvoError as error:
        if stopped:
            raise Interrupted(run) from error
        raise
    finally:
        ticker.cancel()


async def _tick(scheduler: Scheduler, progress: Progress, observer: Observer) -> None:
    while True:
        progress.in_flight = scheduler.in_flight
        if scheduler.paused and not progress.paused:
            observer.note(
                f"paused: {scheduler.paused}; nothing is lost, and it goes on by itself as soon as that is mended"
            )
        elif progress.paused and not scheduler.paused:
            observer.note("the models answer again: going on")
        progress.paused = scheduler.paused
        observer.tick()
        await asyncio.sleep(_TICK_SECONDS)


@contextlib.contextmanager
def _stoppable(scheduler: Scheduler, observer: Observer, stopped: list[str]) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.append("interrupted")
        observer.note("stopping after what is in flight; press Ctrl-C again to stop at once")
        scheduler.stop("interrupted")
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (RuntimeError, ValueError, NotImplementedError):  # not the main thread: the caller's handler stays
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
