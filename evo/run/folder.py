"""A run's folder: where its files are, and who holds it."""

import contextlib
import errno
import fcntl
import os
import socket
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from evo.errors import UserError
from evo.evaluation import open_readonly

__all__ = ["RunFolder", "write_text"]

# What a disk says that is full, over its quota, read-only or broken.
_MOST_BYTES = 200  # of a name: what is written beside it has longer ones
_SHOWN = 40
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing, wherever the power fails."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _gone(error: OSError, folder: Path) -> bool:
    return error.errno == errno.ENOENT and str(error.filename).startswith(str(folder))


@dataclass
class RunFolder:
    """runs/<name>/, held by one process at a time while it is entered."""

    path: Path

    def __post_init__(self) -> None:
        self.inherited = 0
        """Calls that a fork has begun with: paid for, but not here."""
        self._lock: int | None = None
        self._made: list[Path] | None = None

    @classmethod
    def named(cls, run: str) -> "RunFolder":
        """``run`` is a name under runs/ or, if it has a slash, a path. Raises UserError for what can be neither."""
        if not run.isprintable() or any(len(os.fsencode(part)) > _MOST_BYTES for part in Path(run).parts):
            shown = run if len(run) <= _SHOWN else f"{run[:_SHOWN]}..."
            raise UserError(f"--run {shown!r}: must be printable characters, at most {_MOST_BYTES} bytes in each part")
        return cls(Path(run) if "/" in run else Path("runs") / run)

    @classmethod
    def existing(cls, run: str) -> "RunFolder":
        """The same for a run that has begun; a name that is not under runs/ may also be a folder here. Raises UserError
        if there is none.
        """
        named = cls.named(run)
        for folder in (named, cls(Path(run))):
            if folder.begun:
                return folder
        raise UserError(f"{named.path}: no run is there (it has no {named.config.name}); name one under runs/")

    @property
    def begun(self) -> bool:
        """Whether a run is in it."""
        return self.config.is_file() or self.database.is_file()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @property
    def config(self) -> Path:
        """The settings as run."""
        return self.path / "config.ini"

    @property
    def database(self) -> Path:
        """The record of everything paid for."""
        return self.path / "run.sqlite"

    @property
    def champion(self) -> Path:
        """The champion as a genome file."""
        return self.path / "champion.json"

    @property
    def topology(self) -> Path:
        """The champion drawn."""
        return self.path / "topology.png"

    @property
    def fitness(self) -> Path:
        """Fitness by generation, drawn; its numbers are beside it as CSV."""
        return self.path / "fitness.png"

    @property
    def summary(self) -> Path:
        """What to read."""
        return self.path / "summary.md"

    @property
    def report(self) -> Path:
        """What to show."""
        return self.path / "report.html"

    @property
    def _outputs(self) -> tuple[Path, ...]:
        """What a run writes at its end, over what it wrote before."""
        return (self.champion, self.topology, self.fitness, self.summary, self.report)

    def __enter__(self) -> "RunFolder":
        new = not (self.config.exists() or self.database.exists())
        self._made = [path for path in (self.path, *self.path.parents) if not path.exists()] if new else None
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if new and (there := [path for path in self._outputs if path.exists()]):
                raise UserError(f"{self.path}: has no run in it but a {there[0].name}; name another --run")
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be used as a run's folder ({error.strerror}); copy it, or name another --run"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 200, 0).decode(errors="replace").strip()
            os.close(lock)
            raise UserError(
                f"{self.path}: {holder or 'another process'} is working on this run; wait for it or name another --run"
            ) from None
        if not os.fstat(lock).st_nlink:  # whoever held it was refused, and took the folder away in this moment
            os.close(lock)
            return self.__enter__()
        holder = f"process {os.getpid()} on {socket.gethostname()} (since {time.strftime('%Y-%m-%d %H:%M:%S')})"
        os.ftruncate(lock, 0)
        os.pwrite(lock, holder.encode(), 0)
        self._lock = lock
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._lock is not None:
            if isinstance(value, UserError) and self._made is not None and not self._paid_for():
                self._leave_nothing(self._made)
            with contextlib.suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None
        if isinstance(value, OSError) and (value.errno in _DISK or _gone(value, self.path)):
            where = value.filename or self.path
            raise UserError(
                f"{where}: cannot be written ({value.strerror}); mend that, then run the same command again"
            )

    def _paid_for(self) -> bool:
        """Whether there is anything that a refusal must not take away; what cannot be read stays."""
        if not self.database.exists():
            return False
        try:
            with contextlib.closing(open_readonly(self.database)) as db:
                return bool(db.execute("SELECT COUNT(*) FROM calls").fetchone()[0] > self.inherited)
        except (UserError, sqlite3.Error):
            return True

    def _leave_nothing(self, made: list[Path]) -> None:
        """A run that was refused before its first call leaves no folder behind that would look like one."""
        databases = (f"{name}{suffix}" for name in ("run.sqlite", "forking.sqlite") for suffix in ("", "-wal", "-shm"))
        with contextlib.suppress(OSError):
            for name in ("config.ini", *databases, "lock"):
                (self.path / name).unlink(missing_ok=True)
            for path in made:
                path.rmdir()
