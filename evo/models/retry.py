"""Trying again: how often depends on what went wrong, how long to wait is drawn at random.

Waits grow exponentially with "full jitter" (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), so
that many calls that failed together do not come back together.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["with_retries"]

_T = TypeVar("_T")


async def with_retries(
    attempt: Callable[[], Awaitable[_T]],
    patience: Callable[[Exception], int],
    *,
    first_wait: float = 1.0,
    longest_wait: float = 15.0,
) -> _T:
    """The first result of ``attempt``.

    patience: how often to try again in all when this error is met (0: never). Waits are uniform between a tenth of a
    second and ``first_wait`` doubled with each try, in seconds. Raises the last error.
    """
    tries = 0
    while True:
        try:
            return await attempt()
        except Exception as error:
            if tries >= patience(error):
                raise
        # Jitter has nothing to do with a run's results: it needs no seed.
        await asyncio.sleep(random.uniform(0.1, max(0.1, min(longest_wait, first_wait * 2**tries))))
        tries += 1
