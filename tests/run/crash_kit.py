"""Searches on the SIMULATED pool in processes of their own that die at a chosen moment.

Imported by a fork server once, so that a start costs what the search costs and not the imports.
"""

import json
import multiprocessing
import os
import signal
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import evo
from evo.evaluation import Store
from evo.models.simulated import SimulatedBackend
from evo.run import Observer

SETTINGS = {
    "models.backend": "simulated",
    "run.generations": "5",
    "NEAT.pop_size": "6",
    "tasks.problems": "6",
    "evaluation.validation_replicates": "1",
}
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["crash_kit"])


@dataclass(frozen=True)
class Death:
    """How a process ends: ``kind`` says where, ``number`` at which of these places, ``moment`` when inside it.

    "statement": inside a transaction, after ``moment`` instructions of SQLite. "commit": between the last statement
    and COMMIT. "race": about ``moment`` microseconds after a transaction began, wherever it is by then. "call": in the
    middle of a model call. "file": before a finished file gets its name.
    """

    kind: str
    number: int
    moment: int = 0


class Stopped(Exception):
    pass


class StoppingAfter(Observer):
    """Ends a search, as any error does, when a generation is done."""

    def __init__(self, number: int) -> None:
        self._number = number

    def generation(self, report):
        if report.number == self._number:
            raise Stopped


def problems(path: Path, count: int) -> Path:
    """A file of easy tasks with references, which the simulated pool can answer."""
    lines = []
    for k in range(1, count + 1):
        body = f"def add_{k}(x):\n    return x + {k}\n"
        tests = [f"assert add_{k}({x}) == {x + k}" for x in range(4)]
        prompt = f"Write a function add_{k}(x) that returns x plus {k}."
        lines.append(json.dumps({"prompt": prompt, "entry_point": f"add_{k}", "tests": tests, "reference": body}))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def run(folder: Path, changes: dict[str, str], death: Death | None = None) -> int:
    """Search in a new process and wait for its end; returns its exit code, -9 if it was killed."""
    process = _CONTEXT.Process(target=_search, args=(folder, changes, death))
    process.start()
    process.join()
    code = process.exitcode
    assert code is not None
    process.close()
    return code


def asked(folder: Path) -> list[str]:
    """Keys of all calls that any process has asked the backend for, in order."""
    log = folder.with_suffix(".asked")
    return log.read_text().split() if log.exists() else []


def recorded(folder: Path) -> set[str]:
    """Keys of the calls on record, as whoever looked right after the kill would find them."""
    path = folder / "run.sqlite"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name='calls'").fetchone():
            return set()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in db.execute("SELECT key FROM calls")}


def tables(folder: Path) -> dict[str, list[tuple]]:
    """Everything that a run has found out, in an order of its own."""
    queries = {
        "calls": "SELECT key, name, digest, role, request, text, finish FROM calls JOIN models ON models.id = model",
        "executions": "SELECT key FROM executions",  # verdicts tell CPU time, too
        "cells": "SELECT * FROM cells",
        "plans": "SELECT * FROM plans",
        "generations": "SELECT * FROM generations",
    }
    with closing(sqlite3.connect(folder / "run.sqlite")) as db:
        return {name: sorted(db.execute(query), key=repr) for name, query in queries.items()}


def _search(folder: Path, changes: dict[str, str], death: Death | None) -> None:
    log = os.open(folder.with_suffix(".asked"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    plan = death or Death("none", 0)
    calls, files = _countdown(plan, "call"), _countdown(plan, "file")
    chat, replace, write = SimulatedBackend.chat, Path.replace, Store._write

    async def logged_chat(self, request):
        os.write(log, f"{request.key((await self.describe(request.model)).digest)}\n".encode())
        calls()
        return await chat(self, request)

    def counted_replace(self, target):
        files()
        return replace(self, target)

    transactions = iter(range(1, 1 << 30))

    def deadly_write(self, pending):
        if plan.kind in ("statement", "commit", "race") and next(transactions) == plan.number:
            _arm(self, plan, len(pending))
        write(self, pending)

    SimulatedBackend.chat, Path.replace, Store._write = logged_chat, counted_replace, deadly_write
    evo.search("laptop", run=str(folder), changes=changes)


def _countdown(plan: Death, kind: str):
    numbers = iter(range(1, 1 << 30))

    def step() -> None:
        if plan.kind == kind and next(numbers) == plan.number:
            _die()

    return step


def _arm(store: Store, plan: Death, rows: int) -> None:
    if plan.kind == "race":
        threading.Timer(plan.moment / 1e6, _die).start()
    elif plan.kind == "statement":
        store._db.set_progress_handler(lambda: _die(), 1 + plan.moment % (20 * rows))
    else:
        store._db.set_trace_callback(lambda statement: _die() if statement == "COMMIT" else None)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
