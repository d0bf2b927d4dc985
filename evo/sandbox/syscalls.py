"""The system calls that a candidate may make, as a seccomp program. Everything not named fails with EPERM.

The program is built outside with seccompy (pure Python, both architectures' tables, checks the calling convention) rather
than libseccomp's binding, which needs a system library; inside, installing it is one prctl.
"""

import errno
import platform
import sys
from functools import lru_cache

__all__ = ["ARCHITECTURES", "seccomp_program"]

ARCHITECTURES = ("x86_64", "aarch64")

_CLONE_THREAD = 0x00010000
_AF_UNIX = 1
_PR_SET_NAME, _PR_GET_NAME = 15, 16
# Asking about a terminal, setting close-on-exec and non-blocking: what Python's io and socket modules do to a descriptor.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

_ALLOWED = ["read", "write", "close", "fstat", "lseek", "mmap", "mprotect", "munmap", "brk", "mremap", "madvise", "msync", "mincore", "futex", "futex_waitv", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "open", "openat", "openat2", "creat", "newfstatat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "sendfile", "copy_file_range", "splice", "tee", "vmsplice", "dup", "dup2", "dup3", "fcntl", "flock", "fsync", "fdatasync", "sync_file_range", "truncate", "ftruncate", "fallocate", "fadvise64", "readahead", "statfs", "fstatfs", "getcwd", "chdir", "fchdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "umask", "chmod", "fchmod", "fchmodat", "utimensat", "utime", "utimes", "futimesat", "pipe", "pipe2", "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd", "eventfd2", "recvfrom", "recvmsg", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "timerfd_create", "timerfd_settime", "timerfd_gettime", "alarm", "setitimer", "getitimer", "nanosleep", "clock_nanosleep", "pause", "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage", "sysinfo", "uname", "getcpu", "getrandom", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "getpriority", "getrlimit", "membarrier", "rseq", "set_tid_address", "set_robust_list", "get_robust_list", "arch_prctl", "restart_syscall", "exit", "exit_group", "wait4", "waitid"]


@lru_cache(maxsize=1)
def seccomp_program() -> bytes:
    """The filter for this machine, or b"" where there is none (not Linux, or another architecture)."""
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return b""
    from seccompy import Action, CmpOp, Filter  # noqa: PLC0415 - Linux only
    from seccompy.syscalls import syscall_nr  # noqa: PLC0415

    rules = Filter(default=int(Action.ERRNO) | errno.EPERM)

    def known(name: str) -> bool:
        try:
            syscall_nr(name)
        except (KeyError, ValueError):
            return False
        return True

    for name in filter(known, _ALLOWED):
        rules.allow(name)
    rules.errno("clone3", errno.ENOSYS)  # its flags lie in memory, out of a filter's sight: libc falls back to clone
    rules.allow("clone", args=[(0, CmpOp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)])
    rules.allow("prctl", args={0: _PR_SET_NAME})
    rules.allow("prctl", args={0: _PR_GET_NAME})
    rules.allow("prlimit64", args={0: 0, 2: 0})  # reading one's own limits
    rules.allow("socketpair", args={0: _AF_UNIX})  # asyncio's self-pipe; no address can be reached from it
    rules.allow("sendto", args={4: 0})  # to the peer only
    for request in _IOCTLS:
        rules.allow("ioctl", args=[(1, CmpOp.MASKED_EQ, request, 0xFFFFFFFF)])
    return rules.program
