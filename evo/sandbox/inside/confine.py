"""A process gives up what the candidate must not have: resources, files, system calls.

Landlock is three system calls with fixed numbers on every architecture; they are made by hand because only the standard
library exists in here. The seccomp program comes ready-made from outside (evo.sandbox.syscalls).
"""

import ctypes
import os
import resource
import stat
import struct
from collections.abc import Mapping, Sequence
from fcntl import F_DUPFD_CLOEXEC, fcntl

__all__ = ["Confinement", "drop_user", "hide_memory", "landlock_abi"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SIGKILL, _SECCOMP_FILTER = 9, 2

_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_REGULAR, _TRUNCATE = (
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 5,
    1 << 8,
    1 << 14,
)
_SCRATCH = _WRITE_FILE | _READ_FILE | _READ_DIR | _REMOVE_FILE | _MAKE_REGULAR | _TRUNCATE
# By interface version: rights over files, over the network, and scopes (signals, abstract sockets) that may be named.
_FILE_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15), (9, 1 << 16))
_NETWORK_RIGHTS = ((4, 0b11), (10, 0b1100))
_SCOPES = ((6, 0b11),)
_OF_A_FILE = _WRITE_FILE | _READ_FILE | _TRUNCATE

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def landlock_abi() -> int:
    """Version of the kernel's Landlock interface, 0 where there is none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, 1)))


def drop_user(user: int) -> None:
    """Become ``user`` for good. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _check(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _known(rights: tuple[tuple[int, int], ...], abi: int) -> int:
    return sum(bits for version, bits in rights if abi >= version)


def _ruleset(readable: Sequence[str], listable: Sequence[str], scratch: str) -> int:
    """A Landlock ruleset that allows reading ``readable``, listing ``listable`` and files in ``scratch``; a descriptor."""
    abi = landlock_abi()
    handled = _known(_FILE_RIGHTS, abi)
    attributes = struct.pack("=QQQ", handled, _known(_NETWORK_RIGHTS, abi), _known(_SCOPES, abi))
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _check(_libc.syscall(_CREATE_RULESET, attributes[:size], size, 0))
    grants = [(path, _READ_FILE | _READ_DIR) for path in readable]
    grants += [(path, _READ_DIR) for path in listable] + [(scratch, _SCRATCH)]
    for path, rights in grants:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = handled & (rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & _OF_A_FILE)
        _check(_libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, place), 0))
        os.close(place)
    return ruleset


class Confinement:
    """Prepared once by the zygote, while it still has its rights; entered by every child before it sees the candidate.

    limits: soft and hard value by RLIMIT name. program: seccomp filter, b"" for none.
    """

    def __init__(
        self,
        limits: Mapping[str, tuple[int, int]],
        program: bytes,
        *,
        landlock: bool,
        readable: Sequence[str],
        listable: Sequence[str],
        scratch: str,
    ) -> None:
        self._limits = [(getattr(resource, name), pair) for name, pair in limits.items()]
        self._ruleset = None
        if landlock:  # numbers below 10 are for what a child keeps
            ruleset = _ruleset(readable, listable, scratch)
            self._ruleset = fcntl(ruleset, F_DUPFD_CLOEXEC, 10)
            os.close(ruleset)
        self._instructions = ctypes.create_string_buffer(program, len(program))
        self._program = _Program(len(program) // 8, ctypes.addressof(self._instructions)) if program else None

    def enter(self) -> None:
        """Confine this process, for good. Raises OSError where that fails: then nothing untrusted may run."""
        for name, pair in self._limits:
            resource.setrlimit(name, pair)
        _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0))
        _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        if self._ruleset is not None:
            _check(_libc.syscall(_RESTRICT_SELF, self._ruleset, 0))
        if self._program is not None:
            _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.byref(self._program), 0, 0))


def hide_memory() -> None:
    """Bar processes of the same user from this one's memory and descriptors; inherited by its children."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
