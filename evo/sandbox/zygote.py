"""The trusted side's handle on a zygote: starts it, gives it programs, ends their runs, replaces it."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evo.sandbox.tiers import Launch, launch
from evo.sandbox.verdict import Limits, SandboxFault

__all__ = ["End", "Zygote"]

_END: Final = struct.Struct("<idQB")  # as in evo.sandbox.inside.zygote
_DIRTY, _FULL = 1, 2
_RUNS_EACH: Final = 400
_START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 5.0
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
        self._next: socket.socket | None = None
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
                self._next = self._receive_child()
            except OSError:
                self.close()
                errors.seek(0)
                lines = errors.read(_MAX_ERRORS).decode(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else "it gives no reason"
                raise SandboxFault(f"the {self._tier} tier does not start: {reason}") from None
        self._control.settimeout(_ANSWER_SECONDS)

    def _receive_child(self) -> socket.socket:
        """The connection to a child that waits for its program. Raises OSError."""
        data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if not data or not descriptors:
            raise ConnectionError("it is gone")
        return socket.socket(fileno=descriptors[0])

    def begin(self) -> socket.socket:
        """The connection to a fresh process, confined and waiting for its program; the caller closes it."""
        if self._runs >= _RUNS_EACH:
            self.restart()
        self._runs += 1
        connection = self._next
        if connection is None:
            self.restart()
            raise SandboxFault("the zygote was not at work")
        self._next = None
        try:
            self._control.sendall(b"b")
        except OSError as error:
            connection.close()
            self.restart()
            raise SandboxFault(f"the zygote does not take work: {error}") from None
        return connection

    def end(self) -> End:
        """Kill what is left of the run and say how it ended."""
        try:
            self._control.sendall(b"e")
            self._next = self._receive_child()
            data = b""
            while len(data) < _END.size:
                part = self._control.recv(_END.size - len(data))
                if not part:
                    raise ConnectionError("it is gone")
                data += part
        except OSError as error:
            self.restart()
            raise SandboxFault(f"the zygote does not answer: {error}") from None
        status, cpu_seconds, peak, flags = _END.unpack(data)
        if flags & _DIRTY:
            self.restart()
        return End(status, cpu_seconds, peak, bool(flags & _FULL))

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
        if self._next is not None:
            self._next.close()
        self._control.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        with contextlib.suppress(OSError):
            shutil.rmtree(self._scratch)
