"""The check's side of a run: calls go out, plain data comes back, and everything that arrives is hostile."""

import builtins
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from evo.sandbox import plain
from evo.sandbox.inside import changes, wire
from evo.sandbox.stream import Ended, Stream
from evo.sandbox.text import clean
from evo.sandbox.verdict import Status

__all__ = ["Channel", "Opaque", "Raised"]

_ARGUMENT_BYTES: Final = 1 << 28
_MAX_FRAMES: Final = 8
_MAX_NAME: Final = 80
# Not built from a message alone, so their base stands in for them.
_AWKWARD: Final = (
    *("UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"),
    *("BaseExceptionGroup", "ExceptionGroup"),
)
_ENDS_OF_ITERATION: Final = (StopIteration, StopAsyncIteration)
_EXCEPTIONS: Final[dict[str, type[BaseException]]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and name not in _AWKWARD
}


class Raised:
    """An exception of the candidate, as told by its process.

    name: its type's. builtin: the nearest builtin type's. exception: one of that type, to be raised in the check.
    frames: (function, line) in the program, outermost first. Raises Malformed.
    """

    def __init__(self, content: bytes) -> None:
        told = wire.decode(content, Opaque)
        if type(told) is not tuple or [type(part) for part in told] not in (_TOLD, _TOLD_WITHOUT_ARGUMENTS):
            raise wire.Malformed("not an exception")
        names, self.message, arguments, frames = told
        if not names or any(type(name) is not str for name in names):
            raise wire.Malformed("not an exception")
        self.name = clean(names[0], _MAX_NAME)
        self.builtin = next((name for name in names[1:] if name in _EXCEPTIONS), "Exception")
        self.exception = self._build(_EXCEPTIONS[self.builtin], arguments)
        self.frames: list[tuple[str, int]] = []
        for frame in frames[-_MAX_FRAMES:]:
            if type(frame) is not tuple or [type(part) for part in frame] != [str, int]:
                raise wire.Malformed("not a frame")
            self.frames.append((clean(frame[0], _MAX_NAME), frame[1]))

    def _build(self, kind: type[BaseException], arguments: tuple[Any, ...] | None) -> BaseException:
        try:
            return kind(*(arguments if arguments is not None else (self.message,)))
        except Exception:
            return kind(self.message)


_TOLD: Final = [list, str, tuple, list]
_TOLD_WITHOUT_ARGUMENTS: Final = [list, str, type(None), list]


class Opaque:
    """A returned object that is no plain data: it has a type's name and a truth value, and equals itself alone."""

    def __init__(self, handle: wire.Handle) -> None:
        self._name = clean(handle.type_name, _MAX_NAME)
        self._truth = handle.truth

    def __bool__(self) -> bool:
        return self._truth

    def __repr__(self) -> str:
        return f"<{self._name} object>"


class Channel:
    """One run's conversation.

    calls: how often the candidate was called. last_call: its arguments; returned: its value, if ``answered``.
    raised: its last exception. ended: what ended the run, whatever a check does with the exception that says so.
    ``on_value`` is called before anything that the candidate sends is looked at.
    """

    def __init__(self, descriptor: int, limit: int, on_value: Callable[[], None] = lambda: None) -> None:
        self._stream = Stream(descriptor, limit)
        self._functions: list[Callable[..., Any]] = []
        self._on_value = on_value
        self.calls = 0
        self.last_call: tuple[tuple[Any, ...], dict[str, Any]] | None = None
        self.returned: Any = None
        self.answered = False
        self.raised: Raised | None = None
        self.ended: Ended | None = None

    def load(self, code: str, entry_point: str) -> Raised | None:
        """Have the program run up to its end; what it raised, or None. Raises Ended."""
        self._send(b"L", (code, entry_point))
        operation, content = self._receive()
        if operation == b"X":
            return self._decode_exception(content)
        if operation != b"R":
            self._break_off("an unexpected message")
        return None

    def end(self, ended: Ended) -> NoReturn:
        """End the run. Raises Ended, now and at every further call."""
        self.ended = self.ended or ended
        raise self.ended

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """Call the entry point. Raises what it raises, rebuilt as a builtin exception; Ended at the end of the run."""
        self.calls += 1
        self.last_call, self.returned, self.answered = (args, kwargs), None, False
        self.returned = self._ask(b"C", (0, args, kwargs))
        self.answered = True
        return self.returned

    def _ask(self, operation: bytes, content: Any) -> Any:
        if self.ended is not None:
            raise self.ended
        self._send(operation, content)
        while True:
            kind, reply = self._receive()
            match kind:
                case b"V":
                    return self._decode(reply)
                case b"M" if operation == b"C":  # it returned None, and this is what it made of its arguments
                    return self._change(content[1:], reply)
                case b"X":
                    self.raised = self._decode_exception(reply)
                    if operation == b"C" and isinstance(self.raised.exception, _ENDS_OF_ITERATION):
                        # As in a generator (PEP 479): a check's map(candidate, ...) shall not end as if it were done.
                        self.raised.exception = RuntimeError(f"the candidate raised {self.raised.builtin}")
                    raise self.raised.exception
                case b"U":
                    reason = self._decode(reply)
                    if type(reason) is not str:
                        self._break_off("a malformed message")
                    self.end(Ended(Status.UNSUPPORTED_RESULT, "UnsupportedResult", f"the result is {reason}"))
                case b"B":
                    self._call_back(self._decode(reply))
                case _:
                    self._break_off("an unexpected message")

    def _change(self, arguments: tuple[tuple[Any, ...], dict[str, Any]], reply: bytes) -> None:
        """Make the containers among the arguments hold what the candidate left in its own."""
        taken = changes.containers(arguments)

        def resolve(handle: wire.Handle) -> Any:
            if handle.kind == wire.ARGUMENT and handle.number < len(taken):
                return taken[handle.number]
            return self._resolve(handle)

        contents = self._decode(reply, resolve)
        if type(contents) is not list or len(contents) != len(taken):
            self._break_off("malformed changes")
        for container, held in zip(taken, contents, strict=True):
            if not changes.refill(container, held):
                self._break_off("malformed changes")

    def _call_back(self, request: Any) -> None:
        """Run a function that the check passed as an argument, for the candidate."""
        try:
            number, args, kwargs = request
            reply = b"V", self._functions[number](*args, **kwargs)
        except Exception as error:
            reply = b"X", (type(error).__name__, str(error))
        self._send(*reply)

    def _iterate(self, number: int) -> Iterator[Any]:
        while True:
            try:
                value = self._ask(b"N", number)
            except StopIteration:
                return
            yield value

    def _export(self, value: Any) -> wire.Handle:
        if not callable(value):
            raise wire.Unsupported(f"a {type(value).__name__}, which is no plain data")
        name = getattr(value, "__name__", "")
        if (
            getattr(builtins, name, None) is value
        ):  # int stays int; and open is not run out here on the candidate's behalf
            return wire.Handle(wire.BUILTIN, 0, name, True)
        self._functions.append(value)
        return wire.Handle(wire.CALLABLE, len(self._functions) - 1, type(value).__name__, True)

    def _resolve(self, handle: wire.Handle) -> Any:
        if handle.kind == wire.FUNCTION and handle.number < len(self._functions):
            return self._functions[handle.number]
        if handle.kind == wire.ITERATOR:
            return self._iterate(handle.number)
        if handle.kind == wire.CALLABLE:
            return lambda *args, **kwargs: self._ask(b"C", (handle.number, args, kwargs))
        return Opaque(handle)

    def _send(self, operation: bytes, content: Any) -> None:
        encoded = plain.dumps(content)
        if encoded is not None and len(encoded) <= _ARGUMENT_BYTES:
            operation = operation.lower()
        else:
            encoded = self._encode(content)
        try:
            self._stream.send(operation, encoded)
        except Ended as ended:
            self.end(ended)

    def _encode(self, content: Any) -> bytes:
        try:
            return wire.encode(content, self._export, _ARGUMENT_BYTES)
        except wire.Unsupported as error:
            self.end(Ended(Status.UNSUPPORTED_RESULT, "UnsupportedArgument", f"a test passes {error}"))

    def _receive(self) -> tuple[bytes, bytes]:
        try:
            frame = self._stream.receive()
        except Ended as ended:
            self.end(ended)
        self._on_value()
        return frame

    def _decode(self, content: bytes, resolve: Callable[[wire.Handle], Any] | None = None) -> Any:
        try:
            return wire.decode(content, resolve or self._resolve)
        except wire.Malformed as error:
            self._break_off(f"a malformed value ({error})")

    def _decode_exception(self, content: bytes) -> Raised:
        try:
            return Raised(content)
        except wire.Malformed:
            self._break_off("a malformed exception")

    def _break_off(self, message: str) -> NoReturn:
        self.end(Ended(Status.PROTOCOL, "ProtocolError", message))
