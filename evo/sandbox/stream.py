"""Frames over a run's socket, from the trusted end, bounded in size; evo.sandbox.alarm bounds the time.

Reads and writes block: one system call each, where waiting for readiness first would make it two.
"""

import os
import struct
from typing import Final

from evo.sandbox.verdict import Status

__all__ = ["Ended", "Stream"]

_CHUNK: Final = 1 << 16
_MESSAGES: Final = 64  # of full size, in all
_FRAME_BYTES: Final = 64  # an operation and the tags around a reply that is just within the limit


class Ended(BaseException):
    """The run is over before check returned. A BaseException: no ``except Exception`` of a check shall hold it up."""

    def __init__(self, status: Status, error_type: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


class Stream:
    """descriptor: a connected socket's. limit: bound of an arriving frame in bytes; 64 times as many may arrive in all.

    Both methods raise Ended.
    """

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit + _FRAME_BYTES
        self._left = _MESSAGES * self._limit
        self._arrived = b""

    def send(self, operation: bytes, content: bytes) -> None:
        """Send one frame. What has arrived beyond the answer to the last one was made up."""
        if self._arrived:
            raise Ended(Status.PROTOCOL, "ProtocolError", "an answer before its question")
        frame = struct.pack("<I", len(content) + 1) + operation + content
        try:
            written = os.write(self._descriptor, frame)
            while written < len(frame):
                written += os.write(self._descriptor, memoryview(frame)[written:])
        except OSError:
            raise Ended(Status.CRASH) from None

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame: its operation, one byte, and its contents."""
        self._fill(4)
        (length,) = struct.unpack_from("<I", self._arrived)
        if not 1 <= length <= self._limit:
            raise Ended(Status.PROTOCOL, "ProtocolError", "a message of impossible length")
        self._fill(4 + length)
        operation, content = self._arrived[4:5], self._arrived[5 : 4 + length]
        self._arrived = self._arrived[4 + length :]
        return operation, content

    def _fill(self, count: int) -> None:
        """Have ``count`` bytes at least."""
        if len(self._arrived) >= count:
            return
        parts, length = [self._arrived], len(self._arrived)
        while length < count:
            try:
                part = os.read(self._descriptor, _CHUNK)
            except OSError:
                part = b""
            if not part:
                raise Ended(Status.CRASH)
            parts.append(part)
            length += len(part)
            self._left -= len(part)
            if self._left < 0:
                raise Ended(Status.UNSUPPORTED_RESULT, "UnsupportedResult", "the results are too large in all")
        self._arrived = b"".join(parts)
