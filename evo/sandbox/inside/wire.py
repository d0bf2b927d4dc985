"""Plain data as bytes, for a reader that does not trust the writer.

One tag byte, then little-endian lengths and contents. Decoding builds values of the builtin types and nothing else: no
name is looked up, no constructor of the writer's choice runs. Whatever is malformed or beyond the bounds is refused.
What is neither plain data nor of a subclass of it travels as a handle: kind, number, name of its type, truth value.
"""

import struct
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

__all__ = ["ARGUMENT", "BUILTIN", "CALLABLE", "FUNCTION", "ITERATOR", "MAX_DEPTH", "MAX_ITEMS", "OPAQUE", "Handle"]
__all__ += ["Malformed", "Unsupported", "decode", "encode"]

MAX_DEPTH: Final = 64
MAX_ITEMS: Final = 1 << 18
MAX_COLLISIONS: Final = 64  # equal hashes in one set or dict: beyond, the writer wants its reader to be quadratic

OPAQUE: Final = 0
ITERATOR: Final = 1
CALLABLE: Final = 2
BUILTIN: Final = 3  # the reader's own of that name; sent to the candidate only
FUNCTION: Final = 4  # the reader's own, which it had passed
ARGUMENT: Final = 5  # a container of its own among the arguments of a call (evo.sandbox.inside.changes)

_LENGTH = struct.Struct("<I")
_SMALL = struct.Struct("<cb")
_FLOAT = struct.Struct("<d")
_COMPLEX = struct.Struct("<dd")
_HANDLE = struct.Struct("<BBI")


class Malformed(Exception):
    """The bytes are not a value within the bounds."""


class Unsupported(Exception):
    """The value cannot be sent; the message says why."""


class Handle(NamedTuple):
    """Stands for an object that stays where it is. kind: one of the constants above."""

    kind: int
    number: int
    type_name: str
    truth: bool


_EMPTY: Final[dict[Any, Any]] = {}
_NONE: Final[Mapping[int, int]] = {}
_KEYS, _VALUES, _ITEMS = type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items())
_SEQUENCES: Final[dict[type[Any], bytes]] = {
    list: b"l",
    tuple: b"t",
    set: b"e",
    frozenset: b"z",
    deque: b"q",
    _KEYS: b"k",
    _VALUES: b"w",
    _ITEMS: b"m",
}
_ITERATE: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {kind: kind.__iter__ for kind in _SEQUENCES}
_BASES: Final = (int, float, complex, str, bytes, bytearray, *_SEQUENCES, dict)


class _Encoder:
    def __init__(self, export: Callable[[Any], Handle], limit: int, known: Mapping[int, int]) -> None:
        self.out = bytearray()
        self.export = export
        self.known = known
        self.limit = limit
        self.items = 0

    def put(self, value: Any, depth: int = 0) -> None:
        kind = type(value)
        if self.known and id(value) in self.known:
            self.named(ARGUMENT, self.known[id(value)], "", True, depth)
        else:
            if kind not in _WRITERS:
                kind = next((base for base in kind.__mro__ if base in _WRITERS), object)
            _WRITERS[kind](self, value, depth)
        self.items += 1
        if self.items > MAX_ITEMS:
            raise Unsupported(f"more than {MAX_ITEMS} items")
        if len(self.out) > self.limit:
            raise Unsupported(f"larger than {self.limit} bytes")

    def constant(self, value: Any, depth: int) -> None:
        self.out += b"N" if value is None else b"T" if value else b"F"

    def integer(self, value: int, depth: int) -> None:
        exact = int.__int__(value)
        if -128 <= exact <= 127:
            self.out += _SMALL.pack(b"j", exact)
            return
        raw = exact.to_bytes(exact.bit_length() // 8 + 1, "little", signed=True)
        self.blob(b"i", raw)

    def real(self, value: float, depth: int) -> None:
        self.out += b"f" + _FLOAT.pack(float.__float__(value))

    def compound(self, value: complex, depth: int) -> None:
        self.out += b"c" + _COMPLEX.pack(complex.real.__get__(value), complex.imag.__get__(value))

    def text(self, value: str, depth: int) -> None:
        self.blob(b"s", str.encode(value, "utf-8", "surrogatepass"))

    def blob(self, tag: bytes, raw: Any) -> None:
        if len(raw) > self.limit:
            raise Unsupported(f"larger than {self.limit} bytes")
        self.out += tag + _LENGTH.pack(len(raw))
        self.out += raw

    def sequence(self, value: Any, depth: int) -> None:
        base = next(base for base in type(value).__mro__ if base in _SEQUENCES)
        self.many(_SEQUENCES[base], list(_ITERATE[base](value)), depth)

    def mapping(self, value: dict[Any, Any], depth: int) -> None:
        pairs = list(dict.items(value))
        self.many(b"d", [part for pair in pairs for part in pair], depth)

    def span(self, value: range, depth: int) -> None:
        self.many(b"r", [value.start, value.stop, value.step], depth)

    def many(self, tag: bytes, items: list[Any], depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise Unsupported(f"nested deeper than {MAX_DEPTH} levels, or contains itself")
        if len(items) > MAX_ITEMS:
            raise Unsupported(f"more than {MAX_ITEMS} items")
        self.out += tag + _LENGTH.pack(len(items))
        for item in items:
            self.put(item, depth + 1)

    def handle(self, value: Any, depth: int) -> None:
        kind, number, name, truth = self.export(value)
        self.named(kind, number, name, truth, depth)

    def named(self, kind: int, number: int, name: str, truth: bool, depth: int) -> None:
        self.out += b"h" + _HANDLE.pack(kind, truth, number)
        self.text(name, depth)


_WRITERS: Final[dict[type, Callable[[_Encoder, Any, int], None]]] = {
    type(None): _Encoder.constant,
    bool: _Encoder.constant,
    int: _Encoder.integer,
    float: _Encoder.real,
    complex: _Encoder.compound,
    str: _Encoder.text,
    bytes: lambda encoder, value, depth: encoder.blob(b"b", memoryview(value)),
    bytearray: lambda encoder, value, depth: encoder.blob(b"y", memoryview(value)),
    **dict.fromkeys(_SEQUENCES, _Encoder.sequence),
    dict: _Encoder.mapping,
    range: _Encoder.span,
    object: _Encoder.handle,
}


def encode(value: Any, export: Callable[[Any], Handle], limit: int, known: Mapping[int, int] = _NONE) -> bytes:
    """``value`` as at most ``limit`` bytes; ``export`` gives a handle for what is not plain data.

    known: numbers by id of objects that are named as arguments, wherever they occur.

    Raises Unsupported for what is too large, too deep (a cycle is) or refused by ``export``.
    """
    encoder = _Encoder(export, limit, known)
    encoder.put(value)
    return bytes(encoder.out)


class _Decoder:
    def __init__(self, data: bytes, resolve: Callable[[Handle], Any]) -> None:
        self.data = data
        self.resolve = resolve
        self.position = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise Malformed("cut short")
        part = self.data[self.position : end]
        self.position = end
        return part

    def length(self) -> int:
        number: int = _LENGTH.unpack(self.take(4))[0]
        return number

    def value(self, depth: int = 0) -> Any:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise Malformed("too many items")
        tag = self.take(1)
        if tag in _FIXED:
            size, read = _FIXED[tag]
            return read(self.take(size))
        if tag in _SIZED:
            return _SIZED[tag](self.take(self.length()))
        if tag == b"h":
            return self.handle()
        if tag not in _BUILDERS:
            raise Malformed("unknown tag")
        if depth >= MAX_DEPTH:
            raise Malformed("nested too deep")
        count = self.length()
        if count > len(self.data) - self.position:
            raise Malformed("cut short")
        return _BUILDERS[tag]([self.value(depth + 1) for _ in range(count)])

    def handle(self) -> Any:
        kind, truth, number = _HANDLE.unpack(self.take(6))
        name = self.value(MAX_DEPTH)
        if kind > ARGUMENT or truth > 1 or type(name) is not str:
            raise Malformed("not a handle")
        return self.resolve(Handle(kind, number, name, bool(truth)))


def _hashable(items: list[Any]) -> list[Any]:
    if len(items) > MAX_COLLISIONS and max(Counter(map(hash, items)).values()) > MAX_COLLISIONS:
        raise Malformed("hash collisions")
    return items


def _mapping(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise Malformed("a key without a value")
    return dict(zip(_hashable(items[::2]), items[1::2], strict=True))


def _range(items: list[Any]) -> range:
    if [type(item) for item in items] != [int, int, int]:
        raise Malformed("not a range")
    return range(*items)


def _items_view(items: list[Any]) -> Any:
    if any(type(item) is not tuple or len(item) != 2 for item in items):
        raise Malformed("not pairs")
    _hashable([key for key, _ in items])
    return dict(items).items()


_FIXED: Final[dict[bytes, tuple[int, Callable[[bytes], Any]]]] = {
    b"N": (0, lambda raw: None),
    b"T": (0, lambda raw: True),
    b"F": (0, lambda raw: False),
    b"j": (1, lambda raw: int.from_bytes(raw, "little", signed=True)),
    b"f": (8, lambda raw: _FLOAT.unpack(raw)[0]),
    b"c": (16, lambda raw: complex(*_COMPLEX.unpack(raw))),
}
_SIZED: Final[dict[bytes, Callable[[bytes], Any]]] = {
    b"i": lambda raw: int.from_bytes(raw, "little", signed=True),
    b"s": lambda raw: raw.decode("utf-8", "surrogatepass"),
    b"b": bytes,
    b"y": bytearray,
}
_BUILDERS: Final[dict[bytes, Callable[[list[Any]], Any]]] = {
    b"l": list,
    b"t": tuple,
    b"e": lambda items: set(_hashable(items)),
    b"z": lambda items: frozenset(_hashable(items)),
    b"q": deque,
    b"k": lambda items: dict.fromkeys(_hashable(items)).keys(),
    b"w": lambda items: dict(enumerate(items)).values(),
    b"m": _items_view,
    b"d": _mapping,
    b"r": _range,
}


def decode(data: bytes, resolve: Callable[[Handle], Any]) -> Any:
    """The value in ``data``; ``resolve`` gives what stands for a handle here. Raises Malformed and nothing else."""
    decoder = _Decoder(data, resolve)
    try:
        value = decoder.value()
    except (ValueError, TypeError, OverflowError, struct.error, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    if decoder.position != len(data):
        raise Malformed("bytes left over")
    return value
