"""What the calls on record took, summed up."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from evo.evaluation.cell import Purpose
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
    sums: dict[tuple[str, str, Purpose], Spent] = {}
    for model, role, request, read, written, seconds in rows:
        key = (model, role, purpose_of(json.loads(zlib.decompress(request))["seed"]))
        before = sums.get(key) or Spent(*key)
        sums[key] = replace(
            before,
            calls=before.calls + 1,
            prompt_tokens=before.prompt_tokens + read,
            completion_tokens=before.completion_tokens + written,
            seconds=before.seconds + seconds,
        )
    return tuple(sums[key] for key in sorted(sums))
