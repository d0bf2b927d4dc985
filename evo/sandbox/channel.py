"""The trusted end of a run's socket: calls go out, plain data comes back, everything that arrives is hostile."""

import builtins
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from evo.sandbox.inside import wire
from evo.sandbox.text import clean
from evo.sandbox.verdict import SandboxFault, Status

__all__ = ["Channel", "Ended", "Opaque", "Raised"]

_ARGUMENT_BYTES: Final = 1 << 28
_MAX_FRAMES: Final = 8
_MAX_NAME: Final = 80
# Built from one message: these ask their constructor for more, so their base stands in for them.
_AWKWARD: Final = (
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeTranslateError",
    "BaseExceptionGroup",
    "ExceptionGroup",
)
_EXCEPTIONS: Final[dict[str, type[BaseException]]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and name not in _AWKWARD
}


class Ended(BaseException):
    """The run is over before check returned. A BaseException, so that no ``except Exception`` of a check holds it up."""

    def __init__(self, status: Status, error_type: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


class Raised:
    """An exception that the candidate raised, as told by its process.

    names: its types, most derived first. frames: (function, line) in the program.
    """

    def __init__(self, content: Any) -> None:
        names, message, arguments, frames = content
        if not names or any(type(name) is not str for name in names) or type(message) is not str:
            raise wire.Malformed("not an exception")
        self.names: list[str] = [clean(name, _MAX_NAME) for name in names]
        self.message: str = message
        self.frames: list[tuple[str, int]] = [
            (clean(function, _MAX_NAME), line) for function, line in frames[-_MAX_FRAMES:] if type(line) is int
        ]
        self.builtin = next((name for name in names if name in _EXCEPTIONS), "Exception")
        kind = _EXCEPTIONS[self.builtin]
        self.exception = self._build(kind, arguments if type(arguments) is tuple else (message,))

    def _build(self, kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
        try:
            return kind(*arguments)
        except Exception:
            return kind(self.message)


class Opaque:
    """What the candidate returned is no plain data: an object with a type's name and a truth value, equal to itself alone."""

    def __init__(self, handle: wire.Handle) -> None:
        self._name = clean(handle.type_name, _MAX_NAME)
        self._truth = handle.truth

    def __bool__(self) -> bool:
        return self._truth

    def __repr__(self) -> str:
        return f"<{self._name} object>"


class Channel:
    """One run's conversation. ``deadline`` is a time.monotonic() value; ``limit`` bounds a reply in bytes.

    After a method raised Ended, ``ended`` holds it, whatever a check does with it. calls: how often the candidate was called.
    """

    def __init__(self, connection: socket.socket, deadline: float, limit: int) -> None:
        self._socket = connection
        self._deadline = deadline
        self._limit = limit
        self._functions: list[Callable[..., Any]] = []
        self.ended: Ended | None = None
        self.calls = 0
        self.last_call: tuple[tuple[Any, ...], dict[str, Any]] | None = None
        self.returned: Any = None
        self.answered = False
        self.raised: Raised | None = None
        self.on_value: Callable[[], None] = lambda: None

    def wait_until_loaded(self) -> Raised | None:
        """None once the candidate's program has run and its entry point exists; else what it raised.

        Raises SandboxFault if the process could not be confined: then the program has not run.
        """
        try:
            operation, content = self._receive()
        except Ended as ended:
            raise SandboxFault(f"the candidate's process did not start: {ended.status}") from None
        if operation != b"S":
            raise SandboxFault(
                f"the candidate's process could not be confined: {content[:200].decode(errors='replace')}"
            )
        operation, content = self._receive()
        if operation == b"X":
            return self._raised(content)
        if operation != b"R":
            self._end(Status.PROTOCOL, "ProtocolError", "an unexpected message")
        return None

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """Call the entry point."""
        self.calls += 1
        self.last_call, self.returned, self.answered = (args, kwargs), None, False
        value = self._call(0, args, kwargs)
        self.returned, self.answered = value, True
        return value

    def _call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        reply = self._ask(b"C", (number, args, kwargs))
        if type(reply) is not tuple or len(reply) != 2:
            self._end(Status.PROTOCOL, "ProtocolError", "a malformed reply")
        value, changed = reply
        if value is None and changed is not None:
            _update((args, kwargs), changed)
        return value

    def _ask(self, operation: bytes, content: Any) -> Any:
        if self.ended is not None:
            raise self.ended
        self._send(operation, wire.encode(content, self._export, _ARGUMENT_BYTES))
        while True:
            kind, reply = self._receive()
            match kind:
                case b"V":
                    self.on_value()
                    return self._decode(reply)
                case b"X":
                    self.raised = self._raised(reply)
                    raise self.raised.exception
                case b"U":
                    reason = self._decode(reply)
                    self._end(Status.UNSUPPORTED_RESULT, "UnsupportedResult", f"the result is {reason}")
                case b"B":
                    self._call_back(self._decode(reply))
                case _:
                    self._end(Status.PROTOCOL, "ProtocolError", "an unexpected message")

    def _call_back(self, request: Any) -> None:
        """Run a function that the check passed as an argument, for the candidate."""
        try:
            number, args, kwargs = request
            function = self._functions[number]
            operation, content = b"V", function(*args, **kwargs)
        except Exception as error:
            operation, content = b"X", (type(error).__name__, str(error))
        self._send(operation, wire.encode(content, self._export, _ARGUMENT_BYTES))

    def _export(self, value: Any) -> wire.Handle:
        if not callable(value):
            raise wire.Unsupported(f"a {type(value).__name__}, which is no plain data")
        self._functions.append(value)
        return wire.Handle(wire.CALLABLE, len(self._functions) - 1, type(value).__name__, True)

    def _resolve(self, handle: wire.Handle) -> Any:
        if handle.kind == wire.ITERATOR:
            return self._iterate(handle.number)
        if handle.kind == wire.CALLABLE:
            return lambda *args, **kwargs: self._call(handle.number, args, kwargs)
        return Opaque(handle)

    def _iterate(self, number: int) -> Iterator[Any]:
        while True:
            try:
                value = self._ask(b"N", number)
            except StopIteration:
                return
            yield value

    def _raised(self, content: bytes) -> Raised:
        try:
            return Raised(wire.decode(content, Opaque))
        except (wire.Malformed, TypeError, ValueError):
            self._end(Status.PROTOCOL, "ProtocolError", "a malformed exception")

    def _decode(self, content: bytes) -> Any:
        try:
            return wire.decode(content, self._resolve)
        except wire.Malformed as error:
            self._end(Status.PROTOCOL, "ProtocolError", f"a malformed value: {error}")

    def _end(self, status: Status, error_type: str, message: str) -> NoReturn:
        self.ended = Ended(status, error_type, message)
        raise self.ended

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._end(Status.TIMEOUT, "TimeoutError", "")
        return left

    def _send(self, operation: bytes, content: bytes) -> None:
        self._socket.settimeout(self._time_left())
        try:
            self._socket.sendall(struct.pack("<I", len(content) + 1) + operation + content)
        except TimeoutError:
            self._end(Status.TIMEOUT, "TimeoutError", "")
        except OSError:
            self._end(Status.CRASH, "", "")

    def _receive(self) -> tuple[bytes, bytes]:
        (length,) = struct.unpack("<I", self._exactly(4))
        if not 1 <= length <= self._limit + 64:
            self._end(Status.PROTOCOL, "ProtocolError", "a message of impossible length")
        content = self._exactly(length)
        return content[:1], content[1:]

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            self._socket.settimeout(self._time_left())
            try:
                part = self._socket.recv(min(count, 1 << 20))
            except TimeoutError:
                self._end(Status.TIMEOUT, "TimeoutError", "")
            except OSError:
                part = b""
            if not part:
                self._end(Status.CRASH, "", "")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _update(old: Any, new: Any) -> None:
    """Make mutable arguments what the candidate made of them: in place, as far as the shapes agree."""
    if type(old) is tuple and type(new) is tuple and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            _update(before, after)
    elif type(old) is dict and type(new) is dict:
        merged = {key: _merged(old.get(key), value) for key, value in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is list and type(new) is list:
        old[:] = [_merged(old[i] if i < len(old) else None, value) for i, value in enumerate(new)]
    elif type(old) is set and type(new) is set:
        old.clear()
        old.update(new)
    elif type(old) is bytearray and type(new) is bytearray:
        old[:] = new


def _merged(old: Any, new: Any) -> Any:
    if type(old) is type(new) and isinstance(old, list | dict | set | bytearray | tuple):
        _update(old, new)
        return new if type(old) is tuple else old
    return old if isinstance(new, Opaque) or callable(new) else new
