"""What evo.doctor looks at: this machine, and a run. Each check says what is so, and what helps if it is bad."""

import asyncio
import importlib.metadata
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from evo.errors import EvoError, UserError
from evo.evaluation import open_readonly, readable_rows
from evo.models import OllamaBackend, engine_version, known_weights, locate
from evo.run.folder import RunFolder
from evo.run.identity import recorded_text
from evo.run.report.record import read_record
from evo.run.settings import parse_settings
from evo.sandbox import probe

__all__ = ["Check", "check_machine", "check_run"]

_PYTHON = (3, 11)
_PACKAGES = ("neat-python", "ollama", "numpy", "scipy", "matplotlib", "networkx", "typer", "rich", "jinja2")
_DISK_BYTES = 2_000_000_000
_TABLES = ("calls", "executions", "cells", "plans", "generations")
_FOREIGN = "PRAGMA foreign_key_check"


@dataclass(frozen=True, slots=True)
class Check:
    """fix: what to do, "" if nothing needs to be done. A check that is not ``good`` keeps evo from working."""

    name: str
    good: bool
    found: str
    fix: str = ""


def check_machine() -> tuple[Check, ...]:
    """Python, packages, sandbox, model backends, disk."""
    return (_python(), _packages(), _sandbox(), *_backends(), _disk())


def check_run(run: str) -> tuple[Check, ...]:
    """A run's settings and database, without changing either. Raises UserError if there is no such run."""
    folder = RunFolder.existing(run)
    return (_settings(folder), *_database(folder))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= _PYTHON
    return Check("python", good, version, "" if good else "install Python 3.11 or newer")


def _packages() -> Check:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    fix = f"pip install {' '.join(missing)}" if missing else ""
    return Check("packages", not missing, ", ".join(found), fix)


def _sandbox() -> Check:
    tiers = probe()
    best = next((tier for tier in tiers if tier.available), None)
    if best is None:
        reasons = "; ".join(f"{tier.name}: {tier.reason}" for tier in tiers)
        return Check("sandbox", False, reasons, "install bubblewrap (apt install bubblewrap)")
    better = tiers[0] if tiers[0] is not best else None
    fix = f"{better.name} would be stronger: {better.reason}" if better else ""
    return Check("sandbox", True, f"{best.name}: {best.promises}. Not isolated: {_not_isolated(best.name)}", fix)


def _not_isolated(tier: str) -> str:
    """As docs/sandbox.md says under "Not promised"."""
    more = {"landlock": ", names of installed packages", "unsafe": ", files, network, processes"}.get(tier, "")
    return f"the kernel (against its faults, use a virtual machine), timing and caches{more}"


def _backends() -> tuple[Check, Check]:
    """Either will do: the embedded engine is bad only where Ollama is too."""
    try:
        models = asyncio.run(_served())
        fix = "" if models else "ollama pull qwen2.5-coder:1.5b"
        ollama = Check("ollama", bool(models), ", ".join(models) or "answers, without a model", fix)
    except EvoError as error:
        ollama = Check("ollama", False, str(error), "needed only for --backend ollama")
    try:
        here = [weights.name for weights in known_weights() if locate(weights)]
        weights_here = ", ".join(here) or "none, the first search fetches them"
        embedded = Check("embedded", True, f"{engine_version()}; weights here: {weights_here}")
    except EvoError as error:
        embedded = Check("embedded", False, str(error), "pip install 'evo[embedded]'")
    either = ollama.good or embedded.good
    return replace(ollama, good=either), replace(embedded, good=either)


async def _served() -> list[str]:
    backend = OllamaBackend()
    try:
        return sorted(await backend.models())
    finally:
        await backend.aclose()


def _disk() -> Check:
    free = shutil.disk_usage(".").free
    good = free >= _DISK_BYTES
    return Check("disk", good, f"{free / 1e9:.1f} GB free here", "" if good else "a search and its weights need 2 GB")


def _settings(folder: RunFolder) -> Check:
    try:
        text = recorded_text(folder)
        parse_settings(text or "", str(folder.config))
    except (EvoError, OSError) as error:
        return Check("settings", False, str(error), "the database beside it stays readable")
    return Check(
        "settings", True, f"{folder.config}{'' if folder.config.exists() else ' is gone; the database has it'}"
    )


def _database(folder: RunFolder) -> Iterator[Check]:
    try:
        with closing(open_readonly(folder.database)) as db:
            faults = _faults(db)
            if faults:
                yield Check("database", False, "; ".join(faults[:3]), _salvage(folder))
                yield Check("record", True, f"{', '.join(_readable(db))} can still be read")
                return
            yield Check("database", True, "whole")
            counts = [f"{db.execute(f'SELECT COUNT(*) FROM {name}').fetchone()[0]} {name}" for name in _TABLES]
            yield Check("record", True, ", ".join(counts))
            yield from _content(folder)
            missing = db.execute("SELECT COUNT(*) FROM cells WHERE solved IS NULL").fetchone()[0]
            fix = f"measured again by: python -m evo.search --run {folder.path}" if missing else ""
            yield Check("missing cells", True, f"{missing}", fix)
    except (UserError, sqlite3.Error) as error:
        fix = _salvage(folder) if folder.database.exists() else "the run has not begun"
        yield Check("database", False, str(error), fix)


def _content(folder: RunFolder) -> Iterator[Check]:
    """What a report would take from it. A run that has only begun has none yet."""
    try:
        if recorded_text(folder) is not None:
            read_record(folder)
    except UserError as error:
        yield Check("content", False, str(error))  # which says what to do
    else:
        yield Check("content", True, "all of it can be read")


def _faults(db: sqlite3.Connection) -> list[str]:
    try:
        faults = [row[0] for row in db.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
        return faults or [f"{row[0]} refers to {row[2]} that are not there" for row in db.execute(_FOREIGN)]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def _readable(db: sqlite3.Connection) -> Iterator[str]:
    for table in _TABLES:
        found = 0
        with suppress(UserError):
            for _ in readable_rows(db, table):
                found += 1
        yield f"{found} {table}"


def _salvage(folder: RunFolder) -> str:
    return (
        f"a new run from all that can be read: python -m evo.search --run {folder.path} --fork NAME; "
        f"or by hand: sqlite3 {folder.database} .recover | sqlite3 saved.sqlite"
    )
