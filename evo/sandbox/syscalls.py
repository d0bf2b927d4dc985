"""The system calls that a candidate may make, as seccomp programs. What is not named fails with EPERM.

The programs are built outside with seccompy (pure Python, tables of both architectures, checks the calling convention)
rather than with libseccomp's binding, which needs a system library; inside, installing one is a single prctl.
There are two, because the kernel's price for installing one grows with its length and every run pays for a child's: the
zygote enters the long list once; each child adds a short list of what only the zygote may do.
"""

import errno
import platform
import sys
from functools import lru_cache
from typing import Final

if sys.platform == "linux":
    from seccompy import Action, CmpOp, Filter
    from seccompy.syscalls import syscall_nr

__all__ = ["ARCHITECTURES", "child_program", "zygote_program"]

ARCHITECTURES: Final = ("x86_64", "aarch64")

_CLONE_THREAD: Final = 0x00010000
_AF_UNIX: Final = 1
_PR_SET_NAME, _PR_GET_NAME = 15, 16
# Asking about a terminal, close-on-exec, non-blocking: what Python's io and socket modules do to a descriptor.
_IOCTLS: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Duplicating, flags, asking for locks, a pipe's size. Not: owner and signal of a descriptor, which send signals without
# kill.
_FCNTLS: Final = (0, 1, 2, 3, 4, 5, 36, 1030, 1032)
# Taking locks does nothing and succeeds: a run shares no file of its own, and by a lock on one of the machine's (the
# null device, the library) it could speak to another run, or keep others waiting.
_LOCKS: Final = (6, 7, 37, 38)
_LOW: Final = 0xFFFFFFFF

# Not chmod, utime and their like: Landlock has no say over them, so they would reach every file of the same user.
_ALLOWED: Final = """
    read write close close_range fstat lseek mmap mprotect munmap brk mremap madvise msync mincore
    futex futex_waitv rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack rt_sigpending rt_sigtimedwait rt_sigsuspend
    open openat openat2 creat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat
    getdents getdents64 pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2
    sendfile copy_file_range splice tee dup dup2 dup3 fsync fdatasync
    truncate ftruncate fadvise64 statfs fstatfs getcwd chdir fchdir
    unlink unlinkat rename renameat renameat2 umask
    pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd eventfd2
    recvfrom recvmsg shutdown getsockname getpeername getsockopt setsockopt
    timerfd_create timerfd_settime timerfd_gettime alarm setitimer getitimer nanosleep clock_nanosleep pause
    clock_gettime clock_getres gettimeofday time times getrusage sysinfo uname getcpu getrandom
    getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp
    sched_yield getrlimit membarrier rseq
    set_tid_address set_robust_list get_robust_list arch_prctl restart_syscall exit exit_group wait4 waitid
""".split()  # noqa: SIM905 - a list of this length reads better as words
# Of the own process: what another has set could be a message.
_OWN: Final = ("getpgid", "getsid", "sched_getaffinity", "sched_getparam", "sched_getscheduler")
_ZYGOTE_ONLY: Final = ("kill", "sendmsg", "setpgid")
_RESTRICTED: Final = ("clone", "prctl", "prlimit64", "sched_setaffinity")


@lru_cache(maxsize=1)
def zygote_program() -> bytes:
    """The long list, for the zygote and its children; b"" where there is none (not Linux, another architecture)."""
    if not _supported():
        return b""
    rules = Filter(default=int(Action.ERRNO) | errno.EPERM)
    for name in (*_ALLOWED, *_ZYGOTE_ONLY, *_RESTRICTED):
        if _exists(name):
            rules.allow(name)
    rules.errno("clone3", errno.ENOSYS)  # its flags lie in memory, out of a filter's sight: libc falls back to clone
    rules.allow("socketpair", args={0: _AF_UNIX})  # asyncio wakes itself with one; no address can be reached from it
    rules.allow("sendto", args={4: 0})  # to the peer, not to an address
    rules.allow("fallocate", args={1: 0})  # its other modes take more of the disk than a file may be long
    for command in _FCNTLS:
        rules.allow("fcntl", args=[(1, CmpOp.MASKED_EQ, command, _LOW)])
    for name in _OWN:
        rules.allow(name, args=[(0, CmpOp.MASKED_EQ, 0, _LOW)])
    rules.allow("getpriority", args=[(1, CmpOp.MASKED_EQ, 0, _LOW)])
    rules.errno("flock", 0)
    for command in _LOCKS:
        rules.errno("fcntl", 0, args=[(1, CmpOp.MASKED_EQ, command, _LOW)])
    for request in _IOCTLS:
        rules.allow("ioctl", args=[(1, CmpOp.MASKED_EQ, request, _LOW)])
    return rules.program


@lru_cache(maxsize=1)
def child_program() -> bytes:
    """What a child gives up beyond its zygote: new processes, signals, passing descriptors, setting limits, prctl."""
    if not _supported():
        return b""
    rules = Filter(default=Action.ALLOW)
    rules.allow("clone", args=[(0, CmpOp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)])
    rules.allow("prctl", args=[(0, CmpOp.MASKED_EQ, _PR_SET_NAME, _LOW)])
    rules.allow("prctl", args=[(0, CmpOp.MASKED_EQ, _PR_GET_NAME, _LOW)])
    rules.allow("prlimit64", args=[(0, CmpOp.MASKED_EQ, 0, _LOW), (2, CmpOp.EQ, 0)])  # reading one's own
    rules.allow("sched_setaffinity", args=[(0, CmpOp.MASKED_EQ, 0, _LOW)])
    for name in (*_ZYGOTE_ONLY, *_RESTRICTED):
        rules.errno(name, errno.EPERM)
    return rules.program


def _supported() -> bool:
    return sys.platform == "linux" and platform.machine() in ARCHITECTURES


def _exists(name: str) -> bool:
    """Whether this architecture has the call: the newer one lacks open, fork and the like."""
    try:
        syscall_nr(name)
    except (KeyError, ValueError):
        return False
    return True
