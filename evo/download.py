"""One file from the network: resumed where it broke off, verified by its SHA-256, placed whole or not at all, once."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import platformdirs

from evo.errors import UserError

__all__ = ["Progress", "cache_folder", "exclusive", "fetch", "sha256_of"]

Progress = Callable[[int, int | None], None]
"""Called with (bytes so far, bytes in all or None)."""

_CHUNK = 1 << 20
_TIMEOUT = httpx.Timeout(30, connect=10)


def cache_folder(name: str) -> Path:
    """The folder ``name`` in evo's cache ($EVO_CACHE, else the operating system's place), made if need be."""
    root = os.environ.get("EVO_CACHE") or platformdirs.user_cache_dir("evo")
    folder = Path(root) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be used as a cache ({error.strerror}); set EVO_CACHE to a folder") from error
    return folder


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file, as hex."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold a lock beside ``target``, so that two processes never fetch the same file at once. Waits for its turn."""
    lock = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def fetch(url: str, target: Path, *, sha256: str, size: int | None = None, progress: Progress | None = None) -> Path:
    """Download ``url`` to ``target`` unless it is there, and return ``target``.

    A ``.part`` file beside it keeps what has arrived, and the next call goes on from there. Raises UserError if the
    server does not give the file or gives another one than ``sha256`` (hex) says.
    """
    with exclusive(target):
        if target.exists():
            return target
        part = target.with_name(f"{target.name}.part")
        try:
            _receive(url, part, size, progress)
        except httpx.HTTPError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{url}: download failed ({reason}); try again, it goes on from there") from error
        except OSError as error:
            raise UserError(f"{part}: cannot be written ({error.strerror}); free the disk or set EVO_CACHE") from error
        found = sha256_of(part)
        if found != sha256:
            part.unlink()
            raise UserError(
                f"{url}: is not the file that was expected (SHA-256 {found}, not {sha256}); give a path instead"
            )
        part.replace(target)
    return target


def _receive(url: str, part: Path, size: int | None, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have == size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to send: the checksum decides
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = size or (done + int(length) if length else None)
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
