"""The trusted side's handle on a zygote: starts it, gives it programs, ends their runs, replaces it."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evo.sandbox.inside.zygote import AHEAD, CHILDREN, END, ENDED, WATCH
from evo.sandbox.process import Process
from evo.sandbox.tiers import Launch, launch
from evo.sandbox.verdict import Limits, SandboxFault

__all__ = ["End", "Zygote"]

_REPORT: Final = struct.Struct("<idQB")  # as in evo.sandbox.inside.zygote
_DIRTY, _FULL = 1, 2
_RUNS_EACH: Final = 800
_START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 20.0
_MAX_ERRORS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class End:
    """How a run's process ended. status: as os.wait gives it. scratch_full: it was ended for writing too much."""

    status: int
    cpu_seconds: float
    peak_bytes: int
    scratch_full: bool


class Zygote:
    """One warm interpreter under ``tier``, its scratch folder below ``folder``. Not thread-safe.

    Every method raises SandboxFault when the zygote fails.
    """

    def __init__(self, tier: str, limits: Limits, folder: Path) -> None:
        self._tier = tier
        self._limits = limits
        self._folder = folder
        self._ready: deque[socket.socket] = deque()
        self._running: Process | None = None
        self._start()

    def _start(self) -> None:
        self._runs = 0
        try:
            self._scratch = Path(tempfile.mkdtemp(dir=self._folder))
            prepared = launch(self._tier, self._limits, self._scratch)
            if prepared.user is not None:
                os.chown(self._scratch, prepared.user, prepared.user)
            self._places = {**prepared.places, str(self._scratch): "/scratch"}
            self._launch(prepared)
        except OSError as error:
            raise SandboxFault(f"the {self._tier} tier does not start: {error}") from None

    def _launch(self, prepared: Launch) -> None:
        self._control, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                [*prepared.command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=prepared.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
            )
            theirs.close()
            self._control.settimeout(_START_SECONDS)
            try:
                self._receive()
            except OSError:
                self.close()
                errors.seek(0)
                lines = errors.read(_MAX_ERRORS).decode(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else "it gives no reason"
                raise SandboxFault(f"the {self._tier} tier does not start: {reason}") from None
        self._control.settimeout(_ANSWER_SECONDS)

    def _receive(self) -> bytes:
        """The next message: a run's report, or b"" for connections to children, which are kept. Raises OSError."""
        kind, descriptors, _, _ = socket.recv_fds(self._control, 1, AHEAD)
        if kind == CHILDREN and len(descriptors) == AHEAD:
            self._ready.extend(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, number) for number in descriptors)
            return b""
        report = self._control.recv(_REPORT.size, socket.MSG_WAITALL)
        if kind != ENDED or len(report) < _REPORT.size:
            raise ConnectionError("it is gone")
        return report

    def begin(self) -> Process:
        """A fresh process, for a run that lasts until ``end``."""
        self._runs += 1
        try:
            while not self._ready:
                self._receive()
        except OSError as error:
            self.restart()
            raise SandboxFault(f"the zygote does not fork: {error}") from None
        self._killed = False
        self._running = Process(self._ready.popleft())
        return self._running

    def watch(self) -> None:
        """Have an eye on what the run uses: it takes long."""
        with contextlib.suppress(OSError):  # end() will see
            self._control.sendall(WATCH)

    def kill(self) -> None:
        """Have what is left of the run killed, and cleared up after it."""
        if not self._killed:
            self._killed = True
            with contextlib.suppress(OSError):  # end() will see
                self._control.sendall(END)

    def end(self) -> End:
        """Kill what is left of the run and say how it ended, once everything is ready for the next."""
        assert self._running is not None
        self.kill()
        try:
            while not (report := self._receive()):
                pass
        except OSError as error:
            self.restart()
            raise SandboxFault(f"the zygote does not answer: {error}") from None
        status, cpu_seconds, peak, flags = _REPORT.unpack(report)
        self._running.connection.close()  # not before: it would wake to end itself
        self._running = None
        if flags & _DIRTY or self._runs >= _RUNS_EACH:
            self.restart()
        return End(status, cpu_seconds, peak, bool(flags & _FULL))

    def finish(self) -> None:
        """``end`` the run, if it has not been ended."""
        if self._running is not None:
            self.end()

    def without_places(self, text: str) -> str:
        """``text`` without what differs between machines and runs: where scratch and the standard library are."""
        for place, name in self._places.items():
            text = text.replace(place, name)
        return text

    def restart(self) -> None:
        """A new interpreter in place of this one."""
        self.close()
        self._start()

    def close(self) -> None:
        """End it and everything that it started; remove its scratch folder."""
        if self._running is not None:
            self._running.connection.close()
            self._running = None
        while self._ready:
            self._ready.pop().close()
        self._control.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        with contextlib.suppress(OSError):
            shutil.rmtree(self._scratch)
