"""Which processors a process runs on, and how long it waits for one. Where the system cannot say, nothing happens.

Two processes that answer each other wake each other at every message. On one processor that is a switch from one to the
other; on two, a processor has to be called out of its sleep each time, which costs a virtual machine much more. And
what one worker prepares for its next runs shall not get in the way of a run of another's.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["available", "current", "kept_waiting", "shares", "use"]

_current = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None


def available() -> tuple[int, ...]:
    """The processors that this process may use."""
    return tuple(os.sched_getaffinity(0)) if _current is not None else ()


def shares(workers: int) -> list[tuple[int, ...]]:
    """The processors of each worker, which no other has. All for each where there are fewer of them than workers."""
    everywhere = available()
    if workers > len(everywhere):
        return [everywhere] * workers
    return [everywhere[number::workers] for number in range(workers)]


def current() -> tuple[int, ...]:
    """The processor that this process is on."""
    return (int(_current()),) if _current is not None else ()


def use(pid: int, chosen: Iterable[int]) -> None:
    """Keep a process (0: this one) on ``chosen`` processors, if that can be."""
    if _current is not None:
        with contextlib.suppress(OSError, ValueError):  # none of them, or not ours any more
            os.sched_setaffinity(pid, chosen)


def kept_waiting(pid: int | None = None) -> float:
    """Seconds that a process (None: this one) was ready but others had the processors; 0.0 where Linux does not say."""
    try:
        return int(Path(f"/proc/{pid or 'self'}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
