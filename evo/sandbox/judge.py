"""One run: check(candidate) here, the candidate there, and the verdict."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any, Final, NoReturn

from evo.sandbox import processors
from evo.sandbox.alarm import Alarm
from evo.sandbox.channel import Channel, Raised
from evo.sandbox.check import CompiledCheck, Witness
from evo.sandbox.job import Job
from evo.sandbox.process import Process
from evo.sandbox.stream import Ended
from evo.sandbox.text import clean, show, show_call
from evo.sandbox.verdict import FailedAssert, Frame, Limits, SandboxFault, Status, Verdict
from evo.sandbox.zygote import End, Zygote

__all__ = ["Judge"]

_READY_SECONDS: Final = 30.0
_WATCH_SECONDS: Final = 0.05
_ALARM_GRACE: Final = 0.05
_PATIENCE: Final = 2.0
_MAX_LINE: Final = 200
_NEAR_THE_LIMIT: Final = 0.9


class Judge:
    """Runs jobs one after the other on ``zygote``, in the main thread of a process of its own.

    everywhere: the processors for runs that take long; short ones stay on those that this process may use now.
    """

    def __init__(self, zygote: Zygote, limits: Limits, everywhere: tuple[int, ...]) -> None:
        self._zygote = zygote
        self._limits = limits
        self._alarm = Alarm()
        self._home = processors.available()
        self._everywhere = everywhere

    def run(self, job: Job, check: CompiledCheck, on_value: Callable[[], None]) -> Verdict:
        """Run ``job`` once. ``on_value`` is called when something of the candidate's arrives here.

        Raises CheckError if the check program is unusable, SandboxFault if the machinery fails.
        """
        witness = Witness()
        function = check.load(witness)
        process = self._zygote.begin()
        channel = Channel(process.connection.fileno(), self._limits.message_bytes, on_value)
        try:
            verdict = self._converse(job, function, channel, process)
        except SandboxFault:
            self._zygote.restart()
            raise
        used = process.used() if channel.ended is None else None
        if used is not None:
            self._zygote.kill()
            cpu_seconds, peak_bytes = used
        else:
            end = self._zygote.end()
            verdict = _name_the_end(verdict, end, self._limits)
            cpu_seconds, peak_bytes = end.cpu_seconds, end.peak_bytes
        verdict = self._complete(verdict, job, channel, witness)
        return replace(
            verdict,
            passed_units=check.units if verdict.passed else witness.passed,
            units=check.units,
            cpu_seconds=cpu_seconds,
            peak_bytes=peak_bytes,
        )

    def finish(self) -> None:
        """See the last run cleared up after. The zygote has been told to; only the next run waits for this."""
        with contextlib.suppress(SandboxFault):  # a new zygote has been started
            self._zygote.finish()

    def _converse(self, job: Job, function: Callable[[Any], Any], channel: Channel, process: Process) -> Verdict:
        """The verdict as far as this end of the conversation knows it."""
        here = processors.current()
        processors.use(0, here)
        try:
            self._alarm.set(_READY_SECONDS, _fault)
            process.greet()
            process.use(here)
            self._limit_time(channel, process)
            verdict = _call(job, function, channel)
        except Ended:
            pass  # channel.ended
        finally:
            self._alarm.clear()
            processors.use(0, self._home)
        ended = channel.ended
        return verdict if ended is None else Verdict(ended.status, ended.error_type, ended.message)

    def _limit_time(self, channel: Channel, process: Process) -> None:
        """End the run after the time limit, and the time that others kept it from running, if that is not endless."""
        wall = self._limits.wall_seconds
        granted = 0.0
        before = 0.0

        def watch() -> None:
            nonlocal before
            before = processors.kept_waiting()  # its tests wait for a processor too
            process.use(self._everywhere)  # until now on one processor with the tests: the best for short runs
            self._zygote.watch()
            self._alarm.set(wall - watched, ring)

        def ring() -> None:
            nonlocal granted
            if not _is_running(_call.__code__):  # the check has been left: letting go of what it held may take long
                return
            kept = min(process.kept_waiting() + processors.kept_waiting() - before, _PATIENCE * wall)
            if channel.ended is None and kept > granted + _ALARM_GRACE:
                more, granted = kept - granted, kept
                self._alarm.set(more, ring)
            else:
                channel.end(Ended(Status.TIMEOUT, "TimeoutError"))

        watched = min(_WATCH_SECONDS, wall / 2)
        self._alarm.set(watched, watch)

    def _complete(self, verdict: Verdict, job: Job, channel: Channel, witness: Witness) -> Verdict:
        """With what may be shown."""
        shown = job.reveal or verdict.status is Status.LOAD_ERROR
        message = self._zygote.without_places(clean(verdict.message)) if shown else ""
        failed = None if verdict.passed or not job.reveal else _failed_assert(job, channel, witness, verdict.status)
        if failed is not None:
            failed = replace(failed, returned=self._zygote.without_places(failed.returned))
        return replace(verdict, message=message, failed=failed)


def _is_running(code: CodeType) -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _fault() -> NoReturn:
    raise SandboxFault("the candidate's process does not get ready")


def _call(job: Job, function: Callable[[Any], Any], channel: Channel) -> Verdict:
    raised = channel.load(job.code, job.entry_point)
    if raised is not None:
        return _as_verdict(Status.LOAD_ERROR, raised, job)
    try:
        function(channel.candidate)
    except Ended:
        raise
    except BaseException as error:  # a candidate's SystemExit is rebuilt too
        if channel.raised is not None and error is channel.raised.exception:
            return _as_verdict(Status.EXCEPTION, channel.raised, job)
        if isinstance(error, AssertionError):
            return Verdict(Status.ASSERTION, "AssertionError", _text(error))
        status = Status.MEMORY if isinstance(error, MemoryError) else Status.EXCEPTION
        return Verdict(status, type(error).__name__, _text(error))
    if channel.calls == 0:
        return Verdict(Status.NO_CALL, "NoCall", "the tests ended without calling the candidate")
    return Verdict(Status.PASSED)


def _text(error: BaseException) -> str:
    """Its message, which may hold a value of the candidate's that has no text: an integer of too many digits."""
    try:
        return str(error)
    except Exception:
        return "<the message could not be made>"


def _as_verdict(status: Status, raised: Raised, job: Job) -> Verdict:
    if raised.builtin == "MemoryError":
        status = Status.MEMORY
    if (
        not job.reveal and status is not Status.LOAD_ERROR
    ):  # names and lines of the candidate's choice could tell values
        return Verdict(status, raised.builtin)
    lines = job.code.splitlines()
    frames = tuple(
        Frame(function, line, clean(lines[line - 1].strip(), _MAX_LINE))
        for function, line in raised.frames
        if 0 < line <= len(lines)
    )
    return Verdict(status, raised.name, raised.message, frames=frames)


def _name_the_end(verdict: Verdict, end: End, limits: Limits) -> Verdict:
    """A process that ended too early, named by how it ended."""
    if verdict.status is Status.TIMEOUT:
        return replace(verdict, message=f"no answer within {limits.wall_seconds:g} s")
    if verdict.status is not Status.CRASH:
        return verdict
    status, error_type, message = _cause_of_death(end, limits)
    return replace(verdict, status=status, error_type=error_type, message=message)


def _cause_of_death(end: End, limits: Limits) -> tuple[Status, str, str]:
    if not os.WIFSIGNALED(end.status):
        code = os.WEXITSTATUS(end.status)
        return Status.CRASH, "ProcessExit", f"the process exited with status {code} before the tests ended"
    number = os.WTERMSIG(end.status)
    if end.scratch_full:
        return Status.CRASH, "ScratchFull", "more or larger files than scratch holds"
    if number == signal.SIGXCPU or (number == signal.SIGKILL and end.cpu_seconds >= limits.cpu_seconds):
        return Status.TIMEOUT, "TimeoutError", f"more than {limits.cpu_seconds} s of processor time"
    if end.peak_bytes >= _NEAR_THE_LIMIT * limits.memory_bytes:
        return Status.MEMORY, "MemoryError", "more memory than allowed"
    if number == signal.SIGKILL:  # ours, after it closed the connection
        return Status.CRASH, "ConnectionClosed", "the process closed the connection to the tests before they ended"
    name = signal.Signals(number).name
    return Status.CRASH, name, f"the process was ended by {name}"


def _failed_assert(job: Job, channel: Channel, witness: Witness, status: Status) -> FailedAssert | None:
    if channel.last_call is None:
        return None
    call = show_call(job.entry_point, *channel.last_call)
    returned = show(channel.returned) if channel.answered else ""
    expected = ""
    if status is Status.ASSERTION and witness.compared == "Eq":
        # Either side may be the candidate's: the other one is what was expected.
        expected = show(witness.left if witness.right is channel.returned else witness.right)
    return FailedAssert(witness.source if witness.inside else "", call, returned, expected)
