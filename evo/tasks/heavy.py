"""Inputs of MBPP+ that are left out: with them, the canonical solution itself exceeds the sandbox's limits.

A differential test runs the reference and the candidate on every input, all within one run. Measured with Python 3.11
for eight of 399 problems: the inputs named here take 0.1 to 2 seconds each, or give results of up to 47 MB. Without
them every canonical solution passes within 5 seconds and 512 MB.
"""

from collections.abc import Callable
from math import comb
from typing import Any

__all__ = ["is_heavy"]

_HEAVY: dict[str, Callable[..., bool]] = {
    "Mbpp/123": lambda limit: limit > 4_000,  # sums of divisors of all numbers below
    "Mbpp/255": lambda colors, n: (
        bool(colors) and comb(len(colors) + n - 1, n) > 5_000
    ),  # all combinations with replacement
    "Mbpp/271": lambda n: n > 400_000,
    "Mbpp/392": lambda n: n > 900_000,
    "Mbpp/592": lambda n: n > 900,
    "Mbpp/599": lambda n: n > 10_000_000,
    "Mbpp/603": lambda n: n > 9_000,
    "Mbpp/630": lambda point: len(point) > 6,  # all neighbours in as many dimensions
}


def is_heavy(task_id: str, arguments: list[Any]) -> bool:
    """Whether this input of this task is left out."""
    heavy = _HEAVY.get(task_id)
    return heavy is not None and heavy(*arguments)
