"""What the pool and its workers say to each other: JSON objects behind four bytes of length."""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from evo.sandbox.verdict import FailedAssert, Frame, Status, Verdict

__all__ = ["VALUE_SEEN", "from_json", "receive", "send", "to_json"]

VALUE_SEEN: Final = b"\0\0\0\0"
"""A message of no length: the candidate's first value has reached the check."""


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message. Raises OSError."""
    content = json.dumps(message).encode()
    connection.sendall(struct.pack("<I", len(content)) + content)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; an empty one for VALUE_SEEN; None at the end. Raises OSError (TimeoutError among them)."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    (length,) = struct.unpack("<I", head)
    if length == 0:
        return {}
    content = _exactly(connection, length)
    if content is None:
        return None
    message: dict[str, Any] = json.loads(content)
    return message


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON types."""
    return asdict(verdict)


def from_json(data: Mapping[str, Any]) -> Verdict:
    """The verdict that ``to_json`` made this of."""
    fields = dict(data)
    fields["status"] = Status(fields["status"])
    fields["failed"] = FailedAssert(**fields["failed"]) if fields["failed"] is not None else None
    fields["frames"] = tuple(Frame(**frame) for frame in fields["frames"])
    return Verdict(**fields)
