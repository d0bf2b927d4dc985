"""One file from the network: resumed where it broke off, verified by its SHA-256, placed whole or not at all, once."""

import contextlib
import fcntl
import gzip
import hashlib
import os
import shutil
import zlib
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


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str,
    size: int | None = None,
    progress: Progress | None = None,
    gzipped: bool = False,
) -> Path:
    """Download ``url`` to ``target`` unless it is there, and return ``target``.

    A ``.part`` file beside it keeps what has arrived, and the next call goes on from there. sha256: of the file, as
    hex. size: bytes to come, if known. gzipped: what comes is compressed, and ``sha256`` is of what it holds. Raises
    UserError if the server does not give the file, or gives another one.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target):
            if not target.exists():
                _verified(url, part, sha256, size, progress, gzipped).replace(target)
                part.unlink(missing_ok=True)
    except httpx.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{url}: download failed ({reason}); try again, it goes on from there") from error
    except OSError as error:
        raise UserError(f"{part}: cannot be written ({error.strerror}); free the disk or set EVO_CACHE") from error
    return target


def _verified(url: str, part: Path, sha256: str, size: int | None, progress: Progress | None, gzipped: bool) -> Path:
    """The file with the right checksum: ``part``, or what was unpacked from it."""
    resumed = part.exists()
    _receive(url, part, size, progress)
    file = _unpacked(part) if gzipped else part
    found = sha256_of(file)
    if found == sha256:
        return file
    for wrong in {file, part}:
        wrong.unlink()
    if resumed:  # what had arrived earlier may be of another version of the file
        return _verified(url, part, sha256, size, progress, gzipped)
    raise UserError(f"{url}: is not the file that was expected (SHA-256 {found}, not {sha256}); give a path instead")


def _unpacked(part: Path) -> Path:
    """What a gzip file holds, as far as it can be read: the checksum tells whether that is all."""
    file = part.with_suffix(".unpacked")
    with gzip.open(part) as packed, file.open("wb") as out, contextlib.suppress(gzip.BadGzipFile, EOFError, zlib.error):
        shutil.copyfileobj(packed, out)
    return file


def _receive(url: str, part: Path, size: int | None, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have == size:
        return
    # A server that compressed on its own account would count its ranges in other bytes than ours.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
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
