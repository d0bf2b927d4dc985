"""Which cells a generation took into account for the first time, as it is kept: a ledger is put together from that."""

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby

from evo.evaluation.cell import Purpose
from evo.evaluation.scheduler import Measurement

__all__ = ["evidence_from_bytes", "evidence_to_bytes"]


def evidence_to_bytes(measured: Iterable[Measurement]) -> bytes:
    """Compressed JSON: [plan's digest, purpose, replicate, problems' ids] of each row of cells, in order."""
    rows = groupby(measured, lambda one: (one.plan.digest, one.purpose.value, one.replicate))
    return zlib.compress(json.dumps([[*row, [one.problem.id for one in cells]] for row, cells in rows]).encode())


def evidence_from_bytes(evidence: bytes) -> Iterator[tuple[str, Purpose, int, tuple[str, ...]]]:
    """What ``evidence_to_bytes`` made, row by row. Raises ValueError, TypeError or zlib.error for anything else."""
    for plan, purpose, replicate, problems in json.loads(zlib.decompress(evidence)):
        yield plan, Purpose(purpose), replicate, tuple(problems)
