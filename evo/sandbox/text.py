"""Untrusted values and messages as short, harmless, repeatable text."""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Sequence
from types import FunctionType, GeneratorType
from typing import Any, Final

__all__ = ["clean", "show", "show_call"]

_MAX_MESSAGE: Final = 500
_MAX_VALUE: Final = 300
_MAX_PARTS: Final = 200
_MAX_BITS: Final = 2000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,16}\b")


def clean(text: str, cap: int = _MAX_MESSAGE) -> str:
    """``text`` without addresses and characters that are not printed (line ends and tabs stay), cut at ``cap``."""
    text = _ADDRESS.sub("0x…", text[: 4 * cap])
    text = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "�" for c in text)
    return text if len(text) <= cap else text[: cap - 1] + "…"


def show(value: Any, cap: int = _MAX_VALUE) -> str:
    """Like repr, for plain data of any size: bounded work, bounded length, the same text every time."""
    return clean("".join(_parts(value, [_MAX_PARTS])), cap)


def show_call(name: str, args: Iterable[Any], kwargs: dict[str, Any]) -> str:
    """``name(args)`` as a person would write it, bounded like ``show``."""
    shown = [show(value) for value in args] + [f"{key}={show(value)}" for key, value in kwargs.items()]
    return clean(f"{name}({', '.join(shown)})", 2 * _MAX_VALUE)


_EMPTY: Final[dict[Any, Any]] = {}
_WRAPPED: Final = (deque, type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))
_BRACKETS: Final[dict[type[Any], Sequence[str]]] = {
    list: "[]",
    tuple: "()",
    set: "{}",
    frozenset: ("frozenset({", "})"),
    dict: "{}",
}


def _parts(value: Any, budget: list[int]) -> Iterable[str]:
    budget[0] -= 1
    kind = type(value)
    if budget[0] < 0:
        yield "…"
    elif kind is int and value.bit_length() > _MAX_BITS:
        yield f"<int of {value.bit_length()} bits>"
    elif kind in (str, bytes, bytearray) and len(value) > _MAX_VALUE:
        yield repr(value[:_MAX_VALUE]) + "…"
    elif kind in _BRACKETS:
        yield from _container(value, kind, budget)
    elif kind in _WRAPPED:
        yield f"{kind.__name__}("
        yield from _container(list(value), list, budget)
        yield ")"
    elif isinstance(value, FunctionType | GeneratorType):  # stand-ins of ours, whose names say nothing
        yield "<function>" if callable(value) else "<iterator>"
    else:
        try:
            yield repr(value)
        except ValueError:  # a range over integers of too many digits
            yield f"<{kind.__name__}>"


def _container(value: Any, kind: type[Any], budget: list[int]) -> Iterable[str]:
    opening, closing = _BRACKETS[kind]
    if not value and kind in (set, frozenset):
        yield f"{kind.__name__}()"
        return
    yield opening
    for index, item in enumerate(_ordered(value) if kind in (set, frozenset) else value):
        if index:
            yield ", "
        if budget[0] < 0:
            yield "…"
            break
        yield from _parts(item, budget)
        if kind is dict:
            yield ": "
            yield from _parts(value[item], budget)
    yield ",)" if kind is tuple and len(value) == 1 else closing


def _ordered(value: Iterable[Any]) -> list[Any]:
    items = list(value)
    try:
        return sorted(items)
    except TypeError:
        return items
