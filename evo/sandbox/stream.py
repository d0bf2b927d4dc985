"""Frames over a run's socket, from the trusted end: bounded in size and in time."""

import select
import socket
import struct
import time
from typing import Final

from evo.sandbox.verdict import Status

__all__ = ["Ended", "Stream"]

_CHUNK: Final = 1 << 16
_FRAME_BYTES: Final = 64  # an operation and the tags around a reply that is just within the limit


class Ended(BaseException):
    """The run is over before check returned. A BaseException: no ``except Exception`` of a check shall hold it up."""

    def __init__(self, status: Status, error_type: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


class Stream:
    """deadline: a time.monotonic() value. limit: bound of an arriving frame in bytes. Both methods raise Ended."""

    def __init__(self, connection: socket.socket, deadline: float, limit: int) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._deadline = deadline
        self._limit = limit + _FRAME_BYTES
        self._arrived = bytearray()
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(connection, select.POLLIN)
        self._writable.register(connection, select.POLLOUT)

    def send(self, operation: bytes, content: bytes) -> None:
        """Send one frame."""
        frame = memoryview(struct.pack("<I", len(content) + 1) + operation + content)
        while frame:
            try:
                frame = frame[self._socket.send(frame) :]
            except BlockingIOError:
                self._wait(self._writable)
            except OSError:
                raise Ended(Status.CRASH) from None

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame: its operation, one byte, and its contents."""
        self._fill(4)
        (length,) = struct.unpack_from("<I", self._arrived)
        if not 1 <= length <= self._limit:
            raise Ended(Status.PROTOCOL, "ProtocolError", "a message of impossible length")
        self._fill(4 + length)
        operation, content = bytes(self._arrived[4:5]), bytes(self._arrived[5 : 4 + length])
        del self._arrived[: 4 + length]
        return operation, content

    def _fill(self, count: int) -> None:
        while len(self._arrived) < count:
            self._wait(self._readable)
            try:
                part = self._socket.recv(_CHUNK)
            except OSError:
                part = b""
            if not part:
                raise Ended(Status.CRASH)
            self._arrived += part

    def _wait(self, poll: select.poll) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Ended(Status.TIMEOUT, "TimeoutError")
