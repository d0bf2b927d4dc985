"""One SQLite file per run: every call, execution and cell that was paid for, durable before it is used.

Writes are grouped: everything that becomes ready in one turn of the event loop goes to disk in one transaction
(write-ahead log, synchronous FULL), and whoever wrote it goes on only afterwards. Under load that is one fsync for
hundreds of rows, and a process that is killed loses nothing that anybody has seen.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Container, Iterator
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any, cast

from evo.errors import EvoError, UserError
from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.database import PUT_CALL, PUT_MODEL, open_database, open_readonly
from evo.evaluation.records import request_of, verdict_from_json, verdict_to_json
from evo.evaluation.seeds import purpose_of
from evo.evaluation.spent import Spent, purpose_of_request
from evo.models import Chat, Completion, Finish
from evo.sandbox import Verdict

__all__ = ["Store"]

_PUT_EXECUTION = "INSERT OR IGNORE INTO executions VALUES (NULL,?,?,?)"
_PUT_PLAN = """INSERT INTO plans VALUES (?,?)
    ON CONFLICT (digest) DO UPDATE SET genome = excluded.genome WHERE genome IS NULL AND excluded.genome NOT NULL"""
_PURPOSES = {purpose.value: purpose for purpose in Purpose}
_PUT_CELL = "INSERT OR REPLACE INTO cells VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"


class Store:
    """The record of one run. Used from one event loop; reads are synchronous, writes are awaited until they are
    durable.

    Whatever goes wrong with the file is a UserError of one line. After a write that failed nothing more is written, and
    ``check`` says so to whoever is about to pay for something.
    """

    def __init__(self, path: Path, *, calls_from: "Store | None" = None, readonly: bool = False) -> None:
        """Open or create the file; ``readonly``: one that exists, and nothing beside it is changed.

        calls_from: another store to look calls up in. What is found there is copied into this one, and new calls are
        recorded in both, unless that one is read-only. It is closed with this one. Raises UserError if the file cannot
        be used.
        """
        self._path = path
        self._shared = calls_from
        self._readonly = readonly
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._flushed: asyncio.Future[None] | None = None
        self._failure: UserError | None = None
        self._db = open_readonly(path) if readonly else open_database(path)
        self._inode = path.stat().st_ino

    def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            if self._failure is None:
                self._flush()
        finally:
            self._db.close()
            if self._shared is not None:
                self._shared.close()

    def check(self) -> None:
        """Raises UserError if the last write failed: what is paid for from now on could not be kept."""
        if self._failure is not None:
            raise self._failure

    # -- calls and executions --------------------------------------------------------------------------------------

    def call(self, key: str) -> Completion | None:
        """The recorded answer to Chat.key, or None."""
        row = self._row("SELECT text, prompt_tokens, completion_tokens, seconds, finish FROM calls WHERE key=?", key)
        if row is None:
            return None if self._shared is None else self._borrow(key)
        return Completion(row[0], row[1], row[2], row[3], cast(Finish, row[4]))

    def _borrow(self, key: str) -> Completion | None:
        """A call of the shared store, which is written down here too so that this run is whole without it."""
        assert self._shared is not None
        row = self._shared._row(
            "SELECT name, digest, problem, role, request, text, prompt_tokens, completion_tokens, seconds, finish, "
            "purpose FROM calls JOIN models ON models.id = calls.model WHERE key=?",
            key,
        )
        if row is None:
            return None
        self._append(PUT_MODEL, row[:2])
        self._append(PUT_CALL, (key, *row))
        return Completion(row[5], row[6], row[7], row[8], cast(Finish, row[9]))

    async def put_call(self, key: str, chat: Chat, model_digest: str, answer: Completion) -> None:
        """Record a draw."""
        head = (key, chat.model, model_digest, chat.problem, chat.role, request_of(chat))
        used = (answer.prompt_tokens, answer.completion_tokens, answer.seconds, answer.finish)
        tail = (answer.text, *used, purpose_of(chat.seed).value)
        writes = [(PUT_MODEL, (chat.model, model_digest)), (PUT_CALL, head + tail)]
        if self._shared is not None and not self._shared._readonly:
            await asyncio.gather(self._put(*writes), self._shared._put(*writes))
        else:
            await self._put(*writes)

    def execution(self, key: str) -> Verdict | None:
        """The recorded verdict of an execution, or None."""
        row = self._row("SELECT verdict FROM executions WHERE key=?", key)
        return None if row is None else verdict_from_json(row[0])

    async def put_execution(self, key: str, problem: str, verdict: Verdict) -> None:
        """Record a verdict."""
        await self._put((_PUT_EXECUTION, (key, problem, verdict_to_json(verdict))))

    # -- cells -----------------------------------------------------------------------------------------------------

    def cells(self) -> Iterator[Cell]:
        """Every recorded cell, in the order of its key."""
        with self._reading():
            yield from map(_cell, self._db.execute("SELECT * FROM cells"))

    def cells_of(self, plan: str, wanted: Container[tuple[str, Purpose, int]]) -> Iterator[Cell]:
        """The recorded cells of one plan whose (problem, purpose, replicate) is wanted, in the order of their keys."""
        with self._reading():
            for row in self._db.execute("SELECT * FROM cells WHERE plan=?", (plan,)):
                if row[1:4] in wanted:
                    yield _cell(row)

    async def put_cell(self, cell: Cell) -> None:
        """Record a cell; one that replaces a missing one overwrites it."""
        head = (cell.plan, cell.problem, cell.purpose.value, cell.replicate, cell.solved, cell.status)
        tail = (cell.calls, cell.prompt_tokens, cell.completion_tokens, cell.fault, cell.shown, cell.seconds)
        row = (*head, json.dumps(cell.error_types), *tail)
        await self._put((_PUT_PLAN, (cell.plan, None)), (_PUT_CELL, row))

    # -- the course of the run -------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A fact about the run (see evo.run), or None."""
        row = self._row("SELECT value FROM meta WHERE key=?", key)
        return None if row is None else cast(str, row[0])

    def put_meta(self, key: str, value: str) -> None:
        """Record a fact about the run, at once."""
        if self.meta(key) != value:
            self._append("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))
            self._flush()

    def put_plan(self, digest: str, genome: str) -> None:
        """Remember a genome that compiles to this plan; the first one stays. Durable with the next thing that is."""
        self._append(_PUT_PLAN, (digest, genome))

    def put_generation(self, number: int, record: str, evidence: bytes) -> None:
        """Record a finished generation, at once."""
        row = (number, record, evidence)
        if self._row("SELECT 1 FROM generations WHERE number=? AND record=? AND evidence=?", *row) is None:
            self._append("INSERT OR REPLACE INTO generations VALUES (?,?,?)", row)
        self._flush()

    def generations(self) -> Iterator[tuple[int, str]]:
        """(number, record) of every finished generation, in order."""
        with self._reading():
            yield from self._db.execute("SELECT number, record FROM generations ORDER BY number")

    def record(self, generation: int) -> str:
        """The record of a finished generation. Raises KeyError for one that is not there."""
        row = self._row("SELECT record FROM generations WHERE number=?", generation)
        if row is None:
            raise KeyError(generation)
        return cast(str, row[0])

    def evidence(self, generation: int) -> bytes | None:
        """What a finished generation took into account; None where that is not on record."""
        row = self._row("SELECT evidence FROM generations WHERE number=?", generation)
        return None if row is None else cast(bytes | None, row[0])

    def measured(self) -> dict[str, int]:
        """Measured cells by plan."""
        with self._reading():
            return dict(self._db.execute("SELECT plan, COUNT(*) FROM cells WHERE solved NOT NULL GROUP BY plan"))

    @property
    def complete(self) -> bool:
        """Whether no recorded cell is missing."""
        return self._row("SELECT 1 FROM cells WHERE solved IS NULL LIMIT 1") is None

    # -- what a report asks ----------------------------------------------------------------------------------------

    def facts(self) -> dict[str, str]:
        """All facts about the run."""
        with self._reading():
            return dict(self._db.execute("SELECT key, value FROM meta"))

    def genomes(self) -> dict[str, str]:
        """Genome documents by the digest of the plan that each was the first to compile to."""
        with self._reading():
            return dict(self._db.execute("SELECT digest, genome FROM plans WHERE genome NOT NULL"))

    def used(self) -> dict[Purpose, int]:
        """Calls that the recorded cells used, made or saved, by purpose."""
        with self._reading():
            rows = self._db.execute("SELECT purpose, SUM(calls) FROM cells GROUP BY purpose")
            return {_PURPOSES[purpose]: calls for purpose, calls in rows}

    def spent(self) -> tuple[Spent, ...]:
        """What the recorded calls took, by model, role and purpose."""
        sums = "COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(seconds)"
        self._db.create_function("purpose_of", 1, purpose_of_request, deterministic=True)
        with self._reading():
            rows = self._db.execute(
                f"SELECT name, role, COALESCE(purpose, purpose_of(request)) AS what, {sums} "
                "FROM calls JOIN models ON models.id = calls.model "
                "WHERE what NOT NULL GROUP BY name, role, what ORDER BY name, role, what"
            )
            return tuple(Spent(model, role, _PURPOSES[purpose], *sums) for model, role, purpose, *sums in rows)

    def tiers(self) -> tuple[str, ...]:
        """Isolation tiers that the recorded programs ran under, the most frequent first."""
        tier = "json_extract(verdict, '$.tier')"
        with self._reading():
            rows = self._db.execute(f"SELECT {tier}, COUNT(*) FROM executions GROUP BY 1 ORDER BY 2 DESC, 1")
            return tuple(row[0] for row in rows)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with self._reading():
            return cast(tuple[Any, ...] | None, self._db.execute(query, values).fetchone())

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            folder = self._path.parent
            raise UserError(f"{self._path}: cannot be read ({error}); see: python -m evo.doctor {folder}") from error

    # -- group commit ----------------------------------------------------------------------------------------------

    def _append(self, statement: str, row: tuple[Any, ...]) -> None:
        self._pending.append((statement, row))

    async def _put(self, *writes: tuple[str, tuple[Any, ...]]) -> None:
        self.check()
        self._pending += writes
        if self._flushed is None:
            loop = asyncio.get_running_loop()
            self._flushed = loop.create_future()
            loop.call_soon(self._flush_for_others)
        await asyncio.shield(self._flushed)

    def _flush_for_others(self) -> None:
        with contextlib.suppress(EvoError):  # whoever wrote is told
            self._flush()

    def _flush(self) -> None:
        """Write what is pending, durably, and tell whoever waits for it. Raises UserError."""
        pending, self._pending = self._pending, []
        flushed, self._flushed = self._flushed, None
        try:
            if pending:
                self._write(pending)
        except (sqlite3.Error, OSError) as error:
            fix = "free or mend the disk, then run the same command again"
            self._failure = UserError(f"{self._path}: cannot be written ({error}); {fix}")
            if flushed is not None:
                flushed.set_exception(self._failure)
            raise self._failure from error
        if flushed is not None:
            flushed.set_result(None)

    def _write(self, pending: list[tuple[str, tuple[Any, ...]]]) -> None:
        if self._path.stat().st_ino != self._inode:  # SQLite would go on writing into a file without a name
            raise FileNotFoundError("it was replaced by another file")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for statement, row in pending:
                self._db.execute(statement, row)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


@lru_cache(maxsize=4096)
def _error_types(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _cell(row: tuple[Any, ...]) -> Cell:
    plan, problem, purpose, replicate, solved, status, error_types, calls, read, written, fault, shown, seconds = row
    return Cell(
        intern(plan),  # a run has a million cells, and few words in them
        intern(problem),
        _PURPOSES[purpose],
        replicate,
        None if solved is None else bool(solved),
        intern(status),
        _error_types(error_types),
        calls,
        read,
        written,
        fault,
        shown,
        seconds,
    )
