"""The runs that the benchmark of large runs fills are runs: they are replayed from their record and found whole."""

import asyncio

from benchmarks.store import check, filled, open_it, resume
from evo.run import RunFolder


def test_a_filled_run_is_opened_resumed_and_whole(tmp_path):
    folder = RunFolder(tmp_path / "run")
    asyncio.run(filled(folder, 8000))
    for step in (open_it, resume, check):
        asyncio.run(step(folder))
