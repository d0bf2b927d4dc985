"""What can be read of a run's database, damaged or not: counted, and taken over into a new one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from evo.errors import UserError
from evo.evaluation.database import PUT_CALL, PUT_MODEL, open_database, open_readonly

__all__ = ["TABLES", "Evidence", "readable_rows", "take_evidence"]

# Each table's rows in the order in which they lie in the file.
TABLES = {
    "models": "id",
    "calls": "id",
    "executions": "id",
    "plans": "digest",
    "cells": "plan, problem, purpose, replicate",
    "generations": "number",
}
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much was taken over. whole: the source had no damage on the way."""

    calls: int
    executions: int
    whole: bool


def readable_rows(db: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a table. Where pages are damaged: those before the first such page, then, from the end, those after
    the last. Raises UserError, behind all of them, if there was damage.
    """
    order = TABLES[table]
    backwards = ", ".join(f"{column} DESC" for column in order.split(", "))
    try:
        yield from db.execute(f"SELECT * FROM {table} ORDER BY {order}")
    except sqlite3.DatabaseError as damage:
        with suppress(sqlite3.DatabaseError):
            yield from db.execute(f"SELECT * FROM {table} ORDER BY {backwards}")
        raise UserError(f"table {table} is damaged ({damage})") from damage


def take_evidence(source: Path, target: Path, *, executions: bool) -> Evidence:
    """Copy everything that can be read of the calls, and if wanted the executions, of one database into another one.

    Nothing is taken of cells and generations: they follow from the calls, and under other settings other ones do.
    Raises UserError if the source cannot be opened or the target not be written.
    """
    with closing(open_readonly(source)) as old, closing(open_database(target)) as new:
        try:
            models = _Batches(old, "models")
            names = {id: (name, digest) for batch in models for id, name, digest in batch}
            asked = _Batches(old, "calls")
            calls = sum(_take_calls(new, names, batch) for batch in asked)
            runs = _Batches(old, "executions" if executions else None)
            statement = "INSERT OR IGNORE INTO executions VALUES (NULL,?,?,?)"
            executed = sum(_take(new, statement, [row[1:] for row in batch]) for batch in runs)
        except sqlite3.Error as error:
            raise UserError(f"{target}: cannot be written ({error}); free the disk, then try again") from error
    return Evidence(calls, executed, models.whole and asked.whole and runs.whole)


def _take_calls(new: sqlite3.Connection, names: dict[int, tuple[str, str]], batch: list[tuple[Any, ...]]) -> int:
    """Calls with their models. A call is found by its key, so one whose model's row is lost is still worth having."""
    known = [(*row[:2], *names.get(row[2], ("?", "")), *row[3:]) for row in batch]
    models = sorted({row[2:4] for row in known})
    new.executemany(PUT_MODEL, models)
    return _take(new, PUT_CALL, [row[1:] for row in known])


def _take(new: sqlite3.Connection, statement: str, rows: list[tuple[Any, ...]]) -> int:
    new.execute("BEGIN IMMEDIATE")
    new.executemany(statement, rows)
    new.execute("COMMIT")
    return len(rows)


class _Batches:
    """A table's rows in lists of a convenient length; afterwards ``whole`` says whether all of them were there."""

    def __init__(self, db: sqlite3.Connection, table: str | None) -> None:
        self._rows = readable_rows(db, table) if table else iter(())
        self.whole = True

    def __iter__(self) -> Iterator[list[tuple[Any, ...]]]:
        while batch := self._next():
            yield batch

    def _next(self) -> list[tuple[Any, ...]]:
        batch: list[tuple[Any, ...]] = []
        try:
            batch.extend(islice(self._rows, _BATCH))
        except UserError:
            self.whole = False
        return batch
