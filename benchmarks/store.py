"""How a run of a million calls opens, resumes and reports: ``python -m benchmarks.store [--calls 1000000]``.

Writes runs of growing size with calls and cells as a search leaves them (the texts are filler), then does to each what
a resumed search does, every step in a process of its own that tells its seconds, those of them that the
processor worked for it (the better number on a busy machine), and its peak of memory:

    open     the store, and one call and one cell looked up
    resume   the replay: all cells through the scheduler and into the ledger, generation by generation, until the first
             call that was not paid for would be made
    report   every cell once, streamed, into solve rates by plan
    check    what evo.doctor asks of the database, its integrity included
    naive    for comparison: every call with its text loaded into a list, as a run that keeps its record in memory does
"""

import asyncio
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from evo.evaluation import Ledger, Measurement, Purpose, Scheduler, Store
from evo.genome import Role
from evo.pipeline import PipelineSettings, Plan, PlanNode, Visit
from evo.run import RunFolder, check_run
from evo.tasks import Check, Problem

PROBLEMS, REPLICATES, POPULATION, CALLS_PER_CELL = 20, 3, 30, 2
CHECK = Check("def check(candidate):\n    assert candidate(1) == 1\n", 1)
PROBLEM = [Problem(f"P{k}", "filler", "", "f", "", CHECK, CHECK, "def f(x):\n    return x\n") for k in range(PROBLEMS)]


def plan(number: int) -> Plan:
    nodes = (PlanNode(Role.TASK, 0), PlanNode(Role.GENERATOR, 2, "m", "", "", 0.5), PlanNode(Role.OUTPUT, 1))
    return Plan(nodes, (Visit(1, 0, (), 1, 0),), (0,), PipelineSettings(), f"{number:016x}")


def wanted(cells: int) -> Iterator[list[Measurement]]:
    """The measurements of a run, by generation."""
    each = PROBLEMS * REPLICATES
    plans = range(cells // each)
    for start in range(0, len(plans), POPULATION):
        yield [
            Measurement(plan(number), problem, Purpose.SEARCH, replicate)
            for number in plans[start : start + POPULATION]
            for replicate in range(REPLICATES)
            for problem in PROBLEM
        ]


def fill(path: Path, calls: int) -> None:
    """Rows as the store writes them, in large transactions."""
    Store(path).close()
    draw = random.Random(1)
    words = [f"{draw.getrandbits(64):016x}" for _ in range(997)]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("INSERT INTO models VALUES (1, 'm', 'd')")
        for number in range(calls):
            text = " ".join(words[(number * 31 + k) % 997] for k in range(40))
            row = (f"{draw.getrandbits(256):064x}", 1, "P", "generator", text.encode(), text, 300, 150, 1.5, "stop")
            db.execute("INSERT INTO calls VALUES (NULL,?,?,?,?,?,?,?,?,?,?)", row)
        for batch in wanted(calls // CALLS_PER_CELL):
            db.executemany("INSERT OR IGNORE INTO plans VALUES (?, NULL)", {(one.plan.digest,) for one in batch})
            rows = [
                (
                    one.plan.digest,
                    one.problem.id,
                    "search",
                    one.replicate,
                    int(draw.random() < 0.5),
                    "passed",
                    '["", ""]',
                )
                for one in batch
            ]
            db.executemany("INSERT INTO cells VALUES (?,?,?,?,?,?,?,2,600,300,'')", rows)
        db.execute("COMMIT")


def open_it(path: Path) -> None:
    store = Store(path)
    assert store.call("nobody asked this") is None
    assert next(store.cells(plan(0).digest)).problem == "P0"
    store.close()


def resume(path: Path) -> None:
    asyncio.run(_replay(path))


async def _replay(path: Path) -> None:
    store = Store(path)
    cells = store._db.execute("SELECT COUNT(*) FROM cells").fetchone()[0]
    scheduler = Scheduler(_Nobody(), _Nobody(), store, seed=1, models={})  # type: ignore[arg-type]
    ledger = Ledger()
    for batch in wanted(cells):
        found = await scheduler.measure(batch)
        assert len(found) == len(batch)
        ledger.add(found)
        ledger.levelled(sorted({one.plan.digest for one in batch}))
    scheduler.close()
    store.close()


class _Nobody:
    """Backend and sandbox of a replay: whoever asks them has found something that is not on record."""

    name, simulated = "nobody", False


def report(path: Path) -> None:
    store = Store(path, readonly=True)
    solved, seen = Counter[str](), Counter[str]()
    for cell in store.cells():
        seen[cell.plan] += 1
        solved[cell.plan] += cell.solved is True
    assert all(0 <= solved[name] <= seen[name] for name in seen)
    store.close()


def check(path: Path) -> None:
    RunFolder(path.parent).config.write_text("", "utf-8")
    checks = check_run(f"{path.parent}/")
    assert all(one.good for one in checks), checks


def naive(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM calls").fetchall()


STEPS: Sequence[Callable[[Path], None]] = (open_it, resume, report, check, naive)


def measured(step: Callable[[Path], None], path: Path) -> tuple[float, float, float]:
    """(seconds, CPU seconds, MB at the peak beyond what the imports took) in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (step, path))


def _timed(step: Callable[[Path], None], path: Path) -> tuple[float, float, float]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far, which the imports made, is forgotten
    before = _peak_megabytes()
    started, worked = time.perf_counter(), time.process_time()
    step(path)
    return time.perf_counter() - started, time.process_time() - worked, _peak_megabytes() - before


def _peak_megabytes() -> float:
    """Of this process since its peak was reset. (getrusage's is inherited from the parent and never falls.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(calls: Annotated[int, typer.Option(min=12_000, help="Calls of the largest run.")] = 1_000_000) -> None:
    """Print seconds, CPU seconds and memory by size."""
    print(f"{'calls':>9} {'cells':>8} {'GB':>6}  " + "  ".join(f"{step.__name__.split('_')[0]:>27}" for step in STEPS))
    for size in (calls // 100, calls // 10, calls):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.sqlite"
            fill(path, size)
            figures = [measured(step, path) for step in STEPS]
            cells = sum(map(len, wanted(size // CALLS_PER_CELL)))
            columns = "  ".join(f"{seconds:6.2f} s {cpu:6.2f} CPU {mb:4.0f} MB" for seconds, cpu, mb in figures)
            print(f"{size:>9} {cells:>8} {path.stat().st_size / 1e9:6.2f}  {columns}", flush=True)


if __name__ == "__main__":
    typer.run(main)
