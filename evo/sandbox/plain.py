"""Exactly plain data as bytes, for a reader that trusts the writer: the way into the sandbox.

The interpreter's own marshal reads it in one step, where evo.sandbox.inside.wire takes dozens of functions, and every
page of memory that these touch is copied for every run. Nothing that comes out of the sandbox is read this way.
"""

import marshal
from typing import Any, Final

from evo.sandbox.inside.wire import MAX_DEPTH

__all__ = ["dumps"]

_VERSION: Final = 2  # the last one without references: equal data, equal bytes
_SCALARS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_CONTAINERS: Final = frozenset({list, tuple, set, frozenset})


def dumps(value: Any) -> bytes | None:
    """``value`` for marshal.loads; None if it holds anything that would not come back as it is."""
    return marshal.dumps(value, _VERSION) if _is_plain(value, 0) else None


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if depth >= MAX_DEPTH:
        return False
    if kind is dict:
        return _all_plain(value, depth) and _all_plain(value.values(), depth)
    return kind in _CONTAINERS and _all_plain(value, depth)


def _all_plain(values: Any, depth: int) -> bool:
    return _SCALARS.issuperset(map(type, values)) or all(_is_plain(value, depth + 1) for value in values)
