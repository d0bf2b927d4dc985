"""The wire: what goes in comes out, and no bytes do harm."""

import contextlib
import marshal
import math
import random
import socket
import struct
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evo.sandbox import plain
from evo.sandbox.channel import Channel, Opaque, Raised
from evo.sandbox.inside import wire
from evo.sandbox.process import Process
from evo.sandbox.stream import Ended
from evo.sandbox.verdict import SandboxFault

LIMIT = 1 << 20

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(1 << 200), 1 << 200), st.floats(), st.complex_numbers(),
    st.text(), st.text(st.characters(categories=["Cs", "Cc", "L"])), st.binary(), st.binary().map(bytearray),
    st.builds(range, st.integers(), st.integers(), st.integers(1, 1 << 70)),
)  # fmt: skip
hashable = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()),
    lambda inner: st.one_of(st.tuples(inner, inner), st.frozensets(inner, max_size=5)),
    max_leaves=5,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.lists(inner, max_size=5).map(deque),
        st.sets(hashable, max_size=5),
        st.frozensets(hashable, max_size=5),
        st.dictionaries(hashable, inner, max_size=5),
    ),
    max_leaves=20,
)


def no_export(value: object) -> wire.Handle:
    raise AssertionError(f"exported {value!r}")


def round_trip(value: Any) -> Any:
    return wire.decode(wire.encode(value, no_export, LIMIT), Opaque)


def same(left: Any, right: Any) -> bool:
    """Equal in type and content; NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, complex):
        return same(left.real, right.real) and same(left.imag, right.imag)
    if isinstance(left, list | tuple | deque):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@given(values)
@settings(deadline=None)
def test_plain_data_comes_back_the_same(value: Any) -> None:
    assert same(round_trip(value), value)


@given(values)
@settings(deadline=None)
def test_what_goes_in_by_marshal_arrives_the_same(value: Any) -> None:
    data = plain.dumps(value)
    assert data is None or same(marshal.loads(data), value)


@pytest.mark.parametrize(
    "value", [bytearray(b"a"), [{"a": (bytearray(b"a"),)}], deque(), range(3), {1: range(3)}, len, object(), ...]
)
def test_what_marshal_would_change_or_refuse_is_not_called_plain(value: Any) -> None:
    assert plain.dumps(value) is None


class Colour(IntEnum):
    RED = 3


class Lie(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __int__(self) -> int:
        return 99


def test_only_the_very_types_and_bounded_depth_are_called_plain() -> None:
    assert plain.dumps([Colour.RED]) is plain.dumps({Lie(1)}) is plain.dumps(OrderedDict()) is None
    nested: list[Any] = []
    nested.append(nested)
    assert plain.dumps(nested) is None


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, 3),
        (Lie(7), 7),
        (Point(1, 2), (1, 2)),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (type("T", (str,), {})("x"), "x"),
        (type("L", (list,), {"__iter__": lambda self: iter([9])})([1]), [1]),
        (type("F", (float,), {"__float__": lambda self: 9.0})(1.5), 1.5),
        (type("B", (bytes,), {})(b"x"), b"x"),
    ],
)
def test_subclasses_come_back_as_their_base(value: Any, plain: Any) -> None:
    assert same(round_trip(value), plain)


def test_views_keep_their_kind() -> None:
    table = {"a": 1, "b": 2}
    assert round_trip(table.keys()) == table.keys()
    assert list(round_trip(table.values())) == [1, 2]
    assert round_trip(table.items()) == table.items()


@given(st.binary(max_size=400))
@settings(max_examples=3000, deadline=None)
@example(b"l\xff\xff\xff\xff")
@example(b"l\x01\x00\x00\x00" * 1000 + b"N")
@example(b"e\x01\x00\x00\x00l\x00\x00\x00\x00")
@example(b"r\x03\x00\x00\x00j\x00j\x01j\x00")
@example(b"s\x01\x00\x00\x00\xff")
@example(b"h\x09\x01\x00\x00\x00\x00s\x00\x00\x00\x00")
def test_any_bytes_decode_or_are_malformed(data: bytes) -> None:
    with contextlib.suppress(wire.Malformed):
        wire.decode(data, Opaque)


@given(values, st.data())
@settings(max_examples=1000, deadline=None)
def test_damaged_bytes_decode_or_are_malformed(value: Any, data: st.DataObject) -> None:
    damaged = bytearray(wire.encode(value, no_export, LIMIT))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.Malformed):
        wire.decode(bytes(damaged), Opaque)


@pytest.mark.parametrize(
    "content", [{i * (2**61 - 1) for i in range(1, 500)}, {(i * (2**61 - 1),): 0 for i in range(99)}]
)
def test_hash_collisions_are_refused(content: Any) -> None:
    with pytest.raises(wire.Malformed, match="collisions"):
        round_trip(content)


def test_bounds_of_what_is_sent() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    wide: list[Any] = []
    for _ in range(40):
        wide = [wide, wide]
    for value, reason in (
        (cycle, "deeper"),
        (wide, "larger|more than"),
        ("x" * LIMIT, "larger"),
        ([0] * (1 << 19), "more than"),
    ):
        with pytest.raises(wire.Unsupported, match=reason):
            wire.encode(value, no_export, LIMIT)


def test_depth_bound_is_the_same_on_both_sides() -> None:
    value: list[Any] = []
    for _ in range(wire.MAX_DEPTH - 1):
        value = [value]
    assert round_trip(value) == value
    with pytest.raises(wire.Unsupported):
        round_trip([value])


def spoken_to(data: bytes) -> tuple[Process, Channel]:
    """A process and its channel, at whose other end ``data`` was written before it closed."""
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)
    channel = Channel(ours.fileno(), LIMIT)
    channel._keep = theirs  # type: ignore[attr-defined]
    return Process(ours), channel


def test_ten_thousand_random_outputs_never_hang_or_break_the_supervisor() -> None:
    draw = random.Random(0)
    operations = b"SRVMXUBN"
    ends = set()
    for _ in range(10_000):
        frames = b""
        for _ in range(draw.randrange(4)):
            content = draw.randbytes(draw.randrange(30))
            operation = bytes([draw.choice(operations)]) if draw.random() < 0.9 else draw.randbytes(1)
            frames += struct.pack("<I", len(content) + 1) + operation + content
        opening = struct.pack("<I", 1) + b"S" + struct.pack("<I", 1) + b"R"
        process, channel = spoken_to(
            (opening if draw.random() < 0.8 else b"") + frames + draw.randbytes(draw.randrange(6))
        )
        try:
            process.greet()
            channel.load("", "f")
            channel.candidate(1)
            ends.add("value")
        except SandboxFault:
            ends.add("fault")
        except Ended as ended:
            ends.add(ended.status.value)
        except Exception as error:  # rebuilt from what the other side told
            assert channel.raised is not None
            assert error is channel.raised.exception
            ends.add("exception")
    assert {"crash", "protocol", "fault"} <= ends


@pytest.mark.parametrize(
    "name", ["ValueError", "UnicodeDecodeError", "SystemExit", "OSError", "Nonsense", "ExceptionGroup"]
)
def test_only_builtin_exceptions_are_rebuilt(name: str) -> None:
    content = wire.encode(([name, "Exception"], "text", (1, "a"), [("g", 3)]), no_export, LIMIT)
    raised = Raised(content)
    assert isinstance(raised.exception, BaseException)
    assert type(raised.exception).__module__ == "builtins"
    assert raised.name == name
    assert raised.frames == [("g", 3)]
