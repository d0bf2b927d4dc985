"""What a call made of its arguments: told container by container, in an order that both sides agree on.

Position alone would not do: a program moves containers about, and what a test computed from them before holds the same.
"""

from typing import Any, Final

__all__ = ["containers", "refill"]

_MUTABLE: Final[tuple[Any, ...]] = (list, dict, set, bytearray)
_NESTING: Final = (list, dict, tuple)
_EITHER: Final = (*_MUTABLE, tuple)


def containers(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> list[Any]:
    """The mutable containers in positional and keyword arguments, outer ones first."""
    args, kwargs = arguments
    found: list[Any] = []
    _collect((*args, *kwargs.values()), found)
    return found


def _collect(value: Any, found: list[Any]) -> None:
    if isinstance(value, _MUTABLE):
        found.append(value)
    if isinstance(value, _NESTING):
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, _EITHER):
                _collect(each, found)


def refill(container: Any, contents: Any) -> bool:
    """Have ``container`` hold ``contents``, which arrived as a builtin of its kind; False if they are no such thing."""
    for kind in _MUTABLE:
        if isinstance(container, kind):
            if type(contents) is not kind:
                return False
            kind.clear(container)
            (kind.extend if kind in (list, bytearray) else kind.update)(container, contents)
            return True
    return False
