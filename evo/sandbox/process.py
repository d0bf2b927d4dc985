"""The trusted side's handle on a run's process: its connection, what it uses, where it runs, its end."""

import os
import re
import socket
import struct
import time
from collections.abc import Iterable
from typing import Final

from evo.sandbox import processors
from evo.sandbox.inside.child import GREETING
from evo.sandbox.verdict import SandboxFault

__all__ = ["Process"]

_CREDENTIALS: Final = struct.Struct("iII")  # process, user, group
_MAX_REASON: Final = 200
_OF_ALL_THREADS: Final = 2  # how Linux numbers the clock of a process (clock_getcpuclockid)
_HIGHEST: Final = re.compile(rb"\nVmHWM:\s*(\d+) kB\n")  # a line: the first one holds a name of the program's choice


class Process:
    """A fresh process, confined and waiting for its program.

    The kernel tells its number here, in this side's name space, with the greeting that it sends before it has seen
    anything of the candidate. Where it does not (not Linux), ``used`` knows nothing and the zygote has to be asked.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._pid: int | None = None

    def greet(self) -> None:
        """Wait for it to be ready. Raises SandboxFault if it could not be started or confined."""
        try:
            greeting, ancillary, _, _ = self.connection.recvmsg(len(GREETING), socket.CMSG_SPACE(_CREDENTIALS.size))
            reason = b"" if greeting in (GREETING, b"") else self.connection.recv(_MAX_REASON)
        except OSError as error:
            raise SandboxFault(f"the candidate's process did not start: {error}") from None
        if greeting != GREETING:
            told = reason.decode(errors="replace") or "it ended"
            raise SandboxFault(f"the candidate's process could not be confined: {told}")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, getattr(socket, "SCM_CREDENTIALS", None)):
                self._pid = _CREDENTIALS.unpack(data)[0] or None  # 0: in a name space that is not below this one

    def use(self, chosen: Iterable[int]) -> None:
        """Keep it on ``chosen`` processors."""
        if self._pid is not None:
            processors.use(self._pid, chosen)

    def kept_waiting(self) -> float:
        """Seconds that it was ready but others had the processors; 0.0 where that is not known."""
        return processors.kept_waiting(self._pid) if self._pid is not None else 0.0

    def used(self) -> tuple[float, int] | None:
        """Seconds of CPU time and the most bytes of memory that it has had at a time; None where that is not known."""
        if self._pid is None:
            return None
        try:
            status = os.open(f"/proc/{self._pid}/status", os.O_RDONLY)
            try:
                text = os.read(status, 1 << 12)
            finally:
                os.close(status)
            seconds = time.clock_gettime(~self._pid << 3 | _OF_ALL_THREADS)
        except OSError:
            return None
        found = _HIGHEST.search(text)
        return (seconds, int(found[1]) << 10) if found else None  # not found: it has ended
