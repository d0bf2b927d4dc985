"""What is asked of the sandbox."""

from dataclasses import dataclass

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """Run an untrusted program against trusted tests.

    code: the untrusted program. check: a trusted, self-contained program that defines ``check(candidate)``.
    entry_point: name of the function in ``code`` that stands behind ``candidate``.
    reveal: False for tests that must stay hidden: then the verdict holds no value, assert or message from them.
    """

    code: str
    check: str
    entry_point: str
    reveal: bool = True
