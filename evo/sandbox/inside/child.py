"""The candidate's process: loads the program, answers calls with plain data, and is killed afterwards."""

import _socket
import builtins
import gc
import marshal
import os
import struct
import sys
import time
import types
from collections.abc import Callable
from typing import Any, Final, NoReturn

from . import changes, wire

__all__ = ["GREETING", "Channel", "rehearse", "serve", "stretch"]

GREETING: Final = struct.pack("<I", 1) + b"S"  # confined and ready: what happens from here on is the candidate's doing

_FILE_NAME: Final = "<solution>"
_MODULE: Final = "solution"
_CHUNK: Final = 1 << 16
_MAX_FRAMES: Final = 8
_MAX_TEXT: Final = 2000
_MAX_NAME: Final = 80
_VERSION: Final = 2  # as in evo.sandbox.plain
# The reply when memory ran out, made while there was some.
_NO_MEMORY: Final = wire.encode((["MemoryError", "Exception"], "", None, []), NotImplemented, 1 << 10)

# A program that replaces len must not replace it for the code here, which answers for it.
_OWN_BUILTINS: Final = types.ModuleType("builtins")
_OWN_BUILTINS.__dict__.update(vars(builtins))
_REHEARSAL: Final = """
from typing import List
def rehearsal(numbers: List[float], step: int = 1, name: str = "") -> List[str]:
    ''' A program as they come. '''
    table = {n: [str(n), (n, 0.5)] for n in numbers if n % 2 == 0 or not n}
    for n, value in sorted(table.items()):
        while value and n < 3:
            n += step
    if name == "raise":
        raise ValueError(name)
    return [f"{n}" for n in table]
"""
# What the parser and the compiler need for nearly every program. The whole rehearsal would copy twice as much again.
_STRETCH: Final = """
from typing import List
def f(x: List[int]) -> bool:
    return [a for a in x]
"""


class Channel:
    """Frames over one descriptor: four bytes of length, one of operation, contents. ``limit`` bounds what is sent."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self.objects: list[Any] = []
        self.borrowed: dict[int, tuple[Any, wire.Handle]] = {}  # functions of the check's side, by id

    def send(self, operation: bytes, content: bytes) -> None:
        """Send one frame."""
        frame = struct.pack("<I", len(content) + 1) + operation + content
        while frame:
            try:
                frame = frame[os.write(self._descriptor, frame) :]
            except OSError:  # the program closed the descriptor: the end is the other side's to make
                while True:
                    time.sleep(1)

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame. Ends the process where there is none: the other side is done."""
        arrived = self._read()  # all of it, mostly: the next frame waits for an answer to this one
        while len(arrived) < 4:
            arrived += self._read()
        (length,) = struct.unpack_from("<I", arrived)
        if len(arrived) < 4 + length:
            parts, missing = [arrived], 4 + length - len(arrived)
            while missing:
                parts.append(self._read())
                missing -= len(parts[-1])
            arrived = b"".join(parts)
        return arrived[4:5], arrived[5:]

    def _read(self) -> bytes:
        part = os.read(self._descriptor, _CHUNK)
        if not part:
            os._exit(0)
        return part

    def encode(self, value: Any) -> bytes:
        """Plain data as bytes; anything else in it stays here and is named by a number."""
        return wire.encode(value, self._export, self._limit)

    def encode_changes(self, taken: list[Any]) -> bytes:
        """What each of a call's containers holds now. One of them in another is named by its place in ``taken``."""
        known = {id(container): number for number, container in enumerate(taken)}
        return wire.encode([type(each)(each) for each in taken], self._export, self._limit, known)

    def decode(self, operation: bytes, content: bytes) -> Any:
        """What the check's side sent. The operation is a small letter where it is plain data (evo.sandbox.plain)."""
        if operation >= b"a":
            return marshal.loads(content)
        return wire.decode(content, self._from_the_check)

    def is_still(self, operation: bytes, content: bytes, value: Any) -> bool:
        """Whether ``value`` would be sent as these bytes."""
        if operation < b"a":
            return self.encode(value) == content
        try:
            return marshal.dumps(value, _VERSION) == content
        except ValueError:  # no plain data any more
            return False

    def _export(self, value: Any) -> wire.Handle:
        if id(value) in self.borrowed:
            return self.borrowed[id(value)][1]
        kind = type(value)
        what = wire.ITERATOR if hasattr(kind, "__next__") else wire.CALLABLE if callable(value) else wire.OPAQUE
        self.objects.append(value)
        return wire.Handle(what, len(self.objects) - 1, kind.__name__[:_MAX_NAME], bool(value))

    def _from_the_check(self, handle: wire.Handle) -> Any:
        """A builtin, or a function that the check passed as an argument: calling it asks the check's side."""
        if handle.kind == wire.BUILTIN:
            return getattr(builtins, handle.type_name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.send(b"B", self.encode((handle.number, args, kwargs)))
            while (frame := self.receive())[0] in b"CcNn":  # the function calls the candidate in its turn
                _reply(self, _answer, *frame, self)
            value = self.decode(*frame)
            if frame[0] in b"Vv":
                return value
            name, message = value
            raise getattr(builtins, name, Exception)(message)

        self.borrowed[id(call)] = call, handle._replace(kind=wire.FUNCTION)
        return call


def _load(code: str, entry_point: str, channel: Channel) -> tuple[bytes, bytes]:
    """Run the program and keep its function as object 0."""
    module = types.ModuleType(_MODULE)
    sys.modules[_MODULE] = module
    sys.modules["builtins"] = module.__dict__["__builtins__"] = _OWN_BUILTINS
    exec(compile(code, _FILE_NAME, "exec", dont_inherit=True), module.__dict__)
    if entry_point not in module.__dict__:
        raise NameError(f"name {entry_point!r} is not defined")
    function = module.__dict__[entry_point]
    if not callable(function):
        raise TypeError(f"{entry_point!r} is a {type(function).__name__}, not a function")
    channel.objects.append(function)
    return b"R", b""


def _answer(operation: bytes, content: bytes, channel: Channel) -> tuple[bytes, bytes]:
    if operation in b"Nn":
        return b"V", channel.encode(next(channel.objects[channel.decode(operation, content)]))
    number, args, kwargs = channel.decode(operation, content)
    taken = changes.containers((args, kwargs))
    value = channel.objects[number](*args, **kwargs)
    # Only a function that returns nothing shows what it did to its arguments, as list.sort does (see docs/sandbox.md).
    if value is None and taken and not channel.is_still(operation, content, (number, args, kwargs)):
        return b"M", channel.encode_changes(taken)
    return b"V", channel.encode(value)


def _describe(error: BaseException, channel: Channel) -> bytes:
    """An error as its type's name and those of the builtin types that it is of, message, arguments, frames.

    Arguments if they are plain data; frames in the program.
    """
    kinds = [kind for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind]
    names = [kind.__name__[:_MAX_NAME] for kind in (type(error), *kinds)]
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE_NAME:
            frames.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    message: object = ""
    try:
        message = str(error)[:_MAX_TEXT]
        if isinstance(error, SyntaxError) and error.filename == _FILE_NAME:
            frames.append(("<module>", error.lineno or 0))
            message = error.msg
    except BaseException:  # the candidate's own __str__
        message = "<the error's text could not be made>"
    arguments: Any = None
    try:
        arguments = tuple(error.args)
        channel.encode(arguments)
    except BaseException:  # the candidate's own class
        arguments = None
    return channel.encode((names, message, arguments, frames[-_MAX_FRAMES:]))


def _reply(channel: Channel, action: Callable[..., tuple[bytes, bytes]], *arguments: Any) -> None:
    """Send what ``action`` gives, or the error that it ended in."""
    try:
        operation, content = action(*arguments)
    except wire.Unsupported as error:
        operation, content = b"U", channel.encode(str(error))
    except BaseException as error:  # SystemExit and the like are the candidate's too
        operation = b"X"
        try:
            content = _describe(error, channel)
        except MemoryError:
            content = _NO_MEMORY
    channel.send(operation, content)


def serve(channel: Channel) -> NoReturn:
    """Take the program, load it, and answer calls until the other side closes the channel."""
    channel.send(b"S", b"")  # the greeting
    gc.enable()
    _begin(channel)
    while True:
        _next(channel)


def _begin(channel: Channel) -> None:
    code, entry_point = channel.decode(*channel.receive())
    _reply(channel, _load, code, entry_point, channel)


def _next(channel: Channel) -> None:
    _reply(channel, _answer, *channel.receive(), channel)


def rehearse() -> None:
    """Run a program as they come, with a call or two, and leave nothing of it.

    Before the first fork, often: the interpreter writes into code until it has specialised it, looks names up until it
    remembers where they are, and takes new pages of memory until it has free ones. What has happened before a fork need
    not be copied after it.
    """
    modules = dict(sys.modules)
    ours, theirs = _socket.socketpair()
    outside, channel = Channel(ours.fileno(), 1 << 16), Channel(theirs.fileno(), 1 << 16)
    outside.send(b"l", marshal.dumps((_REHEARSAL, "rehearsal"), _VERSION))
    _begin(channel)
    for name in ("", "raise"):
        outside.send(b"c", marshal.dumps((0, ([1.0, 2, 4], 1, name), {}), _VERSION))
        _next(channel)
    ours.close()
    theirs.close()
    stretch()
    sys.modules.clear()
    sys.modules.update(modules)


def stretch() -> None:
    """After a fork: call something and compile something, so that memory which every run writes to is copied by now."""
    channel = Channel(-1, 1 << 16)
    channel.objects.append(len)
    _answer(b"c", marshal.dumps((0, ([1.0],), {}), _VERSION), channel)
    exec(compile(_STRETCH, _FILE_NAME, "exec", dont_inherit=True), {})
