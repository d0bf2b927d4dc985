"""The pool's handle on a worker process."""

import contextlib
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Final

from evo.errors import UserError
from evo.sandbox.job import Job
from evo.sandbox.messages import from_json, receive, send
from evo.sandbox.verdict import Limits, SandboxFault, Status, Verdict

__all__ = ["Worker"]

_START_SECONDS: Final = 30.0
# Backstop: the process limits its own time, waiting for processors that others have among it (evo.sandbox.judge).
_LONGEST, _GRACE_SECONDS = 3.0, 60.0
_END_SECONDS: Final = 3.0
# What this process can import, the worker can, and nothing from the current folder.
_BOOT: Final = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from evo.sandbox.tester import main; main()"


class Worker:
    """One worker process, started when first needed. Its methods raise SandboxFault when it fails."""

    def __init__(self, tier: str, limits: Limits, folder: Path, home: tuple[int, ...]) -> None:
        """home: the processors for it and for short runs; () for any."""
        self._tier = tier
        self._limits = limits
        self._folder = folder
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        # Tells without a message, of which there would be one per run, whether a value has reached the check.
        self._shared, name = tempfile.mkstemp(dir=folder)
        Path(name).unlink()
        os.truncate(self._shared, 1)
        self._value_seen = mmap.mmap(self._shared, 1)
        self._closed = False
        self._running = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process, which enters its tier; nothing to do if it runs."""
        with self._lock:
            if self._closed:
                raise SandboxFault("the sandbox has been closed")
            if self._process is not None:
                return
            self._connection, theirs = socket.socketpair()
            with theirs:
                shared = (theirs.fileno(), self._shared)
                told = map(json.dumps, (asdict(self._limits), self._home, sys.path))
                words = [*map(str, shared), self._tier, str(self._folder), *told]
                self._process = subprocess.Popen(
                    [sys.executable, "-s", "-P", "-c", _BOOT, *words],
                    pass_fds=shared,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is the pool's to handle
                )
        self._connection.settimeout(_START_SECONDS)
        answer = None
        with contextlib.suppress(OSError):
            answer = receive(self._connection)
        if answer is None or "fault" in answer:
            self._kill()
            raise SandboxFault(answer["fault"] if answer else "the worker process does not start")

    def run(self, job: Job, *, last_attempt: bool = False) -> Verdict:
        """One job. Raises UserError if its check program is unusable.

        last_attempt: the job ended the process before. If it does so again after values of the candidate had reached
        the check, it is they that bring the check down, and that is a verdict.
        """
        self.start()
        self._connection.settimeout(_LONGEST * self._limits.wall_seconds + _GRACE_SECONDS)
        self._value_seen[0] = 0
        self._running = True
        try:
            send(self._connection, asdict(job))
            answer = receive(self._connection)
        except TimeoutError:
            self._kill()
            raise SandboxFault("the worker process does not answer") from None
        except OSError as error:
            self._kill()
            raise SandboxFault(f"the worker process failed: {error}") from None
        finally:
            self._running = False
        if answer is None:
            return self._ended(last_attempt=last_attempt)
        if "unusable" in answer:
            raise UserError(f"the tests for {job.entry_point} cannot be used: {answer['unusable']}")
        if "fault" in answer:
            raise SandboxFault(answer["fault"])
        return from_json(answer["verdict"])

    def _ended(self, *, last_attempt: bool) -> Verdict:
        """The verdict where the process ended and the candidate's values had reached it; else raises SandboxFault."""
        code = self._kill()
        if self._value_seen[0] and code == -signal.SIGPROF:  # its own alarm, for where no other reaches it
            message = f"the tests did not end within {self._limits.wall_seconds:g} s on the values returned"
            return Verdict(Status.TIMEOUT, "TimeoutError", message)
        if self._value_seen[0] and last_attempt:
            return Verdict(Status.CRASH, "CheckCrashed", "the tests' process ended on the values returned")
        raise SandboxFault("the worker process ended")

    def close(self) -> None:
        """End it, and with it whatever it started, for good."""
        with self._lock:
            if not self._closed:
                os.close(self._shared)
            self._closed = True
            if self._process is None:
                return
            if self._running:
                self._process.kill()
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._connection.close()

    def _kill(self) -> int | None:
        """Make sure that it has ended; how it did."""
        with self._lock:
            if self._process is None:
                return None
            self._connection.close()  # what made it end, if it did, is over by now
            self._process.kill()
            code = self._process.wait()
            self._process = None
            return code


def _environment() -> dict[str, str]:
    """This process's, with one order of sets: what a verdict shows of a set shall be the same every time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONHASHSEED": "0"}
