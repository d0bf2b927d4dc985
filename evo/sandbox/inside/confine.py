"""A process gives up what the candidate must not have: resources, files, system calls.

Landlock is three system calls with fixed numbers on every architecture; they are made by hand because only the standard
library exists in here. The seccomp programs come ready-made from outside (evo.sandbox.syscalls).
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

__all__ = ["Confinement", "drop_user", "give_up", "landlock_abi", "limit", "ruleset"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SIGKILL, _SECCOMP_FILTER = 9, 2

_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_FILE, _TRUNCATE = (1 << n for n in (1, 2, 3, 5, 8, 14))
_READ = _READ_FILE | _READ_DIR
_SCRATCH = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
_OF_A_FILE = _READ_FILE | _WRITE_FILE | _TRUNCATE
# By version of the interface: rights over files and the network, and scopes (signals, abstract sockets), that it knows.
_FILE_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15), (9, 1 << 16))
_NETWORK_RIGHTS = ((4, 0b11), (10, 0b1100))
_SCOPES = ((6, 0b11),)

_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


def landlock_abi() -> int:
    """Version of the kernel's Landlock interface, 0 where there is none."""
    if not _LINUX:
        return 0
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, 1)))


def ruleset(readable: Sequence[str], listable: Sequence[str], scratch: str) -> int:
    """A Landlock ruleset: ``readable`` may be read, ``listable`` listed, files made in ``scratch``, the null device
    written to, and nothing else.

    Returns its descriptor. Paths that cannot be reached are left out. Raises OSError.
    """
    abi = landlock_abi()
    handled = _known(_FILE_RIGHTS, abi)
    attributes = struct.pack("=QQQ", handled, _known(_NETWORK_RIGHTS, abi), _known(_SCOPES, abi))
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = _check(_libc.syscall(_CREATE_RULESET, attributes, size, 0))
    grants = [(path, _READ) for path in readable] + [(path, _READ_DIR) for path in listable]
    grants += [(scratch, _SCRATCH), (os.devnull, _OF_A_FILE)]
    for path, rights in grants:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = handled & (rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & _OF_A_FILE)
        _check(_libc.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", allowed, place), 0))
        os.close(place)
    return rules


def drop_user(user: int) -> None:
    """Become ``user``, for good. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def give_up(rules: int | None, program: bytes) -> None:
    """Enter a Landlock ruleset and a seccomp program (b"" for none), for this process and all that come from it.

    Also bars processes of the same user from its memory and descriptors. Raises OSError. Elsewhere than on Linux the
    process has been confined from outside.
    """
    if not _LINUX:
        return
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if rules is not None:
        _check(_libc.syscall(_RESTRICT_SELF, rules, 0))
        os.close(rules)
    for step in _steps_into(program):
        _check(step())


def limit(limits: Mapping[int, tuple[int, int]]) -> None:
    """Set soft and hard limits by number, for this process and all that come from it. Raises OSError."""
    for step in _steps_below(limits):
        _check(step())


class Confinement:
    """What every child enters before it sees the candidate; prepared once, by the zygote, in its own process.

    limits: soft and hard value by the limit's number. program: a seccomp program on top of the zygote's own.
    """

    def __init__(self, limits: Mapping[int, tuple[int, int]], program: bytes) -> None:
        # Calls that lack nothing any more: each object that a child touches to put one together is a page copied.
        self._steps = _steps_below(limits)
        if _LINUX:
            self._steps += [partial(_libc.prctl, _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), *_steps_into(program)]
        self._zygote = os.getpid()

    def enter(self) -> None:
        """Confine this process, for good. Raises OSError where that fails: then nothing untrusted may run.

        The process ends with its zygote, here and now if that has ended already.
        """
        for step in self._steps:
            _check(step())
        if os.getppid() != self._zygote:  # it ended before it was asked to take this process with it
            os._exit(1)


class _Limit(ctypes.Structure):
    _fields_ = (("soft", ctypes.c_uint64), ("hard", ctypes.c_uint64))


def _steps_below(limits: Mapping[int, tuple[int, int]]) -> list[Callable[[], int]]:
    """The calls that set limits."""
    return [partial(_libc.setrlimit, number, ctypes.byref(_Limit(*pair))) for number, pair in limits.items()]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))  # the latter is kept with it


def _steps_into(program: bytes) -> list[Callable[[], int]]:
    """The call that enters a seccomp program, if there is one to enter."""
    if not program:
        return []
    prepared = ctypes.byref(_Program(len(program) // 8, program))
    return [partial(_libc.prctl, _PR_SET_SECCOMP, _SECCOMP_FILTER, prepared, 0, 0)]


def _known(rights: tuple[tuple[int, int], ...], abi: int) -> int:
    return sum(bits for version, bits in rights if abi >= version)


def _check(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
