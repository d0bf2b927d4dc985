"""Resident memory of a process where the kernel sets no limit on it. UNTESTED: macOS only, no Mac was at hand."""

import ctypes
import struct
import sys

__all__ = ["resident_bytes"]

_PROC_PIDTASKINFO = 4
_TASK_INFO = struct.Struct("=6Q12i")  # struct proc_taskinfo: virtual size, resident size, times, counters


def resident_bytes(pid: int) -> int:
    """Bytes of memory that ``pid`` holds now; 0 where its own limit bounds it (everywhere but on macOS)."""
    if sys.platform != "darwin":
        return 0
    buffer = ctypes.create_string_buffer(_TASK_INFO.size)
    size = ctypes.CDLL("/usr/lib/libproc.dylib").proc_pidinfo(pid, _PROC_PIDTASKINFO, 0, buffer, _TASK_INFO.size)
    return int(_TASK_INFO.unpack(buffer.raw)[1]) if size == _TASK_INFO.size else 0
