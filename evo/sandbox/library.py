"""What of this machine the sandboxed interpreter needs to read, and nothing else of it."""

import contextlib
import importlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["PACKAGE_FOLDERS", "Interpreter", "interpreter"]

# Third-party packages stay out: one of them may hold a benchmark with its answers.
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
_EXTENSIONS = ("_bz2", "_ctypes", "_decimal", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_uuid", "zlib")
_MAPPED_LIBRARY = re.compile(r"\s(/\S+\.so[^\s/]*)$")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """executable: the real file behind any virtual environment. library: the standard library's folder.

    path: the module search path inside. shared_objects: what the dynamic loader needs beyond ``library``.
    """

    executable: Path
    library: Path
    path: tuple[str, ...]
    shared_objects: tuple[Path, ...]

    def readable(self) -> tuple[Path, ...]:
        """Files and folders that may be read: the library without third-party packages, shared objects, two devices."""
        entries = (entry for entry in sorted(self.library.iterdir()) if entry.name not in PACKAGE_FOLDERS)
        devices = (Path("/dev/null"), Path("/dev/urandom"))
        return (*entries, *_beside(self.path, self.library), *self.shared_objects, *_loader_files(), *devices)


def _beside(path: tuple[str, ...], library: Path) -> Iterator[Path]:
    for entry in map(Path, path):
        if not entry.is_relative_to(library) and entry.exists():
            yield entry


def _loader_files() -> Iterator[Path]:
    for name in ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo"):
        if Path(name).exists():
            yield Path(name)


@lru_cache(maxsize=1)
def interpreter() -> Interpreter:
    """The interpreter of this process, as found once."""
    library = Path(sysconfig.get_path("stdlib")).resolve()
    binary = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    path = (str(library), str(library / "lib-dynload"))
    for name in _EXTENSIONS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    mapped = Path("/proc/self/maps")
    lines = mapped.read_text().splitlines() if mapped.exists() else []
    found = {Path(match[1]) for line in lines if (match := _MAPPED_LIBRARY.search(line))}
    outside = {
        file for file in found if not file.is_relative_to(library) and not set(file.parts) & set(PACKAGE_FOLDERS)
    }
    return Interpreter(binary, library, path, tuple(sorted(outside)))
