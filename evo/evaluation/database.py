"""Opening a run's SQLite file: new, of this schema, of an older one (migrated), or only to be read."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from evo.errors import UserError

__all__ = ["PUT_CALL", "PUT_MODEL", "SCHEMA_VERSION", "open_database", "open_readonly", "read_meta"]

SCHEMA_VERSION = 5
PUT_MODEL = "INSERT OR IGNORE INTO models (name, digest) VALUES (?,?)"
PUT_CALL = """INSERT OR IGNORE INTO calls
    SELECT NULL, ?, (SELECT id FROM models WHERE name=? AND digest=?), ?,?,?,?,?,?,?,?,?"""
_BUSY_SECONDS = 60.0  # another process may be writing into a shared call store


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the file, in the current schema. An older one is migrated in one transaction.

    Raises UserError, and leaves the file as it was, if it is newer than this evo, something else, damaged or cannot be
    written.
    """
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        _version(db, path)  # nothing is changed, not even the journal's mode, before it is known to be ours
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        _bring_up(db, path)
        db.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error as error:
        db.close()
        raise _unusable(path, error) from error
    except BaseException:
        db.close()
        raise
    return db


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open an existing file without changing it or anything beside it; its folder may be read-only.

    A file of an older schema, and one whose write-ahead log cannot be read where it is, is read from a copy. Raises
    UserError if it is not there or cannot be read.
    """
    if not path.is_file():
        raise UserError(f"{path}: no database is there")
    try:
        if _version_on_disk(path) == SCHEMA_VERSION and (db := _in_place(path)) is not None:
            return db
        return _from_copy(path)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> UserError:
    fix = f"see: python -m evo.doctor {path.parent}" if path.exists() else "name another --run"
    return UserError(f"{path}: cannot be used as a run's database ({error}); {fix}")


def _version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{path}: was written by a newer version of evo (schema {version}; this one knows {SCHEMA_VERSION}); "
            "update evo, or name another --run"
        )
    if version == 0 and db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
        raise UserError(f"{path}: is a database of something else; name another --run")
    return version


def _bring_up(db: sqlite3.Connection, path: Path) -> None:
    """Create or migrate the tables, all or nothing. Another process may be at the same: the version is read inside."""
    if _version(db, path) == SCHEMA_VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db, path)
        scripts = [f"schema-{v}-to-{v + 1}.sql" for v in range(version, SCHEMA_VERSION)] if version else ["schema.sql"]
        for script in scripts:
            for statement in _statements(files("evo.evaluation").joinpath(script).read_text("utf-8")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: ``executescript`` would end the transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version_on_disk(path: Path) -> int:
    """PRAGMA user_version as the file's header has it: bytes 60 to 63."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(64)[60:64], "big")


def _in_place(path: Path) -> sqlite3.Connection | None:
    """A connection for reading, or None where the write-ahead log cannot be read from here."""
    log = path.with_name(f"{path.name}-wal")
    # Without a log there is nothing but the file, and asking for no locks needs no files beside it. With a log, SQLite
    # wants its index, which it makes where it may write.
    whole = not log.exists() or log.stat().st_size == 0
    if not whole and not os.access(path.parent, os.W_OK):
        return None
    mode = "immutable=1" if whole and not os.access(path.parent, os.W_OK) else "mode=ro"
    db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    _version(db, path)
    return db


def _from_copy(path: Path) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="evo-") as folder:
        copy = Path(folder, path.name)
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        db = open_database(copy)
        db.execute("PRAGMA query_only=ON")
        return db  # the open files outlive their names


def read_meta(path: Path, key: str) -> str | None:
    """One fact of a run whose file may be of any older schema; None if there is no file or no such fact.

    Raises UserError if the file cannot be read.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    try:
        with closing(_in_place(path) or _from_copy(path)) as db:
            if not _version(db, path):
                return None
            row = db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error
    return None if row is None else str(row[0])
