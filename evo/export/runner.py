"""Tests run on a draft by the standard library alone: a child process with limits, which is no sandbox.

Verdicts have the words of ``evo.sandbox``, so that a model is told the same there and here. What evo keeps apart with
the operating system's help is together here: the child may read what its user may read and use the network, and a draft
that sets out to cheat its tests can.
"""

import contextlib
import copy
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import types
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from evo.sandbox.check import Witness, compile_check
from evo.sandbox.messages import from_json, to_json
from evo.sandbox.text import clean, show, show_call
from evo.sandbox.verdict import FailedAssert, Frame, Limits, Status, Verdict

__all__ = ["CHILD", "run_child", "run_tests"]

CHILD = "--in-child"
"""The argument that makes the program a child, which reads a draft and its tests and answers with a verdict."""

T = TypeVar("T")
_FILE_NAME = "<solution>"
_GRACE = 1.0  # seconds that starting a child may take
_MAX_FRAMES = 8
_MAX_TEXT = 2000
_MAX_LINE = 200
_MAX_NAME = 80


def run_tests(program: Path, code: str, check: str, entry_point: str, limits: Limits) -> Verdict:
    """The verdict on ``code``. program: the file to start as a child, which calls ``run_child`` when given CHILD.

    check: a program that defines check(candidate).
    """
    job = json.dumps({"code": code, "check": check, "entry_point": entry_point, "limits": asdict(limits)})
    units = compile_check(check).units
    with tempfile.TemporaryDirectory(prefix="draft-", ignore_cleanup_errors=True) as scratch:
        answer = Path(scratch) / "verdict.json"
        with answer.open("wb") as out:
            child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(program), CHILD],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.DEVNULL,
                cwd=scratch,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
            try:
                child.communicate(job.encode(), timeout=limits.wall_seconds + _GRACE)
            except subprocess.TimeoutExpired:
                return Verdict(Status.TIMEOUT, "TimeoutError", units=units)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # with all that it started
                child.wait()
        try:
            return from_json(json.loads(answer.read_bytes()))
        except (ValueError, TypeError, KeyError):
            status = Status.TIMEOUT if child.returncode == -signal.SIGXCPU else Status.CRASH
            return Verdict(status, "TimeoutError" if status is Status.TIMEOUT else "ProcessExit", units=units)


def run_child() -> None:
    """In the child: read the job, limit what this process may use, run it, write the verdict, end at once."""
    job = json.load(sys.stdin)
    answer, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)  # what a draft prints is nobody's concern
    limits = Limits(**job["limits"])
    for kind, most in (
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit memory
            resource.setrlimit(kind, (most, most))

    def end(verdict: Verdict) -> NoReturn:
        os.write(answer, json.dumps(to_json(verdict)).encode())
        os._exit(0)

    trial = _Trial(job["code"], job["check"], job["entry_point"])
    signal.signal(signal.SIGALRM, lambda number, frame: end(trial.cut_off()))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    end(trial.verdict())


@dataclass(slots=True)
class _Candidate:
    """The draft's function as the tests see it: it gets copies, and its last call is remembered."""

    function: Any = None
    calls: int = 0
    last: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    returned: Any = None
    answered: bool = False
    raised: BaseException | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        self.last, self.returned, self.answered = (args, kwargs), None, False
        copies = _copied(args)
        try:
            self.returned = self.function(*copies, **_copied(kwargs))
        except BaseException as error:
            self.raised = error
            raise
        self.answered = True
        for old, new in zip(args, copies, strict=True):  # a function that returns nothing may change its arguments
            if self.returned is None and isinstance(old, list | bytearray):
                old[:] = new
            elif self.returned is None and isinstance(old, dict | set):
                old.clear()
                old.update(new)
        return self.returned


def _copied(value: T) -> T:
    try:
        return copy.deepcopy(value)
    except Exception:  # an iterator, for one
        return value


class _Trial:
    """One draft and its tests."""

    def __init__(self, code: str, check: str, entry_point: str) -> None:
        self._code, self._entry_point = code, entry_point
        self._check, self._witness, self._candidate = compile_check(check), Witness(), _Candidate()

    def verdict(self) -> Verdict:
        """Load the draft, run the tests."""
        try:
            self._candidate.function = _loaded(self._code, self._entry_point)
        except BaseException as error:
            return replace(_raised(Status.LOAD_ERROR, error, self._code), units=self._check.units)
        try:
            self._check.load(self._witness)(self._candidate)
        except BaseException as error:
            if error is not self._candidate.raised and isinstance(error, AssertionError):
                return self._as_seen(Verdict(Status.ASSERTION, "AssertionError", clean(str(error))))
            return self._as_seen(_raised(Status.EXCEPTION, error, self._code))
        if not self._candidate.calls:
            return self._as_seen(Verdict(Status.NO_CALL, "NoCall", "the tests ended without calling the candidate"))
        return Verdict(Status.PASSED, passed_units=self._check.units, units=self._check.units)

    def cut_off(self) -> Verdict:
        """When time is up."""
        return self._as_seen(Verdict(Status.TIMEOUT, "TimeoutError"))

    def _as_seen(self, verdict: Verdict) -> Verdict:
        """With the units passed and the call that was made last."""
        failed, seen = None, self._candidate
        if seen.calls:
            expected = ""
            if verdict.status is Status.ASSERTION and self._witness.compared == "Eq":
                either = self._witness
                expected = show(either.left if either.right is seen.returned else either.right)
            failed = FailedAssert(
                source=self._witness.source if self._witness.inside else "",
                call=show_call(self._entry_point, *seen.last),
                returned=show(seen.returned) if seen.answered else "",
                expected=expected,
            )
        return replace(verdict, failed=failed, passed_units=self._witness.passed, units=self._check.units)


def _loaded(code: str, entry_point: str) -> Any:
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    exec(compile(code, _FILE_NAME, "exec", dont_inherit=True), module.__dict__)
    if entry_point not in module.__dict__:
        raise NameError(f"name {entry_point!r} is not defined")
    if not callable(function := module.__dict__[entry_point]):
        raise TypeError(f"{entry_point!r} is a {type(function).__name__}, not a function")
    return function


def _raised(status: Status, error: BaseException, code: str) -> Verdict:
    """An exception as a verdict, with the draft's own frames."""
    frames: list[tuple[str, int]] = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE_NAME:
            frames.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    try:
        message = str(error)[:_MAX_TEXT]
    except BaseException:  # the draft's own __str__
        message = "<the error's text could not be made>"
    if isinstance(error, SyntaxError) and error.filename == _FILE_NAME:
        frames.append(("<module>", error.lineno or 0))
        message = error.msg
    if isinstance(error, MemoryError):
        status = Status.MEMORY
    lines = code.splitlines()
    shown = tuple(
        Frame(clean(function, _MAX_NAME), line, clean(lines[line - 1].strip(), _MAX_LINE))
        for function, line in frames[-_MAX_FRAMES:]
        if 0 < line <= len(lines)
    )
    return Verdict(status, clean(type(error).__name__, _MAX_NAME), clean(message), frames=shown)
