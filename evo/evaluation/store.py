"""One SQLite file per run: every call, execution and cell that was paid for, durable before it is used.

Writes are grouped: everything that becomes ready in one turn of the event loop goes to disk in one transaction
(write-ahead log, synchronous FULL), and whoever wrote it goes on only afterwards. Under load that is one fsync for
hundreds of rows, and a process that is killed loses nothing that anybody has seen.
"""

import asyncio
import json
import sqlite3
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from evo.errors import UserError
from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.records import verdict_from_json, verdict_to_json
from evo.models import Chat, Completion, Finish
from evo.sandbox import Verdict

__all__ = ["Store"]

SCHEMA_VERSION = 1

_PUT_CALL = "INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_PUT_EXECUTION = "INSERT OR IGNORE INTO executions VALUES (?,?,?)"
_PUT_CELL = "INSERT OR REPLACE INTO cells VALUES (?,?,?,?,?,?,?,?,?,?,?)"


class Store:
    """The record of one run. Used from one event loop; reads are synchronous, writes are awaited until they are
    durable.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises UserError if it cannot be used."""
        self._path = path
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._flushed: asyncio.Future[None] | None = None
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise UserError(
                    f"{path}: was written by another version of evo (schema {version}, not {SCHEMA_VERSION})"
                )
            self._db.executescript(files("evo.evaluation").joinpath("schema.sql").read_text("utf-8"))
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise UserError(f"{path}: cannot be used as a run's database ({error}); name another --run") from error

    def close(self) -> None:
        """Write what is pending and close the file."""
        self._flush()
        self._db.close()

    # -- calls and executions --------------------------------------------------------------------------------------

    def call(self, key: str) -> Completion | None:
        """The recorded answer to Chat.key, or None."""
        row = self._db.execute(
            "SELECT text, prompt_tokens, completion_tokens, seconds, finish FROM calls WHERE key=?", (key,)
        ).fetchone()
        return None if row is None else Completion(row[0], row[1], row[2], row[3], cast(Finish, row[4]))

    async def put_call(self, key: str, chat: Chat, model_digest: str, answer: Completion) -> None:
        """Record a draw."""
        request = zlib.compress(
            json.dumps(
                {
                    "messages": [[m.role, m.content] for m in chat.messages],
                    "seed": chat.seed,
                    "temperature": chat.temperature,
                    "max_tokens": chat.max_tokens,
                },
                ensure_ascii=False,
            ).encode(),
            level=1,
        )
        head = (key, chat.model, model_digest, chat.problem, chat.role, request)
        tail = (answer.text, answer.prompt_tokens, answer.completion_tokens, answer.seconds, answer.finish)
        await self._put(_PUT_CALL, head + tail)

    def execution(self, key: str) -> Verdict | None:
        """The recorded verdict of an execution, or None."""
        row = self._db.execute("SELECT verdict FROM executions WHERE key=?", (key,)).fetchone()
        return None if row is None else verdict_from_json(row[0])

    async def put_execution(self, key: str, problem: str, verdict: Verdict) -> None:
        """Record a verdict."""
        await self._put(_PUT_EXECUTION, (key, problem, verdict_to_json(verdict)))

    # -- cells -----------------------------------------------------------------------------------------------------

    def cells(self) -> Iterator[Cell]:
        """Every recorded cell, in the order of its key."""
        for row in self._db.execute("SELECT * FROM cells"):
            yield _cell(row)

    def cell(self, plan: str, problem: str, purpose: Purpose, replicate: int) -> Cell | None:
        """One recorded cell, or None."""
        row = self._db.execute(
            "SELECT * FROM cells WHERE plan=? AND problem=? AND purpose=? AND replicate=?",
            (plan, problem, purpose.value, replicate),
        ).fetchone()
        return None if row is None else _cell(row)

    async def put_cell(self, cell: Cell) -> None:
        """Record a cell; one that replaces a missing one overwrites it."""
        head = (cell.plan, cell.problem, cell.purpose.value, cell.replicate, cell.solved, cell.status)
        tail = (cell.calls, cell.prompt_tokens, cell.completion_tokens, cell.fault)
        await self._put(_PUT_CELL, (*head, json.dumps(cell.error_types), *tail))

    # -- the course of the run -------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A fact about the run (see evo.run), or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else cast(str, row[0])

    def put_meta(self, key: str, value: str) -> None:
        """Record a fact about the run, at once."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def put_plan(self, digest: str, genome: str) -> None:
        """Remember a genome that compiles to this plan; the first one stays."""
        self._db.execute("INSERT OR IGNORE INTO plans VALUES (?,?)", (digest, genome))

    def put_generation(self, number: int, record: str) -> None:
        """Record a finished generation, at once."""
        self._db.execute("INSERT OR REPLACE INTO generations VALUES (?,?)", (number, record))

    def generations(self) -> Iterator[tuple[int, str]]:
        """(number, record) of every finished generation, in order."""
        yield from self._db.execute("SELECT number, record FROM generations ORDER BY number")

    # -- group commit ----------------------------------------------------------------------------------------------

    async def _put(self, statement: str, row: tuple[Any, ...]) -> None:
        self._pending.append((statement, row))
        if self._flushed is None:
            loop = asyncio.get_running_loop()
            self._flushed = loop.create_future()
            loop.call_soon(self._flush)
        await asyncio.shield(self._flushed)

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        flushed, self._flushed = self._flushed, None
        try:
            if pending:
                self._db.execute("BEGIN IMMEDIATE")
                for statement, row in pending:
                    self._db.execute(statement, row)
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = UserError(
                f"{self._path}: cannot be written ({error}); free the disk, then run the same command again"
            )
            if flushed is None:
                raise failure from error
            flushed.set_exception(failure)
        else:
            if flushed is not None:
                flushed.set_result(None)


def _cell(row: tuple[Any, ...]) -> Cell:
    plan, problem, purpose, replicate, solved, status, error_types, calls, prompt_tokens, completion_tokens, fault = row
    return Cell(
        plan=plan,
        problem=problem,
        purpose=Purpose(purpose),
        replicate=replicate,
        solved=None if solved is None else bool(solved),
        status=status,
        error_types=tuple(json.loads(error_types)),
        calls=calls,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        fault=fault,
    )
