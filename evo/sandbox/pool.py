"""The pool: jobs in, verdicts out, on as many worker processes as asked for."""

import contextlib
import json
import queue
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Final, Self

from evo.errors import UserError
from evo.sandbox.job import Job
from evo.sandbox.messages import from_json, receive, send
from evo.sandbox.tiers import BUBBLEWRAP, LANDLOCK, SEATBELT, TIERS, UNSAFE, missing
from evo.sandbox.verdict import Limits, SandboxFault, Status, Verdict

__all__ = ["SandboxPool", "TierInfo", "probe"]

_ORDER: Final = (BUBBLEWRAP, LANDLOCK, SEATBELT)
_START_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 2.0
_DEFAULT_LIMITS: Final = Limits()
_BOOT: Final = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from evo.sandbox.worker import main; main()"


@dataclass(frozen=True, slots=True)
class TierInfo:
    """A tier as found on this machine. reason: why it cannot be entered and what to do ("" if it can)."""

    name: str
    available: bool
    promises: str
    reason: str = ""


class _Worker:
    """A worker process and the connection to it. Raises SandboxFault at the start if its tier cannot be entered."""

    def __init__(self, tier: str, limits: Limits) -> None:
        self._tier = tier
        self._limits = limits
        self._start()

    def _start(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            words = [str(theirs.fileno()), self._tier, json.dumps(asdict(self._limits)), json.dumps(sys.path)]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, *words],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the pool's to handle
            )
        self._connection.settimeout(_START_SECONDS)
        answer = None
        with contextlib.suppress(OSError):
            answer = receive(self._connection)
        if answer is None or "fault" in answer:
            self.kill()
            raise SandboxFault(answer["fault"] if answer else "the sandbox's worker process does not start")

    def run(self, job: Job) -> tuple[Verdict | None, str, bool]:
        """The verdict, or None and why there is none; and whether a value of the candidate had reached the check."""
        seen = False
        self._connection.settimeout(self._limits.wall_seconds + _GRACE_SECONDS)
        try:
            send(self._connection, asdict(job))
            while (answer := receive(self._connection)) == {}:
                seen = True
        except TimeoutError:
            self.restart()
            if seen:  # the candidate's value keeps the check busy where no signal reaches it
                message = f"the tests did not end within {self._limits.wall_seconds:g} s on the values returned"
                return Verdict(Status.TIMEOUT, "TimeoutError", message if job.reveal else ""), "", seen
            return None, "the sandbox's worker process does not answer", seen
        except OSError as error:
            self.restart()
            return None, f"the sandbox's worker process failed: {error}", seen
        if answer is None:
            self.restart()
            return None, "the sandbox's worker process ended", seen
        if "unusable" in answer:
            raise UserError(f"the tests for {job.entry_point} cannot be used: {answer['unusable']}")
        if "fault" in answer:
            return None, answer["fault"], seen
        return from_json(answer["verdict"]), "", seen

    def restart(self) -> None:
        self.kill()
        self._start()

    def close(self) -> None:
        """Let it end by itself; its zygote ends with it."""
        self._connection.close()
        try:
            self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._connection.close()


class SandboxPool:
    """Runs jobs in ``workers`` processes. A context manager; ``run`` may be called from as many threads.

    tier: a tier's name to insist on; None takes the strongest that this machine can enter.
    unsafe: go without isolation where there is none; every verdict then says tier "unsafe".
    Entering it raises UserError if no tier can be entered.
    """

    def __init__(
        self, workers: int = 1, limits: Limits = _DEFAULT_LIMITS, *, unsafe: bool = False, tier: str | None = None
    ) -> None:
        if workers < 1:
            raise UserError(f"workers: {workers} is no number of processes; give 1 or more")
        if tier is not None and tier not in TIERS:
            raise UserError(f"tier: {tier!r} is unknown; choose from {', '.join(TIERS)}")
        if tier == UNSAFE and not unsafe:
            raise UserError("tier: 'unsafe' runs code without isolation; ask for it with unsafe=True")
        self._limits = limits
        self._size = workers
        self._wanted = (tier,) if tier is not None else (*_ORDER, UNSAFE) if unsafe else _ORDER
        self._idle: queue.Queue[_Worker | None] = queue.LifoQueue()
        self.tier = ""

    @property
    def promises(self) -> str:
        """What the tier in use promises."""
        return TIERS.get(self.tier, "")

    def __enter__(self) -> Self:
        reasons = []
        for tier in self._wanted:
            reason = missing(tier)
            if not reason:
                try:
                    first = _Worker(tier, self._limits)
                except SandboxFault as error:
                    reason = str(error)
                else:
                    self.tier = tier
                    for _ in range(self._size - 1):
                        self._idle.put(None)  # started when first needed
                    self._idle.put(first)
                    return self
            reasons.append(f"{tier}: {reason}")
        raise UserError(f"no sandbox can be entered on this machine ({'; '.join(reasons)}); --unsafe runs without one")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            worker = self._idle.get()
            if worker is not None:
                worker.close()

    def run(self, job: Job) -> Verdict:
        """Run one job, waiting for a free worker first. Thread-safe.

        Raises SandboxFault if the machinery failed twice, UserError if the check program is unusable.
        """
        worker = self._idle.get()
        try:
            if worker is None:
                worker = _Worker(self.tier, self._limits)
            verdict, fault, _ = worker.run(job)
            if verdict is None:
                verdict, fault, seen = worker.run(job)
                if verdict is None and seen:  # twice, on its values: what it returned is what brings the check down
                    verdict = Verdict(Status.CRASH, "CheckCrashed", "the tests' process ended on the values returned")
        finally:
            self._idle.put(worker)
        if verdict is None:
            raise SandboxFault(fault)
        return replace(verdict, tier=self.tier)


def probe() -> list[TierInfo]:
    """Every tier, strongest first, each tried on this machine by running a program in it."""
    return [_try(tier) for tier in TIERS]


def _try(tier: str) -> TierInfo:
    reason = missing(tier)
    if not reason:
        try:
            with SandboxPool(tier=tier, unsafe=True) as pool:
                job = Job("def f():\n    return 1\n", "def check(candidate):\n    assert candidate() == 1\n", "f")
                verdict = pool.run(job)
                reason = "" if verdict.passed else f"a trial run ended with {verdict.status}: {verdict.message}"
        except (UserError, SandboxFault) as error:
            reason = str(error)
    return TierInfo(tier, not reason, TIERS[tier], reason)
