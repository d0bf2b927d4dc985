"""What is known after untrusted code has been run against a check."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FailedAssert", "Frame", "Limits", "SandboxFault", "Status", "Verdict"]

from evo.errors import EvoError


class SandboxFault(EvoError):
    """Our own machinery failed (never the candidate). The run is missing data, to be retried, and never a failed
    test.
    """


class Status(StrEnum):
    """How a run ended. Only ``PASSED`` is a pass."""

    PASSED = "passed"
    ASSERTION = "assertion"
    EXCEPTION = "exception"
    LOAD_ERROR = "load_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    PROTOCOL = "protocol"
    UNSUPPORTED_RESULT = "unsupported_result"
    NO_CALL = "no_call"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Seconds and bytes."""

    wall_seconds: float = 5.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 << 20
    file_bytes: int = 1 << 20
    scratch_bytes: int = 32 << 20
    descriptors: int = 64
    message_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a traceback in the candidate's own code: function name, 1-based line, that line's text."""

    function: str
    line: int
    source: str


@dataclass(frozen=True, slots=True)
class FailedAssert:
    """A failing test seen with its values, as text: the assert, the call made last, what came back, what was expected.

    ``expected`` is "" where the assert is not a comparison with a value.
    """

    source: str
    call: str
    returned: str
    expected: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one run. Text in it comes from untrusted code: capped, control characters stripped.

    error_type: "NameError", "AssertionError", "TimeoutError", ...; "" for a pass.
    failed: the failing assert with its values; None if there is none to show.
    frames: the candidate's own frames, outermost first.
    passed_units / units: tests passed before the first failure, of all (see evo.tasks.Check.units).
    cpu_seconds, peak_bytes: what the run used; measurements, not part of what decides anything.
    tier: name of the isolation tier that it ran under.
    """

    status: Status
    error_type: str = ""
    message: str = ""
    failed: FailedAssert | None = None
    frames: tuple[Frame, ...] = ()
    passed_units: int = 0
    units: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    tier: str = ""

    @property
    def passed(self) -> bool:
        """Every test was run and passed."""
        return self.status is Status.PASSED
