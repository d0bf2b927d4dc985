"""How a run of a million calls opens, resumes and reports: ``python -m benchmarks.store [--calls 1000000]``.

Fills run folders of growing size: real searches in their genomes, species, plans and records of generations, SIMULATED
in all that was measured, whose outcomes are drawn and whose texts are filler. Then does to each what a user does, by
the same functions that the commands call, every step in a process of its own that tells its seconds, those of them that
the processor worked for it (the better number on a busy machine), and its peak of memory:

    open     everything that a session opens, and one call and one cell looked up
    resume   until the first call would be made that was not paid for
    end      the same, and the candidates for champion chosen from all cells
    report   the page of evo.report
    check    what evo.doctor asks of the run, its integrity included
    naive    for comparison: every call with its text loaded into a list, as a run that keeps its record in memory does
"""

import asyncio
import json
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Annotated

import typer

from evo.evaluation import BudgetSpent, Cell, Measurement, Purpose, call_seed
from evo.evaluation.records import request_of, verdict_to_json
from evo.evolution import parse_evolution_config
from evo.models import Chat, Completion, Message
from evo.pipeline import Trace
from evo.run import Observer, Progress, RunFolder, check_run, parse_settings, read_preset
from evo.run.bench import Bench, open_bench
from evo.run.draw import draw_problems
from evo.run.folder import write_text
from evo.run.loop import Course, Measures
from evo.run.report import write_report
from evo.run.settings import changed_text, ini_sections
from evo.sandbox import Status, Verdict

CALLS_PER_CELL = 2  # that are new; a pipeline shares more than that with its parents
SETTINGS = {
    "models.backend": "simulated",
    "run.generations": "100000",
    "run.limit_minutes": "0",
    "NEAT.pop_size": "50",
    "tasks.problems": "40",
    "evaluation.replicates": "4",
    "baselines.enabled": "false",
}


def course(bench: Bench, text: str, measures: Measures) -> Course:
    """The search of ``evo.search`` on these settings, measured by ``measures``."""
    settings = parse_settings(text, "benchmark")
    evolution = parse_evolution_config(
        ini_sections(text), source="benchmark", models=bench.pool.models, prompts=bench.prompt_names
    )
    progress = Progress("benchmark", settings, generations=settings.run.generations)
    draw, policy = draw_problems(bench.problems, settings), settings.evaluation.chosen_policy()
    return Course(settings, evolution, bench.prompts, draw, policy, measures, bench.store, progress, Observer())


class MadeUp:
    """The scheduler's place while a run is filled: draws outcomes, and writes the rows that measuring would have left
    into the database.
    """

    def __init__(self, db: sqlite3.Connection, calls: int) -> None:
        self._db, self._left = db, calls
        self._draw = random.Random(1)
        words = [f"{self._draw.getrandbits(64):016x}" for _ in range(997)]
        self._texts = [" ".join(self._draw.choices(words, k=40)) for _ in range(997)]
        self._requests = {
            purpose: request_of(Chat("m", (Message("user", text),), call_seed(1, purpose, "P", 0, 0), 0.5, 256))
            for purpose, text in zip(Purpose, self._texts, strict=False)
        }
        self._verdict = verdict_to_json(Verdict(Status.ASSERTION, "AssertionError", "1 == 2", tier="bubblewrap"))
        db.execute("PRAGMA synchronous=OFF")
        db.execute("INSERT INTO models VALUES (1, 'm', 'd')")

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells, in the order wanted, until the calls are made."""
        self._left -= CALLS_PER_CELL * len(wanted)
        if self._left < 0:
            raise BudgetSpent("the run is full")
        cells = tuple(self._cell(one) for one in wanted)
        self._db.execute("BEGIN IMMEDIATE")
        for table, values, rows in (
            ("plans", "?,NULL", [(plan,) for plan in {cell.plan for cell in cells}]),
            ("calls", "NULL,?,1,?,?,?,?,300,150,1.5,'stop',?", (self._call(one) for one in wanted for _ in "12")),
            ("executions", "NULL,?,?,?", ((self._key(), one.problem.id, self._verdict) for one in wanted)),
            ("cells", "?,?,?,?,?,?,?,2,600,300,'',NULL,3.0", (self._row(cell) for cell in cells)),
        ):
            self._db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({values})", rows)
        self._db.execute("COMMIT")
        return cells

    async def ask(self, chat: Chat) -> Completion:
        raise AssertionError("no prompt is rewritten")

    async def trace(self, one: Measurement) -> tuple[Trace, Verdict]:
        raise AssertionError("no prompt is rewritten")

    def _cell(self, one: Measurement) -> Cell:
        solved = self._draw.random() < 0.2 + int(one.plan.digest[:2], 16) / 400
        key = (one.plan.digest, one.problem.id, one.purpose, one.replicate)
        status = Status.PASSED if solved else Status.ASSERTION
        return Cell(*key, solved, status.value, ("TypeError", "" if solved else "AssertionError"), 2, 600, 300)

    def _row(self, cell: Cell) -> tuple[object, ...]:
        key = (cell.plan, cell.problem, cell.purpose.value, cell.replicate)
        return *key, cell.solved, cell.status, json.dumps(cell.error_types)

    def _key(self) -> str:
        return f"{self._draw.getrandbits(256):064x}"

    def _call(self, one: Measurement) -> tuple[object, ...]:
        return (
            self._key(),
            one.problem.id,
            "generator",
            self._requests[one.purpose],
            self._draw.choice(self._texts),
            one.purpose.value,
        )


@asynccontextmanager
async def opened(folder: RunFolder, text: str) -> AsyncIterator[Bench]:
    """What a session on this run has open."""
    with folder:
        async with open_bench(parse_settings(text, "benchmark"), text, folder, Observer()) as bench:
            yield bench


async def filled(folder: RunFolder, calls: int) -> None:
    """A run that has made nearly so many calls, and has ended its generations."""
    text = read_preset("laptop", SETTINGS)
    async with opened(folder, text) as bench:
        bench.store.put_meta("job", "search")
        with closing(sqlite3.connect(folder.database, isolation_level=None)) as db:
            filling = course(bench, text, MadeUp(db, calls))
            with suppress(BudgetSpent):
                await filling.evolve()
        generations = sum(1 for _ in bench.store.generations())
        text = changed_text(text, "benchmark", {"run.generations": str(generations)})
        bench.store.put_meta("config", text)
        write_text(folder.config, text)


async def open_it(folder: RunFolder) -> None:
    async with opened(folder, folder.config.read_text("utf-8")) as bench:
        assert bench.store.call("nobody asked this") is None


async def resume(folder: RunFolder) -> None:
    async with resumed(folder):
        pass


async def end(folder: RunFolder) -> None:
    async with resumed(folder) as replay:
        assert replay.finalists()


@asynccontextmanager
async def resumed(folder: RunFolder) -> AsyncIterator[Course]:
    """A search that is where it was cut off."""
    text = folder.config.read_text("utf-8")
    async with opened(folder, text) as bench:
        replay = course(bench, text, bench.scheduler)
        await replay.evolve()
        yield replay
        assert bench.scheduler.counters.calls_made == 0


async def report(folder: RunFolder) -> None:
    write_report(folder)


async def check(folder: RunFolder) -> None:
    checks = check_run(f"{folder.path}/")
    assert all(one.good for one in checks), checks


async def naive(folder: RunFolder) -> None:
    with closing(sqlite3.connect(folder.database)) as db:
        assert db.execute("SELECT * FROM calls").fetchall()


STEPS: Sequence[Callable[[RunFolder], Coroutine[None, None, None]]] = (open_it, resume, end, report, check, naive)


def measured(step: Callable[[RunFolder], Coroutine[None, None, None]], folder: RunFolder) -> tuple[float, float, float]:
    """(seconds, CPU seconds, MB at the peak beyond what the imports took) in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (step, folder))


def _timed(step: Callable[[RunFolder], Coroutine[None, None, None]], folder: RunFolder) -> tuple[float, float, float]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far, which the imports made, is forgotten
    before = _peak_megabytes()
    started, worked = time.perf_counter(), time.process_time()
    asyncio.run(step(folder))
    return time.perf_counter() - started, time.process_time() - worked, _peak_megabytes() - before


def _peak_megabytes() -> float:
    """Of this process since its peak was reset. (getrusage's is inherited from the parent and never falls.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(calls: Annotated[int, typer.Option(min=10_000, help="Calls of the largest run.")] = 1_000_000) -> None:
    """Print seconds, CPU seconds and memory by size."""
    print(f"{'calls':>9} {'cells':>8} {'GB':>6}  " + "  ".join(f"{step.__name__.split('_')[0]:>27}" for step in STEPS))
    for size in sorted({10_000, min(100_000, calls), calls}):
        with tempfile.TemporaryDirectory() as name:
            folder = RunFolder(Path(name) / "run")
            asyncio.run(filled(folder, size))
            figures = [measured(step, folder) for step in STEPS]
            with closing(sqlite3.connect(folder.database)) as db:
                made, cells = db.execute("SELECT (SELECT COUNT(*) FROM calls), (SELECT COUNT(*) FROM cells)").fetchone()
            columns = "  ".join(f"{seconds:6.2f} s {cpu:6.2f} CPU {mb:4.0f} MB" for seconds, cpu, mb in figures)
            print(f"{made:>9} {cells:>8} {folder.database.stat().st_size / 1e9:6.2f}  {columns}", flush=True)


if __name__ == "__main__":
    typer.run(main)
