"""A warm interpreter that only forks: one child per run, killed and reaped, its scratch folder wiped.

It holds no test and no expected value. Control messages come from the trusted side only (evo.sandbox.zygote).
"""

import bisect
import cmath
import collections.abc
import contextlib
import copy
import datetime
import decimal
import fractions
import functools
import gc
import hashlib
import heapq
import itertools
import json
import math
import operator
import os
import random
import re
import select
import signal
import socket
import statistics
import string
import struct
import sys
import types
import typing
from fcntl import F_DUPFD_CLOEXEC, fcntl

from . import child, confine

__all__ = ["END", "main"]

# Loaded before the first fork, because candidates import them: a child shares them with its siblings for nothing.
WARM = (bisect, cmath, collections.abc, copy, datetime, decimal, fractions, functools, hashlib, heapq, itertools, math)
WARM += (operator, random, re, statistics, string, typing)

END = struct.Struct("<iddQB")  # wait status, user and system seconds, peak bytes, 1 if scratch could not be wiped
_LIBRARY = 4
_POLL_MS = 100
_MAX_ENTRIES = 4096
_GRACE_SECONDS = 2.0


class Zygote:
    """options: see evo.sandbox.zygote, which makes them."""

    def __init__(self, options: dict[str, typing.Any], control: socket.socket) -> None:
        self.control = control
        self.scratch: str = options["scratch"]
        self.scratch_bytes: int = options["scratch_bytes"]
        self.message_bytes: int = options["message_bytes"]
        self.wall_seconds: float = options["wall_seconds"] + _GRACE_SECONDS
        self.first = os.getpid() == 1
        os.chdir(self.scratch)
        os.umask(0o077)
        library = _keep_library(options["library"]) if options["user"] is not None else None
        self.first_unused = child.CHANNEL + 1 if library is None else library + 1
        self.confinement = confine.Confinement(
            options["limits"],
            bytes.fromhex(options["program"]),
            landlock=options["landlock"],
            readable=options["readable"],
            listable=options["listable"],
            scratch=self.scratch,
        )
        if options["user"] is not None:
            confine.drop_user(options["user"])
            if library is not None and not os.access(os.path.join(options["library"], "os.py"), os.R_OK):
                _move_library(options["library"], f"/proc/self/fd/{library}")
        confine.hide_memory()

    def serve(self) -> None:
        """Answer until the trusted side closes the control socket."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 1)
            if not data:
                return
            (length,) = struct.unpack_from("<I", data)
            request = bytearray(data[4:])
            while len(request) < length:
                request += self.control.recv(1 << 20)
            code, entry_point = json.loads(request)
            pid = os.fork()
            if pid == 0:
                self._become_child(descriptors[0], code, entry_point)
            os.close(descriptors[0])
            del data, request, code
            self._watch(pid)
            end = self._reap(pid)
            if not self.control.recv(1):
                return
            self.control.sendall(end)

    def _become_child(self, descriptor: int, code: str, entry_point: str) -> typing.NoReturn:
        try:
            os.dup2(descriptor, child.CHANNEL)
            channel = child.Channel(child.CHANNEL, self.message_bytes)
            try:
                self.confinement.enter()
                os.closerange(self.first_unused, 256)
            except BaseException as error:
                channel.send(b"F", repr(error).encode())
                raise
            channel.send(b"S", b"")  # from here on the candidate's doing
            child.serve(channel, code, entry_point)
        finally:
            os._exit(1)

    def _watch(self, pid: int) -> None:
        """Return when the child has ended, is to be ended (a byte on the control socket), or used too much scratch."""
        handle = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.register(self.control.fileno(), select.POLLIN)
        for _ in range(math.ceil(self.wall_seconds * 1000 / _POLL_MS)):
            if poll.poll(_POLL_MS) or self._scratch_is_full():
                break
        os.close(handle)

    def _scratch_is_full(self) -> bool:
        used = entries = 0
        with os.scandir(self.scratch) as listing:
            for entry in listing:
                entries += 1
                with contextlib.suppress(OSError):
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                if entries > _MAX_ENTRIES or used > self.scratch_bytes:
                    return True
        return False

    def _reap(self, pid: int) -> bytes:
        """Kill the child and, as the first process of its namespace, whatever else is left; wipe; report."""
        with contextlib.suppress(OSError):
            os.kill(-1 if self.first else pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, 0 if self.first else os.WNOHANG)[0]:
                pass
        return END.pack(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, not self._wipe())

    def _wipe(self) -> bool:
        """Empty the scratch folder, which is flat (no folder can be made in it); False if something stays."""
        clean = True
        for name in os.listdir(self.scratch):
            try:
                os.unlink(os.path.join(self.scratch, name))
            except OSError:
                clean = False
        return clean


def _keep_library(library: str) -> int:
    """A descriptor on the standard library, opened while this user can still reach it (a home folder with mode 0700)."""
    place = os.open(library, os.O_PATH | os.O_DIRECTORY)
    os.dup2(place, _LIBRARY, inheritable=False)
    os.close(place)
    return _LIBRARY


def _move_library(old: str, new: str) -> None:
    """Find the standard library under another name from now on."""
    sys.path[:] = [path.replace(old, new, 1) for path in sys.path]
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType) and isinstance(getattr(module, "__path__", None), list):
            module.__path__[:] = [path.replace(old, new, 1) for path in module.__path__]


def main() -> None:
    """Arguments: options as JSON, number of the control socket's descriptor."""
    options, descriptor = json.loads(sys.argv[1]), int(sys.argv[2])
    control = socket.socket(fileno=fcntl(descriptor, F_DUPFD_CLOEXEC, 10))
    os.close(descriptor)
    zygote = Zygote(options, control)
    sys.argv[:] = [""]
    control.sendall(b"ready")
    os.dup2(0, 2)
    gc.collect()
    gc.freeze()
    gc.disable()
    zygote.serve()
