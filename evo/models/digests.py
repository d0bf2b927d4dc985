"""SHA-256 of big files, computed once: remembered in the cache folder until a file's size or time of change differs."""

import hashlib
import json
import os
from pathlib import Path

from evo.download import Progress, cache_folder, sha256_of

__all__ = ["file_digest", "remember_digest"]


def file_digest(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 (hex) of a file. Reads it only if it was not read before or has changed since. Raises OSError."""
    path = path.resolve()
    stat = path.stat()
    try:
        record = json.loads(_record(path).read_text("utf-8"))
        if [record["bytes"], record["mtime_ns"]] == [stat.st_size, stat.st_mtime_ns]:
            return str(record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no record, or not one of ours: the file itself is there to be read
    digest = sha256_of(path, progress)
    remember_digest(path, digest)
    return digest


def remember_digest(path: Path, sha256: str) -> None:
    """Record the digest of a file as it is now."""
    path = path.resolve()
    stat = path.stat()
    record = _record(path)
    temporary = record.with_suffix(f".{os.getpid()}.tmp")
    value = {"path": str(path), "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
    temporary.write_text(json.dumps(value), "utf-8")
    temporary.replace(record)


def _record(path: Path) -> Path:
    return cache_folder("digests") / f"{hashlib.sha256(str(path).encode()).hexdigest()[:32]}.json"
