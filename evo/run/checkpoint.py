"""A search between two generations: what it has to know to go on without going through the earlier ones again."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from evo.evaluation import Store, evidence_from_bytes
from evo.run.damage import DAMAGES
from evo.run.generations import finished

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

_KEY = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """number: of the generation that comes next. evolution: Evolution.state. genomes: compiled so far. founders:
    digests of their plans.
    """

    number: int
    evolution: Mapping[str, Any]
    genomes: int
    founders: Sequence[str]


_FIELDS = tuple(field.name for field in fields(Checkpoint))


def write_checkpoint(store: Store, checkpoint: Checkpoint) -> None:
    """Put it in the place of the one before, at once."""
    store.put_meta(_KEY, json.dumps({name: getattr(checkpoint, name) for name in _FIELDS}))


def read_checkpoint(store: Store, generations: int) -> Checkpoint | None:
    """The latest one, if a search of so many generations can go on from it.

    It cannot where fewer generations are wanted now, where cells are missing (they are measured again, which may change
    what their generation decided), and where the record has lost some or is damaged there.
    """
    if (text := store.meta(_KEY)) is None or not store.complete:
        return None
    try:
        checkpoint = Checkpoint(**json.loads(text))
        return checkpoint if checkpoint.number <= generations and _is_on_record(store, checkpoint.number) else None
    except (*DAMAGES, zlib.error):  # going through all generations is always right
        return None


def _is_on_record(store: Store, number: int) -> bool:
    """Whether the plans of the generations before have as many cells as were taken into account."""
    taken, had = Counter[str](), store.measured()
    for _, evidence in finished(store, number):
        for plan, _, _, problems in evidence_from_bytes(evidence):
            taken[plan] += len(problems)
    return all(had.get(plan, 0) >= count for plan, count in taken.items())
