"""The isolation tiers: what each promises, how its zygote is started, and which this machine can enter."""

import contextlib
import os
import platform
import resource
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evo.sandbox.bubblewrap import PROGRAM, bubblewrap
from evo.sandbox.inside.confine import landlock_abi
from evo.sandbox.inside.zygote import LIBRARY, MOST
from evo.sandbox.library import interpreter
from evo.sandbox.seatbelt import profile
from evo.sandbox.syscalls import ARCHITECTURES, child_program, zygote_program
from evo.sandbox.verdict import Limits

__all__ = ["BUBBLEWRAP", "LANDLOCK", "SEATBELT", "TIERS", "UNSAFE", "Launch", "launch", "missing"]

BUBBLEWRAP: Final = "bubblewrap"
LANDLOCK: Final = "landlock"
SEATBELT: Final = "seatbelt"
UNSAFE: Final = "unsafe"

TIERS: Final[dict[str, str]] = {
    BUBBLEWRAP: (
        "namespaces of its own (no network, no processes, no files but the interpreter's, read-only); scratch in a "
        "capped memory file system; resource limits; no new privileges; a list of allowed system calls; Landlock where "
        "the kernel has it"
    ),
    LANDLOCK: (
        "the interpreter readable and one scratch folder writable (Landlock); no network, processes, signals or "
        "tracing (a list of allowed system calls); resource limits; no new privileges; an unprivileged user where "
        "started as root"
    ),
    SEATBELT: "sandbox-exec: no network, no files but the interpreter and scratch, no processes; memory by polling",
    UNSAFE: "no isolation: a process with resource limits, which reads, writes and sends whatever this user can",
}
_INSIDE: Final = Path(__file__).parent / "inside"
# systemd's range for users that exist for one service only: no file belongs to them, no person has them.
_FIRST_USER, _USERS = 61184, 4336
_THREADS: Final = 64
_ROOM_FOR_OTHERS: Final = 512
# Loaded before the first fork, because candidates import them: a child shares them with its siblings for nothing.
_WARM: Final = (
    "bisect, cmath, collections.abc, copy, datetime, decimal, fractions, functools, heapq, itertools, "
    "math, operator, random, re, statistics, string, typing"
)
_START: Final = (
    # random reseeds itself in every fork, at a tenth of a run's price; a run shall find it seeded the same instead.
    "import os, sys; hook = os.register_at_fork; os.register_at_fork = lambda **_: None; import random; "
    "os.register_at_fork = hook; del hook; "
    # Room filled up in between: what a child uses of the zygote's own modules lies together then.
    "sys.path.insert(0, {root!r}); from inside import compact; import {warm}; compact.fill(); "
    "from inside.zygote import main; sys.path[:] = {path!r}; "
    "[sys.modules.pop(name) for name in list(sys.modules) if name.partition('.')[0] == 'inside']; main({options!r})"
)


@dataclass(frozen=True, slots=True)
class Launch:
    """How a zygote is started. command: all but its last argument, the number of its control descriptor.

    user: the unprivileged user that it becomes when started as root; None if it stays the user that started it.
    places: folders of this machine that a program inside may come to name, and what to call them.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    user: int | None
    places: dict[str, str]


def missing(tier: str) -> str:
    """Why this machine has no chance to enter ``tier``, and what to do; "" if it is worth trying."""
    if tier == UNSAFE:
        return ""
    if tier == SEATBELT:
        return "" if sys.platform == "darwin" and shutil.which("sandbox-exec") else "macOS only"
    if sys.platform != "linux":
        return "Linux only"
    if platform.machine() not in ARCHITECTURES:
        return f"no list of system calls for {platform.machine()}"
    if tier == BUBBLEWRAP:
        return "" if shutil.which(PROGRAM) else "bubblewrap is not installed (apt-get install bubblewrap)"
    return "" if landlock_abi() else "the kernel has no Landlock (Linux 5.13 or later, enabled at boot)"


def launch(tier: str, limits: Limits, scratch: Path) -> Launch:
    """The start of a zygote under ``tier``. ``scratch``: an empty folder of its own, unused under bubblewrap."""
    python = interpreter()
    confined = tier in (BUBBLEWRAP, LANDLOCK)
    user = _FIRST_USER + os.getpid() % _USERS if os.getuid() == 0 and confined else None
    inside = tier == BUBBLEWRAP
    options: dict[str, Any] = {
        "scratch": "/scratch" if inside else str(scratch),
        "scratch_bytes": limits.scratch_bytes,
        "message_bytes": limits.message_bytes,
        "memory_bytes": limits.memory_bytes,
        "user": user,
        "library": str(python.library),
        "limits": _limits(limits),
        "child_limits": _child_limits(limits, tier, user),
        "zygote_program": zygote_program().hex() if confined else "",
        "child_program": child_program().hex() if confined else "",
        "landlock": confined and landlock_abi() > 0,
        "readable": [str(path) for path in python.readable()],
    }
    root = "/evo" if inside else str(_INSIDE.parent)
    start = _START.format(warm=_WARM, root=root, path=list(python.path), options=options)
    # Not -I: it would ignore the hash seed. The environment holds nothing else, so there is nothing else to ignore.
    command = [str(python.executable), "-s", "-S", "-B", "-P", "-X", "utf8", "-c", start]
    environment = {"PYTHONHASHSEED": "0", "PYTHONHOME": str(_home(python.library))}
    environment["MALLOC_ARENA_MAX"] = "1"  # one for each thread would take the address space of eight
    environment["LD_BIND_NOW"] = "1"  # functions are looked up here, once, and not by each child at its first call
    if inside:
        scratch_inside = (Path(options["scratch"]), limits.scratch_bytes)
        ours = (_INSIDE, Path(root) / _INSIDE.name)
        command = [*bubblewrap(python, ours, scratch_inside, environment, as_root=user is not None), *command]
    elif tier == SEATBELT:
        rules = profile(python.executable, (*python.readable(), _INSIDE), scratch)
        command = ["sandbox-exec", "-p", rules, *command]
    names = {str(python.library): "/python", f"/proc/self/fd/{LIBRARY}": "/python"}
    return Launch(tuple(command), environment, user, names)


def _home(library: Path) -> Path:
    """The prefix above <prefix>/lib/pythonX.Y."""
    return library.parent.parent


def _limits(limits: Limits) -> dict[int, tuple[int, int]]:
    """What the zygote can live with as well: set once and inherited."""
    values = {
        resource.RLIMIT_FSIZE: (limits.file_bytes,) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    if sys.platform != "darwin":  # which takes this limit and ignores it
        values[resource.RLIMIT_AS] = (limits.memory_bytes,) * 2
    return values


def _child_limits(limits: Limits, tier: str, user: int | None) -> dict[int, tuple[int, int]]:
    """What each child gets of its own."""
    values = {
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
        resource.RLIMIT_NOFILE: (limits.descriptors,) * 2,  # the zygote holds those of several children
    }
    if tier == SEATBELT:  # counts processes, not threads
        values[resource.RLIMIT_NPROC] = (0, 0)
    elif user is not None:
        values[resource.RLIMIT_NPROC] = (_THREADS + 1 + MOST,) * 2  # the zygote and its children count too
    elif tier in (BUBBLEWRAP, LANDLOCK):  # the user's other processes may count too, and may become more
        allowed = _threads_of(os.getuid()) + _ROOM_FOR_OTHERS
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        values[resource.RLIMIT_NPROC] = (allowed if hard == resource.RLIM_INFINITY else min(allowed, hard),) * 2
    return values


def _threads_of(user: int) -> int:
    """How many threads all processes of ``user`` have now."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # ended since
                if entry.stat().st_uid == user:
                    count += sum(1 for _ in (entry / "task").iterdir())
    return count
