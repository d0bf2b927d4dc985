"""Room in the interpreter's memory filled up, so that what is made next lies together, on few pages."""

import gc
import sys
from typing import Any, Final

__all__ = ["fill"]

# How CPython keeps small objects (Objects/obmalloc.c): by size in steps, in pools of one size, each behind a head.
_STEP: Final = 16
_LARGEST: Final = 512
_POOL_BYTES: Final = 1 << 14
_HEAD_BYTES: Final = 48
_MOST: Final = 4096  # of one size, for an interpreter that keeps them in another way

_kept: Final[list[Any]] = []


def fill() -> None:
    """Make objects of every small size, as many as there is room for in pools that are in use, and keep them for good.

    A child that makes objects writes to a page wherever there was room for one; in a new pool they share a few.
    """
    gc.collect()  # or there would be room again
    for size in range(_STEP, _LARGEST + 1, _STEP):
        for number in range(_MOST):
            _kept.append(_of_size(size, number))
            if id(_kept[-1]) % _POOL_BYTES == _HEAD_BYTES:  # the first of a pool: the others had no room
                break


def _of_size(size: int, number: int) -> Any:
    """A new object; the two smallest sizes are less than what bytes take."""
    if size <= sys.getsizeof(b""):
        return object() if size == _STEP else float(number)
    return bytes(size - sys.getsizeof(b""))
