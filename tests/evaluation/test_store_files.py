"""A run's file through its life: older schemas, read-only places, full disks, damage, other runs' calls."""

import asyncio
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from evo.errors import UserError
from evo.evaluation import Cell, Purpose, Store, open_readonly, read_meta, readable_rows, take_evidence
from evo.evaluation.database import SCHEMA_VERSION
from evo.evaluation.seeds import purpose_of
from evo.models import Chat, Completion
from evo.sandbox import Status, Verdict

OLD = Path(__file__).parent.parent / "fixtures" / "runs" / "schema-1.sqlite.gz"
"""The database of a real search on the simulated pool, written by the last version of evo that had schema 1."""


def completion(k: int) -> Completion:
    return Completion(f"answer {k} " + "x" * 400, k, 2 * k, 0.5, "stop")


async def put_calls(store: Store, numbers: range) -> None:
    await asyncio.gather(*(store.put_call(f"k{i}", Chat("m", (), i, 0.0, 1), "d", completion(i)) for i in numbers))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "run.sqlite"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return path


@contextmanager
def readonly_folder(folder: Path) -> Iterator[None]:
    """Really read-only, also for root: a bind mount, or permissions for everybody else."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    here = str(folder)
    if subprocess.run(["mount", "--bind", here, here], capture_output=True, check=False).returncode:
        pytest.skip("root may write everywhere here, and may not mount anything read-only")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", here], check=True)
        yield
    finally:
        subprocess.run(["umount", here], check=True)


def rows_of_schema_1(path: Path) -> dict[str, list[tuple]]:
    with closing(sqlite3.connect(path)) as db:
        calls = (
            "SELECT key, model, model_digest, problem, role, request, text, prompt_tokens, completion_tokens, seconds,"
        )
        return {
            "calls": sorted(db.execute(f"{calls} finish FROM calls")),
            "executions": sorted(db.execute("SELECT key, problem, verdict FROM executions")),
            "cells": sorted(db.execute("SELECT * FROM cells"), key=repr),
            "plans": sorted(db.execute("SELECT * FROM plans")),
            "generations": sorted(db.execute("SELECT number, record FROM generations")),
            "meta": sorted(db.execute("SELECT * FROM meta")),
        }


def rows_today(path: Path) -> dict[str, list[tuple]]:
    with closing(open_readonly(path)) as db:
        calls = (
            "SELECT key, name, digest, problem, role, request, text, prompt_tokens, completion_tokens, seconds, finish"
        )
        return {
            "calls": sorted(db.execute(f"{calls} FROM calls JOIN models ON models.id = calls.model")),
            "executions": sorted(db.execute("SELECT key, problem, verdict FROM executions")),
            "cells": sorted((row[:-2] for row in db.execute("SELECT * FROM cells WHERE shown IS NULL")), key=repr),
            "plans": sorted(db.execute("SELECT * FROM plans")),
            "generations": sorted(db.execute("SELECT number, record FROM generations")),
            "meta": sorted(db.execute("SELECT * FROM meta")),
        }


def schema(db: sqlite3.Connection) -> list[tuple]:
    """Columns, keys and references of every table, whatever the spelling."""
    tables = sorted(row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'index')"))
    pragmas = ("table_info", "foreign_key_list", "index_list", "index_info")
    return [(table, pragma, list(db.execute(f"PRAGMA {pragma}({table})"))) for table in tables for pragma in pragmas]


# -- schemas -------------------------------------------------------------------------------------------------------


def test_an_older_file_is_migrated_and_nothing_of_it_is_lost(old, tmp_path):
    before = rows_of_schema_1(old)
    assert len(before["calls"]) == 60
    Store(old).close()
    assert rows_today(old) == before
    Store(tmp_path / "new.sqlite").close()
    with closing(sqlite3.connect(old)) as migrated, closing(sqlite3.connect(tmp_path / "new.sqlite")) as new:
        assert schema(migrated) == schema(new)
        assert migrated.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert migrated.execute("PRAGMA foreign_key_check").fetchall() == []
        assert migrated.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_calls_of_an_older_file_are_told_apart_by_what_they_were_for(old):
    with closing(sqlite3.connect(old)) as db:
        requests = db.execute("SELECT key, request FROM calls ORDER BY key").fetchall()
        db.execute("UPDATE calls SET request = ? WHERE key = ?", (b"damaged", requests[0][0]))
        db.commit()
    expected = Counter(purpose_of(json.loads(zlib.decompress(request))["seed"]) for _, request in requests[1:])
    assert {*expected} >= {Purpose.SEARCH, Purpose.VALIDATION}
    with closing(Store(old)) as store:
        found = Counter[Purpose]()
        for spent in store.spent():
            found[spent.purpose] += spent.calls
    assert found == expected


def test_a_migration_that_breaks_off_leaves_the_older_file(old, monkeypatch):
    before = rows_of_schema_1(old)
    from evo.evaluation import database

    whole = list(database._statements((Path(database.__file__).parent / "schema-1-to-2.sql").read_text("utf-8")))
    monkeypatch.setattr(database, "_statements", lambda script: [*whole[:-2], "no SQL"])
    with pytest.raises(UserError, match="cannot be used"):
        Store(old)
    assert rows_of_schema_1(old) == before
    monkeypatch.undo()
    Store(old).close()
    assert rows_today(old) == before


def test_an_older_file_is_read_without_being_changed(old):
    content = old.read_bytes()
    before = rows_of_schema_1(old)
    assert rows_today(old) == before
    assert read_meta(old, "backend") == "simulated"
    assert old.read_bytes() == content


def test_a_database_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "run.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photos (name)")
        db.commit()
    content = path.read_bytes()
    with pytest.raises(UserError, match="something else"):
        Store(path)
    assert path.read_bytes() == content


async def test_a_cell_without_its_plan_and_a_call_without_its_model_are_refused(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    await put_calls(store, range(2))
    await store.put_cell(Cell("p", "x", Purpose.SEARCH, 0, True))
    for delete in ("DELETE FROM plans", "DELETE FROM models"):
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            store._db.execute(delete)
    store.close()


async def test_a_genome_is_added_to_a_plan_that_was_measured_before(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    await store.put_cell(Cell("p", "x", Purpose.SEARCH, 0, True))
    store.put_plan("p", "first")
    store.put_plan("p", "second")
    store.put_meta("flush", "now")
    assert store._row("SELECT * FROM plans") == ("p", "first")
    store.close()


# -- where it lies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
async def test_a_run_in_a_read_only_folder_can_be_read(tmp_path, killed):
    folder = tmp_path / "run"
    folder.mkdir()
    store = Store(folder / "run.sqlite")
    await put_calls(store, range(50))
    if killed:  # as SIGKILL leaves it: what was written last is in the log only
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        (copy / "run.sqlite-shm").unlink()
        folder = copy
        assert (folder / "run.sqlite-wal").stat().st_size > 0
    store.close()
    listing = sorted(folder.iterdir())
    with readonly_folder(folder):
        reader = Store(folder / "run.sqlite", readonly=True)
        assert [reader.call(f"k{i}") for i in range(50)] == [completion(i) for i in range(50)]
        with pytest.raises(UserError, match="cannot be written"):
            reader.put_meta("a", "b")
        reader.close()
        with pytest.raises(UserError, match=r"run\.sqlite: cannot be used"):
            Store(folder / "run.sqlite")
        assert sorted(folder.iterdir()) == listing


async def test_a_folder_that_vanishes_is_noticed_at_the_next_write(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    store = Store(folder / "run.sqlite")
    await put_calls(store, range(3))
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"run\.sqlite: cannot be written"):
        await put_calls(store, range(3, 6))
    store.close()
    moved = Store(tmp_path / "elsewhere" / "run.sqlite")
    assert [moved.call(f"k{i}") is not None for i in range(6)] == [True] * 3 + [False] * 3
    moved.close()


async def test_a_full_disk_ends_writing_and_what_was_written_stays(tmp_path):
    path = tmp_path / "run.sqlite"
    store = Store(path)
    await put_calls(store, range(20))
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(UserError, match=r"run\.sqlite: cannot be written \(database or disk is full\); free"):
        await put_calls(store, range(20, 200))
    with pytest.raises(UserError, match="disk is full"):
        store.check()
    with pytest.raises(UserError, match="disk is full"):
        await put_calls(store, range(200, 201))
    assert store.call("k7") == completion(7), "what is on record can still be read"
    store.close()
    again = Store(path)
    assert [again.call(f"k{i}") is not None for i in range(200)] == [True] * 20 + [False] * 180
    await put_calls(again, range(20, 200))
    again.close()


# -- damage ----------------------------------------------------------------------------------------------------------


def damage(path: Path, table: str) -> None:
    """Overwrite a page in the middle of the table's own pages."""
    with closing(sqlite3.connect(path)) as db:
        leaves = "SELECT pageno FROM dbstat WHERE name=? AND pagetype='leaf' ORDER BY pageno"
        try:
            pages = [row[0] for row in db.execute(leaves, (table,))]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite was built without dbstat, which tells where a table lies")
        size = db.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    start = (pages[len(pages) // 2] - 1) * size
    content[start : start + size] = b"\xff" * size
    path.write_bytes(content)


async def test_of_a_damaged_file_both_sides_of_the_damage_are_taken_over(tmp_path):
    path = tmp_path / "run.sqlite"
    store = Store(path)
    await put_calls(store, range(500))
    verdict = Verdict(Status.PASSED, units=1, passed_units=1)
    await asyncio.gather(*(store.put_execution(f"e{i}", "x", verdict) for i in range(20)))
    store.close()
    damage(path, "calls")
    content = path.read_bytes()
    with closing(open_readonly(path)) as db:
        rows = readable_rows(db, "calls")
        read = set()
        with pytest.raises(UserError, match="table calls is damaged"):
            for row in rows:
                read.add(row[1])
    assert {"k0", "k499"} < read
    assert 450 < len(read) < 500
    taken = take_evidence(path, tmp_path / "saved.sqlite", executions=True)
    assert (taken.calls, taken.executions, taken.whole) == (len(read), 20, False)
    saved = Store(tmp_path / "saved.sqlite")
    for i in range(500):
        assert saved.call(f"k{i}") == (completion(i) if f"k{i}" in read else None)
    assert saved.execution("e3") == verdict
    saved.close()
    assert path.read_bytes() == content


async def test_reading_a_damaged_page_is_one_line(tmp_path):
    path = tmp_path / "run.sqlite"
    store = Store(path)
    await put_calls(store, range(500))
    store.close()
    damage(path, "calls")
    store = Store(path)
    with pytest.raises(UserError, match=r"run\.sqlite: cannot be read \(.*\); see: python -m evo\.doctor"):
        for i in range(500):
            store.call(f"k{i}")
    store.close()


# -- calls of other runs ---------------------------------------------------------------------------------------------


async def test_a_shared_store_answers_and_learns(tmp_path):
    shared = tmp_path / "calls.sqlite"
    first = Store(tmp_path / "first.sqlite", calls_from=Store(shared))
    await put_calls(first, range(5))
    first.close()
    second = Store(tmp_path / "second.sqlite", calls_from=Store(shared))
    assert [second.call(f"k{i}") for i in range(5)] == [completion(i) for i in range(5)]
    await put_calls(second, range(5, 7))
    second.close()
    shared.rename(tmp_path / "gone.sqlite")
    alone = Store(tmp_path / "second.sqlite")
    assert [alone.call(f"k{i}") for i in range(7)] == [completion(i) for i in range(7)], "a run is whole without it"
    alone.close()


async def test_an_earlier_run_gives_its_calls_and_stays_as_it_was(tmp_path):
    early = Store(tmp_path / "early.sqlite")
    await put_calls(early, range(5))
    early.close()
    content = (tmp_path / "early.sqlite").read_bytes()
    later = Store(tmp_path / "later.sqlite", calls_from=Store(tmp_path / "early.sqlite", readonly=True))
    assert later.call("k3") == completion(3)
    await put_calls(later, range(5, 7))
    later.close()
    assert (tmp_path / "early.sqlite").read_bytes() == content


async def test_two_runs_may_write_into_one_shared_store_at_once(tmp_path):
    shared = tmp_path / "calls.sqlite"
    runs = [Store(tmp_path / f"{k}.sqlite", calls_from=Store(shared)) for k in range(2)]
    await asyncio.gather(*(put_calls(run, range(100 * k, 100 * k + 150)) for k, run in enumerate(runs)))
    for run in runs:
        run.close()
    with closing(open_readonly(shared)) as db:
        assert db.execute("SELECT COUNT(*) FROM calls").fetchone() == (250,)
