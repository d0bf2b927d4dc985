"""A search between two generations: what it has to know to go on without going through the earlier ones again."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from evo.evaluation import Store, evidence_from_bytes
from evo.run.damage import DAMAGES
from evo.run.generations import finished
from evo.run.result import GenerationReport

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

_KEY = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """number: of the generation that comes next. evolution: Evolution.state. genomes: compiled so far. founders:
    digests of their plans. reports: of the generations before, which are on record themselves; filled in when read.
    """

    number: int
    evolution: Mapping[str, Any]
    genomes: int
    founders: Sequence[str]
    reports: tuple[GenerationReport, ...] = ()


_FIELDS = tuple(field.name for field in fields(Checkpoint) if field.name != "reports")


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
        if checkpoint.number > generations:
            return None
        reports, taken = [], Counter[str]()
        for report, evidence in finished(store, checkpoint.number):
            reports.append(report)
            for plan, _, _, problems in evidence_from_bytes(evidence):
                taken[plan] += len(problems)
    except (*DAMAGES, zlib.error):  # going through all generations is always right
        return None
    had = store.measured()
    whole = all(had.get(plan, 0) >= count for plan, count in taken.items())
    return replace(checkpoint, reports=tuple(reports)) if whole else None
