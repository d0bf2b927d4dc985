"""What the calls on record took, summed up."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evo.evaluation.cell import Purpose
from evo.evaluation.records import seed_of
from evo.evaluation.seeds import purpose_of

__all__ = ["Spent", "sum_up"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls made of one model in one role for one purpose, with their tokens and seconds at the backend."""

    model: str
    role: str
    purpose: Purpose
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


def sum_up(rows: Iterable[tuple[Any, ...]]) -> tuple[Spent, ...]:
    """rows: (model, role, request as recorded, prompt tokens, completion tokens, seconds) of each call."""
    sums: dict[tuple[str, str, Purpose], list[Any]] = {}
    for model, role, request, read, written, seconds in rows:
        total = sums.setdefault((model, role, purpose_of(seed_of(request))), [0, 0, 0, 0.0])
        total[0] += 1
        total[1] += read
        total[2] += written
        total[3] += seconds
    return tuple(Spent(*key, *sums[key]) for key in sorted(sums))
