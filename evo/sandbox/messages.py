"""What the pool and its workers say to each other: JSON objects behind four bytes of length."""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from evo.sandbox.verdict import FailedAssert, Frame, Status, Verdict

__all__ = ["from_json", "receive", "send", "to_json"]

_LENGTH: Final = struct.Struct("<I")
_CHUNK: Final = 1 << 16
_FIELDS: Final = tuple(field.name for field in fields(Verdict))


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message. Raises OSError."""
    content = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; None at the end. Raises OSError (TimeoutError among them).

    Mostly one system call: each message waits for an answer to the last, so nothing arrives behind it.
    """
    arrived, wanted = bytearray(), _LENGTH.size
    while len(arrived) < wanted:
        try:
            part = connection.recv(_CHUNK)
        except ConnectionResetError:  # whoever was there was killed
            part = b""
        if not part:
            return None
        arrived += part
        if len(arrived) >= _LENGTH.size:
            wanted = _LENGTH.size + _LENGTH.unpack_from(arrived)[0]
    message: dict[str, Any] = json.loads(arrived[_LENGTH.size :])
    return message


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
