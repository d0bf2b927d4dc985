"""What the calls on record took, summed up."""

import zlib
from dataclasses import dataclass

from evo.evaluation.cell import Purpose
from evo.evaluation.records import seed_of
from evo.evaluation.seeds import purpose_of

__all__ = ["Spent", "purpose_of_request"]


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


def purpose_of_request(request: bytes) -> str | None:
    """What a recorded call was for, by its seed; None where the request is damaged."""
    try:
        return purpose_of(seed_of(request)).value
    except (zlib.error, ValueError, IndexError):
        return None
