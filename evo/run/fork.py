"""A new run from what another one has paid for: under other settings, other code, or because the old one is damaged."""

from collections.abc import Mapping

from evo.errors import UserError
from evo.evaluation import Evidence, Store, read_meta, take_evidence
from evo.run.folder import RunFolder
from evo.run.identity import differences
from evo.run.settings import changed_text, read_preset

__all__ = ["fork_into", "forked_text"]

# What a verdict depends on besides the program, its tests and the sandbox's tier.
_VERDICT_KEYS = frozenset({"sandbox.wall_seconds", "sandbox.memory_mb", "sandbox.unsafe"})
_POOL_KEYS = frozenset({"models.backend", "models.models"})


def forked_text(source: RunFolder, config: str | None, changes: Mapping[str, str]) -> str:
    """The INI text of a fork: the source's, or the preset ``config``, with changes. Raises UserError."""
    return read_preset(config, changes) if config else changed_text(_text(source), str(source.config), changes)


def fork_into(source: RunFolder, folder: RunFolder, text: str) -> Evidence:
    """Begin the run ``folder``, which is held, with the source's calls, and with its executions where they hold.

    Cells are not taken: they follow from calls and executions without a new one, and only where they are valid. The
    database gets its name once it is whole, so a fork that is cut off is begun again. Raises UserError for a folder
    that has a run already, and for a source of which nothing can be read.
    """
    if folder.config.exists() or folder.database.exists():
        raise UserError(f"{folder.path}: is a run already; continue it with --run, or give the fork another name")
    changed = {key for key, _, _ in differences(_text(source), text)}
    partial = folder.path / "forking.sqlite"
    for suffix in ("", "-wal", "-shm"):
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
    evidence = take_evidence(source.database, partial, executions=not changed & _VERDICT_KEYS)
    store = Store(partial)
    try:
        if not changed & _POOL_KEYS:  # the same pool, whatever a server offers by now
            for key in ("backend", "pool"):
                if (value := _meta(source, key)) is not None:
                    store.put_meta(key, value)
        store.put_meta("config", text)
    finally:
        store.close()
    partial.replace(folder.database)
    folder.inherited = evidence.calls
    return evidence


def _text(source: RunFolder) -> str:
    """A fork may differ, so config.ini counts as it is; the database's copy where it is gone."""
    if source.config.exists():
        return source.config.read_text("utf-8")
    if (text := read_meta(source.database, "config")) is None:
        raise UserError(f"{source.config}: is not there, and the database has no copy of it; restore it")
    return text


def _meta(source: RunFolder, key: str) -> str | None:
    try:
        return read_meta(source.database, key)
    except UserError:  # damaged: what could be read is taken already
        return None
