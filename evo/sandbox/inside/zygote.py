"""A warm interpreter that only forks: one child per run, killed and reaped, its scratch folder wiped.

It holds no test and no expected value. The children of the next runs are forked and confined while another is running.
Control messages go to and come from the trusted side alone (evo.sandbox.zygote): out, a byte with the descriptors that
lead to children; in, a byte when a run takes long and one when it is to end; out, a byte and what it used.
"""

import _socket as socket  # without its enumerations, and the modules for them, in every child
import contextlib
import gc
import os
import random
import signal
import struct
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from . import child, compact, confine
from .memory import resident_bytes

__all__ = ["AHEAD", "CHANNEL", "CHILDREN", "END", "ENDED", "ENOUGH", "LIBRARY", "MOST", "WATCH", "main"]

_REPORT: Final = struct.Struct("<idQB")  # wait status, CPU seconds, peak bytes, flags
CHANNEL, LIBRARY = 3, 4  # descriptors that a child keeps, beside input, output and errors
AHEAD = 12  # children forked at once
FEW, ENOUGH = 2, 8  # when fewer than that are there: at once, and in a pause between runs
MOST = ENOUGH - 1 + AHEAD
WATCH, END = b"w", b"e"
CHILDREN, ENDED = b"c", b"r"
_DIRTY, _FULL = 1, 2  # scratch could not be wiped; it was used beyond its size
_POLL_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 0.01
_TELL_WHO: Final = getattr(socket, "SO_PASSCRED", 0)  # with what a child sends, its number
_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_REHEARSALS: Final = 30
_OWN_CONTROL, _OWN_NULL, _OWN_LIBRARY = 10, 11, 12  # descriptors of this process, which no child keeps as they are
_MAX_ENTRIES: Final = 4096
_DISK_FLOOR: Final = 2 << 30


class Zygote:
    """options: see evo.sandbox.tiers, which makes them. Confines itself; its children confine themselves further."""

    def __init__(self, options: dict[str, Any], control: socket.socket) -> None:
        self.control = control
        self.waiting: deque[int] = deque()
        self.scratch_bytes: int = options["scratch_bytes"]
        self.message_bytes: int = options["message_bytes"]
        self.memory_bytes: int = options["memory_bytes"]
        os.chdir(options["scratch"])  # and from now on ".": another user may not reach it by its path
        os.umask(0o077)
        library: str = options["library"]
        user: int | None = options["user"]
        self.own = _hold(library if user is not None else None)
        ruleset = confine.ruleset(options["readable"], [library], ".") if options["landlock"] else None
        if user is not None:
            confine.drop_user(user)
            if not os.access(f"{library}/os.py", os.R_OK):
                _move_library(library, f"/proc/self/fd/{LIBRARY}")
        self.scratch = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        self.free = self._free_bytes()
        confine.limit(options["limits"])
        confine.give_up(ruleset, bytes.fromhex(options["zygote_program"]))
        confinement = confine.Confinement(options["child_limits"], bytes.fromhex(options["child_program"]))
        self.enter_confinement = confinement.enter
        self.channel = child.Channel(CHANNEL, self.message_bytes)

    def serve(self) -> None:
        """Fork, watch and reap until the trusted side closes the control socket."""
        self._fork_ahead()
        flags = 0
        while message := self._next():
            if message == WATCH:  # once or, if it took the trusted side long to say so, more than once
                flags |= self._watch(self.waiting[0])
                continue
            self.control.sendall(ENDED + self._reap(self.waiting.popleft(), flags))
            flags = 0
            if len(self.waiting) < FEW:
                self._fork_ahead()

    def _next(self) -> bytes:
        """The next message, b"" at the end. While runs follow each other they have the processors, and what is ready is
        used up; the children of later ones are made in the next pause.
        """
        while len(self.waiting) < ENOUGH and not self._hears_within(_PAUSE_SECONDS):
            self._fork_ahead()
        return self.control.recv(1)

    def _hears_within(self, seconds: float) -> bool:
        """Whether there is a next message, or the end, so soon. It is left where it is."""
        self.control.settimeout(seconds)
        try:
            self.control.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        finally:
            self.control.settimeout(None)
        return True

    def _fork_ahead(self) -> None:
        """Fork the children of the next runs, which get ready while others run, and send out the connections to them.

        Several at once, and before the fork all that can be done for a child, because after a fork this process and the
        new one pay for each page of memory that they write to.
        """
        prepared = [self._open() for _ in range(AHEAD)]
        for _, kept in prepared:
            _place(kept)
            pid = os.fork()
            if pid == 0:
                _become_child(self.enter_confinement, self.channel, len(self.own))
            self.waiting.append(pid)
        for number in range(-AHEAD, 0):
            _lead(self.waiting[number])
        _place(self.own)
        connections = struct.pack(f"{AHEAD}i", *(ours for ours, _ in prepared))
        self.control.sendmsg([CHILDREN], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, connections)])
        for ours, kept in prepared:
            for number in {ours, *kept}:
                os.close(number)

    def _open(self) -> tuple[int, tuple[int, ...]]:
        """The trusted side's end of a connection, and what a child keeps: the null device as input, output and errors,
        the other end, and the library where it has to be kept.

        Opened for one child each: flags, position and locks of an open file that runs share would pass between them.
        """
        ours, theirs = socket.socketpair()
        if _TELL_WHO:
            ours.setsockopt(socket.SOL_SOCKET, _TELL_WHO, 1)
        null = os.open(os.devnull, os.O_RDWR)
        library = [os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=LIBRARY)] if len(self.own) > LIBRARY else []
        return ours.detach(), (null, null, null, theirs.detach(), *library)

    def _watch(self, pid: int) -> int:
        """Return when the run is to end, or has been ended because it uses too much; the flag that says why.

        Only runs that take long are watched.
        """
        flags = 0
        while not self._hears_within(_POLL_SECONDS):
            if self._scratch_is_full() or self._free_bytes() < min(_DISK_FLOOR, self.free - self.scratch_bytes):
                flags = _FULL
            if flags or resident_bytes(pid) > self.memory_bytes:
                _kill(pid)
                break
        return flags

    def _free_bytes(self) -> int:
        """Of the disk: files that were deleted and are still mapped are on it and not in the folder."""
        disk = os.fstatvfs(self.scratch)
        return disk.f_bavail * disk.f_frsize

    def _scratch_is_full(self) -> bool:
        used = 0
        try:
            with os.scandir(self.scratch) as listing:
                for number, entry in enumerate(listing):
                    with contextlib.suppress(FileNotFoundError):  # gone since; the others still count
                        used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if number > _MAX_ENTRIES or used > self.scratch_bytes:
                        return True
        except OSError:  # the candidate locked its own folder
            return True
        return False

    def _reap(self, pid: int, flags: int) -> bytes:
        """Kill the child; wipe; report."""
        _kill(pid)
        _, status, usage = os.wait4(pid, 0)
        flags |= 0 if self._wipe() else _DIRTY
        if os.waitpid(-1, os.WNOHANG)[0] not in (0, *self.waiting):
            flags |= _DIRTY  # an orphan, in spite of everything: this namespace ends with it
        return _REPORT.pack(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT, flags)

    def _wipe(self) -> bool:
        """Empty the scratch folder, which is flat (no folder can be made in it); False if something stays."""
        try:
            for name in os.listdir(self.scratch):  # noqa: PTH208 - every run pays for this
                os.unlink(name, dir_fd=self.scratch)
            self.free = self._free_bytes()
        except OSError:
            return False
        return True


def _become_child(confine: Callable[[], None], channel: child.Channel, kept: int) -> NoReturn:
    try:
        try:
            confine()
            os.closerange(kept, 256)
            child.stretch()
        except BaseException as error:
            channel.send(b"F", repr(error).encode())
            raise
        child.serve(channel)
    finally:
        os._exit(1)


def _lead(pid: int) -> None:
    """Make a child the leader of a group, which whatever it starts belongs to."""
    with contextlib.suppress(OSError):  # it has ended
        os.setpgid(pid, pid)


def _kill(pid: int) -> None:
    """End a child, which leads a group of its own."""
    for target in (-pid, pid):
        with contextlib.suppress(OSError):
            os.kill(target, signal.SIGKILL)


def _hold(library: str | None) -> tuple[int, ...]:
    """What is at the descriptors that a child keeps while no child is forked; nothing else of this process is to be.

    The standard library is opened while this user can still reach it: it may lie in a home folder of mode 0700.
    """
    own = [_move(os.open(os.devnull, os.O_RDWR), _OWN_NULL)] * LIBRARY
    if library is not None:
        own.append(_move(os.open(library, os.O_PATH | os.O_DIRECTORY), _OWN_LIBRARY))
    _place(own[CHANNEL:], CHANNEL)  # errors still go to whoever started this process
    return tuple(own)


def _move(descriptor: int, number: int) -> int:
    """The same under another number, which is returned."""
    if descriptor != number:
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    return number


def _place(descriptors: Iterable[int], first: int = 0) -> None:
    """Have them under the numbers from ``first`` on."""
    for number, descriptor in enumerate(descriptors, first):
        os.dup2(descriptor, number)


def _move_library(old: str, new: str) -> None:
    """Find the standard library under another name from now on."""
    sys.path[:] = [path.replace(old, new, 1) for path in sys.path]
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType) and isinstance(getattr(module, "__path__", None), list):
            module.__path__[:] = [path.replace(old, new, 1) for path in module.__path__]


def main(options: dict[str, Any]) -> None:
    """options: see evo.sandbox.tiers. Argument: number of the control socket's descriptor."""
    zygote = Zygote(options, socket.socket(fileno=_move(int(sys.argv[1]), _OWN_CONTROL)))
    _place(zygote.own)
    sys.argv[:] = sys.orig_argv[:] = [""]
    os.environ.clear()
    for _ in range(_REHEARSALS):
        child.rehearse()
    random.seed(0)
    compact.fill()
    gc.freeze()
    gc.disable()
    zygote.serve()
    os._exit(0)  # no interpreter's end: it would copy all memory that the children share
