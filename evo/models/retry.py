"""Trying again: how often depends on what went wrong, how long to wait is drawn at random.

Waits grow exponentially with "full jitter" (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), so
that many calls that failed together do not come back together.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["with_retries"]

_T = TypeVar("_T")


async def with_retries(
    attempt: Callable[[], Awaitable[_T]],
    patience: Callable[[Exception], int],
    *,
    seconds: float,
    first_wait: float = 1.0,
    longest_wait: float = 15.0,
) -> _T:
    """The first result of ``attempt``.

    patience: how often to try again in all when this error is met (0: never). seconds: no try begins later than that
    after the first failure. Waits are uniform between a tenth of a second and ``first_wait`` doubled with each try, in
    seconds. Raises the last error.
    """
    tries, deadline = 0, 0.0
    while True:
        try:
            return await attempt()
        except Exception as error:
            deadline = deadline or time.monotonic() + seconds
            # Jitter has nothing to do with a run's results: it needs no seed.
            wait = random.uniform(0.1, max(0.1, min(longest_wait, first_wait * 2**tries)))
            if tries >= patience(error) or time.monotonic() + wait > deadline:
                raise
        await asyncio.sleep(wait)
        tries += 1
