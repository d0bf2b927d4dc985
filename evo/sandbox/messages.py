"""What the pool and its workers say to each other: JSON objects behind four bytes of length."""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from evo.sandbox.verdict import FailedAssert, Frame, Status, Verdict

__all__ = ["from_json", "receive", "send", "to_json"]

_FIELDS: Final = tuple(field.name for field in fields(Verdict))


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message. Raises OSError."""
    content = json.dumps(message).encode()
    connection.sendall(struct.pack("<I", len(content)) + content)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; None at the end. Raises OSError (TimeoutError among them)."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    (length,) = struct.unpack("<I", head)
    content = _exactly(connection, length)
    if content is None:
        return None
    message: dict[str, Any] = json.loads(content)
    return message


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        try:
            part = connection.recv(min(count, 1 << 20))
        except ConnectionResetError:  # whoever was there was killed
            part = b""
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON types."""
    data = {name: getattr(verdict, name) for name in _FIELDS}  # asdict would copy every text
    data["failed"] = verdict.failed and asdict(verdict.failed)
    data["frames"] = [asdict(frame) for frame in verdict.frames]
    return data


def from_json(data: Mapping[str, Any]) -> Verdict:
    """The verdict that ``to_json`` made this of."""
    values = dict(data)
    values["status"] = Status(values["status"])
    values["failed"] = FailedAssert(**values["failed"]) if values["failed"] is not None else None
    values["frames"] = tuple(Frame(**frame) for frame in values["frames"])
    return Verdict(**values)
