"""The candidate's process: loads the program, answers calls with plain data, and is killed afterwards."""

import builtins
import io
import itertools
import os
import random
import struct
import sys
import types
from collections.abc import Callable
from typing import Any, Final, NoReturn

from . import wire

__all__ = ["CHANNEL", "Channel", "serve"]

CHANNEL: Final = 3
FILE_NAME: Final = "<solution>"
MODULE: Final = "solution"
_MAX_FRAMES: Final = 8
_MAX_TEXT: Final = 2000
_MUTABLE: Final = (list, dict, set, bytearray)
# The reply when memory ran out, made while there was some.
_NO_MEMORY: Final = b"X" + wire.encode((["MemoryError", "Exception"], "", None, []), NotImplemented, 1 << 10)


class _Raised(Exception):
    pass


class Channel:
    """Frames over one descriptor: four bytes of length, one of operation, the contents."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self.descriptor = descriptor
        self.limit = limit
        self.objects: list[Any] = []

    def send(self, operation: bytes, content: bytes) -> None:
        frame = memoryview(struct.pack("<I", len(content) + 1) + operation + content)
        while frame:
            frame = frame[os.write(self.descriptor, frame) :]

    def receive(self) -> tuple[bytes, bytes]:
        content = self._exactly(struct.unpack("<I", self._exactly(4))[0])
        return content[:1], content[1:]

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self.descriptor, min(count, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def encode(self, value: Any) -> bytes:
        return wire.encode(value, self.export, self.limit)

    def export(self, value: Any) -> wire.Handle:
        """Keep an object that is no plain data, and name it by number."""
        kind = type(value)
        what = wire.ITERATOR if hasattr(kind, "__next__") else wire.CALLABLE if callable(value) else wire.OPAQUE
        self.objects.append(value)
        return wire.Handle(what, len(self.objects) - 1, kind.__name__[:80], bool(value))

    def function_of_the_check(self, handle: wire.Handle) -> Callable[..., Any]:
        """A function that the check passed as an argument: calling it asks the check's side."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self.send(b"B", self.encode((handle.number, args, kwargs)))
            operation, content = self.receive()
            value = wire.decode(content, self.function_of_the_check)
            if operation == b"V":
                return value
            name, message = value
            kind = getattr(builtins, name, Exception)
            raise kind(message)

        return call


def _describe(error: BaseException, channel: Channel) -> bytes:
    """Types from the most derived on, message, arguments if they are plain data, frames in the program outermost first."""
    names = [kind.__name__[:80] for kind in type(error).__mro__ if issubclass(kind, BaseException)]
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE_NAME:
            frames.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    message: object = ""
    try:
        message = str(error)[:_MAX_TEXT]
        if isinstance(error, SyntaxError) and error.filename == FILE_NAME:
            frames.append(("<module>", error.lineno or 0))
            message = error.msg
    except BaseException:
        message = "<the error's text could not be made>"
    arguments: Any = None
    try:
        arguments = tuple(error.args)
        channel.encode(arguments)
    except BaseException:
        arguments = None
    return channel.encode((names, message, arguments, frames[-_MAX_FRAMES:]))


def _load(code: str, entry_point: str) -> Any:
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    exec(compile(code, FILE_NAME, "exec", dont_inherit=True), module.__dict__)
    if entry_point not in module.__dict__:
        raise NameError(f"name {entry_point!r} is not defined")
    function = module.__dict__[entry_point]
    if not callable(function):
        raise TypeError(f"{entry_point!r} is a {type(function).__name__}, not a function")
    return function


def _changed(content: bytes, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], channel: Channel) -> Any:
    """The arguments after the call, if they are other than before it; else None."""
    if not any(isinstance(value, _MUTABLE) for value in itertools.chain(args, kwargs.values())):
        return None
    return (args, kwargs) if channel.encode((number, args, kwargs)) != content else None


def _answer(operation: bytes, content: bytes, channel: Channel) -> bytes:
    if operation == b"N":
        return channel.encode(next(channel.objects[wire.decode(content, channel.function_of_the_check)]))
    number, args, kwargs = wire.decode(content, channel.function_of_the_check)
    value = channel.objects[number](*args, **kwargs)
    # Only a function that returns nothing shows what it did to its arguments, as list.sort does (see docs/sandbox.md).
    return channel.encode((value, _changed(content, number, args, kwargs, channel) if value is None else None))


def _attempt(action: Callable[[], tuple[bytes, bytes]], channel: Channel) -> None:
    """Send what ``action`` gives, or the error that it ended in."""
    try:
        operation, reply = action()
    except wire.Unsupported as error:
        operation, reply = b"U", channel.encode(str(error))
    except MemoryError:
        operation, reply = _NO_MEMORY[:1], _NO_MEMORY[1:]
    except BaseException as error:
        try:
            operation, reply = b"X", _describe(error, channel)
        except MemoryError:
            operation, reply = _NO_MEMORY[:1], _NO_MEMORY[1:]
    channel.send(operation, reply)


def serve(channel: Channel, code: str, entry_point: str) -> NoReturn:
    """Load the program and answer calls until the other side closes the channel."""
    random.seed(0)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), open(1, "w", closefd=False), open(2, "w", closefd=False)

    def load() -> tuple[bytes, bytes]:
        channel.objects.append(_load(code, entry_point))
        return b"R", b""

    _attempt(load, channel)
    while True:
        operation, content = channel.receive()
        _attempt(lambda: (b"V", _answer(operation, content, channel)), channel)
