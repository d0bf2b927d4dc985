"""The pool: jobs in, verdicts out, on as many worker processes as asked for."""

import queue
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from evo.errors import UserError
from evo.sandbox import processors
from evo.sandbox.job import Job
from evo.sandbox.tiers import BUBBLEWRAP, LANDLOCK, SEATBELT, TIERS, UNSAFE, missing
from evo.sandbox.verdict import Limits, SandboxFault, Status, Verdict
from evo.sandbox.worker import Worker

__all__ = ["SandboxPool", "TierInfo", "probe"]

_ORDER: Final = (BUBBLEWRAP, LANDLOCK, SEATBELT)
_DEFAULT_LIMITS: Final = Limits()
_MOST_CODE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TierInfo:
    """A tier as found on this machine. reason: why it cannot be entered and what to do ("" if it can)."""

    name: str
    available: bool
    promises: str
    reason: str = ""


class SandboxPool:
    """Runs jobs in ``workers`` processes. A context manager; ``run`` may be called from as many threads.

    tier: a tier's name to insist on; None takes the strongest that this machine can enter.
    unsafe: go without isolation where there is none; every verdict then says tier "unsafe".
    Entering it raises UserError if no tier can be entered. Leaving it ends what still runs.
    """

    def __init__(
        self, workers: int = 1, limits: Limits = _DEFAULT_LIMITS, *, unsafe: bool = False, tier: str | None = None
    ) -> None:
        if workers < 1:
            raise UserError(f"workers: {workers} is no number of processes; give 1 or more")
        if tier is not None and tier not in TIERS:
            raise UserError(f"tier: {tier!r} is unknown; choose from {', '.join(TIERS)}")
        if tier == UNSAFE and not unsafe:
            raise UserError("tier: 'unsafe' runs code without isolation; say --unsafe (unsafe=True) to have that")
        self._limits = limits
        self._size = workers
        self._wanted = (tier,) if tier is not None else (*_ORDER, UNSAFE) if unsafe else _ORDER
        self._idle: queue.Queue[Worker] = queue.LifoQueue()
        self._workers: list[Worker] = []
        self.tier = ""

    @property
    def promises(self) -> str:
        """What the tier in use promises."""
        return TIERS.get(self.tier, "")

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="evo-sandbox-", ignore_cleanup_errors=True)
        Path(self._folder.name).chmod(0o711)  # an unprivileged user passes through to its own scratch folder
        reasons = []
        for tier in self._wanted:
            reason = missing(tier) or self._start(tier)
            if not reason:
                self.tier = tier
                return self
            reasons.append(f"{tier}: {reason}")
        self._folder.cleanup()
        raise UserError(f"no sandbox can be entered on this machine ({'; '.join(reasons)}); --unsafe goes without one")

    def _start(self, tier: str) -> str:
        """Start one worker under ``tier``, to see whether it can be entered; the others wait for their first job."""
        folder, homes = Path(self._folder.name), processors.shares(self._size)
        workers = [Worker(tier, self._limits, folder, home) for home in homes]
        try:
            workers[-1].start()
        except SandboxFault as error:
            return str(error)
        self._workers = workers
        for worker in workers:
            self._idle.put(worker)
        return ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.close()
        self._folder.cleanup()

    def run(self, job: Job) -> Verdict:
        """Run one job, waiting for a free worker first. Thread-safe.

        Raises SandboxFault if the machinery failed twice, UserError if the check program is unusable.
        """
        if len(job.code) > _MOST_CODE:
            reason = f"a program of {len(job.code):,} characters, more than {_MOST_CODE:,}"
            return Verdict(Status.LOAD_ERROR, "ProgramTooLong", reason, tier=self.tier)
        worker = self._idle.get()
        try:
            try:
                verdict = worker.run(job)
            except SandboxFault:
                verdict = worker.run(job, last_attempt=True)
        finally:
            self._idle.put(worker)
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
